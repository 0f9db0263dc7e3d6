//! Deliveries as pages show them: where orders stand at providers, and which of them need a person.

use std::collections::HashMap;

use super::order_list::{self, Listed};
use super::page::{Cursor, Page};
use super::value::{Row, RowResult, params};
use super::{Read, Result, deliveries, errands, submissions, together};
use crate::domain::delivery::{Delivery, Hand, State, Submission};
use crate::domain::errand::Errand;
use crate::domain::money::Money;
use crate::domain::{ErrandId, OrderId, ProviderId};

/// Where an order stands at a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upstream {
    /// What still has to happen; nothing where it has ended, or is delivered by hand.
    pub delivery: Option<Delivery>,
    /// Where it is, was, is to be sent, or was refused last.
    pub provider: Option<(ProviderId, String)>,
    /// The provider's own number for it.
    pub their_id: Option<String>,
    /// What it costs in our currency, where a provider has taken it: as said, else as expected.
    pub cost: Option<Money>,
    /// The attempt by which it is, or may be, there.
    pub live: Option<Submission>,
}

impl Upstream {
    /// Whether a provider delivers it, has delivered it or is to.
    pub fn is_automatic(&self) -> bool {
        self.provider.is_some()
    }
}

/// The names of all providers.
pub fn names(db: &Read<'_>) -> Result<HashMap<ProviderId, String>> {
    let named = db.list("SELECT id, name FROM providers", [], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(named?.into_iter().collect())
}

const LAST: &str = "SELECT provider_id FROM submissions INDEXED BY submissions_order
     WHERE order_id = $1 ORDER BY id DESC LIMIT 1";
const AT: &str = "SELECT provider_id, provider_order_id FROM orders WHERE id = $1";

/// Where each of these orders stands, in their order.
pub fn find_each(db: &Read<'_>, orders: &[OrderId]) -> Result<Vec<Upstream>> {
    let names = names(db)?;
    if names.is_empty() {
        return Ok(orders.iter().map(|_| Upstream::default()).collect());
    }
    let last = |db: &Read<'_>, id: &OrderId| db.find(LAST, params![*id], |row| row.get(0));
    // A server is asked for it even where it turns out that nobody needs it.
    db.ahead(&[&|db| db.each(orders, last).map(drop), &|db| standing(db, orders).map(drop)])?;
    let mut found = Vec::with_capacity(orders.len());
    for (id, (delivery, at, live)) in orders.iter().zip(standing(db, orders)?) {
        let (at, their_id) = at.unwrap_or_default();
        let provider = match delivery.as_ref().map(|delivery| delivery.provider).or(at) {
            Some(provider) => Some(provider),
            None => last(db, id)?,
        };
        let name = |id: ProviderId| names.get(&id).map(|name| (id, name.clone()));
        let taken = live.as_ref().filter(|live| live.state == State::Accepted);
        found.push(Upstream {
            delivery,
            provider: provider.and_then(name),
            their_id,
            cost: taken.map(|taken| taken.cost.unwrap_or(taken.expected)),
            live,
        });
    }
    Ok(found)
}

/// What is still to happen to an order, where it is, and the attempt that took it there.
type Standing = (Option<Delivery>, Option<At>, Option<Submission>);
/// The provider that an order is at, and its number there.
type At = (Option<ProviderId>, Option<String>);

fn standing(db: &Read<'_>, orders: &[OrderId]) -> Result<Vec<Standing>> {
    let at = |row: &Row<'_>| -> RowResult<At> { Ok((row.get(0)?, row.get(1)?)) };
    let (deliveries, at, live) = together!(
        db: deliveries::find_each(db, orders),
        db.find_each(AT, orders, at),
        db.each(orders, |db, id| submissions::find_live(db, *id)),
    );
    let all = deliveries.into_iter().zip(at).zip(live);
    Ok(all.map(|((delivery, at), live)| (delivery, at, live)).collect())
}

/// Where one order stands.
pub fn find(db: &Read<'_>, order: OrderId) -> Result<Upstream> {
    Ok(find_each(db, &[order])?.pop().unwrap_or_default())
}

/// An order that needs a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needing {
    pub listed: Listed,
    pub upstream: Upstream,
    pub hand: Hand,
}

fn of_hand_sql(cursor: Cursor) -> String {
    let (compares, direction) = cursor.direction();
    format!(
        "SELECT order_id FROM deliveries INDEXED BY deliveries_hand
         WHERE hand <> '' AND hand = $1 AND order_id {compares} $2
           AND ($3 IS NULL OR provider_id = $3)
         ORDER BY order_id {direction} LIMIT $4"
    )
}

/// A page of the orders that need a person, for one reason or any, at one provider or any: the
/// newest order first.
pub fn page(
    db: &Read<'_>,
    (hand, provider): (Option<Hand>, Option<ProviderId>),
    cursor: Cursor,
    size: i64,
) -> Result<Page<Needing>> {
    let sql = of_hand_sql(cursor);
    let wanted = Hand::ALL.iter().filter(|of| hand.is_none_or(|hand| hand == **of));
    let found = db.each(&Vec::from_iter(wanted), |db, of| {
        let params = params![**of, cursor.bound(), provider, size + 1];
        db.list(&sql, params, |row| row.get::<OrderId>(0))
    })?;
    let mut ids = found.concat();
    ids.sort_unstable();
    if !matches!(cursor, Cursor::Newer(_)) {
        ids.reverse();
    }
    ids.truncate(usize::try_from(size + 1).unwrap_or_default());
    let Page { rows, has_newer, has_older } = cursor.page(ids, size);
    let (upstreams, listed) =
        together!(db: find_each(db, &rows), db.each(&rows, |db, id| order_list::find(db, *id)));
    let mut found = Vec::with_capacity(rows.len());
    for (upstream, listed) in upstreams.into_iter().zip(listed) {
        let hand = upstream.delivery.as_ref().and_then(|delivery| delivery.hand);
        if let (Some(listed), Some(hand)) = (listed, hand) {
            found.push(Needing { listed, upstream, hand });
        }
    }
    Ok(Page { rows: found, has_newer, has_older })
}

// The range makes it a search: nothing is passed over, and it ends at the limit.
const NEEDING: &str = "SELECT 1 FROM deliveries INDEXED BY deliveries_hand
     WHERE hand <> '' AND hand > '' LIMIT $1";
const NEEDING_ERRANDS: &str = "SELECT 1 FROM errands INDEXED BY errands_hand
     WHERE hand <> '' AND hand > '' LIMIT $1";

/// How many orders, cancels and refills at providers need a person; counts no further than asked.
pub fn count(db: &Read<'_>, most: i64) -> Result<i64> {
    let counted = |rows: &str| format!("SELECT count(*) FROM ({rows}) AS counted");
    let count = |db: &Read<'_>, rows: &&str| -> Result<i64> {
        db.get(&counted(rows), params![most], |row| row.get(0))
    };
    let counts = db.each(&[NEEDING, NEEDING_ERRANDS], count)?;
    let (orders, errands) = (counts[0], counts[1]);
    Ok((orders + errands).min(most))
}

const ERRANDS_OF_HAND: &str = "SELECT id FROM errands INDEXED BY errands_hand
     WHERE hand <> '' AND hand = $1 ORDER BY id LIMIT $2";

/// The cancels and refills that need a person, the oldest first, up to so many of each.
pub fn list_errands_needing(db: &Read<'_>, most: i64) -> Result<Vec<Errand>> {
    let ids = db.each(&[Hand::CancelRefused, Hand::Refill], |db, hand| {
        db.list(ERRANDS_OF_HAND, params![*hand, most], |row| row.get::<ErrandId>(0))
    })?;
    let found = db.each(&ids.concat(), |db, id| errands::find(db, *id))?;
    Ok(found.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::plans::assert_walks_an_index;

    #[test]
    fn what_needs_a_person_walks_an_index() {
        for sql in [of_hand_sql(Cursor::Newest), of_hand_sql(Cursor::Newer(7))] {
            assert_walks_an_index(&sql);
        }
        [NEEDING, NEEDING_ERRANDS, ERRANDS_OF_HAND, LAST, AT]
            .into_iter()
            .for_each(assert_walks_an_index);
    }
}
