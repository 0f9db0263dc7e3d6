//! Webhooks: where resellers are told, with their secrets, sealed.
//!
//! `due_at` is the time of the endpoint's next event or, while it is paused and events wait, the
//! end of the pause, so that one index says which endpoints have something to be told.

use super::desk::What;
use super::value::{Row, RowResult, params};
use super::{Read, Result, Tx};
use crate::domain::event::Webhook;
use crate::domain::money::Money;
use crate::domain::{Timestamp, UserId};

/// Bytes of a secret before it is sealed.
pub const SECRET_BYTES: usize = 32;
/// The same sealed: with a nonce of 24 bytes and a tag of 16.
pub const SEALED_BYTES: usize = SECRET_BYTES + 40;

/// A statement that `read_webhook` understands, for users that fit.
macro_rules! select {
    ($fits:literal) => {
        concat!(
            "SELECT user_id, url, is_insecure, is_enabled, low_micros, is_low, old_until,
                    paused_until, failures, dropped, due_at
             FROM webhooks WHERE user_id ",
            $fits
        )
    };
}

fn read_webhook(row: &Row<'_>) -> RowResult<Webhook> {
    Ok(Webhook {
        user: row.get(0)?,
        url: row.get(1)?,
        is_insecure: row.get(2)?,
        is_enabled: row.get(3)?,
        low: row.get(4)?,
        is_low: row.get(5)?,
        old_until: row.get(6)?,
        paused_until: row.get(7)?,
        failures: row.get(8)?,
        dropped: row.get(9)?,
        due_at: row.get(10)?,
    })
}

/// A user's webhook; `None` where the user never had one.
pub fn find(db: &Read<'_>, user: UserId) -> Result<Option<Webhook>> {
    db.find_kept(What::Webhook, select!("= $1"), params![user], read_webhook)
}

/// The webhooks of many users, on a server.
pub(super) const MANY: &str = select!("= ANY($1)");

/// A user's webhook, if it is on: the one read that a move of an order costs a user without.
pub fn find_enabled(db: &Read<'_>, user: UserId) -> Result<Option<Webhook>> {
    Ok(find(db, user)?.filter(|webhook| webhook.is_enabled))
}

/// The place that the secrets of a user's webhook are sealed for.
pub fn seal_place(user: UserId) -> String {
    format!("webhooks/secret/{user}")
}

/// The secrets that sign, as they are sealed: the one of today, and the old one while it counts.
pub fn secrets_sealed(
    db: &Read<'_>,
    user: UserId,
    now: Timestamp,
) -> Result<(Vec<u8>, Option<Vec<u8>>)> {
    let sql = "SELECT secret_sealed, old_secret_sealed, old_until FROM webhooks WHERE user_id = $1";
    let (secret, old, until): (_, Option<Vec<u8>>, Option<Timestamp>) =
        db.get(sql, params![user], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok((secret, old.filter(|_| until.is_some_and(|until| until > now))))
}

const LIST_DUE: &str = "SELECT user_id FROM webhooks INDEXED BY webhooks_due
    WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY due_at, user_id LIMIT $2";

/// Users whose endpoints have something due, longest first.
pub fn list_due(db: &Read<'_>, now: Timestamp, limit: i64) -> Result<Vec<UserId>> {
    db.list(LIST_DUE, params![now, limit], |row| row.get(0))
}

const LIST_WAITING: &str = "SELECT user_id FROM webhooks INDEXED BY webhooks_due
    WHERE due_at IS NOT NULL AND due_at > 0";

/// Users who have events that wait.
pub fn list_waiting(db: &Read<'_>) -> Result<Vec<UserId>> {
    db.list(LIST_WAITING, [], |row| row.get(0))
}

/// Users whose endpoints have something to be told, are paused, or have two secrets. Walks all
/// webhooks: for a start.
pub fn list_unsettled(db: &Read<'_>) -> Result<Vec<UserId>> {
    let sql = "SELECT user_id FROM webhooks WHERE due_at IS NOT NULL OR paused_until IS NOT NULL
                  OR old_until IS NOT NULL
               ORDER BY user_id";
    db.list(sql, [], |row| row.get(0))
}

/// What an operator sets of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub url: String,
    pub is_insecure: bool,
    /// The balance below which the reseller wants to know.
    pub low: Option<Money>,
}

/// A user's first webhook, with its secret.
pub fn insert(tx: &Tx<'_>, user: UserId, place: &Place, secret_sealed: &[u8]) -> Result<()> {
    tx.execute(
        "INSERT INTO webhooks (user_id, url, is_insecure, low_micros, secret_sealed)
         VALUES ($1, $2, $3, $4, $5)",
        params![user, place.url, place.is_insecure, place.low, secret_sealed],
    )?;
    Ok(())
}

/// Puts a webhook elsewhere and turns it on. Failures of the old place do not count there.
pub fn update_place(tx: &Tx<'_>, user: UserId, place: &Place) -> Result<()> {
    tx.execute(
        "UPDATE webhooks SET url = $1, is_insecure = $2, low_micros = $3, is_enabled = 1,
                             is_low = 0, failures = 0, paused_until = NULL
         WHERE user_id = $4",
        params![place.url, place.is_insecure, place.low, user],
    )?;
    Ok(())
}

/// Puts a new secret in the place of one that still counts until then.
pub fn update_secret(
    tx: &Tx<'_>,
    user: UserId,
    secret_sealed: &[u8],
    old_until: Timestamp,
) -> Result<()> {
    tx.execute(
        "UPDATE webhooks SET old_secret_sealed = secret_sealed, secret_sealed = $1, old_until = $2
         WHERE user_id = $3",
        params![secret_sealed, old_until, user],
    )?;
    Ok(())
}

/// The old secret counts until then.
pub fn update_old_until(tx: &Tx<'_>, user: UserId, until: Timestamp) -> Result<()> {
    tx.execute("UPDATE webhooks SET old_until = $1 WHERE user_id = $2", params![until, user])?;
    Ok(())
}

/// Forgets the old secret, which no longer counts.
pub fn forget_old_secret(tx: &Tx<'_>, user: UserId) -> Result<()> {
    let sql = "UPDATE webhooks SET old_secret_sealed = NULL, old_until = NULL WHERE user_id = $1";
    tx.execute(sql, params![user])?;
    Ok(())
}

/// Writes how telling goes.
pub fn update(tx: &Tx<'_>, webhook: &Webhook) -> Result<()> {
    tx.save(
        "UPDATE webhooks SET is_enabled = $1, is_low = $2, paused_until = $3, failures = $4,
                             dropped = $5, due_at = $6
         WHERE user_id = $7",
        params![
            webhook.is_enabled,
            webhook.is_low,
            webhook.paused_until,
            webhook.failures,
            webhook.dropped,
            webhook.due_at,
            webhook.user,
        ],
    )?;
    tx.forget_one(What::Webhook, params![webhook.user]);
    tx.sums.borrow_mut().has_work |= webhook.due_at.is_some();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::plans::assert_walks_an_index;

    #[test]
    fn all_that_the_lane_asks_walks_an_index() {
        assert_walks_an_index(LIST_DUE);
        assert_walks_an_index(LIST_WAITING);
    }
}
