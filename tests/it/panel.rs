//! The fixture: a whole panel on a real port over a real file, and the people who use it.
//!
//! When a panel is dropped its books must be sound. `KEEP=1` leaves its folder and says where.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::thread::JoinHandle;

use panelite::app::{App, AppError};
use panelite::clock::Clock;
use panelite::commands::accounts::{CreateKey, CreateUser, Deposit};
use panelite::commands::catalog::ImportServices;
use panelite::commands::catalog_csv;
use panelite::commands::orders::SetOrder;
use panelite::commands::settings::SetSetting;
use panelite::config::{Config, TrustedProxies};
use panelite::domain::money::Money;
use panelite::domain::order::{ByHand, PublicStatus};
use panelite::domain::setting::Setting;
use panelite::domain::{Actor, OrderId, UserId};
use panelite::password::Cost;
use panelite::secret::{self, KeyHash};
use panelite::store::Store;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::http::{self, Reply};

/// 2026-01-01: where every panel's clock begins.
pub(crate) const EPOCH: i64 = 1_767_225_600;

const HEADER: &str = "id,category,name,type,rate,min,max,dripfeed,refill,cancel,provider,provider_service,description,deny_duplicates,refill_days";

/// A running panel.
pub(crate) struct Panel {
    config: Config,
    pub(crate) address: SocketAddr,
    pub(crate) clock: Clock,
    store: Option<Arc<Store>>,
    /// What makes the first admin.
    pub(crate) setup_link: Option<String>,
    folder: Option<TempDir>,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<Result<(), AppError>>>,
}

impl Panel {
    /// Starts an empty panel.
    pub(crate) fn start() -> Self {
        Self::start_with(TrustedProxies::default())
    }

    /// Starts an empty panel behind proxies.
    pub(crate) fn start_with(trusted_proxies: TrustedProxies) -> Self {
        Self::start_as(|config| config.trusted_proxies = trusted_proxies)
    }

    /// Starts an empty panel that is told more than usual.
    pub(crate) fn start_as(tell: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config {
            db: folder.path().join("panel.db"),
            listen: "127.0.0.1:0".parse().unwrap(),
            trusted_proxies: TrustedProxies::default(),
            clock: Clock::manual(EPOCH),
            workers: 2,
            public_url: None,
            insecure_cookies: false,
            password_cost: Cost::CHEAP,
            key_file: folder.path().join("panel.db.key"),
        };
        tell(&mut config);
        Self::serve(folder, config)
    }

    fn serve(folder: TempDir, config: Config) -> Self {
        let app = App::bind(config.clone()).unwrap();
        let (address, store, clock) = (app.address(), app.store(), config.clock.clone());
        let setup_link = app.setup_link();
        let (stop, stopped) = oneshot::channel();
        let server = std::thread::spawn(move || app.run(stopped));
        let (folder, stop, server) = (Some(folder), Some(stop), Some(server));
        Self { config, address, clock, store: Some(store), setup_link, folder, stop, server }
    }

    /// Stops the panel in order and starts it again on the same file.
    pub(crate) fn restarted(mut self) -> Self {
        let folder = self.folder.take().unwrap();
        let config = self.config.clone();
        drop(self);
        Self::serve(folder, config)
    }

    /// The store that the panel serves from.
    pub(crate) fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    /// The panel's file.
    pub(crate) fn db(&self) -> &Path {
        &self.config.db
    }

    /// A new reseller with that much money and a key.
    pub(crate) fn reseller(&self, name: &str, amount: &str) -> Reseller {
        let actor = Actor::CommandLine;
        let create = CreateUser { actor: actor.clone(), name: name.to_owned() };
        let user = self.store().write_blocking(create).unwrap();
        let reseller = Reseller { address: self.address, user, key: self.new_key(user) };
        let amount = Money::parse(amount).unwrap();
        if amount > Money::ZERO {
            let (note, reference) = (String::new(), None);
            self.store().write_blocking(Deposit { actor, user, amount, note, reference }).unwrap();
        }
        reseller
    }

    /// One more key for a user.
    pub(crate) fn new_key(&self, user: UserId) -> String {
        let key = secret::new_api_key();
        let command = CreateKey {
            actor: Actor::CommandLine,
            user,
            hash: KeyHash::of(key.expose()),
            prefix: secret::shown_prefix(&key).to_owned(),
            label: String::new(),
        };
        self.store().write_blocking(command).unwrap();
        key.expose().to_owned()
    }

    /// Adds services, one line of CSV each:
    /// `id,category,name,type,rate,min,max,dripfeed,refill,cancel,,,description[,deny_duplicates[,refill_days]]`.
    pub(crate) fn services(&self, lines: &[&str]) {
        let pad = |line: &&str| {
            let missing = HEADER.matches(',').count() - line.matches(',').count();
            format!("{line}{}", ",".repeat(missing))
        };
        let lines: Vec<String> = lines.iter().map(pad).collect();
        self.import(&format!("{HEADER}\n{}\n", lines.join("\n")));
    }

    /// Imports services from CSV with a header of its own.
    pub(crate) fn import(&self, csv: &str) {
        let drafts = catalog_csv::read(csv.as_bytes()).unwrap();
        let import = ImportServices { actor: Actor::CommandLine, drafts };
        self.store().write_blocking(import).unwrap();
    }

    /// Moves an order by hand.
    pub(crate) fn set(
        &self,
        order: i64,
        status: PublicStatus,
        start_count: Option<i64>,
        remains: Option<i64>,
    ) {
        let by_hand = ByHand { status, start_count, remains };
        let (actor, order) = (Actor::CommandLine, OrderId(order));
        self.store().write_blocking(SetOrder { actor, order, by_hand }).unwrap();
    }

    /// Sets a setting.
    pub(crate) fn setting(&self, setting: Setting, value: &str) {
        let (actor, value) = (Actor::CommandLine, value.to_owned());
        self.store().write_blocking(SetSetting { actor, setting, value }).unwrap();
    }

    /// Sends a request with nothing added but what HTTP needs.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]>,
    ) -> Reply {
        http::send(self.address, method, path, headers, body.as_ref())
    }

    /// Runs the command line on the panel's file.
    pub(crate) fn cli(&self, args: &[&str]) -> Output {
        cli(self.db(), args)
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
        let ended = self.server.take().unwrap().join();
        drop(self.store.take()); // and with it the lock on the file
        if std::thread::panicking() {
            return;
        }
        ended.unwrap().unwrap();
        let findings = panelite::store::check_file(self.db()).unwrap();
        assert!(findings.is_empty(), "the books are not sound: {findings:#?}");
        if let Some(folder) = self.folder.take()
            && std::env::var_os("KEEP").is_some()
        {
            println!("kept: {}", folder.keep().display());
        }
    }
}

/// Runs the command line on a file.
pub(crate) fn cli(db: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_panelite"))
        .env("PANELITE_DB", db)
        .env_remove("PANELITE_LISTEN")
        .args(args)
        .output()
        .unwrap()
}

/// What a command printed on standard output.
pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What a command printed on standard error.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Somebody who buys by API.
#[derive(Clone, Debug)]
pub(crate) struct Reseller {
    pub(crate) address: SocketAddr,
    pub(crate) user: UserId,
    pub(crate) key: String,
}

impl Reseller {
    /// Sends a JSON body in which `KEY` stands for his key.
    pub(crate) fn v2(&self, body: &str) -> Reply {
        let body = body.replace("KEY", &self.key);
        let headers = [("Content-Type", "application/json")];
        http::send(self.address, "POST", "/api/v2", &headers, body.as_bytes())
    }

    /// Sends an urlencoded body in which `KEY` stands for his key.
    pub(crate) fn form(&self, body: &str) -> Reply {
        let body = body.replace("KEY", &self.key);
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        http::send(self.address, "POST", "/api/v2", &headers, body.as_bytes())
    }

    /// Buys, and says the order's number.
    pub(crate) fn buys(&self, service: i64, quantity: i64) -> i64 {
        let link = "https://example.com/p";
        let reply = self
            .form(&format!("key=KEY&action=add&service={service}&link={link}&quantity={quantity}"));
        reply.json()["order"].as_i64().unwrap_or_else(|| panic!("not bought: {}", reply.text()))
    }

    /// His balance, as the API says it.
    pub(crate) fn balance(&self) -> String {
        let reply = self.v2(r#"{"key":"KEY","action":"balance"}"#);
        reply.json()["balance"].as_str().unwrap().to_owned()
    }
}
