//! The desk of a batch on a server: what was fetched for all of its commands at once, and what of
//! theirs waits to be written at once. With it a batch takes two trips, however many commands.
//!
//! It is safe for commands that know nothing of it: whatever else is asked, what waits is written
//! first; whatever else is written, all that was fetched is forgotten. So what waits here must be
//! of tables that nothing fetched looks at, but for three: accounts, of which the desk itself says
//! what they hold, orders, of which the one request is forgotten that an order has answered, and
//! webhooks, each of which is forgotten when it changes.
//!
//! It lives under the seat: nobody else writes until the batch is committed, so its numbers are the
//! next ones.

use std::collections::{BTreeSet, HashMap};

use super::pg::{self, WireRow};
use super::value::{Column, Due, Kind, List, Owned, Param as _, Row, RowResult};
use crate::domain::money::Money;
use crate::domain::{AccountId, OrderId, ServiceId, UserId};

/// The tables that rows wait for, parents first. Some we number ourselves, each at a place of its
/// own: nothing but the greatest number says which one is next.
const TABLES: [(&str, Option<usize>); 6] = [
    ("orders", Some(0)),
    ("order_inputs", None),
    ("deliveries", None),
    ("drips", None),
    ("postings", Some(1)),
    ("audit", Some(2)),
];
/// How many of the tables we number.
pub(super) const NUMBERED: usize = 3;

const HOLD: &str = "UPDATE accounts SET balance_micros = u.c2, first_order_id = u.c3,
                                        last_order_id = u.c4
    FROM unnest($1, $2, $3, $4) AS u(c1, c2, c3, c4) WHERE accounts.id = u.c1";

/// What a command is going to look at: a hint. What is left out costs it a trip, no more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    pub(super) users: BTreeSet<UserId>,
    pub(super) offers: BTreeSet<(UserId, ServiceId)>,
    pub(super) requests: BTreeSet<(UserId, String)>,
}

impl Wants {
    /// The user, with what is in the account.
    pub fn user(&mut self, user: UserId) {
        self.users.insert(user);
    }

    /// A service as that user buys it.
    pub fn offer(&mut self, user: UserId, service: ServiceId) {
        self.offers.insert((user, service));
    }

    /// What a user's request id has bought.
    pub fn request(&mut self, user: UserId, text: &str) {
        // The server would store another text in place of one with a NUL.
        if !text.contains('\0') {
            self.requests.insert((user, text.to_owned()));
        }
    }

    /// Whether one is a request that may have been made before.
    pub(super) fn names_requests(&self) -> bool {
        !self.requests.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.users.is_empty() && self.offers.is_empty() && self.requests.is_empty()
    }
}

/// What rows are fetched by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum What {
    User,
    Webhook,
    Offer,
    Request,
}

/// What an account holds, and between which orders its owner bought.
struct Held {
    balance: Money,
    first: Option<OrderId>,
    last: Option<OrderId>,
    is_changed: bool,
}

/// What was fetched for a batch.
pub(super) struct Known {
    callers: i64,
    /// The greatest numbers of the tables that we number.
    numbers: [i64; NUMBERED],
    /// `None` for what is known not to be there.
    rows: HashMap<(What, Vec<Owned>), Option<WireRow>>,
    accounts: HashMap<AccountId, Held>,
}

impl Known {
    pub(super) fn new(callers: i64, numbers: [i64; NUMBERED]) -> Self {
        Self { callers, numbers, rows: HashMap::new(), accounts: HashMap::new() }
    }

    /// Nothing is there by that key, unless it is kept later.
    pub(super) fn expect(&mut self, what: What, key: List<'_>) {
        self.rows.insert((what, Owned::all(key)), None);
    }

    /// Keeps a row, as the statement that is asked for it alone would find it.
    pub(super) fn keep(&mut self, what: What, key: List<'_>, row: WireRow) {
        self.rows.insert((what, Owned::all(key)), Some(row));
    }

    /// Keeps an account; the columns are its number, what it holds, its first and its last order.
    pub(super) fn keep_account(&mut self, row: &Row<'_>, columns: [usize; 4]) -> RowResult<()> {
        let [id, balance, first, last] = columns;
        let held = Held {
            balance: row.get(balance)?,
            first: row.get(first)?,
            last: row.get(last)?,
            is_changed: false,
        };
        self.accounts.insert(row.get(id)?, held);
        Ok(())
    }
}

/// Rows that wait for one table.
struct Group {
    /// The insert of one of them.
    sql: Box<str>,
    /// The insert of all of them.
    many: String,
    /// The place of the table in [`TABLES`].
    table: usize,
    columns: Vec<Column>,
}

/// What a batch knows, and what of it waits.
#[derive(Default)]
pub(super) struct Desk {
    /// `None` where nothing was fetched, or all was forgotten.
    known: Option<Known>,
    /// Whether that is all that the commands of the batch want.
    is_whole: bool,
    /// The tables of which rows are deleted by what waits, by their places: a row that is inserted
    /// into one of them has to come behind.
    emptied: [bool; TABLES.len()],
    groups: Vec<Group>,
    /// What has a statement of its own.
    saved: Vec<Due>,
    changes: u64,
}

impl Desk {
    /// How many rows were ever laid down here.
    pub(super) const fn changes(&self) -> u64 {
        self.changes
    }

    /// Whether all is known that the commands of the batch want.
    pub(super) const fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Says that all is known that the commands of the batch want.
    pub(super) const fn set_whole(&mut self) {
        self.is_whole = true;
    }

    /// Keeps what was fetched, beside what was before. What waited has been drained.
    pub(super) fn learn(&mut self, more: Known) {
        match &mut self.known {
            None => self.known = Some(more),
            Some(known) => {
                debug_assert_eq!(known.numbers, more.numbers, "not all rows were written");
                known.callers = more.callers;
                known.rows.extend(more.rows);
                known.accounts.extend(more.accounts);
            }
        }
    }

    /// Forgets what was fetched. What waits has been drained.
    pub(super) fn forget(&mut self) {
        (self.known, self.is_whole) = (None, false);
    }

    /// Clears the desk for another batch.
    pub(super) fn clear(&mut self) {
        *self = Self { changes: self.changes, ..Self::default() };
    }

    /// The version of callers, if it is known.
    pub(super) fn callers(&self) -> Option<i64> {
        self.known.as_ref().map(|known| known.callers)
    }

    /// The row of that key; `Some(None)` where it is known that there is none.
    pub(super) fn recall(&self, what: What, key: List<'_>) -> Option<Option<&WireRow>> {
        let known = self.known.as_ref()?;
        known.rows.get(&(what, Owned::all(key))).map(Option::as_ref)
    }

    /// Keeps a row, or that there is none, if anything is known.
    pub(super) fn keep(&mut self, what: What, key: List<'_>, row: Option<WireRow>) {
        if let Some(known) = &mut self.known {
            known.rows.insert((what, Owned::all(key)), row);
        }
    }

    /// Forgets about one key: what is there is no longer what was fetched.
    pub(super) fn forget_one(&mut self, what: What, key: List<'_>) {
        if let Some(known) = &mut self.known {
            known.rows.remove(&(what, Owned::all(key)));
        }
    }

    /// What an account holds, if it is known.
    pub(super) fn held(&self, account: AccountId) -> Option<Money> {
        self.known.as_ref()?.accounts.get(&account).map(|held| held.balance)
    }

    /// Keeps what an account holds from now on, and that its owner has bought. False where nothing
    /// is known of it.
    pub(super) fn hold(
        &mut self,
        account: AccountId,
        balance: Option<Money>,
        bought: Option<OrderId>,
    ) -> bool {
        let known = self.known.as_mut().and_then(|known| known.accounts.get_mut(&account));
        let Some(held) = known else { return false };
        held.balance = balance.unwrap_or(held.balance);
        held.first = held.first.or(bought);
        held.last = bought.or(held.last);
        held.is_changed = true;
        self.changes += 1;
        true
    }

    /// Lays a row down, to be inserted with others; says its number, 0 where it has none of ours.
    /// `None` where it cannot wait.
    pub(super) fn lay(&mut self, sql: &str, params: List<'_>) -> Option<i64> {
        let table = table(sql).filter(|table| !self.emptied[*table])?;
        let place = match self.groups.iter().position(|group| &*group.sql == sql) {
            Some(place) => place,
            None => {
                let many = pg::many(sql, TABLES[table].1.is_some())?;
                let mut columns: Vec<Column> =
                    params.iter().map(|param| Column::new(param.value().kind())).collect();
                columns.extend(TABLES[table].1.map(|_| Column::new(Kind::Int)));
                self.groups.push(Group { sql: sql.into(), many, table, columns });
                self.groups.len() - 1
            }
        };
        let number = match TABLES[table].1 {
            None => None,
            Some(numbered) => {
                let greatest = &mut self.known.as_mut()?.numbers[numbered];
                *greatest += 1;
                Some(*greatest)
            }
        };
        let values = Owned::all(params).into_iter().chain(number.map(Owned::Int));
        let columns = &mut self.groups[place].columns;
        columns.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
        self.changes += 1;
        Some(number.unwrap_or_default())
    }

    /// Keeps a statement until the others are written.
    pub(super) fn save(&mut self, sql: &str, params: List<'_>) {
        if let Some(table) = table_of(sql, "DELETE FROM ") {
            self.emptied[table] = true;
        }
        if self.lay(sql, params).is_none() {
            self.saved.push(Due { sql: sql.to_owned().into(), values: Owned::all(params) });
            self.changes += 1;
        }
    }

    /// All that waits, as statements in an order that keys allow. It counts as written from now on.
    pub(super) fn drain(&mut self) -> Vec<Due> {
        let mut groups = std::mem::take(&mut self.groups);
        groups.retain(|group| group.columns.first().is_some_and(|column| !column.is_empty()));
        groups.sort_by_key(|group| group.table);
        let rows = groups.into_iter().map(|group| Due {
            sql: group.many.into(),
            values: group.columns.into_iter().map(Owned::Many).collect(),
        });
        let mut due: Vec<Due> = rows.collect();
        due.extend(self.known.as_mut().and_then(Known::changed_accounts));
        due.append(&mut self.saved);
        self.emptied = Default::default();
        due
    }
}

impl Known {
    fn changed_accounts(&mut self) -> Option<Due> {
        let mut columns = [const { Column::new(Kind::Int) }; 4];
        for (account, held) in self.accounts.iter_mut().filter(|(_, held)| held.is_changed) {
            held.is_changed = false;
            let values =
                [account.value(), held.balance.value(), held.first.value(), held.last.value()];
            columns.iter_mut().zip(values).for_each(|(column, it)| column.push(Owned::of(it)));
        }
        let is_changed = !columns[0].is_empty();
        let values = columns.into_iter().map(Owned::Many).collect();
        is_changed.then(|| Due { sql: HOLD.into(), values })
    }
}

/// The place in [`TABLES`] of the table that a statement inserts into.
fn table(sql: &str) -> Option<usize> {
    table_of(sql, "INSERT INTO ")
}

/// The place in [`TABLES`] of the table that a statement names behind those words.
fn table_of(sql: &str, words: &str) -> Option<usize> {
    let name = sql.strip_prefix(words)?.split(' ').next()?;
    TABLES.iter().position(|(table, _)| *table == name)
}

/// Whether we number the rows of the table that a statement inserts into.
pub(super) fn is_numbered(sql: &str) -> bool {
    table(sql).is_some_and(|table| TABLES[table].1.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::value::params;

    #[test]
    fn a_row_that_comes_back_is_inserted_behind_its_deletion() {
        let insert = "INSERT INTO drips (order_id, next_at) VALUES ($1, $2)";
        let delete = "DELETE FROM drips WHERE order_id = $1";
        let mut desk = Desk::default();
        for _ in 0..2 {
            desk.save(insert, params![1_i64, 7_i64]);
            desk.save(delete, params![1_i64]);
            desk.save(insert, params![1_i64, 8_i64]);
            let due = desk.drain();
            let written: Vec<&str> = due.iter().map(|due| &*due.sql).collect();
            assert!(written[0].contains("unnest"), "{written:?}");
            assert_eq!(written[1..], [delete, insert]);
        }
        assert!(desk.drain().is_empty());
    }
}
