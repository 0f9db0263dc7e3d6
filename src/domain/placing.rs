//! Placing an order: from the fields a customer fills in to what is written and charged.
//!
//! Two steps, both pure: [`read`] turns the fields into what is [`Wanted`], [`place`] decides
//! whether it can be sold, and for how much.

use super::ledger::Account;
use super::money::{Money, Rate};
use super::order::DripFeed;
use super::refusal::OrderRefusal;
use super::service::{Counting, Input, Listing, Service, ServiceKind, parse_number};
use super::user::User;
use super::{OrderId, ServiceId, Timestamp, is_hidden, schedule};

const LINK_LENGTH_MAX: usize = 2048;
const RUNS_MAX: i64 = 10_000;
const INTERVAL_MINUTES_MAX: i64 = 10_000;
const DELAY_MINUTES_MAX: i64 = 1440;

/// What a customer sent for an order: texts by field, trimmed, none of them empty, none twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details(Vec<(Input, String)>);

impl Details {
    /// Adds a field.
    ///
    /// # Errors
    /// `Invalid` where a number is not written as one or a list holds what nobody can read; what
    /// it may be is decided later.
    pub fn add(&mut self, input: Input, text: String) -> Result<(), OrderRefusal> {
        let is_unreadable = |line: &str| line.chars().any(|c| c != '\t' && is_hidden(c));
        let is_broken = match input.is_number() {
            true => parse_number(&text).is_none(),
            false => input.is_list() && text.lines().any(is_unreadable),
        };
        if is_broken {
            return Err(OrderRefusal::Invalid(input));
        }
        self.0.push((input, text));
        Ok(())
    }

    /// The text of a field.
    pub fn get(&self, input: Input) -> Option<&str> {
        self.0.iter().find(|(name, _)| *name == input).map(|(_, text)| text.as_str())
    }

    /// The number in a field.
    pub fn number(&self, input: Input) -> Option<i64> {
        self.get(input).and_then(parse_number)
    }

    /// The lines of a list that are not blank.
    fn lines(&self, input: Input) -> i64 {
        let lines = self.get(input).unwrap_or_default().lines();
        // A request is bounded to a megabyte, and with it the number of lines.
        i64::try_from(lines.filter(|line| !line.trim().is_empty()).count()).unwrap_or(i64::MAX)
    }

    /// Every field with its text.
    pub fn iter(&self) -> impl Iterator<Item = (Input, &str)> {
        self.0.iter().map(|(input, text)| (*input, text.as_str()))
    }
}

/// What a customer wants of a service, complete but not yet judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where to deliver; for a subscription, the user name.
    pub link: String,
    /// Units per run.
    pub quantity: i64,
    /// Units charged.
    pub units: i64,
    /// The runs, if it is drip-fed.
    pub drip_feed: Option<DripFeed>,
    /// The smallest and the largest quantity the customer names; the same for most kinds.
    limits: Option<(i64, i64)>,
    /// What else the kind asks for, as it came.
    pub extras: Vec<(Input, String)>,
    /// The end of a subscription.
    expires_at: Option<Timestamp>,
}

/// Reads the fields the way the service's kind asks for them.
///
/// # Errors
/// `Missing`, `Invalid` and `NoDripFeed`: the ones that come before any other about an order.
pub fn read(service: &Service, details: &Details) -> Result<Wanted, OrderRefusal> {
    let kind = service.listing.kind;
    if let Some(absent) = kind.required().iter().find(|input| details.get(**input).is_none()) {
        return Err(OrderRefusal::Missing(*absent));
    }
    let drip_feed = read_drip_feed(&service.listing, details)?;
    let runs = drip_feed.map_or(1, |drip_feed| drip_feed.runs);
    let (quantity, units) = match kind.counting() {
        Counting::Quantity => {
            let quantity = details.number(Input::Quantity).unwrap_or(0);
            (quantity, quantity * runs)
        }
        Counting::Lines(input) => (details.lines(input), details.lines(input)),
        Counting::Piece => (1, 1),
        Counting::Posts => (0, 0),
    };
    let limits = match kind.counting() {
        Counting::Quantity | Counting::Lines(_) => Some((quantity, quantity)),
        Counting::Piece => None,
        Counting::Posts => Some(read_subscription_limits(details)?),
    };
    let link = match kind.counting() {
        Counting::Posts => Input::Username,
        Counting::Quantity | Counting::Lines(_) | Counting::Piece => Input::Link,
    };
    Ok(Wanted {
        link: details.get(link).unwrap_or_default().to_owned(),
        quantity,
        units,
        drip_feed,
        limits,
        extras: extras(kind, details),
        expires_at: read_expiry(kind, details)?,
    })
}

/// Runs and interval come together, and only where the service offers it.
fn read_drip_feed(listing: &Listing, details: &Details) -> Result<Option<DripFeed>, OrderRefusal> {
    let (runs, interval) = (details.number(Input::Runs), details.number(Input::Interval));
    let drip_feed = match (runs, interval) {
        (None, None) => return Ok(None),
        (Some(_), None) => return Err(OrderRefusal::Missing(Input::Interval)),
        (None, Some(_)) => return Err(OrderRefusal::Missing(Input::Runs)),
        (Some(runs), Some(interval_minutes)) => DripFeed { runs, interval_minutes },
    };
    if !listing.is_dripfeed {
        return Err(OrderRefusal::NoDripFeed);
    }
    if !(1..=RUNS_MAX).contains(&drip_feed.runs) {
        return Err(OrderRefusal::Invalid(Input::Runs));
    }
    if !(1..=INTERVAL_MINUTES_MAX).contains(&drip_feed.interval_minutes) {
        return Err(OrderRefusal::Invalid(Input::Interval));
    }
    Ok(Some(drip_feed))
}

/// The smallest and largest quantity for a new post.
fn read_subscription_limits(details: &Details) -> Result<(i64, i64), OrderRefusal> {
    let (min, max) = (details.number(Input::Min), details.number(Input::Max));
    let (min, max) = (min.unwrap_or(0), max.unwrap_or(0));
    if min > max {
        return Err(OrderRefusal::Invalid(Input::Min));
    }
    if details.number(Input::Delay).is_none_or(|delay| delay > DELAY_MINUTES_MAX) {
        return Err(OrderRefusal::Invalid(Input::Delay));
    }
    Ok((min, max))
}

fn read_expiry(kind: ServiceKind, details: &Details) -> Result<Option<Timestamp>, OrderRefusal> {
    if !kind.optional().contains(&Input::Expiry) {
        return Ok(None);
    }
    let day = details.get(Input::Expiry);
    day.map(|day| schedule::end_of_day(day).ok_or(OrderRefusal::Invalid(Input::Expiry))).transpose()
}

/// What the kind asks for and no column of an order holds.
fn extras(kind: ServiceKind, details: &Details) -> Vec<(Input, String)> {
    let asked = kind.required().iter().chain(kind.optional()).copied();
    asked
        .filter(|input| !matches!(input, Input::Link | Input::Quantity))
        .filter_map(|input| details.get(input).map(|text| (input, text.to_owned())))
        .collect()
}

/// What we know when we decide on an order.
#[derive(Clone, Copy, Debug)]
pub struct Placing<'a> {
    /// Who buys.
    pub user: &'a User,
    /// What.
    pub service: &'a Service,
    /// The user's custom rate for it, if he has one.
    pub custom_rate: Option<Rate>,
    /// The user's open order of the service for the link, if the service forbids a second one.
    pub twin: Option<OrderId>,
    /// When.
    pub now: Timestamp,
}

/// An order that can be sold: what is to be written and what it costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// Who buys.
    pub account: Account,
    /// What.
    pub service: ServiceId,
    /// Its kind, which the order keeps.
    pub kind: ServiceKind,
    /// The price the order keeps.
    pub rate: Rate,
    /// What is taken.
    pub charge: Money,
    /// Whether a second order for the link is refused while this one is open.
    pub is_exclusive: bool,
    /// What was asked for.
    pub wanted: Wanted,
}

/// Decides whether the order can be sold, and for how much.
///
/// # Errors
/// In this order: `BadLink`, the quantity's limits, `DuplicateOrder`, `InsufficientFunds`.
pub fn place(placing: &Placing<'_>, wanted: Wanted) -> Result<NewOrder, OrderRefusal> {
    let Placing { user, service, custom_rate, twin, now } = *placing;
    check_link(&wanted.link)?;
    if let Some((least, most)) = wanted.limits {
        if least < service.listing.quantity_min {
            return Err(OrderRefusal::QuantityBelow(service.listing.quantity_min));
        }
        if most > service.listing.quantity_max {
            return Err(OrderRefusal::QuantityAbove(service.listing.quantity_max));
        }
    }
    if wanted.expires_at.is_some_and(|end| end < now) {
        return Err(OrderRefusal::Invalid(Input::Expiry));
    }
    if twin.is_some() {
        return Err(OrderRefusal::DuplicateOrder);
    }
    let kind = service.listing.kind;
    let rate = user.rate(service.listing.rate, custom_rate);
    let charge = rate.charge(wanted.units, kind.per()).ok_or(OrderRefusal::InsufficientFunds)?;
    if charge > Money::ZERO && !user.can_pay(charge) {
        return Err(OrderRefusal::InsufficientFunds);
    }
    Ok(NewOrder {
        account: Account { user: user.id, id: user.account },
        service: service.id,
        kind,
        rate,
        charge,
        is_exclusive: service.listing.denies_duplicates,
        wanted,
    })
}

/// A link is anything a provider may understand, but nothing that could run or deceive.
fn check_link(link: &str) -> Result<(), OrderRefusal> {
    const SCHEMES: [&str; 4] = ["javascript:", "data:", "vbscript:", "file:"];
    let starts_with = |scheme: &&str| {
        link.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    let is_sound = (1..=LINK_LENGTH_MAX).contains(&link.chars().count())
        && !link.chars().any(is_hidden)
        && !SCHEMES.iter().any(starts_with);
    if is_sound { Ok(()) } else { Err(OrderRefusal::BadLink) }
}
