//! Request ids: the names under which a client's request buys once.

use sha2::{Digest as _, Sha256};

use super::desk::What;
use super::value::{Row, params};
use super::{Read, Result};
use crate::domain::placing::Details;
use crate::domain::{OrderId, ServiceId, UserId};

/// A client's name for one request, with a digest of all else in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId {
    pub text: String,
    /// SHA-256 of the request's content, normalised.
    pub digest: [u8; 32],
}

impl RequestId {
    /// A name for a request that asks for that, whatever its encoding and the order of its fields.
    pub fn of(
        text: String,
        service: Option<ServiceId>,
        custom_id: Option<&str>,
        details: &Details,
    ) -> Self {
        let mut hash = Sha256::new();
        let mut add = |name: &str, value: &str| {
            for part in [name, value] {
                hash.update(part.len().to_be_bytes());
                hash.update(part);
            }
        };
        add("service", &service.map(|id| id.to_string()).unwrap_or_default());
        add("custom_id", custom_id.unwrap_or_default());
        for (input, value) in details.iter() {
            let lines = value.lines().map(str::trim).filter(|line| !line.is_empty());
            match input.is_list() {
                true => add(input.as_str(), &lines.collect::<Vec<_>>().join("\n")),
                false => add(input.as_str(), value),
            }
        }
        Self { text, digest: hash.finalize().into() }
    }
}

/// The order that a request id has bought, with the digest of that request.
pub fn find(db: &Read<'_>, user: UserId, request_id: &str) -> Result<Option<(OrderId, Vec<u8>)>> {
    let sql = "SELECT id, request_digest FROM orders WHERE user_id = $1 AND request_id = $2";
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    db.find_kept(What::Request, sql, params![user, request_id], read)
}

/// What many request ids have bought, on a server; the key stands behind what is read.
pub(super) const MANY: &str = "SELECT o.id, o.request_digest, o.user_id, o.request_id
    FROM unnest($1, $2) AS w(user_id, request_id)
    JOIN orders o ON o.user_id = w.user_id AND o.request_id = w.request_id";
