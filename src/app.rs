//! The server: `App::bind` opens the store and the port, `run` serves until told to stop.
//!
//! The order of stopping matters: first no new connections, then the requests in flight, then the
//! writer with what it still has, then the WAL.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse, HttpServer, rt};
use tokio::sync::oneshot;

use crate::admin::{self, Admin, SetupLink};
use crate::api::{self, Api};
use crate::assets::{self, Assets};
use crate::clock::Clock;
use crate::commands::nodes::{ClaimKey, key_id};
use crate::config::Config;
use crate::delivery::{Delivery, PrepareError};
use crate::secret::Sealer;
use crate::store::check::{self, Finding};
use crate::store::place::Place;
use crate::store::{self, Command, OpenError, Store, Tx, admins, nodes, settings};
use crate::telemetry;

const STOP_TIMEOUT_SECONDS: u64 = 20;
/// Threads per worker that may wait for a page's reads.
const BLOCKING_THREADS: usize = 8;
const HEALTH_TIMEOUT: Duration = Duration::from_secs(5);
const SETTINGS_EVERY: Duration = Duration::from_secs(1);

/// Why the server did not start, or did not stop well.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Nothing is sold until a person has looked.
    #[error("the books are not sound, run `panelite check`:\n{}", lines(.0))]
    Unsound(Vec<Finding>),
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// What was sold through providers cannot be told from what was sent.
    #[error(transparent)]
    Delivery(#[from] PrepareError),
    #[error("cannot use the key file {}: {}", .0.display(), .1)]
    KeyFile(PathBuf, std::io::Error),
    /// It could not read what the others have sealed.
    #[error("{} is not the key file that the other nodes of this panel have", .0.display())]
    OtherKey(PathBuf),
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A fault after which nothing may be acknowledged.
    #[error("storage failed; what was not acknowledged may or may not have happened")]
    StorageFailed,
    #[error("the server failed: {0}")]
    Server(#[from] std::io::Error),
}

fn lines(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("  {finding}\n")).collect()
}

/// A panel that is ready to serve.
pub struct App {
    config: Config,
    store: Arc<Store>,
    listener: TcpListener,
    address: SocketAddr,
    sealer: Sealer,
    delivery: Arc<Delivery>,
    /// Path and query of the setup link, only while there is no admin.
    setup: Option<String>,
}

/// Seals a panel's secrets. The first node of a panel makes the key file if it is missing, and says
/// that it is the nodes'.
///
/// # Errors
/// `KeyFile`, also where it is missing and is not to be made; `OtherKey` where the panel's nodes
/// have another.
pub fn sealer_of(store: &Store, key_file: &Path) -> Result<Sealer, AppError> {
    let no_key = |error| AppError::KeyFile(key_file.to_owned(), error);
    let sealer = match store.page(nodes::may_make_key)? {
        true => Sealer::open(key_file),
        false => Sealer::open_existing(key_file),
    };
    let sealer = sealer.map_err(no_key)?;
    match store.write_blocking(ClaimKey { id: key_id(&sealer) })? {
        true => Ok(sealer),
        false => Err(AppError::OtherKey(key_file.to_owned())),
    }
}

/// Opens a panel's secrets, for whoever seals none: makes no key file and claims none.
///
/// # Errors
/// `KeyFile`, also where it is missing, and `OtherKey` where the panel's nodes have another.
pub fn opener_of(store: &Store, key_file: &Path) -> Result<Sealer, AppError> {
    let no_key = |error| AppError::KeyFile(key_file.to_owned(), error);
    let sealer = Sealer::open_existing(key_file).map_err(no_key)?;
    match store.page(|db| nodes::fits_key(db, &key_id(&sealer)))? {
        true => Ok(sealer),
        false => Err(AppError::OtherKey(key_file.to_owned())),
    }
}

impl App {
    /// Opens the panel and the port.
    ///
    /// # Errors
    /// Refuses books that do not add up.
    pub fn bind(place: &Place, config: Config) -> Result<Self, AppError> {
        let store = Store::open_as_server(place, config.clock.clone(), config.workers)?;
        let findings = store.page(check::quick)?;
        if !findings.is_empty() {
            return Err(AppError::Unsound(findings));
        }
        let cannot_listen = |error| AppError::Listen(config.listen, error);
        let listener = TcpListener::bind(config.listen).map_err(cannot_listen)?;
        let address = listener.local_addr()?;
        let sealer = sealer_of(&store, &config.key_file)?;
        let is_new = store.page(admins::is_empty)?;
        let setup = is_new.then(|| SetupLink(&sealer).path(config.clock.now()));
        let store = Arc::new(store);
        let (clock, key_file) = (config.clock.clone(), &config.key_file);
        let delivery = Delivery::prepare(Arc::clone(&store), clock, sealer.clone(), key_file)?;
        Ok(Self { config, store, listener, address, sealer, delivery, setup })
    }

    /// Where browsers find the panel.
    pub fn url(&self) -> String {
        let here = || format!("http://{}", self.address);
        self.config.public_url.as_ref().map_or_else(here, |url| url.origin().to_owned())
    }

    /// The link that makes the first admin, while there is none. It counts for half an hour.
    pub fn setup_link(&self) -> Option<String> {
        Some(format!("{}{}", self.url(), self.setup.as_ref()?))
    }

    /// Where it listens: with the port the system chose, where port 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The store it serves from, for what runs in the same process.
    pub fn store(&self) -> Arc<Store> {
        Arc::clone(&self.store)
    }

    /// What delivers, for what runs in the same process.
    pub fn delivery(&self) -> Arc<Delivery> {
        Arc::clone(&self.delivery)
    }

    /// Serves until `stop` resolves, or until SIGTERM or SIGINT.
    ///
    /// # Errors
    /// `StorageFailed` after a fault that leaves an outcome unknown.
    pub fn run(self, stop: oneshot::Receiver<()>) -> Result<(), AppError> {
        let store = self.store();
        // A clock that stands still belongs to a test, which lets delivery work step by step.
        let running = match self.config.clock {
            Clock::System => Some(self.delivery.start()?),
            Clock::Manual(_) => None,
        };
        let served = rt::System::new().block_on(self.serve(stop));
        if let Some(running) = running {
            running.stop();
        }
        store.close();
        served
    }

    async fn serve(self, stop: oneshot::Receiver<()>) -> Result<(), AppError> {
        let Self { config, store, listener, sealer, delivery, .. } = self;
        let limits = store.page(settings::limits)?;
        let admin = Admin::new(&config, Arc::clone(&store), Arc::clone(&delivery), sealer);
        let admin = Data::new(admin);
        let clock = config.clock.clone();
        let api = Api::new(Arc::clone(&store), clock, config.trusted_proxies, &limits);
        let api = Data::new(api);
        let health = Data::from(Arc::clone(&store));

        let for_workers = api.clone();
        let server = HttpServer::new(move || {
            actix_web::App::new()
                .app_data(for_workers.clone())
                .app_data(health.clone())
                .app_data(admin.clone())
                .wrap(from_fn(telemetry::trace))
                .configure(api::routes)
                .configure(admin::routes)
                .configure(assets::routes)
                .route("/healthz", web::get().to(healthz))
                .default_service(web::to(not_found))
        })
        .workers(config.workers)
        .worker_max_blocking_threads(BLOCKING_THREADS)
        .tcp_nodelay(true)
        .client_request_timeout(Duration::from_secs(10))
        .shutdown_timeout(STOP_TIMEOUT_SECONDS)
        .disable_signals();
        let server = match usize::try_from(limits.connections) {
            Ok(most @ 1..) => server.max_connections(most.div_ceil(config.workers)),
            _ => server.max_connections(usize::MAX),
        };
        let server = server.listen(listener)?.run();

        rt::task::spawn_blocking(|| Assets::get().pack());
        rt::spawn(follow_settings(Arc::clone(&store), api, config.clock.clone()));
        rt::spawn(stop_when_asked(server.handle(), delivery, stop));
        rt::spawn(stop_when_failed(server.handle(), store.failed()));
        server.await?;
        let has_failed = *store.failed().borrow();
        if has_failed { Err(AppError::StorageFailed) } else { Ok(()) }
    }
}

/// Stops in order when the caller or the system says so.
async fn stop_when_asked(
    server: ServerHandle,
    delivery: Arc<Delivery>,
    stop: oneshot::Receiver<()>,
) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return tracing::error!("no signals can be received");
    };
    tokio::select! {
        _ = term.recv() => tracing::info!("SIGTERM: stopping"),
        _ = int.recv() => tracing::info!("SIGINT: stopping"),
        _ = stop => {}
    }
    delivery.stop_claiming();
    server.stop(true).await;
}

/// Stops at once when nothing can be acknowledged any more.
async fn stop_when_failed(server: ServerHandle, mut failed: tokio::sync::watch::Receiver<bool>) {
    if failed.wait_for(|has_failed| *has_failed).await.is_ok() {
        tracing::error!("storage failed: stopping at once");
        server.stop(false).await;
    }
}

/// Takes over settings that the pages or the command line change.
async fn follow_settings(store: Arc<Store>, api: Data<Api>, clock: Clock) {
    let mut tick = rt::time::interval(SETTINGS_EVERY);
    loop {
        tick.tick().await;
        let store = Arc::clone(&store);
        let now = clock.now();
        let read = move || {
            store.page(|db| Ok(settings::limits(db)?.shared_by(nodes::count_alive(db, now)?)))
        };
        match web::block(read).await {
            Ok(Ok(limits)) => api.set_limits(&limits),
            Ok(Err(error)) => tracing::warn!(%error, "settings could not be read"),
            Err(_) => return, // the server is stopping
        }
    }
}

/// An address that leads nowhere: a page for a browser, for everybody else the API's answer.
async fn not_found(request: HttpRequest, admin: Data<Admin>) -> HttpResponse {
    match request.method() == Method::GET && admin::wants_page(request.headers()) {
        true => admin::nowhere(request, admin).await,
        false => api::not_found(request).await,
    }
}

/// Does nothing, in a transaction: proof that the writer answers.
struct Ping;

impl Command for Ping {
    type Reply = ();

    fn run(&self, _: &Tx<'_>) -> store::Result<()> {
        Ok(())
    }
}

async fn healthz(store: Data<Store>) -> HttpResponse {
    let (mut response, body) = match rt::time::timeout(HEALTH_TIMEOUT, store.write(Ping)).await {
        Ok(Ok(())) => (HttpResponse::Ok(), r#"{"status":"ok"}"#),
        Ok(Err(_)) | Err(_) => {
            (HttpResponse::ServiceUnavailable(), r#"{"error":"the writer does not answer"}"#)
        }
    };
    response
        .insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/json")))
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .body(body)
}
