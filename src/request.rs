//! What both faces read of a request in the same way: the client's address and the body.

use std::net::IpAddr;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderValue;
use actix_web::rt::time;
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt as _;

use crate::config::TrustedProxies;

const BODY_MAX: usize = 1024 * 1024;
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoBody {
    /// It is larger than 1 MiB.
    TooLarge,
    /// It was not whole within ten seconds.
    Late,
    /// The connection broke, or the encoding of the body did.
    Broken,
}

/// The client's address: the peer's, or the one that a trusted proxy has forwarded for.
pub fn client_address(request: &HttpRequest, proxies: &TrustedProxies) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.ip());
    let forwarded_for = request.headers().get_all("x-forwarded-for");
    proxies.client(peer, forwarded_for.map(HeaderValue::as_bytes))
}

/// The whole body: at most 1 MiB, within ten seconds. Of a larger one up to `discarded_max` bytes
/// are read and thrown away, so that its sender hears why.
///
/// # Errors
/// What kept the body from being read.
pub async fn read_body(payload: Payload, discarded_max: usize) -> Result<Bytes, NoBody> {
    let read = time::timeout(BODY_DEADLINE, read_all(payload, discarded_max)).await;
    read.unwrap_or(Err(NoBody::Late))
}

async fn read_all(mut payload: Payload, discarded_max: usize) -> Result<Bytes, NoBody> {
    let mut body = BytesMut::new();
    let mut discarded = 0;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| NoBody::Broken)?;
        if body.len() + chunk.len() <= BODY_MAX && discarded == 0 {
            body.extend_from_slice(&chunk);
            continue;
        }
        discarded += chunk.len();
        if discarded > discarded_max {
            break;
        }
    }
    if discarded > 0 { Err(NoBody::TooLarge) } else { Ok(body.freeze()) }
}
