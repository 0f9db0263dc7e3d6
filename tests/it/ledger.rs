//! The books against a model: thousands of random commands, and after each one every balance is
//! what a few lines of plain arithmetic say it must be.

use panelite::commands::accounts::{Adjust, Deposit, SetUser, SetUserRate};
use panelite::commands::orders::{CancelOrders, PlaceOrder, RequestRefills, SetOrder, SetRefill};
use panelite::domain::input::Input;
use panelite::domain::ledger::{ESCROW, EXTERNAL, REVENUE};
use panelite::domain::money::{Discount, Money, Rate};
use panelite::domain::order::{ByHand, PublicStatus};
use panelite::domain::placing::Details;
use panelite::domain::refill::RefillStatus;
use panelite::domain::{Actor, KeyId, OrderId, RefillId, ServiceId, UserId};
use panelite::store::orders::Origin;
use panelite::store::{Command, Error, Result, Store, accounts, orders, users};

use crate::fixture::engine;
use crate::fixture::panel::Panel;

const STEPS: usize = 500;
const USERS: usize = 4;
const LINKS: [&str; 3] = ["a", "b", "c"];

/// A service: its price and what it allows.
struct Shelf {
    csv: &'static str,
    rate: i64,
    per: i64,
    is_refill: bool,
    is_cancel: bool,
    denies_duplicates: bool,
}

/// Ids are 1 and up in this order; all sell 1 to 5000.
const SHELVES: [Shelf; 4] = [
    Shelf {
        csv: "1,C,Plain,Default,2.50,1,5000,0,1,1",
        rate: 2_500_000,
        per: 1000,
        is_refill: true,
        is_cancel: true,
        denies_duplicates: false,
    },
    Shelf {
        csv: "2,C,Package,Package,0.99,1,5000,0,0,1",
        rate: 990_000,
        per: 1,
        is_refill: false,
        is_cancel: true,
        denies_duplicates: false,
    },
    Shelf {
        csv: "3,C,One at a time,Default,0.333333,1,5000,0,1,0,,,,1",
        rate: 333_333,
        per: 1000,
        is_refill: true,
        is_cancel: false,
        denies_duplicates: true,
    },
    Shelf {
        csv: "4,C,Free,Default,0,1,5000,0,0,1",
        rate: 0,
        per: 1000,
        is_refill: false,
        is_cancel: true,
        denies_duplicates: false,
    },
];

/// One random command. Users, shelves and links count from 0, orders and refills from 1.
#[derive(Debug)]
enum Step {
    Deposit { user: usize, amount: i64 },
    Adjust { user: usize, amount: i64 },
    Place { user: usize, shelf: usize, link: usize, quantity: i64 },
    Cancel { user: usize, orders: Vec<usize> },
    Set { order: usize, status: PublicStatus, remains: Option<i64> },
    Credit { user: usize, limit: i64 },
    Discount { user: usize, basis_points: i64 },
    Rate { user: usize, shelf: usize, rate: Option<i64> },
    Refill { user: usize, orders: Vec<usize> },
    SetRefill { refill: usize, status: RefillStatus },
}

/// What a step is answered, for each thing it asked for: a balance, an id, a refund; or a refusal.
type Answer = Vec<Option<i64>>;

// ------------------------------------------------------------------------------------------ model

#[derive(Default)]
struct Account {
    balance: i64,
    credit_limit: i64,
    discount: i64,
    rates: [Option<i64>; SHELVES.len()],
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Pending,
    Active,
    Completed,
    Refunded,
}

struct Bought {
    user: usize,
    shelf: usize,
    link: usize,
    rate: i64,
    units: i64,
    remains: i64,
    charge: i64,
    refunded: i64,
    state: State,
}

impl Bought {
    fn is_open(&self) -> bool {
        matches!(self.state, State::Pending | State::Active)
    }
}

#[derive(Default)]
struct Model {
    accounts: [Account; USERS],
    orders: Vec<Bought>,
    refills: Vec<(usize, RefillStatus)>,
}

fn price(rate: i64, units: i64, per: i64) -> i64 {
    (rate * units + per - 1) / per
}

impl Model {
    fn take(&mut self, step: &Step) -> Answer {
        match *step {
            Step::Deposit { user, amount } => vec![(amount > 0).then(|| self.add(user, amount))],
            Step::Adjust { user, amount } => {
                let account = &self.accounts[user];
                let is_paid = amount > 0 || account.balance + amount >= -account.credit_limit;
                vec![(amount != 0 && is_paid).then(|| self.add(user, amount))]
            }
            Step::Place { user, shelf, link, quantity } => {
                vec![self.place(user, shelf, link, quantity)]
            }
            Step::Cancel { user, ref orders } => {
                orders.iter().map(|order| self.cancel(user, *order)).collect()
            }
            Step::Set { order, status, remains } => vec![self.set(order, status, remains)],
            Step::Credit { user, limit } => {
                let is_held = self.accounts[user].balance >= -limit;
                self.accounts[user].credit_limit =
                    if is_held { limit } else { self.accounts[user].credit_limit };
                vec![is_held.then_some(0)]
            }
            Step::Discount { user, basis_points } => {
                self.accounts[user].discount = basis_points;
                vec![Some(0)]
            }
            Step::Rate { user, shelf, rate } => {
                self.accounts[user].rates[shelf] = rate;
                vec![Some(0)]
            }
            Step::Refill { user, ref orders } => {
                orders.iter().map(|order| self.refill(user, *order)).collect()
            }
            Step::SetRefill { refill, status } => {
                let known = self.refills.get_mut(refill.wrapping_sub(1));
                let open =
                    known.filter(|(_, now)| now.is_open() && status != RefillStatus::Pending);
                vec![open.map(|(_, now)| *now = status).map(|()| 0)]
            }
        }
    }

    fn add(&mut self, user: usize, amount: i64) -> i64 {
        self.accounts[user].balance += amount;
        self.accounts[user].balance
    }

    fn place(&mut self, user: usize, shelf: usize, link: usize, quantity: i64) -> Option<i64> {
        let Shelf { rate, per, denies_duplicates, .. } = SHELVES[shelf];
        let units = if per == 1 { 1 } else { quantity };
        let twin = |o: &Bought| o.is_open() && (o.user, o.shelf, o.link) == (user, shelf, link);
        if !(1..=5000).contains(&units) || (denies_duplicates && self.orders.iter().any(twin)) {
            return None;
        }
        let account = &self.accounts[user];
        let rate = account.rates[shelf].unwrap_or(price(rate, 10_000 - account.discount, 10_000));
        let charge = price(rate, units, per);
        if charge > 0 && account.balance - charge < -account.credit_limit {
            return None;
        }
        self.add(user, -charge);
        let (remains, refunded, state) = (units, 0, State::Pending);
        let order = Bought { user, shelf, link, rate, units, remains, charge, refunded, state };
        self.orders.push(order);
        i64::try_from(self.orders.len()).ok()
    }

    fn cancel(&mut self, user: usize, order: usize) -> Option<i64> {
        let bought = self.orders.get(order.wrapping_sub(1))?;
        if bought.user != user || !bought.is_open() || !SHELVES[bought.shelf].is_cancel {
            return None;
        }
        let ends = bought.state == State::Pending;
        Some(if ends { self.end(order, State::Refunded, 0) } else { 0 })
    }

    fn set(&mut self, order: usize, status: PublicStatus, entered: Option<i64>) -> Option<i64> {
        let bought = self.orders.get_mut(order.wrapping_sub(1))?;
        let (units, charge, per) = (bought.units, bought.charge, SHELVES[bought.shelf].per);
        let remains = entered.unwrap_or(bought.remains);
        if !bought.is_open() || !(0..=units).contains(&remains) {
            return None;
        }
        match status {
            PublicStatus::Pending => None,
            PublicStatus::Processing | PublicStatus::InProgress => {
                (bought.state, bought.remains) = (State::Active, remains);
                Some(0)
            }
            PublicStatus::Completed => Some(self.end(order, State::Completed, charge)),
            PublicStatus::Canceled => Some(self.end(order, State::Refunded, 0)),
            PublicStatus::Partial => {
                entered.filter(|left| per != 1 && (1..units).contains(left))?;
                let kept = price(bought.rate, units - remains, per).min(charge);
                Some(self.end(order, State::Refunded, kept))
            }
        }
    }

    fn end(&mut self, order: usize, state: State, kept: i64) -> i64 {
        let bought = &mut self.orders[order - 1];
        bought.state = state;
        bought.refunded = bought.charge - kept;
        let (user, refund) = (bought.user, bought.refunded);
        self.add(user, refund);
        refund
    }

    fn refill(&mut self, user: usize, order: usize) -> Option<i64> {
        let bought = self.orders.get(order.wrapping_sub(1))?;
        let has_open = self.refills.iter().any(|(of, status)| *of == order && status.is_open());
        let is_due = bought.user == user && bought.state == State::Completed && !has_open;
        if !is_due || !SHELVES[bought.shelf].is_refill {
            return None;
        }
        self.refills.push((order, RefillStatus::Pending));
        i64::try_from(self.refills.len()).ok()
    }

    fn escrow(&self) -> i64 {
        self.orders.iter().filter(|order| order.is_open()).map(|order| order.charge).sum()
    }
}

// ------------------------------------------------------------------------------------------- dice

/// xorshift64*: the same seed gives the same commands.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap() % sides
    }

    pub(crate) fn up_to(&mut self, most: i64) -> i64 {
        i64::try_from(self.roll(usize::try_from(most).unwrap() + 1)).unwrap()
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }

    /// One or a few numbers of `count`, mostly late ones, now and then one that does not exist.
    fn recent(&mut self, count: usize) -> usize {
        (count + 1).saturating_sub(self.roll(12))
    }

    fn step(&mut self, model: &Model) -> Step {
        let (user, shelf) = (self.roll(USERS), self.roll(SHELVES.len()));
        let (order, refill) = (self.recent(model.orders.len()), self.recent(model.refills.len()));
        let orders = vec![order, self.recent(model.orders.len()), order];
        match self.roll(20) {
            0 | 1 => Step::Deposit { user, amount: self.up_to(9) * 1_111_111 },
            2 => Step::Adjust { user, amount: self.up_to(6_000_000) - 3_000_000 },
            3..=9 => {
                let link = self.roll(LINKS.len());
                Step::Place { user, shelf, link, quantity: self.up_to(5050) }
            }
            10 | 11 => Step::Cancel { user, orders },
            12..=15 => {
                let status = self.pick(PublicStatus::ALL);
                let remains = (self.roll(4) > 0).then(|| self.up_to(3000));
                Step::Set { order, status, remains }
            }
            16 => Step::Credit { user, limit: self.up_to(3) * 1_000_000 },
            17 if self.roll(2) == 0 => Step::Discount { user, basis_points: self.up_to(10_000) },
            17 => {
                let rate = (self.roll(2) == 0).then(|| self.up_to(3_000_000));
                Step::Rate { user, shelf, rate }
            }
            18 => Step::Refill { user, orders },
            _ => Step::SetRefill { refill, status: self.pick(RefillStatus::ALL) },
        }
    }
}

// ------------------------------------------------------------------------------------------ panel

/// The panel's side of a step.
struct Real {
    panel: Panel,
    users: Vec<UserId>,
}

fn order_id(number: usize) -> OrderId {
    OrderId(i64::try_from(number).unwrap())
}

impl Real {
    fn start() -> Self {
        let panel = Panel::start();
        panel.services(&SHELVES.map(|shelf| shelf.csv));
        let reseller = |number| panel.reseller(&format!("user {number}"), "0").user;
        let users = (0..USERS).map(reseller).collect();
        Self { panel, users }
    }

    fn take(&self, step: &Step) -> Answer {
        let store = self.panel.store();
        let (actor, key) = (Actor::CommandLine, KeyId(1));
        let (note, reference) = ("why".to_owned(), None);
        match *step {
            Step::Deposit { user, amount } => {
                let (user, amount) = (self.users[user], Money::from_micros(amount));
                one(store, Deposit { actor, user, amount, note, reference }, Money::micros)
            }
            Step::Adjust { user, amount } => {
                let (user, amount) = (self.users[user], Money::from_micros(amount));
                one(store, Adjust { actor, user, amount, note, reference }, Money::micros)
            }
            Step::Place { user, shelf, link, quantity } => {
                let service = ServiceId(i64::try_from(shelf + 1).unwrap());
                let mut details = Details::default();
                details.add(Input::Link, LINKS[link].to_owned()).unwrap();
                details.add(Input::Quantity, quantity.to_string()).unwrap();
                let (user, origin) =
                    (self.users[user], Origin { actor, request: None, custom_id: None });
                one(store, PlaceOrder { user, service: Some(service), details, origin }, |id| id.0)
            }
            Step::Cancel { user, ref orders } => {
                let orders = orders.iter().map(|order| order_id(*order)).collect();
                let cancel = CancelOrders { user: self.users[user], key, orders };
                let refunds = store.write_blocking(cancel).unwrap().into_iter();
                refunds.map(|refund| refund.ok().map(Money::micros)).collect()
            }
            Step::Set { order, status, remains } => {
                let by_hand = ByHand { status, start_count: None, remains };
                one(store, SetOrder { actor, order: order_id(order), by_hand }, Money::micros)
            }
            Step::Credit { user, limit } => {
                let credit_limit = Some(Money::from_micros(limit));
                let (user, discount, suspended) = (self.users[user], None, None);
                one(store, SetUser { actor, user, discount, credit_limit, suspended }, |()| 0)
            }
            Step::Discount { user, basis_points } => {
                let discount = Discount::from_basis_points(basis_points);
                let (user, credit_limit, suspended) = (self.users[user], None, None);
                one(store, SetUser { actor, user, discount, credit_limit, suspended }, |()| 0)
            }
            Step::Rate { user, shelf, rate } => {
                let service = ServiceId(i64::try_from(shelf + 1).unwrap());
                let (user, rate) = (self.users[user], rate.map(Rate::from_micros));
                one(store, SetUserRate { actor, user, service, rate }, |()| 0)
            }
            Step::Refill { user, ref orders } => {
                let orders = orders.iter().map(|order| order_id(*order)).collect();
                let request = RequestRefills { user: self.users[user], orders };
                let refills = store.write_blocking(request).unwrap().into_iter();
                refills.map(|refill| refill.ok().map(|id| id.0)).collect()
            }
            Step::SetRefill { refill, status } => {
                let refill = RefillId(order_id(refill).0);
                one(store, SetRefill { actor, refill, status }, |()| 0)
            }
        }
    }

    /// All balances: what users hold, and external, escrow and revenue.
    fn balances(&self) -> (Vec<i64>, [i64; 3]) {
        let read = self.panel.store().page(|db| {
            let accounts = self.users.iter().map(|user| Ok(users::balance(db, *user)?.micros()));
            let house = |account| accounts::balance(db, account).map(Money::micros);
            Ok((
                accounts.collect::<Result<_>>()?,
                [house(EXTERNAL)?, house(ESCROW)?, house(REVENUE)?],
            ))
        });
        read.unwrap()
    }
}

/// The answer to a command that asks for one thing. Anything but a refusal is a failed test.
fn one<C: Command>(store: &Store, command: C, value: impl Fn(C::Reply) -> i64) -> Answer {
    match store.write_blocking(command) {
        Ok(reply) => vec![Some(value(reply))],
        Err(Error::Refused(_)) => vec![None],
        Err(error) => panic!("{error}"),
    }
}

/// Says how to see a failure again.
struct Trace {
    seed: u64,
    steps: Vec<Step>,
}

impl Drop for Trace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let last = self.steps.len().saturating_sub(5);
            eprintln!("seed {}, step {}: {:#?}", self.seed, self.steps.len(), &self.steps[last..]);
        }
    }
}

fn run(seed: u64) {
    let (real, mut model, mut dice) = (Real::start(), Model::default(), Dice(seed));
    let mut trace = Trace { seed, steps: Vec::with_capacity(STEPS) };
    let mut accepted = 0;
    for number in 1..=STEPS {
        trace.steps.push(dice.step(&model));
        let step = trace.steps.last().unwrap();
        real.panel.clock.advance(dice.up_to(60));
        let expected = model.take(step);
        assert_eq!(real.take(step), expected);
        accepted += usize::from(expected.iter().any(Option::is_some));

        let (accounts, [external, escrow, revenue]) = real.balances();
        assert!(accounts.iter().copied().eq(model.accounts.iter().map(|account| account.balance)));
        assert_eq!(escrow, model.escrow());
        assert_eq!(external + escrow + revenue + accounts.iter().sum::<i64>(), 0);
        if number % 100 == 0 {
            assert_eq!(real.panel.store().check().unwrap(), []);
            check_orders(&real, &model);
        }
    }
    assert!(accepted > STEPS / 3, "only {accepted} steps did anything");
}

/// Each order's money is the model's, and no more went back than was taken.
fn check_orders(real: &Real, model: &Model) {
    for (index, bought) in model.orders.iter().enumerate() {
        let id = order_id(index + 1);
        let order = real.panel.store().page(|db| orders::find(db, id)).unwrap().unwrap();
        let money = (order.charge.micros(), order.refunded.micros());
        assert_eq!(money, (bought.charge, bought.refunded), "order {id}");
        assert!(order.refunded <= order.charge, "order {id}");
    }
}

#[test]
fn random_commands_leave_what_the_model_says() {
    let seeds = [1, 20_260_101, 0xdead_beef, u64::MAX];
    for seed in &seeds[..engine::often(seeds.len())] {
        run(*seed);
    }
}
