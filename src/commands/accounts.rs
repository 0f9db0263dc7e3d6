//! Resellers, their keys, their money and their prices.

use super::record;
use crate::domain::ledger::{Account, Posting};
use crate::domain::money::{Discount, Money, Rate};
use crate::domain::refusal::{OperatorRefusal, OrderRefusal};
use crate::domain::user::{self, User};
use crate::domain::{Actor, KeyId, PostingId, ServiceId, UserId, is_hidden};
use crate::secret::KeyHash;
use crate::store::keys::ApiKey;
use crate::store::{Command, Result, Tx, Wants, accounts, keys, ledger, postings, services, users};

const LABEL_LENGTH_MAX: usize = 100;
const NOTE_LENGTH_MAX: usize = 500;
const PAGE_LENGTH_MAX: usize = 10_000;

/// Adds a reseller with an empty account.
pub struct CreateUser {
    pub actor: Actor,
    pub name: String,
}

impl Command for CreateUser {
    type Reply = UserId;

    fn run(&self, tx: &Tx<'_>) -> Result<UserId> {
        user::check_name(&self.name)?;
        if users::is_named(tx, &self.name)? {
            return Err(OperatorRefusal::NameTaken.into());
        }

        let id = users::insert(tx, &self.name)?;
        record(tx, &self.actor, "user.create", format!("user {id}"), self.name.clone())?;
        Ok(id)
    }
}

/// Books money that came in from outside.
pub struct Deposit {
    pub actor: Actor,
    pub user: UserId,
    /// How much, more than nothing.
    pub amount: Money,
    /// What it is, for people.
    pub note: String,
    /// A name under which it is booked only once.
    pub reference: Option<String>,
}

impl Command for Deposit {
    /// The balance afterwards.
    type Reply = Money;

    fn run(&self, tx: &Tx<'_>) -> Result<Money> {
        let user = users::get(tx, self.user)?;
        if self.amount <= Money::ZERO {
            return Err(OperatorRefusal::AmountIsZero.into());
        }
        let (note, reference) = (self.note.clone(), self.reference.clone());
        let posting = Posting::deposit(account(&user), self.amount);
        book(tx, &self.actor, &user, ("user.balance", Posting { note, reference, ..posting }))
    }

    fn wants(&self, wants: &mut Wants) {
        wants.user(self.user);
    }
}

/// Corrects a balance, up or down, with a reason.
pub struct Adjust {
    pub actor: Actor,
    pub user: UserId,
    /// By how much; negative takes away.
    pub amount: Money,
    pub note: String,
    /// A name under which it is booked only once.
    pub reference: Option<String>,
}

impl Command for Adjust {
    /// The balance afterwards.
    type Reply = Money;

    fn run(&self, tx: &Tx<'_>) -> Result<Money> {
        let user = users::get(tx, self.user)?;
        if self.note.trim().is_empty() {
            return Err(OperatorRefusal::NoteMissing.into());
        }
        if self.amount.is_negative() && !user.can_pay(self.amount.magnitude()) {
            return Err(OrderRefusal::InsufficientFunds.into());
        }
        let posting = Posting::adjustment(account(&user), self.amount);
        let posting = posting.ok_or(OperatorRefusal::AmountIsZero)?;
        let (note, reference) = (self.note.clone(), self.reference.clone());
        book(tx, &self.actor, &user, ("user.balance", Posting { note, reference, ..posting }))
    }

    fn wants(&self, wants: &mut Wants) {
        wants.user(self.user);
    }
}

/// Reverses a deposit or a correction by a posting the other way, once.
pub struct Reverse {
    pub actor: Actor,
    pub posting: PostingId,
    pub note: String,
}

impl Command for Reverse {
    /// The user's balance afterwards.
    type Reply = Money;

    fn run(&self, tx: &Tx<'_>) -> Result<Money> {
        let posted =
            postings::find_posted(tx, self.posting)?.ok_or(OperatorRefusal::PostingNotFound)?;
        let user = users::get(tx, posted.user.ok_or(OperatorRefusal::NotReversible)?)?;

        let posting = posted.reverse(&user, &self.note)?;

        book(tx, &self.actor, &user, ("posting.reverse", posting))
    }
}

/// Writes down that somebody had the books checked, and what came of it.
pub struct RecordCheck {
    pub actor: Actor,
    /// What is wrong, one line each.
    pub findings: Vec<String>,
}

impl Command for RecordCheck {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let change = match self.findings.as_slice() {
            [] => "sound".to_owned(),
            [first] => first.clone(),
            [first, ..] => format!("{} findings, the first: {first}", self.findings.len()),
        };
        record(tx, &self.actor, "books.check", "books", change)
    }
}

fn account(user: &User) -> Account {
    Account { user: user.id, id: user.account }
}

/// Books a movement between the world and an account, and says by its verb who did. Returns the
/// balance afterwards.
fn book(
    tx: &Tx<'_>,
    actor: &Actor,
    user: &User,
    (verb, posting): (&'static str, Posting),
) -> Result<Money> {
    if !is_line(&posting.note, NOTE_LENGTH_MAX) {
        return Err(OperatorRefusal::NoteTooLong.into());
    }
    if let Some(reference) = &posting.reference
        && ledger::has_reference(tx, reference)?
    {
        return Err(OperatorRefusal::ReferenceTaken.into());
    }

    let id = ledger::post(tx, &posting, actor)?;
    let balance = accounts::balance(tx, user.account)?;
    let change = format!("{} → {balance}: {}", user.balance, posting.note);
    record(tx, actor, verb, format!("user {} posting {id}", user.id), change)?;
    Ok(balance)
}

/// Changes what is given, all of it or none.
pub struct SetUser {
    pub actor: Actor,
    pub user: UserId,
    /// How much less than the rate the user pays.
    pub discount: Option<Discount>,
    /// How far below zero the balance may go.
    pub credit_limit: Option<Money>,
    /// Whether all their keys are refused.
    pub suspended: Option<bool>,
}

impl Command for SetUser {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let user = users::get(tx, self.user)?;
        if let Some(limit) = self.credit_limit
            && user.balance.checked_add(limit).is_none_or(Money::is_negative)
        {
            return Err(OperatorRefusal::BelowCreditLimit.into());
        }

        let object = format!("user {}", user.id);
        if let Some(discount) = self.discount {
            users::update_discount(tx, user.id, discount)?;
            let change = format!("{} → {discount}", user.discount);
            record(tx, &self.actor, "user.discount", &object, change)?;
        }
        if let Some(limit) = self.credit_limit {
            users::update_credit_limit(tx, user.account, limit)?;
            let change = format!("{} → {limit}", user.credit_limit);
            record(tx, &self.actor, "user.credit_limit", &object, change)?;
        }
        if let Some(is_suspended) = self.suspended {
            users::update_suspended(tx, user.id, is_suspended)?;
            let verb = if is_suspended { "user.suspend" } else { "user.resume" };
            record(tx, &self.actor, verb, &object, user.name)?;
        }
        Ok(())
    }
}

/// Refuses the keys of many users, or accepts them again. Who is so already stays untouched.
pub struct SetSuspended {
    pub actor: Actor,
    pub users: Vec<UserId>,
    /// Whether their keys are refused.
    pub is_suspended: bool,
}

impl Command for SetSuspended {
    /// How many were changed.
    type Reply = usize;

    fn run(&self, tx: &Tx<'_>) -> Result<usize> {
        let mut changed = Vec::new();
        for id in &self.users {
            let user = users::find(tx, *id)?.ok_or(OperatorRefusal::UserNotFound)?;
            if user.is_suspended != self.is_suspended {
                changed.push(user);
            }
        }

        let verb = if self.is_suspended { "user.suspend" } else { "user.resume" };
        for user in &changed {
            users::update_suspended(tx, user.id, self.is_suspended)?;
            record(tx, &self.actor, verb, format!("user {}", user.id), user.name.clone())?;
        }
        Ok(changed.len())
    }
}

/// Writes down something about a user, for other admins.
pub struct SetUserNote {
    pub actor: Actor,
    pub user: UserId,
    /// What; several lines are fine.
    pub note: String,
}

impl Command for SetUserNote {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        if self.note.chars().count() > PAGE_LENGTH_MAX {
            return Err(OperatorRefusal::NoteTooLong.into());
        }
        let user = users::find(tx, self.user)?.ok_or(OperatorRefusal::UserNotFound)?;

        users::update_note(tx, user.id, &self.note)?;
        record(tx, &self.actor, "user.note", format!("user {}", user.id), user.name)
    }
}

/// Gives a user a custom rate, or takes it away.
pub struct SetUserRate {
    pub actor: Actor,
    pub user: UserId,
    pub service: ServiceId,
    /// The rate; `None` for what others pay.
    pub rate: Option<Rate>,
}

impl Command for SetUserRate {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let service = services::find(tx, self.service)?.ok_or(OrderRefusal::ServiceNotFound)?;
        let before = users::find_rate(tx, self.user, service.id)?;

        match self.rate {
            Some(rate) => users::update_rate(tx, self.user, service.id, rate)?,
            None => users::delete_rate(tx, self.user, service.id)?,
        }
        let text = |rate: Option<Rate>| rate.map_or("default".to_owned(), |rate| rate.to_string());
        let object = format!("user {} service {}", self.user, service.id);
        let change = format!("{} → {}", text(before), text(self.rate));
        record(tx, &self.actor, "user.rate", object, change)
    }
}

/// Keeps the hash of a new key.
pub struct CreateKey {
    pub actor: Actor,
    pub user: UserId,
    pub hash: KeyHash,
    /// The key's first characters.
    pub prefix: String,
    /// What the operator calls it.
    pub label: String,
}

impl Command for CreateKey {
    type Reply = KeyId;

    fn run(&self, tx: &Tx<'_>) -> Result<KeyId> {
        if !is_line(&self.label, LABEL_LENGTH_MAX) {
            return Err(OperatorRefusal::BadLabel.into());
        }

        let id = keys::insert(tx, self.user, &self.hash, &self.prefix, &self.label)?;
        let change = format!("{}… {}", self.prefix, self.label);
        record(tx, &self.actor, "key.create", format!("user {} key {id}", self.user), change)?;
        Ok(id)
    }
}

/// Keeps the hash of a new key, unless the same was asked for before: the user has a key of that
/// label that is newer than `last`.
pub struct CreateKeyOnce {
    pub create: CreateKey,
    /// The newest key there was when its maker was asked for a label.
    pub last: Option<KeyId>,
}

/// What came of asking for a key that is to be made once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyMade {
    Now(KeyId),
    Before(ApiKey),
}

impl Command for CreateKeyOnce {
    type Reply = KeyMade;

    fn run(&self, tx: &Tx<'_>) -> Result<KeyMade> {
        let newer = keys::list_newer(tx, self.create.user, self.last)?;
        let same = newer.into_iter().find(|key| key.label == self.create.label);
        match same {
            Some(key) => Ok(KeyMade::Before(key)),
            None => self.create.run(tx).map(KeyMade::Now),
        }
    }
}

/// Refuses a key from now on.
pub struct RevokeKey {
    pub actor: Actor,
    pub key: KeyId,
}

impl Command for RevokeKey {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let key = keys::find(tx, self.key)?.ok_or(OperatorRefusal::KeyNotFound)?;
        if key.revoked_at.is_some() {
            return Ok(());
        }

        keys::update_revoked(tx, key.id)?;
        record(tx, &self.actor, "key.revoke", format!("key {}", key.id), key.prefix)
    }
}

/// Puts a new key in the place of one: the same user and label, and the old one is refused.
pub struct RotateKey {
    pub actor: Actor,
    pub key: KeyId,
    /// The hash of the one that comes.
    pub hash: KeyHash,
    /// Its first characters.
    pub prefix: String,
}

impl Command for RotateKey {
    type Reply = KeyId;

    fn run(&self, tx: &Tx<'_>) -> Result<KeyId> {
        let old = keys::find(tx, self.key)?.ok_or(OperatorRefusal::KeyNotFound)?;
        if old.revoked_at.is_some() {
            return Err(OperatorRefusal::KeyIsRevoked.into());
        }

        let new = keys::insert(tx, old.user, &self.hash, &self.prefix, &old.label)?;
        keys::update_revoked(tx, old.id)?;
        let change = format!("{}… → key {new} {}…", old.prefix, self.prefix);
        record(tx, &self.actor, "key.rotate", format!("user {} key {}", old.user, old.id), change)?;
        Ok(new)
    }
}

/// Notes that a key was used, at most once a minute.
pub struct RecordKeyUse {
    pub key: KeyId,
}

impl RecordKeyUse {
    /// How old the last note may be, in seconds, before there is a new one.
    pub const EVERY_SECONDS: i64 = 60;
}

impl Command for RecordKeyUse {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let key = keys::find(tx, self.key)?.ok_or(OperatorRefusal::KeyNotFound)?;
        if key.last_used_at.is_some_and(|at| tx.now.0 - at.0 < Self::EVERY_SECONDS) {
            return Ok(());
        }

        keys::update_last_used(tx, key.id)
    }
}

/// Whether a text is one line of printable characters, not longer than that.
fn is_line(text: &str, length_max: usize) -> bool {
    text.chars().count() <= length_max && !text.chars().any(is_hidden)
}
