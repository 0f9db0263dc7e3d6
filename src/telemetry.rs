//! Logs and request ids.
//!
//! Logs go to standard error, one line an event, and hold ids and durations, never a key, a body or
//! a link. `PANELITE_LOG` says how much (`info`, `debug`, `panelite=debug,actix_server=warn`, …).

use std::fmt;
use std::io::IsTerminal as _;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _};
use tracing::Level;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::clock;

/// What is logged by default. actix_http is off because it logs every malformed request: with
/// those anybody could fill the disk.
pub const DEFAULT_FILTER: &str = "info,actix_http=off";

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the client of other servers writes at its finest holds whole addresses and bodies, and with
/// them keys and tokens: nobody can ask for that.
const NEVER: &str = "ureq=info,ureq_proto=info";

/// The filter that was asked for, without what may never be logged.
fn allowed(filter: &str) -> Result<Targets, ParseError> {
    let asked =
        filter.split(',').map(str::trim).filter(|it| !it.is_empty() && !it.starts_with("ureq"));
    asked.chain([NEVER]).collect::<Vec<_>>().join(",").parse()
}

/// Starts logging. The first call of a process wins.
pub fn init(filter: &str, is_json: bool) {
    let filter = allowed(filter).or_else(|_| allowed("info")).unwrap_or_default();
    let filtered = registry().with(filter);
    let lines = layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let _ = match is_json {
        true => filtered.with(lines.json()).try_init(),
        false => filtered.with(lines.with_target(false)).try_init(),
    };
}

/// The id of one request: told to the client, written into the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestTag {
    process: u32,
    number: u64,
}

impl RequestTag {
    fn next() -> Self {
        static PROCESS: LazyLock<u32> = LazyLock::new(|| {
            let mut bytes = [0; 4];
            // An id need not be random, only rarely the same as another process's.
            let _ = getrandom::fill(&mut bytes);
            u32::from_be_bytes(bytes)
        });
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        Self { process: *PROCESS, number: NUMBER.fetch_add(1, Ordering::Relaxed) }
    }
}

impl fmt::Display for RequestTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{:x}", self.process, self.number)
    }
}

/// Gives every request its id, and logs how it ended.
pub async fn trace<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let tag = RequestTag::next();
    request.extensions_mut().insert(tag);
    let started = tracing::enabled!(Level::DEBUG).then(clock::instant);
    let mut response = next.call(request).await?;

    let tag = tag.to_string();
    if let Some(started) = started {
        let duration_us = clock::instant().duration_since(started).as_micros();
        let request = response.request();
        let (method, path) = (request.method().as_str(), request.path());
        let status = response.status().as_u16();
        tracing::debug!(request_id = tag, method, path, status, duration_us, "request");
    }
    if let Ok(value) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_tokens_are_never_logged() {
        for asked in ["trace", "info,ureq::run=trace, ureq=debug", DEFAULT_FILTER] {
            let filter = allowed(asked).unwrap();
            for target in ["ureq", "ureq::run", "ureq_proto::client"] {
                assert!(!filter.would_enable(target, &Level::DEBUG), "{asked}: {target}");
            }
        }
        assert!(allowed("trace").unwrap().would_enable("panelite::api", &Level::TRACE));
        assert!(allowed("info,").unwrap().would_enable("panelite", &Level::INFO));
        assert!(allowed("info, panelite=debug").unwrap().would_enable("panelite", &Level::DEBUG));
    }
}
