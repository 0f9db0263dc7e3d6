//! Looking for an order nobody knows the end of, because a person asks for it: by our own id, which
//! adopts it, and else among the numbers that its provider gave out after the newest one we knew.
//!
//! What answers there for our key, and is no order of ours, is kept as evidence. A person decides.

use super::Delivery;
use super::client::{Fault, STATUSES_MAX, Said};
use super::mask::excerpt;
use super::prove::{self, Found, Sought};
use crate::commands::deciding::{AdoptProven, RecordEvidence};
use crate::domain::outcome::Family;
use crate::domain::provider::Provider;
use crate::domain::{OrderId, Timestamp};
use crate::store::{Result, nodes, placed};

const CALLS_MAX: u64 = 5;
/// As many orders of one node's may have been out together: behind that many of each it cannot be.
const KNOWN_MAX: usize = super::lane::CALLS_MAX;
const LINK_LENGTH_MAX: usize = 60;

/// What looking for an order has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// It is there under that number, and we go on with it.
    Adopted(String),
    /// So many orders there may be it: the evidence names them.
    Candidates(usize),
    /// Nobody looks for it any more.
    Over,
}

impl Delivery {
    /// Looks for an order at its provider, by six calls at most, and keeps what is found.
    ///
    /// # Errors
    /// A fault of the storage. What the provider does not say is a part of the evidence.
    pub fn neighbours(&self, order: OrderId) -> Result<Looked> {
        let Some((sought, provider)) = self.store.point(|db| prove::sought(db, order))? else {
            return Ok(Looked::Over);
        };
        let lane = self.lane(provider.id);
        let (mut lines, again_at) = match prove::look(self, &lane, &provider, &sought)? {
            Found::Evidence(lines, again_at) => (lines, again_at),
            Found::Proof(their_id) => {
                let adopt = AdoptProven { order, their_id: their_id.clone() };
                return Ok(match self.store.write_blocking(adopt)? {
                    true => Looked::Adopted(their_id),
                    false => Looked::Over,
                });
            }
        };
        let before = lines.len();
        let flaw = self.list_around(&provider, &sought, &mut lines)?;
        let count = lines.len() - before;
        let counted = || match count {
            1 => "1 order there may be it".to_owned(),
            count => format!("{count} orders there may be it"),
        };
        lines.push(flaw.unwrap_or_else(counted));
        let evidence = prove::evidence(&lines);
        self.store.write_blocking(RecordEvidence { order, evidence, again_at })?;
        Ok(Looked::Candidates(count))
    }

    /// A line for each order there that may be it; says why there may be more.
    fn list_around(
        &self,
        provider: &Provider,
        sought: &Sought,
        lines: &mut Vec<String>,
    ) -> Result<Option<String>> {
        let after = sought.live.after_order.as_ref().and_then(|id| id.parse::<u64>().ok());
        let Some(after) = after else {
            return Ok(Some("No number there is known that came before it".to_owned()));
        };
        let client = match self.client(provider) {
            Ok(client) => client,
            Err(refusal) => return Ok(Some(refusal.to_string())),
        };
        for ids in self.strange(provider, after, sought.live.created_at)?.chunks(STATUSES_MAX) {
            match client.statuses(ids) {
                Ok(found) => lines.extend(found.iter().filter_map(|(id, said)| {
                    said.as_ref().ok().map(|said| told(id, said, &provider.terms.currency))
                })),
                // None of them is ours.
                Err(error) if error.fault == Fault::Said(Family::Other) => {}
                Err(error) => {
                    return Ok(Some(format!("Its neighbors could not be looked at: {error}")));
                }
            }
        }
        Ok(None)
    }

    /// The numbers behind that one which are no orders of ours, for an attempt of that instant.
    fn strange(&self, provider: &Provider, after: u64, at: Timestamp) -> Result<Vec<String>> {
        let most = CALLS_MAX * u64::try_from(STATUSES_MAX).unwrap_or(u64::MAX);
        let (first, last) = (after.saturating_add(1), after.saturating_add(most));
        self.store.point(|db| {
            let nodes = usize::try_from(nodes::count_alive(db, at)?).unwrap_or(usize::MAX);
            let known_max = KNOWN_MAX.saturating_mul(nodes);
            let (mut strange, mut known) = (Vec::new(), 0);
            for id in (first..=last).map(|id| id.to_string()) {
                match placed::find_by_their_id(db, provider.id, &id)? {
                    None => strange.push(id),
                    Some(_) => known += 1,
                }
                if known == known_max {
                    break;
                }
            }
            Ok(strange)
        })
    }
}

/// What is said of an order that may be the one that is sought.
fn told(id: &str, said: &Said, currency: &str) -> String {
    let currency = said.currency.as_deref().unwrap_or(currency);
    let charge = said.charge.map(|charge| format!("charge {charge} {currency}"));
    let remains = said.remains.map(|remains| format!("{remains} remain"));
    let quantity = said.quantity.as_ref().map(|quantity| format!("quantity {quantity}"));
    let link = said.link.as_ref().map(|link| excerpt(link, LINK_LENGTH_MAX));
    let parts = [Some(said.word.clone()), charge, remains, quantity, link];
    format!("{id}: {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}
