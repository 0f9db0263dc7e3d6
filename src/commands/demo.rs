//! A sample shop: something to look at on the first evening, and a bed for tests and tools.
//!
//! Services are named by their numbers in `demo.csv`: a new one is added at its end. All of it is
//! made of the same commands that people use, all of them in one transaction.

use super::accounts::{CreateKey, CreateUser, Deposit};
use super::admins::CreateAdmin;
use super::catalog::{Draft, ImportServices};
use super::orders::{PlaceOrder, SetOrder};
use super::settings::SetSetting;
use crate::domain::input::Input;
use crate::domain::money::Money;
use crate::domain::order::{ByHand, PublicStatus};
use crate::domain::placing::Details;
use crate::domain::refusal::OperatorRefusal;
use crate::domain::setting::Setting;
use crate::domain::{Actor, OrderId, ServiceId, UserId};
use crate::secret::KeyHash;
use crate::store::orders::Origin;
use crate::store::{Command, Result, Tx, admins, users};

/// The sample catalogue, a file for `catalog_csv`.
pub const CATALOGUE: &str = include_str!("demo.csv");

/// The name of the sample shop's admin.
pub const ADMIN: &str = "admin";

const ALICE_DEPOSIT: i64 = 500_000_000;
const ALICE_BALANCE: i64 = 1_000_000_000;
const REFILL_ORDERS: i64 = 40;

/// Fills a panel that has no users yet.
pub struct FillDemo {
    /// What is sold.
    pub drafts: Vec<Draft>,
    /// The hash of the password of [`ADMIN`].
    pub password_hash: String,
    /// The hash of alice's key and its first characters.
    pub alice_key: (KeyHash, String),
    /// The same of bob's.
    pub bob_key: (KeyHash, String),
}

impl Command for FillDemo {
    /// Alice's completed orders that can be refilled.
    type Reply = Vec<OrderId>;

    fn run(&self, tx: &Tx<'_>) -> Result<Vec<OrderId>> {
        if !users::is_empty(tx)? || admins::find_named(tx, ADMIN)?.is_some() {
            return Err(OperatorRefusal::DemoNeedsEmpty.into());
        }

        for setting in
            [Setting::KeyRate, Setting::KeyBurst, Setting::WrongKeyRate, Setting::Connections]
        {
            let (actor, value) = (Actor::CommandLine, "0".to_owned());
            SetSetting { actor, setting, value }.run(tx)?;
        }
        ImportServices { actor: Actor::CommandLine, drafts: self.drafts.clone() }.run(tx)?;
        let (name, password_hash) = (ADMIN.to_owned(), self.password_hash.clone());
        CreateAdmin { actor: Actor::CommandLine, name, password_hash }.run(tx)?;
        let alice = user(tx, "alice", &self.alice_key)?;
        user(tx, "bob", &self.bob_key)?;
        deposit(tx, alice, Money::from_micros(ALICE_DEPOSIT), "first deposit")?;

        sample_orders(tx, alice)?;
        let refill_orders = (1..=REFILL_ORDERS).map(|number| refill_order(tx, alice, number));
        let refill_orders = refill_orders.collect::<Result<_>>()?;

        let spent = Money::from_micros(ALICE_BALANCE).checked_sub(users::balance(tx, alice)?);
        deposit(tx, alice, spent.unwrap_or(Money::ZERO), "top-up")?;
        Ok(refill_orders)
    }
}

fn user(tx: &Tx<'_>, name: &str, (hash, prefix): &(KeyHash, String)) -> Result<UserId> {
    let user = CreateUser { actor: Actor::CommandLine, name: name.to_owned() }.run(tx)?;
    let (actor, hash, prefix) = (Actor::CommandLine, *hash, prefix.clone());
    CreateKey { actor, user, hash, prefix, label: "demo".to_owned() }.run(tx)?;
    Ok(user)
}

fn deposit(tx: &Tx<'_>, user: UserId, amount: Money, note: &str) -> Result<()> {
    let (actor, note) = (Actor::CommandLine, note.to_owned());
    Deposit { actor, user, amount, note, reference: None }.run(tx)?;
    Ok(())
}

/// An order of every status, and of several types.
fn sample_orders(tx: &Tx<'_>, user: UserId) -> Result<()> {
    use Input::{Comments, Country, Device, Interval, Link, Quantity, Runs, TypeOfTraffic};

    let link = "https://example.com/post";
    let moves = [
        None,
        Some((PublicStatus::Processing, None, None)),
        Some((PublicStatus::InProgress, Some(1250), Some(640))),
        Some((PublicStatus::Completed, Some(310), None)),
        Some((PublicStatus::Partial, Some(88), Some(250))),
        Some((PublicStatus::Canceled, None, None)),
    ];
    for moved in moves {
        let order = place(tx, user, 1, &[(Link, link), (Quantity, "1000")])?;
        if let Some((status, start_count, remains)) = moved {
            set(tx, order, ByHand { status, start_count, remains })?;
        }
    }
    place(tx, user, 2, &[(Link, link)])?;
    place(tx, user, 3, &[(Link, link), (Comments, "Lovely!\nWhere is this?\nMore, please")])?;
    let dripped = [(Link, link), (Quantity, "100"), (Runs, "5"), (Interval, "60")];
    place(tx, user, 1, &dripped)?;
    let visits = [
        (Link, "https://example.com"),
        (Quantity, "5000"),
        (Country, "WW"),
        (Device, "1"),
        (TypeOfTraffic, "1"),
    ];
    place(tx, user, 16, &visits)?;
    Ok(())
}

fn refill_order(tx: &Tx<'_>, user: UserId, number: i64) -> Result<OrderId> {
    let link = format!("https://example.com/user/{number}");
    let order = place(tx, user, 1, &[(Input::Link, &link), (Input::Quantity, "200")])?;
    let completed = PublicStatus::Completed;
    set(tx, order, ByHand { status: completed, start_count: Some(number), remains: None })?;
    Ok(order)
}

fn place(tx: &Tx<'_>, user: UserId, service: i64, fields: &[(Input, &str)]) -> Result<OrderId> {
    let mut details = Details::default();
    for (input, text) in fields {
        details.add(*input, (*text).to_owned())?;
    }
    let origin = Origin { actor: Actor::CommandLine, request: None, custom_id: None };
    PlaceOrder { user, service: Some(ServiceId(service)), details, origin }.run(tx)
}

fn set(tx: &Tx<'_>, order: OrderId, by_hand: ByHand) -> Result<()> {
    SetOrder { actor: Actor::CommandLine, order, by_hand }.run(tx)?;
    Ok(())
}
