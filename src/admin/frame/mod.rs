//! What every page has around it. The frame names no page, but for the navigation in `nav.rs`
//! and the waiting work in `needs.rs`.
//!
//! From the ground up: helpers that stand alone (`figure`, `form`, `nav`, `shell` …), the
//! question and the error ([`ask`], [`error`]), who asks ([`cx`]), what a handler answers with
//! ([`reply`], [`list`]), the page of an error ([`failed`]), and the door through which every
//! request comes ([`gate`]). `FLOORS` in `tests/it/tidy_layout.rs` names them all.

pub(crate) mod answer;
pub(crate) mod ask;
pub(crate) mod books;
pub(crate) mod bulk;
pub(crate) mod cookies;
pub(crate) mod cx;
pub(crate) mod error;
mod failed;
pub(crate) mod figure;
mod finish;
pub(crate) mod form;
pub(crate) mod gate;
mod kept;
pub(crate) mod link;
pub(crate) mod list;
pub(crate) mod nav;
pub(crate) mod needs;
pub(crate) mod reply;
mod request;
mod sealed;
pub(crate) mod shell;
pub(crate) mod table;
pub(crate) mod terms;
pub(crate) mod tone;
pub(crate) mod upstream;
pub(crate) mod verb;

use std::sync::Arc;

use actix_web::http::Method;

use crate::clock::Clock;
use crate::config::{Config, PublicUrl, TrustedProxies};
use crate::delivery::Delivery;
use crate::domain::Timestamp;
use crate::password::Passwords;
use crate::secret::{self, Sealer};
use crate::store::Store;

const SETUP_LINK_SECONDS: i64 = 30 * 60;

/// What the pages need to answer.
pub struct Admin {
    pub(crate) store: Arc<Store>,
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) clock: Clock,
    pub(crate) proxies: TrustedProxies,
    pub(crate) public_url: Option<PublicUrl>,
    pub(crate) insecure_cookies: bool,
    pub(crate) passwords: Passwords,
    pub(crate) sealer: Sealer,
    pub(crate) books: books::Books,
}

impl Admin {
    /// The pages over a store.
    pub fn new(
        config: &Config,
        store: Arc<Store>,
        delivery: Arc<Delivery>,
        sealer: Sealer,
    ) -> Self {
        Self {
            store,
            delivery,
            clock: config.clock.clone(),
            proxies: config.trusted_proxies.clone(),
            public_url: config.public_url.clone(),
            insecure_cookies: config.insecure_cookies,
            passwords: Passwords::new(config.password_cost),
            sealer,
            books: books::Books::default(),
        }
    }
}

/// The link that makes the first admin. It names the time when it ends, and only who has the key
/// file can have made it: nothing has to be remembered, and every node of a panel takes it.
pub struct SetupLink<'k>(pub &'k Sealer);

impl SetupLink<'_> {
    /// Path and query of a link that counts for half an hour from now on, to be put behind the
    /// panel's address.
    pub fn path(&self, now: Timestamp) -> String {
        let until = now.0 + SETUP_LINK_SECONDS;
        format!("/admin/setup?token={until}.{}", self.seal(until))
    }

    /// Whether this is such a link's token, sent in time.
    pub(crate) fn is(&self, sent: &str, now: Timestamp) -> bool {
        let Some((until, seal)) = sent.split_once('.') else { return false };
        let in_time = until.parse().ok().filter(|until| now.0 < *until);
        in_time.is_some_and(|until| secret::is_same(self.seal(until).as_bytes(), seal.as_bytes()))
    }

    fn seal(&self, until: i64) -> String {
        self.0.id_of(&format!("setup until {until}"))
    }
}

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Open,
    /// Logged in by the password, while the code is still owed.
    Half,
    /// Logged in.
    Signed,
    /// Logged in, with the password given in the last quarter of an hour: for money, keys and
    /// admins.
    Proved,
}

/// One page, or one thing that can be done.
#[derive(Debug)]
pub struct Route {
    /// GET shows, POST does.
    pub method: Method,
    /// Below `/admin`.
    pub path: &'static str,
    pub access: Access,
    /// What the audit log says when it was done; nothing where nothing changes.
    pub verb: &'static str,
}
