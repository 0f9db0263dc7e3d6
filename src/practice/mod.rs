//! A provider in memory on a loopback port: honest, or misbehaving by script. `serve --practice`
//! runs one beside the panel, and every test of delivery buys from one.
//!
//! It sells and delivers nothing, and forgets everything when it is dropped. Its orders move with
//! the [`Clock`] it is given; [`Mode`] lists what it can do wrong.

mod answer;
mod modes;
mod order;
mod request;
mod serve;
mod services;
mod shop;
mod state;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serve::Door;
use shop::Shop;
use state::{Script, Shared, State};

use crate::clock::Clock;
pub use modes::Mode;
pub use order::{Placed, Says};
pub use services::Service;

/// Where `serve --practice` runs it unless told otherwise.
pub const ADDRESS: &str = "127.0.0.1:8090";
/// The one key it takes. It opens nothing but this provider, so it need not be secret.
pub const KEY: &str = "practice_key_that_opens_nothing_else";
/// What [`Practice::calls`] counts requests under that a hanging provider has not read.
pub const UNREAD: &str = "unread";

/// The longest that a test waits for something to arrive.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// What it sells at first.
pub fn stock() -> Vec<Service> {
    services::all()
}

/// A running provider. Dropping it closes every connection and ends every wait behind it.
pub struct Practice {
    shared: Arc<Shared>,
    address: SocketAddr,
    door: Mutex<Option<Door>>,
    /// Where redirects lead; kept open as long as the provider.
    _counter: Door,
}

impl Practice {
    /// Starts one; port 0 lets the system choose.
    ///
    /// # Errors
    /// Where the address is taken, or can be reached from elsewhere: the key is no secret.
    pub fn start(clock: Clock, address: SocketAddr) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            let text = "the practice provider listens on a loopback address only";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let shared = Arc::new(Shared::new(Shop::new(clock)));
        let any_port = SocketAddr::new(address.ip(), 0);
        let counter = Door::open(any_port, Arc::clone(&shared), serve::count)?;
        shared.change(|state| state.counter = Some(counter.address()));
        let door = Door::open(address, Arc::clone(&shared), serve::serve)?;
        let address = door.address();
        Ok(Self { shared, address, door: Mutex::new(Some(door)), _counter: counter })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a panel is told to buy from.
    pub fn url(&self) -> String {
        format!("http://{}/api/v2", self.address)
    }

    /// [`KEY`], for whoever has the provider at hand.
    pub fn key(&self) -> &'static str {
        KEY
    }

    /// Ends every connection and refuses new ones, until [`Practice::go_up`]. Orders are kept.
    pub fn go_down(&self) {
        drop(self.door.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Listens again at the same address.
    ///
    /// # Errors
    /// Where the port has been taken since.
    pub fn go_up(&self) -> io::Result<()> {
        let mut door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        if door.is_none() {
            *door = Some(Door::open(self.address, Arc::clone(&self.shared), serve::serve)?);
        }
        Ok(())
    }
}

/// Misbehavior. What a test says goes before what an order's link says.
impl Practice {
    /// Meets every request like that from now on.
    pub fn misbehave(&self, mode: Mode) {
        self.shared.change(|state| state.script.all = Some(mode));
    }

    /// Meets the next so many `add` like that, after those that were announced before.
    pub fn misbehave_next(&self, count: usize, mode: Mode) {
        self.shared.change(|state| state.script.next.extend(vec![mode; count]));
    }

    /// Meets every request for one action like that from now on.
    pub fn misbehave_at(&self, action: &str, mode: Mode) {
        self.shared.change(|state| state.script.by_action.insert(action.to_owned(), mode));
    }

    /// Forgets every mode and every answer that was written for it. Who hangs goes on hanging.
    pub fn behave(&self) {
        self.shared.change(|state| {
            state.script = Script::default();
            state.written.clear();
        });
    }

    /// Answers one action with these bytes and status 200, whatever is asked; `None` ends that.
    /// Nothing is recorded meanwhile.
    pub fn set_answer(&self, action: &str, answer: Option<String>) {
        self.shared.change(|state| match answer {
            Some(raw) => drop(state.written.insert(action.to_owned(), raw)),
            None => drop(state.written.remove(action)),
        });
    }

    /// Answers `services` with these bytes.
    pub fn set_catalogue_answer(&self, raw: &str) {
        self.set_answer("services", Some(raw.to_owned()));
    }

    /// Lets every answer take so long, by the machine's own clock.
    pub fn set_delay(&self, ms: u64) {
        self.shared.change(|state| state.delay = Duration::from_millis(ms));
    }

    /// Whether it understands `custom_id`, `request_id` and the action `orders` as a Panelite does,
    /// and says a code with each refusal. At first it does not, as most providers.
    pub fn accepts_own_ids(&self, does: bool) {
        self.shared.change(|state| state.shop.knows_own_ids = does);
    }
}

/// The shop.
impl Practice {
    /// What it sells now.
    pub fn services(&self) -> Vec<Service> {
        self.shared.change(|state| state.shop.services.clone())
    }

    /// Changes a service; nothing where there is none.
    pub fn set_service(&self, id: i64, change: impl FnOnce(&mut Service)) {
        self.shared.change(|state| {
            state.shop.services.iter_mut().find(|it| it.id == id).map(change);
        });
    }

    /// Sells one more. Its id should be free.
    pub fn add_service(&self, service: Service) {
        self.shared.change(|state| state.shop.services.push(service));
    }

    /// Gives out numbers above that one, if it has no order yet: a panel that has bought here
    /// before would take a number that comes again for the order it had.
    pub fn count_after(&self, number: i64) {
        self.shared.change(|state| {
            if state.shop.orders.is_empty() {
                state.shop.number_before = state.shop.number_before.max(number);
            }
        });
    }

    /// Drops a service. Its orders go on.
    pub fn remove_service(&self, id: i64) {
        self.shared.change(|state| state.shop.services.retain(|it| it.id != id));
    }

    /// Sets what can be spent, such as `5.00`; what is no amount changes nothing.
    pub fn set_balance(&self, amount: &str) {
        if let Some(micros) = answer::parse_amount(amount) {
            self.shared.change(|state| state.shop.set_balance_micros(micros));
        }
    }

    /// What can be spent, as `balance` answers it.
    pub fn balance(&self) -> String {
        answer::money(self.shared.change(|state| state.shop.balance_micros()))
    }

    /// Sets what `status` answers for an order.
    pub fn set_status(&self, id: &str, says: Says) {
        self.shared.change(|state| {
            if let Some(order) = state.shop.order(id) {
                order.says = Some(says);
            }
        });
    }

    /// A new post of a subscription, for which so many are bought; the number of its order.
    /// `None` where there is no such subscription.
    pub fn post(&self, subscription: &str, quantity: i64) -> Option<String> {
        self.shared.change(|state| state.shop.post(subscription, quantity))
    }

    /// Sets what `refill_status` answers for a refill.
    pub fn set_refill_status<T: ToString>(&self, refill: T, word: &str) {
        self.shared.change(|state| state.shop.set_refill(&refill.to_string(), word));
    }
}

/// What has arrived.
impl Practice {
    /// All orders, oldest first.
    pub fn orders(&self) -> Vec<Placed> {
        let placed = |state: &mut State| {
            let now = state.shop.now();
            state.shop.orders.iter().map(|order| order.placed(now)).collect()
        };
        self.shared.change(placed)
    }

    /// How many orders came with that custom id.
    pub fn count(&self, custom_id: &str) -> usize {
        let has_it = |order: &&Placed| order.custom_id.as_deref() == Some(custom_id);
        self.orders().iter().filter(has_it).count()
    }

    /// How many requests for that action were read; [`UNREAD`] for those that were not.
    pub fn calls(&self, action: &str) -> usize {
        self.shared.change(|state| state.calls.get(action).copied().unwrap_or(0))
    }

    /// How many connections were made to where redirects lead.
    pub fn redirect_hits(&self) -> usize {
        self.shared.change(|state| state.redirect_hits)
    }

    /// Waits until there are so many orders; whether there are.
    pub fn wait_for_orders(&self, count: usize) -> bool {
        self.shared.wait(WAIT_MAX, |state| state.shop.orders.len() >= count)
    }

    /// Waits until an action was asked for so often; whether it was.
    pub fn wait_for_calls(&self, action: &str, count: usize) -> bool {
        let enough = |state: &State| state.calls.get(action).copied().unwrap_or(0) >= count;
        self.shared.wait(WAIT_MAX, enough)
    }
}
