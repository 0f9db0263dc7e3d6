//! `serve`.

use std::net::SocketAddr;

use tokio::sync::oneshot;

use super::{Files, Result};
use crate::app::{App, AppError};
use crate::clock::Clock;
use crate::config::{Config, Network, PublicUrl, TrustedProxies};
use crate::password::Cost;
use crate::practice::{self, Practice};
use crate::store::providers;

const SERVER_WORKERS: usize = 16;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Where to listen
    #[arg(long, env = "PANELITE_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,

    /// A proxy whose X-Forwarded-For is believed: an address, or a network like 10.0.0.0/8
    #[arg(long, env = "PANELITE_TRUSTED_PROXY", value_delimiter = ',', value_name = "NETWORK")]
    trusted_proxy: Vec<Network>,

    /// Where browsers find the panel, such as https://panel.example
    #[arg(long, env = "PANELITE_PUBLIC_URL", value_name = "URL")]
    public_url: Option<PublicUrl>,

    /// Let the pages' cookies travel over plain http: for a LAN without TLS
    #[arg(long, env = "PANELITE_INSECURE_COOKIES")]
    insecure_cookies: bool,

    /// Run a provider in memory beside the panel, to try delivery out on
    #[arg(
        long,
        env = "PANELITE_PRACTICE",
        value_name = "ADDRESS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = practice::ADDRESS
    )]
    practice: Option<SocketAddr>,
}

pub(super) fn run(files: &Files, args: Args) -> Result {
    let clock = Clock::System;
    let practice = args.practice.map(|at| start_practice(&clock, at)).transpose()?;
    let config = Config {
        listen: args.listen,
        trusted_proxies: TrustedProxies(args.trusted_proxy),
        clock,
        workers: workers(files),
        public_url: args.public_url,
        insecure_cookies: args.insecure_cookies,
        password_cost: Cost::STRONG,
        key_file: files.key()?,
    };
    let app = App::bind(&files.db, config)?;
    if let Some(practice) = &practice {
        let buyers = app.store().page(providers::list)?;
        let here = buyers.into_iter().filter(|it| it.url == practice.url());
        let last = here.filter_map(|it| it.last_order?.parse().ok()).max();
        practice.count_after(last.unwrap_or_default());
    }
    let (db, url) = (&files.db, app.url());
    let pages = match app.setup_link() {
        Some(link) => format!("Set up the panel within 30 minutes: {link}"),
        None => format!("Pages: {url}/admin"),
    };
    say!("Panelite serves {db} at {url}\nAPI: POST {url}/api/v2\n{pages}")?;
    if let Some(practice) = &practice {
        say!("Practice provider: {}, with the key {}", practice.url(), practice.key())?;
    }
    // Nobody stops this server but a signal: the sender lives as long as it.
    let (_stop, stopped) = oneshot::channel();
    Ok(app.run(stopped)?)
}

/// As many as there are processors; on a server, where a read waits for the wire, at least 16.
fn workers(files: &Files) -> usize {
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    if files.db.file().is_some() { processors } else { processors.max(SERVER_WORKERS) }
}

fn start_practice(clock: &Clock, address: SocketAddr) -> std::result::Result<Practice, AppError> {
    Practice::start(clock.clone(), address).map_err(|error| AppError::Listen(address, error))
}
