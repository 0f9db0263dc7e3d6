//! Writing postings, and what accounts hold.

use super::audit::WHO;
use super::page::{Cursor, Page};
use super::postings;
use super::value::{Row, RowResult, params};
use super::{Error, Read, Result, Tx, accounts, figures};
use crate::domain::figures::Figures;
use crate::domain::ledger::{Account, ESCROW, Posting, PostingKind};
use crate::domain::money::Money;
use crate::domain::{AccountId, Actor, OrderId, PostingId, Timestamp};

/// Moves the money and writes down that it moved.
///
/// # Errors
/// `AmountTooLarge`, before anything is written. Whether the source can pay was decided before:
/// if it cannot, this is a fault.
pub fn post(tx: &Tx<'_>, posting: &Posting, actor: &Actor) -> Result<PostingId> {
    let (source, destination) = (
        accounts::balance_now(tx, posting.source)?,
        accounts::balance_now(tx, posting.destination)?,
    );
    let (source, destination) = posting.balances_after(source, destination)?;
    if posting.source == ESCROW && source < Money::ZERO {
        // What the CHECK of the table would say, but to this command alone.
        return Err(Error::fault("the escrow holds less than is taken from it"));
    }
    count(tx, posting)?;
    match posting.order {
        Some(order) if posting.kind == PostingKind::Charge => {
            accounts::update_charged(tx, posting.source, source, order)?;
        }
        _ => accounts::update_balance(tx, posting.source, source)?,
    }
    accounts::update_balance(tx, posting.destination, destination)?;
    let id = tx.insert(
        "INSERT INTO postings (created_at, kind, source_id, destination_id, amount_micros,
                               source_balance_micros, destination_balance_micros,
                               user_id, order_id, reference, note, actor)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        params![
            tx.now,
            posting.kind,
            posting.source,
            posting.destination,
            posting.amount,
            source,
            destination,
            posting.user,
            posting.order,
            posting.reference.as_deref().unwrap_or_default(),
            posting.note,
            actor.to_string(),
        ],
    )?;
    Ok(PostingId(id))
}

/// Counts a posting for the charts. A charge is counted with its order.
fn count(tx: &Tx<'_>, posting: &Posting) -> Result<()> {
    let mut figures = Figures::default();
    match posting.kind {
        PostingKind::Deposit => figures.deposits = posting.amount,
        PostingKind::Capture => figures.captured = posting.amount,
        PostingKind::Refund => figures.refunded = posting.amount,
        PostingKind::Charge | PostingKind::Adjustment | PostingKind::Goodwill => return Ok(()),
    }
    figures::add(tx, &figures)
}

/// Whether any money has ever moved.
pub fn is_empty(db: &Read<'_>) -> Result<bool> {
    Ok(db.find("SELECT 1 FROM postings LIMIT 1", [], |_| Ok(()))?.is_none())
}

/// Whether a posting with this reference is in the books.
pub fn has_reference(db: &Read<'_>, reference: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM postings WHERE reference = $1 AND reference <> ''";
    Ok(db.find(sql, params![reference], |_| Ok(()))?.is_some())
}

/// A posting as the page of a user shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    pub id: PostingId,
    pub created_at: Timestamp,
    pub kind: PostingKind,
    /// What it did to the account: more or less in it.
    pub amount: Money,
    /// What was in the account afterwards.
    pub balance: Money,
    /// The order it was for.
    pub order: Option<OrderId>,
    /// What was written about it.
    pub note: String,
    /// An admin by name.
    pub actor: String,
}

/// A page of what happened to a user's account, newest first.
pub fn page_of(db: &Read<'_>, account: Account, cursor: Cursor, size: i64) -> Result<Page<Booked>> {
    let span = cursor.span(postings::last(db)?);
    let ids = postings::ids_of(db, account.user, None, span, size + 1)?;
    let sql = format!(
        "SELECT id, created_at, kind, source_id, amount_micros, source_balance_micros,
                destination_balance_micros, order_id, note, {WHO}
         FROM postings WHERE id = $1"
    );
    let found = db.get_each(&sql, &ids, |row| read_booked(row, account))?;
    Ok(cursor.page(found, size))
}

fn read_booked(row: &Row<'_>, account: Account) -> RowResult<Booked> {
    let is_out = row.get::<AccountId>(3)? == account.id;
    let amount: Money = row.get(4)?;
    let sign = if is_out { -1 } else { 1 };
    Ok(Booked {
        id: row.get(0)?,
        created_at: row.get(1)?,
        kind: row.get(2)?,
        amount: Money::from_micros(sign * amount.micros()),
        balance: row.get(if is_out { 5 } else { 6 })?,
        order: row.get(7)?,
        note: row.get(8)?,
        actor: row.get(9)?,
    })
}

/// A posting as the page of an order shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfOrder {
    pub id: PostingId,
    pub created_at: Timestamp,
    pub kind: PostingKind,
    pub amount: Money,
    /// What was in the user's account afterwards, if it moved.
    pub balance: Option<Money>,
    /// An admin by name.
    pub actor: String,
}

fn list_of_order_sql() -> String {
    format!(
        "SELECT id, created_at, kind, amount_micros, source_balance_micros,
                destination_balance_micros, {WHO}
         FROM postings WHERE order_id = $1 LIMIT 100"
    )
}

/// What was moved for an order, oldest first: a handful.
pub fn list_of_order(db: &Read<'_>, order: OrderId) -> Result<Vec<OfOrder>> {
    let mut rows = db.list(&list_of_order_sql(), params![order], |row| {
        let kind = row.get(2)?;
        let balance = match kind {
            PostingKind::Charge => row.get(4)?,
            PostingKind::Refund | PostingKind::Goodwill => row.get(5)?,
            PostingKind::Capture | PostingKind::Deposit | PostingKind::Adjustment => None,
        };
        Ok(OfOrder {
            id: row.get(0)?,
            created_at: row.get(1)?,
            kind,
            amount: row.get(3)?,
            balance,
            actor: row.get(6)?,
        })
    })?;
    rows.sort_unstable_by_key(|row| row.id);
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::domain::UserId;
    use crate::store::plans::assert_walks_an_index;
    use crate::store::{Command, Missing, Store};

    #[test]
    fn the_postings_of_an_order_are_read_along_an_index() {
        assert_walks_an_index(&list_of_order_sql());
    }

    struct Post(Posting);

    impl Command for Post {
        type Reply = PostingId;

        fn run(&self, tx: &Tx<'_>) -> Result<PostingId> {
            tx.execute(
                "INSERT INTO accounts (id, kind) VALUES (4, 'user') ON CONFLICT DO NOTHING",
                [],
            )?;
            tx.execute(
                "INSERT INTO users (id, name, account_id, created_at) VALUES (1, 'x', 4, 0)
                 ON CONFLICT DO NOTHING",
                [],
            )?;
            post(tx, &self.0, &Actor::CommandLine)
        }
    }

    #[test]
    fn nobody_takes_from_the_escrow_what_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("panel.db");
        let store = Store::open(&path, Missing::Create, Clock::manual(0)).unwrap();
        let one = Money::from_micros(1);
        let capture = Posting::capture(one, OrderId(1)).unwrap();
        let refused = store.write_blocking(Post(capture)).unwrap_err();
        assert!(refused.to_string().contains("escrow holds less"), "{refused}");

        let account = Account { user: UserId(1), id: AccountId(4) };
        store.write_blocking(Post(Posting::deposit(account, one))).unwrap();
        assert_eq!(store.check().unwrap(), []);
    }
}
