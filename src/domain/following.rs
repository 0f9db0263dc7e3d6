//! What a provider's new list changes by itself of a service that is sold through the provider,
//! and what the operator is told of instead.
//!
//! We must not sell what the provider refuses, nor below what it costs unseen, nor offer what the
//! operator does not: so limits only become narrower, refill and cancel only go, and a rate follows
//! only where the operator said so and the cost moved little. Name, description, category and type
//! are never changed.

use super::condition::ConditionKind;
use super::money::Rate;
use super::pricing::{Offer, Pricing};
use super::service::Listing;

/// A cost that moves by more than this, in percent, leaves the rate to a person.
const STEP_MAX: i128 = 20;

/// A service that is sold through a provider, and what the provider's list says of it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub listing: &'a Listing,
    pub pricing: &'a Pricing,
    /// The line of the list before, if there was one.
    pub before: Option<&'a Offer>,
    pub now: &'a Offer,
    /// What it costs by the new line, in our currency.
    pub cost: Rate,
    pub standing: Standing,
}

/// What else decides about a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether a substitute sells it too.
    pub is_elsewhere: bool,
    /// Whether the provider has refused it by name, and nobody has looked since.
    pub is_refused: bool,
    /// Whether a jump of its cost waits for a person.
    pub is_jumping: bool,
}

/// What becomes of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    pub listing: Listing,
    pub pricing: Pricing,
    /// What there is to tell, where it is not told already.
    pub raised: Vec<(ConditionKind, String)>,
    /// What is over.
    pub cleared: Vec<ConditionKind>,
}

impl Followed {
    fn tell(&mut self, kind: ConditionKind, text: Option<String>) {
        match text {
            Some(text) => self.raised.push((kind, text)),
            None => self.cleared.push(kind),
        }
    }
}

/// Decides what a line of a new list changes of a service.
pub fn follow(seen: &Seen<'_>) -> Followed {
    let mut followed = Followed {
        listing: seen.listing.clone(),
        pricing: *seen.pricing,
        raised: Vec::new(),
        cleared: vec![ConditionKind::Gone],
    };
    follow_limits(seen, &mut followed);
    followed.listing.is_refill &= seen.now.is_refill;
    followed.listing.is_cancel &= seen.now.is_cancel;
    follow_cost(seen, &mut followed);
    follow_kind(seen, &mut followed);
    follow_sale(seen, &mut followed);
    if let Some(before) = seen.before.filter(|before| before.name != seen.now.name) {
        let text = format!("“{}” is now called “{}”", before.name, seen.now.name);
        followed.raised.push((ConditionKind::Renamed, text));
    }
    followed
}

/// The quantities that both sell, if there are any.
fn common_limits(listing: &Listing, offer: &Offer) -> Option<(i64, i64)> {
    let min = listing.quantity_min.max(offer.quantity_min);
    let max = listing.quantity_max.min(offer.quantity_max);
    (min <= max).then_some((min, max))
}

fn follow_limits(seen: &Seen<'_>, followed: &mut Followed) {
    let (listing, now) = (seen.listing, seen.now);
    let Some((min, max)) = common_limits(listing, now) else {
        let text = format!(
            "The provider sells {} to {}, this service {} to {}",
            now.quantity_min, now.quantity_max, listing.quantity_min, listing.quantity_max
        );
        followed.raised.push((ConditionKind::Limits, text));
        return;
    };
    let had_none = seen.before.is_some_and(|before| common_limits(listing, before).is_none());
    if had_none || (min, max) != (listing.quantity_min, listing.quantity_max) {
        followed.cleared.push(ConditionKind::Limits);
    }
    (followed.listing.quantity_min, followed.listing.quantity_max) = (min, max);
}

/// Whether a cost has moved by more than a rate follows by itself.
fn is_jump(before: Option<Rate>, now: Rate) -> bool {
    let Some(before) = before.map(|before| i128::from(before.micros())) else { return true };
    let moved = (i128::from(now.micros()) - before).abs();
    moved * 100 > before * STEP_MAX
}

fn follow_cost(seen: &Seen<'_>, followed: &mut Followed) {
    let (pricing, cost) = (seen.pricing, seen.cost);
    followed.pricing.cost = Some(cost);
    let by_rule = pricing.rule.rate(cost);
    if !pricing.is_followed || by_rule == Some(seen.listing.rate) {
        followed.cleared.push(ConditionKind::PriceJump);
    } else if pricing.cost != Some(cost) {
        let is_for_a_person = seen.standing.is_jumping || is_jump(pricing.cost, cost);
        match by_rule.filter(|_| !is_for_a_person) {
            Some(rate) => followed.listing.rate = rate,
            None => followed.raised.push((ConditionKind::PriceJump, jump(seen, by_rule))),
        }
    }
    let (rate, is_below) = (followed.listing.rate, followed.listing.rate < cost);
    let text = format!("It costs {cost} and is sold for {rate}");
    followed.tell(ConditionKind::BelowCost, (is_below && !pricing.allows_loss).then_some(text));
}

fn jump(seen: &Seen<'_>, by_rule: Option<Rate>) -> String {
    let cost = match seen.pricing.cost {
        Some(before) => format!("The cost went from {before} to {}", seen.cost),
        None => format!("The cost is {}", seen.cost),
    };
    let rule = match by_rule {
        Some(rate) => format!("the rule says {rate}"),
        None => "the rule says more than can be written".to_owned(),
    };
    format!("{cost}; {rule}, the rate stays {}", seen.listing.rate)
}

fn follow_kind(seen: &Seen<'_>, followed: &mut Followed) {
    let (ours, theirs) = (seen.listing.kind, seen.now.kind);
    let text = format!("The provider sells it as {theirs}, we sell it as {ours}");
    followed.tell(ConditionKind::KindChanged, (ours != theirs).then_some(text));
}

/// Off sale goes what became another type, or what no quantity is left of. On sale again goes what
/// a list took off, once nothing is the matter.
fn follow_sale(seen: &Seen<'_>, followed: &mut Followed) {
    let is_our_kind = seen.now.kind == seen.listing.kind;
    let was_our_kind = seen.before.is_none_or(|before| before.kind == seen.listing.kind);
    let has_quantities = common_limits(seen.listing, seen.now).is_some();
    let must_go = (seen.before.is_some() && was_our_kind && !is_our_kind)
        || (!has_quantities && !seen.standing.is_elsewhere);
    let (listing, pricing) = (&mut followed.listing, &mut followed.pricing);
    if must_go && listing.is_enabled {
        (listing.is_enabled, pricing.off_by_sync) = (false, true);
    } else if is_our_kind && has_quantities && !seen.standing.is_refused && pricing.off_by_sync {
        (listing.is_enabled, pricing.off_by_sync) = (true, false);
    }
}
