//! The server that `PANELITE_TEST_PG` names (`host=127.0.0.1 port=54321 user=postgres`), for tests:
//! what they have there goes when they end.

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use super::pg::Wire;
use super::place::{Access, Dsn, Place};

/// Tells the schemas of this process apart.
static SCHEMAS: AtomicU64 = AtomicU64::new(0);

/// A schema of a test's own, in which there is nothing yet.
pub(super) struct Scratch {
    pub(super) dsn: Dsn,
    name: String,
}

impl Scratch {
    /// Where no server is named there is none, which is said past the test harness.
    pub(super) fn new() -> Option<Self> {
        let name = name();
        let Some(dsn) = dsn(&format!("&options=-c%20search_path%3D{name}")) else {
            let test = std::thread::current().name().unwrap_or_default().to_owned();
            let text = format!("SKIPPED: {test}: PANELITE_TEST_PG names no server\n");
            std::io::stderr().write_all(text.as_bytes()).unwrap();
            return None;
        };
        Wire::connect(&dsn).unwrap().run_all(&format!("CREATE SCHEMA {name}")).unwrap();
        Some(Self { dsn, name })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let drop = format!("DROP SCHEMA {} CASCADE", self.name);
            Wire::connect(&self.dsn).unwrap().run_all(&drop).unwrap();
        }
    }
}

/// The server, with more in its address.
pub(super) fn dsn(more: &str) -> Option<Dsn> {
    let told = std::env::var_os("PANELITE_TEST_PG")?.into_string().unwrap();
    let address = format!("postgres:///postgres?{}{more}", told.replace(' ', "&"));
    match Place::parse(address.as_ref(), &Access::default()).unwrap() {
        Place::Server(dsn) => Some(dsn),
        Place::File(path) => panic!("{} is a file", path.display()),
    }
}

/// What nothing else on the server is called.
pub(super) fn name() -> String {
    let number = SCHEMAS.fetch_add(1, Ordering::Relaxed);
    format!("p_unit_{}_{number}", std::process::id())
}
