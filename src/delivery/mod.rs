//! Delivery: what happens to an order that is sold through a provider after it was bought.
//!
//! One lane per provider does what is due, told by a supervisor (`worker.rs`): it tells the file
//! first, calls once, and writes down what it learnt. `send.rs` shows the pattern of all of them.
//! No lane waits for another, and nothing here runs inside a transaction. [`Delivery`] is the
//! handle that the server, the pages and the command line have of it.

pub mod alerts;
pub mod calls;
pub mod client;
pub mod epoch;
pub mod http;
pub mod json;
pub mod lane;
mod lives;
pub mod mask;
pub mod outcome;
pub mod url;

mod errand;
#[cfg(test)]
mod fuzz;
mod house;
pub mod importing;
mod machine;
mod neighbours;
mod prove;
mod send;
mod start;
pub mod sync;
mod watch;
pub mod webhook;
mod worker;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use self::calls::Calls;
use self::client::{Client, Endpoint};
use self::epoch::Epoch;
use self::lane::{Health, Held, Told};
use crate::clock::Clock;
use crate::commands::conditions::{SetCondition, about_provider};
use crate::commands::places::Unwell;
use crate::domain::condition::ConditionKind;
use crate::domain::provider::{Provider, Terms};
use crate::domain::refusal::ProviderRefusal;
use crate::domain::{OrderId, ProviderId, SubmissionId, Timestamp};
use crate::secret::{Sealer, Secret};
use crate::store::{Store, providers};

pub use neighbours::Looked;
pub use start::PrepareError;
pub use worker::Running;

/// What a step of a lane came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something was done; there may be more.
    Did,
    /// Nothing is due.
    Idle,
}

/// Whether work goes on.
const RUNS: usize = 0;
/// No order is claimed any more; what is out may come back.
const STOPS: usize = 1;
/// Nothing is waited for any more.
const IS_OVER: usize = 2;

/// Everything that delivers.
pub struct Delivery {
    store: Arc<Store>,
    clock: Clock,
    sealer: Sealer,
    epoch: Epoch,
    /// Until when nothing is sent, since the epoch file cannot be written.
    mute_until: Mutex<Option<Timestamp>>,
    lanes: Mutex<BTreeMap<ProviderId, Arc<Lane>>>,
    calls: Calls,
    house: house::House,
    alerts: alerts::Alerts,
    machine: machine::Machine,
    importer: importing::Importer,
    webhooks: webhook::Webhooks,
    phase: AtomicUsize,
    /// When the panel was told to stop.
    stopped_at: OnceLock<Instant>,
}

/// What one provider's steps share.
pub(crate) struct Lane {
    provider: ProviderId,
    health: Mutex<Health>,
    /// Orders that are out.
    sending: AtomicUsize,
    /// Threads at work.
    threads: AtomicUsize,
    steps: AtomicU64,
    /// An order before which none waits for this provider that nothing has happened to.
    touched: AtomicI64,
    proof: prove::Proof,
    looks: watch::Looks,
    /// The client of the provider as it was when it was called last.
    client: Mutex<Option<Known>>,
}

/// A client, and the provider that it is of.
struct Known {
    url: String,
    terms: Terms,
    account_mac: Vec<u8>,
    client: Client,
}

impl Lane {
    fn new(provider: ProviderId) -> Self {
        Self {
            provider,
            health: Mutex::default(),
            sending: AtomicUsize::new(0),
            threads: AtomicUsize::new(0),
            steps: AtomicU64::new(0),
            touched: AtomicI64::new(0),
            proof: prove::Proof::default(),
            looks: watch::Looks::default(),
            client: Mutex::default(),
        }
    }

    fn after(&self) -> OrderId {
        OrderId(self.touched.load(Ordering::Acquire))
    }

    /// Looks at what the lane knows of its provider, or changes it.
    fn health<T>(&self, with: impl FnOnce(&mut Health) -> T) -> T {
        with(&mut lock(&self.health))
    }

    /// A place among the orders that may be out at once, if there is one.
    fn take_slot(&self, now: Timestamp) -> Option<Slot<'_>> {
        // Under the lock, so that two threads cannot both take the last place.
        self.health(|health| {
            let is_free = self.sending.load(Ordering::Acquire) < health.sends_max(now);
            is_free.then(|| {
                self.sending.fetch_add(1, Ordering::AcqRel);
                Slot(&self.sending)
            })
        })
    }

    /// Asks for our balance soon.
    fn want_balance(&self) {
        self.proof.want();
    }
}

/// A place among the orders that are out; free again when dropped.
struct Slot<'a>(&'a AtomicUsize);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What only one thread does at a time; free again when dropped, also by a panic.
struct Turn<'a>(&'a AtomicBool);

impl<'a> Turn<'a> {
    /// The turn, unless somebody has it.
    fn take(is_taken: &'a AtomicBool) -> Option<Self> {
        (!is_taken.swap(true, Ordering::AcqRel)).then_some(Self(is_taken))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Before something is tried again that has failed for a reason of the machine's.
fn pause_a_second() {
    std::thread::sleep(Duration::from_secs(1));
}

/// How a provider is called with that key.
pub fn endpoint(provider: &Provider, key: Secret) -> Endpoint {
    Endpoint {
        url: provider.url.clone(),
        key,
        dialect: provider.terms.dialect,
        is_insecure: provider.terms.is_insecure,
        timeout_seconds: provider.terms.timeout_seconds,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Delivery {
    /// What was said to and by each provider of late, masked.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// What keeps a provider from orders just now, as far as its lane knows.
    pub fn held(&self, provider: ProviderId) -> Option<Held> {
        let now = self.now();
        self.lane(provider).health(|health| health.held(now))
    }

    /// Asks for the provider's balance at once: what closes its breaker, if it succeeds.
    pub fn probe(&self, provider: ProviderId) {
        self.lane(provider).want_balance();
        self.store.bell().ring();
    }

    /// A client of a provider as it stands.
    ///
    /// # Errors
    /// Where its key cannot be read with our key file.
    pub fn client(&self, provider: &Provider) -> Result<Client, ProviderRefusal> {
        let unreadable = |_| ProviderRefusal::KeyUnreadable;
        let read = self.store.point(|db| {
            Ok((providers::account_mac(db, provider.id)?, providers::key_sealed(db, provider.id)?))
        });
        let (mac, sealed) = read.map_err(unreadable)?;
        let lane = self.lane(provider.id);
        let is_same = |known: &&Known| {
            (&known.url, &known.terms, &known.account_mac) == (&provider.url, &provider.terms, &mac)
        };
        if let Some(known) = lock(&lane.client).as_ref().filter(is_same) {
            return Ok(known.client.clone());
        }
        let key = self.sealer.unseal(&providers::seal_place(&mac), &sealed);
        let key = key.and_then(|key| String::from_utf8(key).ok());
        let key = key.ok_or(ProviderRefusal::KeyUnreadable)?;
        let endpoint = endpoint(provider, Secret::new(key));
        let client = Client::new(&endpoint, self.calls.book(provider.id));
        let (url, terms) = (provider.url.clone(), provider.terms.clone());
        let known = Known { url, terms, account_mac: mac, client: client.clone() };
        *lock(&lane.client) = Some(known);
        Ok(client)
    }

    /// Does everything that is due, until nothing is: for tests, whose clock stands still.
    ///
    /// # Errors
    /// A fault of the storage.
    pub fn run_until_idle(&self) -> crate::store::Result<()> {
        loop {
            self.follow_providers()?;
            let lanes: Vec<Arc<Lane>> = lock(&self.lanes).values().cloned().collect();
            let mut step = self.house_step()?;
            for part in [Self::machine_step, Self::alerts_step] {
                if part(self)? == Step::Did {
                    step = Step::Did;
                }
            }
            for lane in lanes {
                if self.step(&lane)? == Step::Did {
                    step = Step::Did;
                }
            }
            if webhook::step(self)? == Step::Did {
                step = Step::Did;
            }
            if step == Step::Idle {
                return Ok(());
            }
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn is_stopping(&self) -> bool {
        self.phase.load(Ordering::Acquire) != RUNS
    }

    /// Whether what is in hand is given up.
    fn is_over(&self) -> bool {
        self.phase.load(Ordering::Acquire) == IS_OVER
    }

    /// Whether nothing is sent just now, since the epoch file could not be written or the disk is
    /// full.
    fn is_mute(&self, now: Timestamp) -> bool {
        self.machine.is_full() || lock(&self.mute_until).is_some_and(|until| now < until)
    }

    /// Puts on disk that this submission may have left.
    fn raise_epoch(&self, submission: SubmissionId) -> std::io::Result<()> {
        let now = self.now();
        let raised = self.epoch.raise(submission, now);
        let until = raised.is_err().then(|| Timestamp(now.0 + epoch::RETRY_SECONDS));
        let before = std::mem::replace(&mut *lock(&self.mute_until), until);
        if before.is_some() && until.is_none() {
            send::tell_epoch(self, None);
        }
        raised
    }

    fn lane(&self, provider: ProviderId) -> Arc<Lane> {
        let mut lanes = lock(&self.lanes);
        Arc::clone(lanes.entry(provider).or_insert_with(|| Arc::new(Lane::new(provider))))
    }

    /// Providers that get no orders just now, as far as their lanes know.
    fn unwell(&self) -> Unwell {
        let now = self.now();
        let lanes = lock(&self.lanes);
        let is_held = |lane: &Lane| {
            lane.health(|health| !matches!(health.held(now), None | Some(Held::Busy)))
        };
        lanes.values().filter(|lane| is_held(lane)).map(|lane| lane.provider).collect()
    }

    /// Raises or clears what the operator should know of a lane.
    fn tell_held(&self, lane: &Lane) {
        let now = self.now();
        let told = lane.health(|health| health.told(now));
        if lane.proof.has_told(told) {
            return;
        }
        let Told { is_failing, is_refusing, is_unproven } = told;
        for (kind, is_so, text) in [
            (ConditionKind::Failing, is_failing, "The provider does not answer"),
            (ConditionKind::Refusing, is_refusing, "The provider refuses one order after another"),
            (ConditionKind::Unproven, is_unproven, "No call has succeeded since an unclear answer"),
        ] {
            let (subject, text) = (about_provider(lane.provider), is_so.then(|| text.to_owned()));
            if self.store.write_blocking(SetCondition { kind, subject, text }).is_err() {
                return lane.proof.tell_again();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_ends_with_whoever_has_it_also_by_a_panic() {
        let is_taken = AtomicBool::new(false);
        let panicked = std::panic::catch_unwind(|| {
            let _turn = Turn::take(&is_taken).unwrap();
            assert!(Turn::take(&is_taken).is_none(), "somebody has it");
            panic!("in the middle of it");
        });
        assert!(panicked.is_err());
        assert!(Turn::take(&is_taken).is_some());
    }
}
