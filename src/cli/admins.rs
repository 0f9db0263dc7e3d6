//! `admin`: accounts for the pages, and the way back in for an admin who has lost the password.

use std::io::Read as _;

use clap::Subcommand;

use super::{Failure, Result, open, open_existing};
use crate::commands::admins::{CreateAdmin, SetPassword, SetTotp};
use crate::domain::Actor;
use crate::password::{self, Cost};
use crate::secret::Secret;
use crate::store::place::Place;
use crate::store::{self, admins};

/// More than a password can be.
const STDIN_MAX: u64 = 4096;

#[derive(Subcommand)]
pub(super) enum AdminCommand {
    /// Make an account; prints a generated password unless one is given
    Create {
        name: String,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Give an admin a new password and log them out everywhere
    ResetPassword {
        name: String,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
        /// Ask no longer for codes from an app
        #[arg(long)]
        totp_off: bool,
    },
}

pub(super) fn run(db: &Place, command: AdminCommand) -> Result {
    match command {
        AdminCommand::Create { name, password_stdin } => {
            let password = choose(password_stdin)?;
            let password_hash = Cost::STRONG.hash(&password);
            let actor = Actor::CommandLine;
            open(db)?.write_blocking(CreateAdmin { actor, name, password_hash })?;
            tell(&password, password_stdin)?;
        }
        AdminCommand::ResetPassword { name, password_stdin, totp_off } => {
            let store = open_existing(db)?;
            let admin = store.page(|db| admins::get_named(db, &name))?.id;
            let password = choose(password_stdin)?;
            let password_hash = Cost::STRONG.hash(&password);
            let actor = Actor::CommandLine;
            if totp_off {
                store.write_blocking(SetTotp { actor: actor.clone(), admin, totp: None })?;
            }
            store.write_blocking(SetPassword { actor, admin, password_hash, kept: None })?;
            tell(&password, password_stdin)?;
        }
    }
    Ok(())
}

/// The password to set: from standard input, without the newline behind it, or a new one.
fn choose(from_stdin: bool) -> std::result::Result<Secret, Failure> {
    if !from_stdin {
        return Ok(password::generate());
    }
    let mut text = String::new();
    let read = std::io::stdin().take(STDIN_MAX).read_to_string(&mut text);
    read.map_err(|error| Failure::File("standard input".to_owned(), error))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let password = Secret::new(text.strip_suffix('\r').unwrap_or(text).to_owned());
    password::check(&password).map_err(store::Error::from)?;
    Ok(password)
}

fn tell(password: &Secret, is_known: bool) -> Result {
    if is_known { Ok(()) } else { say!("{}", password.expose()) }
}
