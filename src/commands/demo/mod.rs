//! A sample shop: something to look at on the first evening, and a bed for tests and tools.
//!
//! Services are named by their numbers in `demo.csv`: a new one is added at its end. A month of
//! sales is made of the same commands that people use, each at its own instant, all of them in one
//! transaction. Who buys is in `people.rs`, what sells in `shelf.rs`, when and what becomes of it
//! in `month.rs`.

mod dice;
mod month;
mod people;
mod shelf;

use std::collections::HashMap;

use super::accounts::{
    CreateKey, CreateUser, Deposit, RecordKeyUse, SetSuspended, SetUser, SetUserNote, SetUserRate,
};
use super::admins::CreateAdmin;
use super::catalog::{Draft, ImportServices};
use super::orders::{CancelOrders, PlaceOrder, RequestRefills, SetOrder, SetRefill};
use super::settings::SetSetting;
use crate::domain::money::{Discount, Money, Rate};
use crate::domain::placing::Details;
use crate::domain::refusal::OperatorRefusal;
use crate::domain::setting::Setting;
use crate::domain::{Actor, KeyId, OrderId, RefillId, ServiceId, Timestamp, UserId};
use crate::secret::KeyHash;
use crate::store::orders::Origin;
use crate::store::{Command, Result, Tx, admins, users};

use month::{DAY, Event, Sale};
use people::{ALICE, PEOPLE, Person};

/// The sample catalogue, a file for `catalog_csv`.
pub const CATALOGUE: &str = include_str!("../demo.csv");

/// The name of the sample shop's admin.
pub const ADMIN: &str = "admin";

/// How many keys [`FillDemo`] wants.
pub const KEYS: usize = PEOPLE.len();

/// What alice owns in the end, in micro-units.
const ALICE_BALANCE: i64 = 1_000_000_000;
/// Who can spend less pays in. It is more than any order of the month costs.
const FUNDS_MIN: i64 = 20_000_000;
const FIRST_RECEIPT: i64 = 4101;
/// How long ago the first people came.
const OPENED_DAYS: i64 = 30;

/// Fills a panel that has no users yet.
pub struct FillDemo {
    /// What is sold.
    pub drafts: Vec<Draft>,
    /// The hash of the password of [`ADMIN`].
    pub password_hash: String,
    /// The hashes of the users' keys with their first characters, [`KEYS`] of them: alice's first,
    /// then bob's.
    pub keys: Vec<(KeyHash, String)>,
}

impl Command for FillDemo {
    /// Alice's completed orders that can be refilled.
    type Reply = Vec<OrderId>;

    fn run(&self, tx: &Tx<'_>) -> Result<Vec<OrderId>> {
        if !users::is_empty(tx)? || admins::find_named(tx, ADMIN)?.is_some() {
            return Err(OperatorRefusal::DemoNeedsEmpty.into());
        }

        let sales = month::sales(tx.now.0);
        let steps = steps(tx.now.0, &sales);
        let mut shop = Shop::open(&tx.at(Timestamp(tx.now.0 - OPENED_DAYS * DAY)), self, sales)?;
        for (at, step) in steps {
            shop.take(&tx.at(Timestamp(at)), step)?;
        }
        shop.close_month(tx)
    }
}

/// One thing that happens in the month. People and sales are named by their places.
#[derive(Clone, Copy)]
enum Step {
    Join(usize),
    Suspend(usize),
    Buy(usize),
    Meet(usize, Event),
}

/// All that happens until now, in its order.
fn steps(now: i64, sales: &[Sale]) -> Vec<(i64, Step)> {
    let mut steps = Vec::new();
    for (number, person) in PEOPLE.iter().enumerate() {
        steps.push((now - person.joined * DAY, Step::Join(number)));
        steps.extend(person.left.map(|left| (now - left * DAY, Step::Suspend(number))));
    }
    for (number, sale) in sales.iter().enumerate() {
        steps.push((sale.at, Step::Buy(number)));
        steps.extend(sale.events.iter().map(|(at, event)| (*at, Step::Meet(number, *event))));
    }
    steps.sort_by_key(|(at, _)| *at);
    steps
}

/// The shop as far as it has come.
struct Shop<'a> {
    fill: &'a FillDemo,
    sales: Vec<Sale>,
    /// Who works here.
    admin: Actor,
    /// Who has joined, by their places, with their keys.
    joined: Vec<(UserId, KeyId)>,
    /// By the places of the sales.
    bought: Vec<OrderId>,
    refills: HashMap<OrderId, RefillId>,
    /// Of the next payment.
    receipt: i64,
}

impl<'a> Shop<'a> {
    fn open(tx: &Tx<'_>, fill: &'a FillDemo, sales: Vec<Sale>) -> Result<Self> {
        for setting in
            [Setting::KeyRate, Setting::KeyBurst, Setting::WrongKeyRate, Setting::Connections]
        {
            let (actor, value) = (Actor::CommandLine, "0".to_owned());
            SetSetting { actor, setting, value }.run(tx)?;
        }
        let (actor, name) = (Actor::CommandLine, ADMIN.to_owned());
        let password_hash = fill.password_hash.clone();
        let admin = Actor::Admin(CreateAdmin { actor, name, password_hash }.run(tx)?);
        ImportServices { actor: admin.clone(), drafts: fill.drafts.clone() }.run(tx)?;
        let (joined, bought, refills) = (Vec::new(), Vec::new(), HashMap::new());
        Ok(Self { fill, sales, admin, joined, bought, refills, receipt: FIRST_RECEIPT })
    }

    fn take(&mut self, tx: &Tx<'_>, step: Step) -> Result<()> {
        match step {
            Step::Join(number) => self.join(tx, &PEOPLE[number], &self.fill.keys[number]),
            Step::Suspend(number) => {
                let (actor, users) = (self.admin.clone(), vec![self.joined[number].0]);
                SetSuspended { actor, users, is_suspended: true }.run(tx).map(|_| ())
            }
            Step::Buy(number) => self.buy(tx, number),
            Step::Meet(number, event) => self.meet(tx, number, event),
        }
    }

    fn join(
        &mut self,
        tx: &Tx<'_>,
        person: &Person,
        (hash, prefix): &(KeyHash, String),
    ) -> Result<()> {
        let actor = || self.admin.clone();
        let user = CreateUser { actor: actor(), name: person.name.to_owned() }.run(tx)?;
        let (hash, prefix, label) = (*hash, prefix.clone(), person.key.to_owned());
        let key = CreateKey { actor: actor(), user, hash, prefix, label }.run(tx)?;
        if person.discount > 0 {
            let discount = Discount::from_basis_points(person.discount);
            let (credit_limit, suspended) = (None, None);
            SetUser { actor: actor(), user, discount, credit_limit, suspended }.run(tx)?;
        }
        if person.credit > 0 {
            let credit_limit = Some(Money::from_micros(person.credit));
            let (discount, suspended) = (None, None);
            SetUser { actor: actor(), user, discount, credit_limit, suspended }.run(tx)?;
        }
        if let Some((service, rate)) = person.rate {
            let (service, rate) = (ServiceId(service), Some(Rate::from_micros(rate)));
            SetUserRate { actor: actor(), user, service, rate }.run(tx)?;
        }
        if !person.note.is_empty() {
            SetUserNote { actor: actor(), user, note: person.note.to_owned() }.run(tx)?;
        }
        self.joined.push((user, key));
        Ok(())
    }

    fn buy(&mut self, tx: &Tx<'_>, number: usize) -> Result<()> {
        let sale = &self.sales[number];
        let ((user, key), person) = (self.joined[sale.buyer], &PEOPLE[sale.buyer]);
        let (service, mut details) = (Some(ServiceId(sale.service)), Details::default());
        for (input, text) in &sale.fields {
            details.add(*input, text.clone())?;
        }
        if users::get(tx, user)?.available() < Money::from_micros(FUNDS_MIN) {
            self.deposit(tx, user, person, Money::from_micros(person.pays))?;
        }
        RecordKeyUse { key }.run(tx)?;
        let origin = Origin { actor: Actor::Key(key), request: None, custom_id: None };
        self.bought.push(PlaceOrder { user, service, details, origin }.run(tx)?);
        Ok(())
    }

    fn meet(&mut self, tx: &Tx<'_>, number: usize, event: Event) -> Result<()> {
        let (order, actor) = (self.bought[number], self.admin.clone());
        let (user, key) = self.joined[self.sales[number].buyer];
        let orders = vec![order];
        match event {
            Event::Set(by_hand) => {
                SetOrder { actor, order, by_hand }.run(tx)?;
            }
            Event::AskCancel => {
                let answers = CancelOrders { user, key, orders }.run(tx)?;
                answers.into_iter().try_for_each(|answer| answer.map(|_| ()))?;
            }
            Event::AskRefill => {
                let answers = RequestRefills { user, orders }.run(tx)?;
                for answer in answers {
                    self.refills.insert(order, answer?);
                }
            }
            Event::SetRefill(status) => {
                SetRefill { actor, refill: self.refills[&order], status }.run(tx)?;
            }
        }
        Ok(())
    }

    fn deposit(&mut self, tx: &Tx<'_>, user: UserId, person: &Person, amount: Money) -> Result<()> {
        let (actor, note) =
            (self.admin.clone(), format!("{}, receipt {}", person.by, self.receipt));
        self.receipt += 1;
        Deposit { actor, user, amount, note, reference: None }.run(tx)?;
        Ok(())
    }

    /// Has alice own what is promised, by a payment of what is missing.
    fn close_month(mut self, tx: &Tx<'_>) -> Result<Vec<OrderId>> {
        let user = self.joined[ALICE].0;
        let missing = Money::from_micros(ALICE_BALANCE).checked_sub(users::balance(tx, user)?);
        self.deposit(tx, user, &PEOPLE[ALICE], missing.unwrap_or(Money::ZERO))?;
        let refillable = self.sales.iter().zip(&self.bought).filter(|(sale, _)| sale.is_refillable);
        Ok(refillable.map(|(_, order)| *order).collect())
    }
}
