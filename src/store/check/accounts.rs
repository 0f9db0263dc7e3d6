//! Every account and every posting, each against the others.

use std::collections::HashMap;

use super::Report;
use crate::domain::ledger::{AccountKind, ESCROW, EXTERNAL, HOUSE, PostingKind, REVENUE};
use crate::store::value::Row;
use crate::store::{Read, Result};

/// One account: as it is stored, and as the postings say.
struct Account {
    kind: Option<AccountKind>,
    stored: i64,
    credit_limit: i64,
    user: Option<i64>,
    derived: i128,
}

/// All accounts by id.
pub(super) struct Ledger(HashMap<i64, Account>);

impl Ledger {
    pub(super) fn load(db: &Read<'_>, report: &mut Report) -> Result<Self> {
        let mut accounts = HashMap::new();
        let sql = "SELECT a.id, a.kind, a.balance_micros, a.credit_limit_micros, u.id
                   FROM accounts a LEFT JOIN users u ON u.account_id = a.id";
        db.for_each(sql, [], |row| {
            let id: i64 = row.get(0)?;
            let kind: String = row.get(1)?;
            let user: Option<i64> = row.get(4)?;
            let kind = AccountKind::from_stored(&kind);
            let is_owned_right = match kind {
                Some(AccountKind::External) => id == EXTERNAL.0 && user.is_none(),
                Some(AccountKind::Escrow) => id == ESCROW.0 && user.is_none(),
                Some(AccountKind::Revenue) => id == REVENUE.0 && user.is_none(),
                Some(AccountKind::User) => user.is_some(),
                None => false,
            };
            report.require(is_owned_right, "account", || format!("account {id} has no owner"));
            let (stored, credit_limit) = (row.get(2)?, row.get(3)?);
            let account = Account { kind, stored, credit_limit, user, derived: 0 };
            if accounts.insert(id, account).is_some() {
                report.add("account", format!("account {id} belongs to two users"));
            }
            Ok(())
        })?;
        for house in HOUSE {
            let is_there = accounts.contains_key(&house.0);
            report.require(is_there, "account", || format!("account {house} is missing"));
        }
        Ok(Self(accounts))
    }

    /// Every posting by itself, and the balances running through them.
    pub(super) fn check_postings(&mut self, db: &Read<'_>, report: &mut Report) -> Result<()> {
        let sql = "SELECT id, kind, source_id, destination_id, amount_micros,
                          source_balance_micros, destination_balance_micros, user_id, order_id
                   FROM postings ORDER BY id";
        db.for_each(sql, [], |row| self.check_posting(row, report))
    }

    fn check_posting(&mut self, row: &Row<'_>, report: &mut Report) -> Result<()> {
        let id: i64 = row.get(0)?;
        let kind: String = row.get(1)?;
        let (source, destination, amount): (i64, i64, i64) =
            (row.get(2)?, row.get(3)?, row.get(4)?);
        let after: [i64; 2] = [row.get(5)?, row.get(6)?];
        let (user, order): (Option<i64>, Option<i64>) = (row.get(7)?, row.get(8)?);

        report.require(amount > 0, "amount", || format!("posting {id} moves {amount}"));
        let kinds =
            [source, destination].map(|id| self.0.get(&id).and_then(|account| account.kind));
        let kind = PostingKind::from_stored(&kind);
        let joins = match (kind, kinds) {
            (Some(kind), [Some(source), Some(destination)]) => kind.joins(source, destination),
            _ => false,
        };
        report.require(joins, "posting", || format!("posting {id} joins the wrong accounts"));
        let owner = [source, destination].iter().find_map(|id| self.0.get(id)?.user);
        report.require(owner == user, "posting", || format!("posting {id} names the wrong user"));
        let pays_order =
            matches!(kind, Some(PostingKind::Charge | PostingKind::Capture | PostingKind::Refund));
        let is_named = !pays_order || order.is_some();
        report.require(is_named, "posting", || format!("posting {id} names no order"));

        let moves = [(source, -i128::from(amount)), (destination, i128::from(amount))];
        for ((id_moved, change), after) in moves.into_iter().zip(after) {
            let Some(account) = self.0.get_mut(&id_moved) else { continue };
            account.derived += change;
            let holds = account.derived == i128::from(after);
            report.require(holds, "chain", || {
                format!("after posting {id}, account {id_moved} is written to hold {after}")
            });
            account.derived = i128::from(after); // one broken link is one finding
        }
        Ok(())
    }

    /// What is stored is what the postings say, nothing is below its floor, and nothing is lost.
    pub(super) fn check_balances(&self, report: &mut Report) {
        for (id, account) in &self.0 {
            let holds = account.derived == i128::from(account.stored);
            report.require(holds, "balance", || {
                format!(
                    "account {id} holds {}, its postings say {}",
                    account.stored, account.derived
                )
            });
        }
        self.check_floors(report);
    }

    pub(super) fn check_floors(&self, report: &mut Report) {
        for (id, account) in &self.0 {
            let floor = match account.kind {
                Some(AccountKind::User) => -i128::from(account.credit_limit),
                Some(AccountKind::Escrow) => 0,
                Some(AccountKind::External | AccountKind::Revenue) | None => i128::MIN,
            };
            let holds = i128::from(account.stored) >= floor;
            report.require(holds, "floor", || format!("account {id} holds {}", account.stored));
        }
        let sum: i128 = self.0.values().map(|account| i128::from(account.stored)).sum();
        report.require(sum == 0, "sum", || format!("all balances together are {sum}, not 0"));
    }

    /// The account of a user.
    pub(super) fn account_of(&self, user: i64) -> Option<i64> {
        // Accounts are made with their users, so this is nearly always the first try.
        let is_theirs = |id: &i64| self.0.get(id).is_some_and(|account| account.user == Some(user));
        let likely = user + REVENUE.0;
        if is_theirs(&likely) {
            return Some(likely);
        }
        self.0.keys().copied().find(|id| is_theirs(id))
    }
}

/// Between which orders an account's owner bought, against the orders.
pub(super) fn check_bounds(db: &Read<'_>, report: &mut Report) -> Result<()> {
    let sql = "SELECT a.id, a.first_order_id, a.last_order_id, bought.oldest, bought.newest
               FROM accounts a LEFT JOIN users u ON u.account_id = a.id
               LEFT JOIN (SELECT user_id, min(id) AS oldest, max(id) AS newest
                          FROM orders GROUP BY user_id) AS bought ON bought.user_id = u.id
               WHERE a.first_order_id IS DISTINCT FROM bought.oldest
                  OR a.last_order_id IS DISTINCT FROM bought.newest";
    db.for_each(sql, [], |row| {
        let id: i64 = row.get(0)?;
        let kept: (Option<i64>, Option<i64>) = (row.get(1)?, row.get(2)?);
        let found: (Option<i64>, Option<i64>) = (row.get(3)?, row.get(4)?);
        report.add("bounds", format!("account {id} keeps {kept:?}, its orders are {found:?}"));
        Ok(())
    })
}
