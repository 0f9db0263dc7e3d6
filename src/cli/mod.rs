//! The command line: the operator's way in with a shell. Scripts depend on it.
//!
//! Results go to standard output, errors to standard error. Exit codes: 0 done, 1 refused or
//! unsound, 2 usage, 74 storage failed.

/// Writes a line to standard output. Unlike `println!`, a reader that has gone is no panic.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::cli::say(format_args!($($text)*))
    };
}

mod admins;
mod alerts;
mod backup;
mod demo;
mod moving;
mod orders;
mod provider_args;
mod providers;
mod serve;
mod services;
mod settings;
mod supply;
mod users;

use std::ffi::OsString;
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app::{self, AppError};
use crate::clock::Clock;
use crate::commands::catalog_csv::CsvError;
use crate::config::{db_password, default_key_file};
use crate::delivery::client::CallError;
use crate::delivery::url::UrlRefusal;
use crate::secret::Sealer;
use crate::store::backup::BackupError;
use crate::store::moving::MoveError;
use crate::store::place::{Access, Place, PlaceError};
use crate::store::{self, Missing, OpenError, Store};

const EXIT_REFUSED: u8 = 1;
const EXIT_USAGE: u8 = 2;
const EXIT_STORAGE: u8 = 74;

/// A whole reseller panel in one executable.
#[derive(Parser)]
#[command(name = "panelite", version, about, arg_required_else_help = true)]
struct Cli {
    /// The panel's file, or its database on a server: postgres://USER@HOST/NAME
    #[arg(
        long,
        global = true,
        env = "PANELITE_DB",
        hide_env_values = true,
        default_value = "panel.db",
        value_name = "PLACE"
    )]
    db: OsString,

    /// Who vouches for the database's server, in PEM; those whom browsers trust unless given
    #[arg(long, global = true, env = "PANELITE_DB_CA", value_name = "FILE")]
    db_ca: Option<PathBuf>,

    /// Where the database's password stands; the variable PANELITE_DB_PASSWORD holds it too
    #[arg(long, global = true, env = "PANELITE_DB_PASSWORD_FILE", value_name = "FILE")]
    db_password_file: Option<PathBuf>,

    /// The key that seals secrets, made if missing; `<db>.key` unless given, beside a file
    #[arg(long, global = true, env = "PANELITE_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,

    /// How much is logged: error, warn, info, debug, or a filter by module.
    #[arg(
        long,
        global = true,
        env = "PANELITE_LOG",
        default_value = crate::telemetry::DEFAULT_FILTER,
        value_name = "FILTER"
    )]
    log: String,

    /// Log in JSON.
    #[arg(long, global = true, env = "PANELITE_LOG_JSON")]
    log_json: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the panel
    Serve(serve::Args),
    /// Who logs in to the pages
    #[command(subcommand)]
    Admin(admins::AdminCommand),
    /// Resellers, their money and their prices
    #[command(subcommand)]
    User(users::UserCommand),
    /// API keys
    #[command(subcommand)]
    Key(users::KeyCommand),
    /// What the panel sells
    #[command(subcommand)]
    Service(services::ServiceCommand),
    /// Upstream panels that orders are bought from
    #[command(subcommand)]
    Provider(providers::ProviderCommand),
    /// Fulfil orders by hand, and decide about those at providers
    #[command(subcommand)]
    Order(orders::OrderCommand),
    /// Fulfil refills by hand
    #[command(subcommand)]
    Refill(orders::RefillCommand),
    /// What is the matter, and who is told of it
    #[command(subcommand)]
    Alert(alerts::AlertCommand),
    /// What can be changed while the panel runs
    #[command(subcommand)]
    Setting(settings::SettingCommand),
    /// Prove that the books are sound
    Check,
    /// Fill an empty panel with a sample shop
    Demo(demo::Args),
    /// Copy the panel, running or not, to a new file
    Backup(backup::BackupArgs),
    /// Put a backup in the panel's place; the server must not be running
    Restore(backup::RestoreArgs),
    /// Move the panel from a file to a server or back; no server must be running
    Move(moving::Args),
}

/// Why a subcommand ended without having done its work.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error("{0} is a server's: copy it with pg_dump or pgBackRest")]
    NoFile(Place),
    #[error("{0} is a server's: say with --key-file where the key is, the same on all nodes")]
    NoKeyFile(Place),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    App(#[from] AppError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Move(#[from] MoveError),
    #[error("{0}: {1}")]
    Csv(String, CsvError),
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    #[error("cannot write to standard output: {0}")]
    Output(std::io::Error),
    #[error("{0}")]
    Url(UrlRefusal),
    #[error("{}", .0.told())]
    Call(CallError),
    #[error("{0}")]
    Unsound(String),
}

impl Failure {
    fn exit_code(&self) -> u8 {
        let is_storage = match self {
            Self::Place(_) | Self::NoFile(_) | Self::NoKeyFile(_) => return EXIT_USAGE,
            Self::Open(error) | Self::App(AppError::Open(error)) => error.is_storage(),
            Self::Store(error) | Self::App(AppError::Store(error)) => error.is_storage(),
            Self::Backup(error) => error.is_storage(),
            Self::Move(error) => error.is_storage(),
            Self::App(AppError::StorageFailed | AppError::KeyFile(..) | AppError::Delivery(_)) => {
                true
            }
            Self::App(
                AppError::Unsound(_)
                | AppError::OtherKey(_)
                | AppError::Listen(..)
                | AppError::Server(_),
            )
            | Self::Csv(..)
            | Self::File(..)
            | Self::Output(_)
            | Self::Url(_)
            | Self::Call(_)
            | Self::Unsound(_) => false,
        };
        if is_storage { EXIT_STORAGE } else { EXIT_REFUSED }
    }
}

type Result = std::result::Result<(), Failure>;

/// What a subcommand works on.
struct Files {
    /// Where the panel lives.
    db: Place,
    /// The key that seals what must be read again, where it was named.
    named_key: Option<PathBuf>,
    /// What opens a server's door.
    access: Access,
}

impl Files {
    /// Finds what the process was told of.
    fn of(
        db: &OsString,
        key: Option<PathBuf>,
        ca: Option<PathBuf>,
        password_file: Option<&Path>,
    ) -> std::result::Result<Self, Failure> {
        let unreadable = |error| {
            let path = password_file.map_or_else(String::new, |path| path.display().to_string());
            Failure::File(path, error)
        };
        let password = db_password(password_file).map_err(unreadable)?;
        let access = Access { password, ca };
        let db = Place::parse(db, &access)?;
        Ok(Self { db, named_key: key, access })
    }

    /// The panel's file, for what only makes sense with one.
    fn file(&self) -> std::result::Result<&Path, Failure> {
        self.db.file().ok_or_else(|| Failure::NoFile(self.db.clone()))
    }

    /// The key that was named, or else the one beside the file; a server has nothing beside it.
    fn key(&self) -> std::result::Result<PathBuf, Failure> {
        let key = self.named_key.clone().or_else(|| self.db.file().map(default_key_file));
        key.ok_or_else(|| Failure::NoKeyFile(self.db.clone()))
    }

    /// Seals the panel's secrets.
    fn sealer(&self, store: &Store) -> std::result::Result<Sealer, Failure> {
        Ok(app::sealer_of(store, &self.key()?)?)
    }

    /// Opens the panel's secrets.
    fn opener(&self, store: &Store) -> std::result::Result<Sealer, Failure> {
        Ok(app::opener_of(store, &self.key()?)?)
    }
}

/// Runs the subcommand that the process was started with.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    crate::telemetry::init(&cli.log, cli.log_json);
    let Cli { db, db_ca, db_password_file, key_file, command, .. } = cli;
    let files = Files::of(&db, key_file, db_ca, db_password_file.as_deref());
    match files.and_then(|files| run_command(command, &files)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("panelite: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run_command(command: Command, files: &Files) -> Result {
    let db = &files.db;
    match command {
        Command::Serve(args) => serve::run(files, args),
        Command::Admin(command) => admins::run(db, command),
        Command::User(command) => users::run_user(files, command),
        Command::Key(command) => users::run_key(db, command),
        Command::Service(command) => services::run(db, command),
        Command::Provider(command) => providers::run(files, command),
        Command::Order(command) => orders::run_order(db, command),
        Command::Refill(command) => orders::run_refill(db, command),
        Command::Alert(command) => alerts::run(files, command),
        Command::Setting(command) => settings::run(db, command),
        Command::Check => check(db),
        Command::Demo(args) => demo::run(files, &args),
        Command::Backup(args) => backup::back_up(files.file()?, args),
        Command::Restore(args) => backup::restore(files.file()?, args),
        Command::Move(args) => moving::run(files, &args),
    }
}

/// Writes a line to standard output: `say!` calls this.
fn say(text: fmt::Arguments<'_>) -> Result {
    let mut output = std::io::stdout().lock();
    let written = output.write_all(format!("{text}\n").as_bytes());
    written.and_then(|()| output.flush()).map_err(Failure::Output)
}

/// Opens the panel to change something; makes an empty one where there is none.
fn open(db: &Place) -> std::result::Result<Store, Failure> {
    Ok(Store::open(db, Missing::Create, Clock::System)?)
}

/// Opens the panel to look at it.
fn open_existing(db: &Place) -> std::result::Result<Store, Failure> {
    Ok(Store::open(db, Missing::Refuse, Clock::System)?)
}

fn check(db: &Place) -> Result {
    let findings = open_existing(db)?.check()?;
    if findings.is_empty() {
        say!("sound")?;
        return Ok(());
    }
    for finding in &findings {
        say!("{finding}")?;
    }
    Err(Failure::Unsound("the books are not sound".to_owned()))
}
