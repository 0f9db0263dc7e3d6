//! Submissions: our attempts to buy orders at providers.

use super::value::{Row, RowResult, params};
use super::{Read, Result, Tx, figures, nodes};
use crate::domain::delivery::{Ending, State, Submission};
use crate::domain::figures::Figures;
use crate::domain::money::Money;
use crate::domain::{OrderId, ProviderId, SubmissionId};

const COLUMNS: &str =
    "id, order_id, provider_id, place, provider_service, custom_id, state, family,
    expected_micros, cost_micros, after_order, answer, evidence, created_at, ended_at";

fn read_submission(row: &Row<'_>) -> RowResult<Submission> {
    let ending: String = row.get(7)?;
    Ok(Submission {
        id: row.get(0)?,
        order: row.get(1)?,
        provider: row.get(2)?,
        place: row.get(3)?,
        provider_service: row.get(4)?,
        custom_id: row.get(5)?,
        state: row.get(6)?,
        ending: Ending::from_stored(&ending),
        expected: row.get(8)?,
        cost: row.get(9)?,
        after_order: row.get(10)?,
        answer: row.get(11)?,
        evidence: row.get(12)?,
        created_at: row.get(13)?,
        ended_at: row.get(14)?,
    })
}

/// A submission by its number.
pub fn find(db: &Read<'_>, id: SubmissionId) -> Result<Option<Submission>> {
    let sql = format!("SELECT {COLUMNS} FROM submissions WHERE id = $1");
    db.find(&sql, params![id], read_submission)
}

/// All attempts to buy an order, the oldest first.
pub fn list_of(db: &Read<'_>, order: OrderId) -> Result<Vec<Submission>> {
    let sql = format!("SELECT {COLUMNS} FROM submissions WHERE order_id = $1 ORDER BY id");
    db.list(&sql, params![order], read_submission)
}

const LIVE: &str = "FROM submissions INDEXED BY submissions_live WHERE order_id = $1
     AND (state = 'sending' OR state = 'unknown' OR state = 'accepted')";

/// The attempt by which the order is, or may be, at a provider.
pub fn find_live(db: &Read<'_>, order: OrderId) -> Result<Option<Submission>> {
    db.find(&format!("SELECT {COLUMNS} {LIVE}"), params![order], read_submission)
}

/// The newest submission's number, 0 where there is none.
pub fn last(db: &Read<'_>) -> Result<SubmissionId> {
    db.get("SELECT coalesce(max(id), 0) FROM submissions", [], |row| row.get(0))
}

/// An attempt that is about to be made.
pub struct NewSubmission<'a> {
    pub order: OrderId,
    pub provider: ProviderId,
    pub place: i64,
    pub provider_service: &'a str,
    pub custom_id: &'a str,
    pub state: State,
    /// In our currency.
    pub expected: Money,
    pub after_order: Option<&'a str>,
}

/// Records an attempt before it is made.
pub fn insert(tx: &Tx<'_>, new: &NewSubmission<'_>) -> Result<SubmissionId> {
    let id = tx.insert(
        "INSERT INTO submissions (order_id, provider_id, place, provider_service, custom_id, state,
                                  expected_micros, after_order, created_at, node_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            new.order,
            new.provider,
            new.place,
            new.provider_service,
            new.custom_id,
            new.state,
            new.expected,
            new.after_order,
            tx.now,
            nodes::own(tx),
        ],
    )?;
    Ok(SubmissionId(id))
}

/// Writes how an attempt stands, and what was said to it.
pub fn update_state(
    tx: &Tx<'_>,
    id: SubmissionId,
    state: State,
    ending: Option<Ending>,
    answer: &str,
) -> Result<()> {
    let ended_at = (!state.is_live()).then_some(tx.now);
    tx.save(
        "UPDATE submissions SET state = $1, family = $2, answer = $3, ended_at = $4 WHERE id = $5",
        params![state, ending.map_or("", Ending::as_str), answer, ended_at, id],
    )
}

/// Writes what an order has cost that ends now, in our currency, and counts it.
pub fn update_cost(tx: &Tx<'_>, id: SubmissionId, cost: Money) -> Result<()> {
    tx.save("UPDATE submissions SET cost_micros = $1 WHERE id = $2", params![cost, id])?;
    figures::add(tx, &Figures { cost, ..Figures::default() })
}

/// Writes what they said of the order of an attempt since.
pub fn update_answer(tx: &Tx<'_>, id: SubmissionId, answer: &str) -> Result<()> {
    tx.save("UPDATE submissions SET answer = $1 WHERE id = $2", params![answer, id])
}

/// Writes what was found out about an attempt nobody knows the end of.
pub fn update_evidence(tx: &Tx<'_>, id: SubmissionId, evidence: &str) -> Result<()> {
    tx.save("UPDATE submissions SET evidence = $1 WHERE id = $2", params![evidence, id])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::plans;

    #[test]
    fn a_live_attempt_is_found_by_its_index() {
        plans::assert_walks_an_index(&format!("SELECT {COLUMNS} {LIVE}"));
    }
}
