//! `serve`.

use std::net::SocketAddr;
use std::path::Path;

use tokio::sync::oneshot;

use super::Result;
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, Network, TrustedProxies};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Where to listen
    #[arg(long, env = "PANELITE_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,

    /// A proxy whose X-Forwarded-For is believed: an address, or a network like 10.0.0.0/8
    #[arg(long, env = "PANELITE_TRUSTED_PROXY", value_delimiter = ',', value_name = "NETWORK")]
    trusted_proxy: Vec<Network>,
}

pub(super) fn run(db: &Path, args: Args) -> Result {
    let app = App::bind(Config {
        db: db.to_owned(),
        listen: args.listen,
        trusted_proxies: TrustedProxies(args.trusted_proxy),
        clock: Clock::System,
        workers: std::thread::available_parallelism().map_or(2, usize::from),
    })?;
    let address = app.address();
    let db = db.display();
    say!("Panelite serves {db} at http://{address}\nAPI: POST http://{address}/api/v2")?;
    // Nobody stops this server but a signal: the sender lives as long as it.
    let (_stop, stopped) = oneshot::channel();
    Ok(app.run(stopped)?)
}
