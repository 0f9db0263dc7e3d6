//! Placing an order: from the fields a customer fills in to what is written and charged.
//!
//! [`place`] reads the fields the way the service's kind asks for them and asks one [`Rule`] after
//! the other whether the order can be sold. It is pure: what it needs to know is loaded before.

use super::input::{Input, parse_number};
use super::ledger::Account;
use super::money::{Money, Rate};
use super::order::DripFeed;
use super::refusal::OrderRefusal;
use super::service::{Counted, Counting, Listing, Service, ServiceKind};
use super::user::User;
use super::{OrderId, ProviderId, ServiceId, Timestamp, is_hidden, schedule, words};

const LINK_LENGTH_MAX: usize = 2048;

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

    /// The number in a field that was checked to be there, within the field's own range.
    fn number_in_range(&self, input: Input) -> Result<i64, OrderRefusal> {
        let (number, range) = (self.number(input), input.range());
        let number = number.zip(range).filter(|(number, range)| range.contains(number));
        number.map(|(number, _)| number).ok_or(OrderRefusal::Invalid(input))
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
    /// Units charged, of all runs together.
    pub units: i64,
    pub drip_feed: Option<DripFeed>,
    /// The smallest and the largest quantity the customer names; the same for most kinds.
    limits: Option<(i64, i64)>,
    /// What else the kind asks for, as it came.
    pub extras: Vec<(Input, String)>,
    /// The end of a subscription.
    expires_at: Option<Timestamp>,
}

/// Reads the fields the way the service's kind asks for them.
fn read(service: &Service, details: &Details) -> Result<Wanted, OrderRefusal> {
    let kind = service.listing.kind;
    if let Some(absent) = kind.required().iter().find(|input| details.get(**input).is_none()) {
        return Err(OrderRefusal::Missing(*absent));
    }
    let drip_feed = read_drip_feed(&service.listing, details)?;
    let (named, runs) =
        (details.number(Input::Quantity).unwrap_or(0), drip_feed.map_or(1, |it| it.runs));
    let counted = kind.counting().count(named, runs, |input| details.get(input));
    let Counted { quantity, units } = counted.ok_or(OrderRefusal::Invalid(Input::Quantity))?;
    let limits = match kind.counting() {
        Counting::Quantity | Counting::Lines(_) => Some((quantity, quantity)),
        Counting::Piece => None,
        Counting::Posts => Some(read_subscription_limits(details)?),
    };
    check_ranges(kind, details)?;
    Ok(Wanted {
        link: details.get(kind.link()).unwrap_or_default().to_owned(),
        quantity,
        units,
        drip_feed,
        limits,
        extras: extras(kind, details),
        expires_at: read_expiry(kind, details)?,
    })
}

/// Every number that the kind asks for is within the range of its field.
fn check_ranges(kind: ServiceKind, details: &Details) -> Result<(), OrderRefusal> {
    let asked = kind.required().iter().chain(kind.optional());
    let mut given = asked.filter(|input| input.is_number() && details.get(**input).is_some());
    given.try_for_each(|input| details.number_in_range(*input).map(|_| ()))
}

/// Runs and interval come together, and only where the service offers it.
fn read_drip_feed(listing: &Listing, details: &Details) -> Result<Option<DripFeed>, OrderRefusal> {
    match (details.get(Input::Runs), details.get(Input::Interval)) {
        (None, None) => return Ok(None),
        (Some(_), None) => return Err(OrderRefusal::Missing(Input::Interval)),
        (None, Some(_)) => return Err(OrderRefusal::Missing(Input::Runs)),
        (Some(_), Some(_)) if !listing.is_dripfeed => return Err(OrderRefusal::NoDripFeed),
        (Some(_), Some(_)) => {}
    }
    let runs = details.number_in_range(Input::Runs)?;
    let interval_minutes = details.number_in_range(Input::Interval)?;
    Ok(Some(DripFeed { runs, interval_minutes }))
}

/// The smallest and largest quantity for a new post.
fn read_subscription_limits(details: &Details) -> Result<(i64, i64), OrderRefusal> {
    let min = details.number_in_range(Input::Min)?;
    let max = details.number_in_range(Input::Max)?;
    if min > max {
        return Err(OrderRefusal::Invalid(Input::Min));
    }
    details.number_in_range(Input::Delay)?;
    Ok((min, max))
}

fn read_expiry(kind: ServiceKind, details: &Details) -> Result<Option<Timestamp>, OrderRefusal> {
    if !kind.optional().contains(&Input::Expiry) {
        return Ok(None);
    }
    let day = details.get(Input::Expiry);
    let end = |day| schedule::end_of_day(day).ok_or(OrderRefusal::Invalid(Input::Expiry));
    day.map(end).transpose()
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
    pub user: &'a User,
    /// What is on sale under the number that was asked for.
    pub offer: Option<ForSale<'a>>,
    pub details: &'a Details,
    /// The order that the request's id has bought before.
    pub earlier: Option<Earlier>,
    /// The user's open order of the service for the link, if the service forbids a second one.
    pub twin: Option<OrderId>,
    pub now: Timestamp,
}

/// A service that is on sale.
#[derive(Clone, Copy, Debug)]
pub struct ForSale<'a> {
    pub service: &'a Service,
    /// The user's custom rate for it.
    pub custom_rate: Option<Rate>,
    /// Below this it is sold to nobody, since it costs more; `None` where any rate will do.
    pub floor: Option<Rate>,
}

/// An order that was bought under the request id of a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier {
    pub order: OrderId,
    /// Whether the request that bought it had the same content.
    pub is_same: bool,
}

/// What becomes of an order if it is placed now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quote {
    /// This very request has bought this one before.
    Bought(OrderId),
    /// It can be sold, at that price.
    New(Box<NewOrder>),
}

/// An order that can be sold: what is to be written and what it costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    pub account: Account,
    pub service: ServiceId,
    /// The service's kind, which the order keeps.
    pub kind: ServiceKind,
    /// The price per thousand or per piece, which the order keeps.
    pub rate: Rate,
    pub charge: Money,
    /// Whether a second order for the link is refused while this one is open.
    pub is_exclusive: bool,
    /// Who is to deliver it; `None` for what is fulfilled by hand.
    pub provider: Option<ProviderId>,
    pub wanted: Wanted,
}

words! {
    /// What a new order has to pass, in the order in which it is asked: the first rule that is
    /// broken answers, whatever else is wrong. Clients rely on this order, and [`place`] goes by
    /// it; [`OrderRefusal::rule`] says which refusal belongs to which rule.
    pub enum Rule {
        /// Every field that the kind asks for is there and says what it may say.
        Fields = "fields",
        /// The request id is new. One that has bought already answers with its order, whatever
        /// price, limits and balance are by now.
        RequestId = "request id",
        /// The service is there and on sale.
        Service = "service",
        /// The user's rate is not below what the service costs, unless a loss is allowed.
        Cost = "cost",
        /// The link can be delivered to.
        Link = "link",
        /// The quantity is not below the service's least.
        Minimum = "minimum",
        /// Nor above its most.
        Maximum = "maximum",
        /// A subscription ends in the future. A rule of its own, after the request id: a repeat
        /// answers with its order also when the last day has passed.
        Expiry = "expiry",
        /// No open order stands in the way.
        Duplicate = "duplicate",
        /// The account holds the charge.
        Funds = "funds",
    }
}

/// Decides whether an order can be sold, and for how much.
///
/// # Errors
/// The refusal of the first [`Rule`] that is broken.
pub fn place(placing: &Placing<'_>) -> Result<Quote, OrderRefusal> {
    let case = Case::of(placing);
    for rule in Rule::ALL {
        if let Some(answer) = rule.answer(&case) {
            debug_assert!(
                answer.as_ref().err().is_none_or(|refusal| refusal.rule() == Some(*rule)),
                "{answer:?} is not a refusal of {rule:?}"
            );
            return answer.map(Quote::Bought);
        }
    }
    let Some(Sale { service, wanted, rate, charge: Some(charge), .. }) = case.sale else {
        return Err(OrderRefusal::ServiceNotFound); // the rules have said so
    };
    // Runs are sent one by one.
    let is_sent_whole = wanted.drip_feed.is_none();
    Ok(Quote::New(Box::new(NewOrder {
        account: Account { user: placing.user.id, id: placing.user.account },
        service: service.id,
        kind: service.listing.kind,
        rate,
        charge,
        is_exclusive: service.listing.denies_duplicates,
        provider: service.listing.provider.filter(|_| is_sent_whole),
        wanted,
    })))
}

/// What the rules look at: what we know, and what follows from it.
struct Case<'a> {
    placing: &'a Placing<'a>,
    /// Why the fields cannot be read as the service asks for them.
    unread: Option<OrderRefusal>,
    /// What would be sold; `None` without a service or where the fields cannot be read.
    sale: Option<Sale<'a>>,
}

struct Sale<'a> {
    service: &'a Service,
    wanted: Wanted,
    rate: Rate,
    /// Whether the rate is below what the service costs.
    is_below_floor: bool,
    /// `None` where it is more than can be counted.
    charge: Option<Money>,
}

impl<'a> Case<'a> {
    fn of(placing: &'a Placing<'a>) -> Self {
        let Some(ForSale { service, custom_rate, floor }) = placing.offer else {
            return Self { placing, unread: None, sale: None };
        };
        match read(service, placing.details) {
            Ok(wanted) => {
                let rate = placing.user.rate(service.listing.rate, custom_rate);
                let charge = rate.charge(wanted.units, service.listing.kind.per());
                let is_below_floor = floor.is_some_and(|floor| rate < floor);
                let sale = Some(Sale { service, wanted, rate, is_below_floor, charge });
                Self { placing, unread: None, sale }
            }
            Err(refusal) => Self { placing, unread: Some(refusal), sale: None },
        }
    }

    fn link(&self) -> Option<&str> {
        self.sale.as_ref().map(|sale| sale.wanted.link.as_str())
    }

    /// The smallest and the largest quantity that was named, and the service's.
    fn limits(&self) -> Option<((i64, i64), &Listing)> {
        let Sale { service, wanted, .. } = self.sale.as_ref()?;
        Some((wanted.limits?, &service.listing))
    }

    /// Whether the user can pay the charge. What is free needs no money.
    fn can_pay(&self, sale: &Sale<'_>) -> bool {
        let can_pay = |charge| charge == Money::ZERO || self.placing.user.can_pay(charge);
        sale.charge.is_some_and(can_pay)
    }
}

impl Rule {
    /// What the rule answers: why the order is refused, or the order that was bought already.
    /// `None` where it has nothing against a new one.
    fn answer(self, case: &Case<'_>) -> Option<Result<OrderId, OrderRefusal>> {
        let Placing { offer, earlier, twin, now, .. } = *case.placing;
        let refusal = match self {
            Self::Fields => case.unread,
            Self::RequestId => match earlier {
                Some(Earlier { order, is_same: true }) => return Some(Ok(order)),
                Some(_) => Some(OrderRefusal::RequestConflict),
                None => None,
            },
            Self::Service => offer.is_none().then_some(OrderRefusal::ServiceNotFound),
            Self::Cost => {
                let below = case.sale.as_ref().filter(|sale| sale.is_below_floor);
                below.map(|_| OrderRefusal::ServiceUnavailable)
            }
            Self::Link => {
                case.link().filter(|link| !can_deliver_to(link)).map(|_| OrderRefusal::BadLink)
            }
            Self::Minimum => case.limits().and_then(|((least, _), listing)| {
                let min = listing.quantity_min;
                (least < min).then_some(OrderRefusal::QuantityBelow(min))
            }),
            Self::Maximum => case.limits().and_then(|((_, most), listing)| {
                let max = listing.quantity_max;
                (most > max).then_some(OrderRefusal::QuantityAbove(max))
            }),
            Self::Expiry => {
                let end = case.sale.as_ref().and_then(|sale| sale.wanted.expires_at);
                end.filter(|end| *end < now).map(|_| OrderRefusal::ExpiryIsPast)
            }
            Self::Duplicate => twin.map(|_| OrderRefusal::DuplicateOrder),
            Self::Funds => {
                let unpaid = case.sale.as_ref().filter(|sale| !case.can_pay(sale));
                unpaid.map(|_| OrderRefusal::InsufficientFunds)
            }
        };
        refusal.map(Err)
    }
}

/// Whether it is a link: anything a provider may understand, but nothing that could run or deceive.
fn can_deliver_to(link: &str) -> bool {
    const SCHEMES: [&str; 4] = ["javascript:", "data:", "vbscript:", "file:"];
    let starts_with = |scheme: &&str| {
        link.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    (1..=LINK_LENGTH_MAX).contains(&link.chars().count())
        && !link.chars().any(is_hidden)
        && !SCHEMES.iter().any(starts_with)
}
