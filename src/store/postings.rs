//! Reading the books: postings by user, kind, time, order and reference, newest first.
//!
//! What may be asked for is what can be found without looking at everything: along an index, along
//! one in blocks, or along the numbers and then only so far. Numbers and times grow together, so a
//! day is a stretch of numbers.

use super::audit::WHO;
use super::page::{Cursor, Page, Span};
use super::value::{Row, RowResult, params};
use super::{Read, Result};
use crate::domain::ledger::{Posted, PostingKind, REVERSAL};
use crate::domain::money::Money;
use crate::domain::{AccountId, OrderId, PostingId, Timestamp, UserId};

/// How many numbers one page looks at where no index holds what it looks for.
pub const WALK_MAX: i64 = 20_000;
/// No order has more postings than that.
const OF_ORDER_MAX: i64 = 1000;

/// Which postings a page shows: those of which all of this is true.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub user: Option<UserId>,
    pub kind: Option<PostingKind>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub order: Option<OrderId>,
    /// By exactly this name; empty for any.
    pub reference: String,
    /// Where the page begins.
    pub cursor: Cursor,
    /// How many rows it has.
    pub size: i64,
}

/// A posting as the ledger shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number, its kind, its amount.
    pub posted: Posted,
    pub created_at: Timestamp,
    /// Where the money arrived.
    pub destination: AccountId,
    /// What both sides held afterwards.
    pub balances: (Money, Money),
    /// The name of the user whose account moved.
    pub user_name: Option<String>,
    pub account: Option<AccountId>,
    /// The order it was for.
    pub order: Option<OrderId>,
    /// The name under which it is booked once.
    pub reference: String,
    /// What was written about it.
    pub note: String,
    /// An admin by name.
    pub actor: String,
}

impl Entry {
    /// What it did to the user's account, and what was in it afterwards. A capture moves none.
    pub fn seen_by_user(&self) -> Option<(Money, Money)> {
        let account = self.account?;
        Some(if self.posted.source == account {
            (Money::from_micros(-self.posted.amount.micros()), self.balances.0)
        } else {
            (self.posted.amount, self.balances.1)
        })
    }
}

/// A page of the ledger, and where the next ones begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub rows: Vec<Entry>,
    /// Behind which number older ones follow.
    pub older: Option<i64>,
    /// Before which number newer ones stand.
    pub newer: Option<i64>,
}

/// A statement that `read_entry` understands, along an index and with a condition.
fn select(index: &str, condition: &str) -> String {
    format!(
        "SELECT p.id, p.kind, p.source_id, p.amount_micros, p.user_id,
                CASE WHEN p.kind = 'deposit' OR p.kind = 'adjustment' THEN
                  (SELECT r.id FROM postings r
                   WHERE r.reference = '{REVERSAL}' || p.id AND r.reference <> '') END,
                p.created_at, p.destination_id, p.source_balance_micros,
                p.destination_balance_micros, u.name, u.account_id, p.order_id, p.reference,
                p.note, {WHO}
         FROM postings p {index} LEFT JOIN users u ON u.id = p.user_id
         WHERE {condition}"
    )
}

fn read_posted(row: &Row<'_>) -> RowResult<Posted> {
    Ok(Posted {
        id: row.get(0)?,
        kind: row.get(1)?,
        source: row.get(2)?,
        amount: row.get(3)?,
        user: row.get(4)?,
        reversed_by: row.get(5)?,
    })
}

fn read_entry(row: &Row<'_>) -> RowResult<Entry> {
    Ok(Entry {
        posted: read_posted(row)?,
        created_at: row.get(6)?,
        destination: row.get(7)?,
        balances: (row.get(8)?, row.get(9)?),
        user_name: row.get(10)?,
        account: row.get(11)?,
        order: row.get(12)?,
        reference: row.get(13)?,
        note: row.get(14)?,
        actor: row.get(15)?,
    })
}

/// One posting.
pub fn find(db: &Read<'_>, id: PostingId) -> Result<Option<Entry>> {
    db.find(&select("", "p.id = $1"), params![id], read_entry)
}

/// The postings of those numbers, in that order.
pub fn find_each(db: &Read<'_>, ids: &[PostingId]) -> Result<Vec<Option<Entry>>> {
    db.find_each(&select("", "p.id = $1"), ids, read_entry)
}

/// One posting, as far as taking it back needs to know it.
pub fn find_posted(db: &Read<'_>, id: PostingId) -> Result<Option<Posted>> {
    Ok(find(db, id)?.map(|entry| entry.posted))
}

/// The postings of an order, or the one with a reference, that the rest of the filter lets pass.
fn few(db: &Read<'_>, filter: &Filter) -> Result<Vec<Entry>> {
    let mut rows = match (filter.reference.as_str(), filter.order) {
        ("", order) => {
            let sql = format!("{} LIMIT $2", select("", "p.order_id = $1"));
            db.list(&sql, params![order, OF_ORDER_MAX], read_entry)?
        }
        (reference, _) => {
            let sql = select("", "p.reference = $1 AND p.reference <> ''");
            db.list(&sql, params![reference], read_entry)?
        }
    };
    rows.retain(|entry| filter.lets_pass(entry));
    rows.sort_by_key(|entry| std::cmp::Reverse(entry.posted.id));
    Ok(rows)
}

impl Filter {
    fn lets_pass(&self, entry: &Entry) -> bool {
        self.user.is_none_or(|user| entry.posted.user == Some(user))
            && self.kind.is_none_or(|kind| entry.posted.kind == kind)
            && self.order.is_none_or(|order| entry.order == Some(order))
            && self.since.is_none_or(|since| entry.created_at >= since)
            && self.until.is_none_or(|until| entry.created_at < until)
    }

    /// Whether a page of it looks at what it does not show.
    fn is_walk(&self) -> bool {
        let is_common = matches!(self.kind, Some(PostingKind::Charge | PostingKind::Capture));
        self.user.is_none() && is_common
    }

    /// The index and the condition on user and kind, `$1` and `$2`, of what is kept in one run.
    const fn by(&self) -> (&'static str, &'static str) {
        use PostingKind::{Capture, Charge};
        match (self.user, self.kind) {
            (None, None) => ("NOT INDEXED", "$1 IS NULL AND $2 IS NULL"),
            (None, Some(Charge | Capture)) => ("NOT INDEXED", "$1 IS NULL AND p.kind = $2"),
            (None, Some(_)) => (
                "INDEXED BY postings_kind",
                "$1 IS NULL AND p.kind = $2 AND p.kind <> 'charge' AND p.kind <> 'capture'",
            ),
            (Some(_), _) => (
                "INDEXED BY postings_user_kind",
                "p.user_id = $1 AND p.kind = $2 AND p.kind <> 'charge' AND p.kind <> 'capture'",
            ),
        }
    }

    fn sql(&self) -> String {
        let ((index, condition), (_, direction)) = (self.by(), self.cursor.direction());
        let select = select(index, condition);
        format!("{select} AND p.id > $3 AND p.id < $4 ORDER BY p.id {direction} LIMIT $5")
    }

    /// What is in the span, in the order it is met; one row more than the page has.
    fn read(&self, db: &Read<'_>, span: Span) -> Result<Vec<Entry>> {
        let most = self.size + 1;
        if let (Some(user), None | Some(PostingKind::Charge)) = (self.user, self.kind) {
            let ids = ids_of(db, user, self.kind, span, most)?;
            return db.get_each(&select("", "p.id = $1"), &ids, read_entry);
        }
        let params = params![self.user, self.kind, span.above, span.below, most];
        db.list(&self.sql(), params, read_entry)
    }

    /// The numbers of the page, and whether they end before the list does.
    fn span(&self, db: &Read<'_>) -> Result<(Span, bool)> {
        let last = last(db)?;
        let mut span = self.cursor.span(last);
        if let Some(since) = self.since {
            span.above = span.above.max(first_since(db, since, last)? - 1);
        }
        if let Some(until) = self.until {
            span.below = span.below.min(first_since(db, until, last)?);
        }
        let is_cut = self.is_walk() && span.below.saturating_sub(span.above) > WALK_MAX + 1;
        match self.cursor {
            _ if !is_cut => {}
            Cursor::Newest | Cursor::Older(_) => span.above = span.below - WALK_MAX - 1,
            Cursor::Newer(_) => span.below = span.above + WALK_MAX + 1,
        }
        Ok((span, is_cut))
    }
}

/// The newest posting's number, 0 where there is none.
pub(super) fn last(db: &Read<'_>) -> Result<i64> {
    db.get("SELECT coalesce(max(id), 0) FROM postings", [], |row| row.get(0))
}

const IN_BLOCK: &str = "SELECT id FROM postings INDEXED BY postings_user
                        WHERE user_id = $1 AND ($2 IS NULL OR kind = $2) AND block = $3";
/// On a server, where nothing is kept in blocks.
const DOWNWARDS: &str = "SELECT id FROM postings
    WHERE user_id = $1 AND ($2 IS NULL OR kind = $2) AND id > $3 AND id < $4
    ORDER BY id DESC LIMIT $5";
const UPWARDS: &str = "SELECT id FROM postings
    WHERE user_id = $1 AND ($2 IS NULL OR kind = $2) AND id > $3 AND id < $4
    ORDER BY id LIMIT $5";

/// The numbers of what happened to a user's account, of one kind or of any, in the order they are
/// met. Most of it is charges, so a list of charges passes few others over.
pub(super) fn ids_of(
    db: &Read<'_>,
    user: UserId,
    kind: Option<PostingKind>,
    span: Span,
    enough: i64,
) -> Result<Vec<PostingId>> {
    if db.wire().is_some() {
        let sql = if span.is_upwards { UPWARDS } else { DOWNWARDS };
        let params = params![user, kind, span.above, span.below, enough];
        return db.list(sql, params, |row| row.get(0));
    }
    let enough = usize::try_from(enough).unwrap_or_default();
    let ids =
        span.walk(enough, |block| db.list(IN_BLOCK, params![user, kind, block], |row| row.get(0)))?;
    Ok(ids.into_iter().map(PostingId).collect())
}

/// The number of the first posting made then or later, the next free one where there is none.
/// Halves the numbers until one is left; should the clock ever have been set back, the answer is
/// as wrong as the clock was.
fn first_since(db: &Read<'_>, at: Timestamp, last: i64) -> Result<i64> {
    let sql = "SELECT id, created_at FROM postings WHERE id >= $1 ORDER BY id LIMIT 1";
    let (mut low, mut high) = (1, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let found: Option<(i64, Timestamp)> =
            db.find(sql, params![middle], |row| Ok((row.get(0)?, row.get(1)?)))?;
        match found {
            Some((id, created_at)) if created_at < at => low = id + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// A page of postings.
pub fn page(db: &Read<'_>, filter: &Filter) -> Result<Found> {
    let (none, key) =
        (Found { rows: Vec::new(), older: None, newer: None }, |entry: &Entry| entry.posted.id.0);
    if filter.order.is_some() || !filter.reference.is_empty() {
        return Ok(Found { rows: few(db, filter)?, ..none });
    }
    if filter.user.is_some() && filter.kind == Some(PostingKind::Capture) {
        return Ok(none); // what is earned leaves the escrow, not an account
    }
    let (span, is_cut) = filter.span(db)?;
    let rows = filter.read(db, span)?;
    let Page { rows, has_newer, has_older } = filter.cursor.page(rows, filter.size);
    let mut older = rows.last().map(key).filter(|_| has_older);
    let mut newer = rows.first().map(key).filter(|_| has_newer);
    match filter.cursor {
        Cursor::Newest => older = older.or(is_cut.then_some(span.above + 1)),
        Cursor::Older(id) => {
            older = older.or(is_cut.then_some(span.above + 1));
            newer = newer.or(Some(id - 1));
        }
        Cursor::Newer(id) => {
            newer = newer.or(is_cut.then_some(span.below - 1));
            older = older.or(Some(id + 1));
        }
    }
    Ok(Found { rows, older, newer })
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::clock::Clock;
    use crate::domain::ledger::Account;
    use crate::store::plans::assert_walks_an_index;
    use crate::store::{Command, Missing, Store, Tx, ledger};

    #[test]
    fn a_page_of_the_ledger_is_read_along_an_index() {
        let kinds = PostingKind::ALL.iter().copied().map(Some).chain([None]);
        for kind in kinds {
            for user in [None, Some(UserId(1))] {
                for cursor in [Cursor::Newest, Cursor::Older(7), Cursor::Newer(7)] {
                    let filter = Filter { user, kind, cursor, ..Filter::default() };
                    assert_walks_an_index(&filter.sql());
                }
            }
        }
        [IN_BLOCK, DOWNWARDS, UPWARDS].into_iter().for_each(assert_walks_an_index);
        for condition in ["p.id = $1", "p.order_id = $1", "p.reference = $1 AND p.reference <> ''"]
        {
            assert_walks_an_index(&select("", condition));
        }
        assert_walks_an_index("SELECT id FROM postings WHERE id >= $1 ORDER BY id LIMIT 1");
    }

    /// A file that a command has filled.
    fn filled(fill: impl Command) -> (TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("panel.db");
        let store = Store::open(&path, Missing::Create, Clock::manual(0)).unwrap();
        store.write_blocking(fill).unwrap();
        (folder, store)
    }

    /// A charge and then nothing but captures, as many as one page walks and five more.
    struct Fill;

    impl Command for Fill {
        type Reply = ();

        fn run(&self, tx: &Tx<'_>) -> Result<()> {
            tx.execute(
                "WITH RECURSIVE numbers (n) AS
                   (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $1)
                 INSERT INTO postings (id, created_at, kind, source_id, destination_id,
                   amount_micros, source_balance_micros, destination_balance_micros, actor)
                 SELECT n, n, CASE n WHEN 1 THEN 'charge' ELSE 'capture' END, 2, 3, 1, 0, 0, ''
                 FROM numbers",
                params![WALK_MAX + 6],
            )?;
            Ok(())
        }
    }

    #[test]
    fn where_no_index_helps_a_page_looks_only_so_far() {
        let (_folder, store) = filled(Fill);
        let charges = |cursor| {
            let kind = Some(PostingKind::Charge);
            let filter = Filter { kind, cursor, size: 50, ..Filter::default() };
            let found = store.page(|db| page(db, &filter)).unwrap();
            let ids: Vec<i64> = found.rows.iter().map(|entry| entry.posted.id.0).collect();
            (ids, found.older, found.newer)
        };
        assert_eq!(charges(Cursor::Newest), (vec![], Some(7), None));
        assert_eq!(charges(Cursor::Older(7)), (vec![1], None, Some(1)));
        assert_eq!(charges(Cursor::Newer(1)), (vec![], Some(2), Some(WALK_MAX + 1)));
        assert_eq!(charges(Cursor::Newer(WALK_MAX + 1)), (vec![], Some(WALK_MAX + 2), None));
        let days = |since, until| {
            let (since, until) = (Some(Timestamp(since)), Some(Timestamp(until)));
            let filter = Filter { since, until, size: 50, ..Filter::default() };
            let found = store.page(|db| page(db, &filter)).unwrap();
            found.rows.iter().map(|entry| entry.posted.id.0).collect::<Vec<_>>()
        };
        assert_eq!(days(17, 20), [19, 18, 17]);
        assert_eq!(days(0, 3), [2, 1]);
        assert_eq!(days(WALK_MAX + 6, WALK_MAX + 99), [WALK_MAX + 6]);
        assert_eq!(days(WALK_MAX + 7, WALK_MAX + 99), [0; 0]);
    }

    /// Charges of two users, in more blocks than one, and a deposit now and then.
    struct Spend;

    impl Command for Spend {
        type Reply = ();

        fn run(&self, tx: &Tx<'_>) -> Result<()> {
            for sql in [
                "INSERT INTO accounts (id, kind) VALUES (4, 'user'), (5, 'user')",
                "INSERT INTO users (id, name, account_id, created_at)
                 VALUES (1, 'x', 4, 0), (2, 'y', 5, 0)",
                "WITH RECURSIVE numbers (n) AS
                   (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2500)
                 INSERT INTO postings (id, created_at, kind, source_id, destination_id,
                   amount_micros, source_balance_micros, destination_balance_micros, user_id, actor)
                 SELECT n, n, CASE n % 100 WHEN 0 THEN 'deposit' ELSE 'charge' END,
                        5 - n / 10 % 2, 2, 1, 0, 0, 2 - n / 10 % 2, ''
                 FROM numbers",
            ] {
                tx.execute(sql, [])?;
            }
            Ok(())
        }
    }

    #[test]
    fn the_pages_of_an_account_are_its_history_there_and_back() {
        let (_folder, store) = filled(Spend);
        let numbers = |filter: &Filter| {
            let found = store.page(|db| page(db, filter)).unwrap();
            found.rows.iter().map(|entry| entry.posted.id.0).collect::<Vec<_>>()
        };
        let (user, size) = (UserId(2), 100);
        for kind in [None, Some(PostingKind::Charge), Some(PostingKind::Deposit)] {
            let is_wanted = |n: &i64| {
                let is_deposit = n % 100 == 0;
                n / 10 % 2 == 0
                    && kind.is_none_or(|kind| is_deposit == (kind == PostingKind::Deposit))
            };
            let wanted: Vec<i64> = (100..2300).rev().filter(is_wanted).collect();
            let days = (Some(Timestamp(100)), Some(Timestamp(2300)));
            let filter = Filter { user: Some(user), kind, size, ..Filter::default() };
            let filter = Filter { since: days.0, until: days.1, ..filter };
            let mut cursor = Cursor::Newest;
            for chunk in wanted.chunks(100) {
                assert_eq!(numbers(&Filter { cursor, ..filter.clone() }), chunk, "{cursor:?}");
                cursor = Cursor::Older(chunk[chunk.len() - 1]);
                let newer = Filter { cursor: Cursor::Newer(chunk[0]), ..filter.clone() };
                let end = wanted.iter().position(|id| *id == chunk[0]).unwrap();
                assert_eq!(numbers(&newer), wanted[end.saturating_sub(100)..end], "{newer:?}");
            }
            assert_eq!(numbers(&Filter { cursor, ..filter.clone() }), [0; 0]);
        }
        let account = Account { user, id: AccountId(5) };
        let history =
            store.page(|db| ledger::page_of(db, account, Cursor::Older(1025), 1000)).unwrap();
        let numbers: Vec<i64> = history.rows.iter().map(|booked| booked.id.0).collect();
        let wanted: Vec<i64> = (1..1025).rev().filter(|n| n / 10 % 2 == 0).collect();
        assert_eq!(numbers, wanted);
    }
}
