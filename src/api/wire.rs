//! What the API says, byte for byte, in both dialects.
//!
//! Money is written from its integers as a literal and never passes through a float. A success
//! never has a member `error`, a failure has nothing else.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::action::Asked;
use super::error::Failure;
use super::fields::Dialect;
use crate::domain::money::Money;
use crate::domain::order::{Order, Parts, Standing, Told};
use crate::domain::pace::Pace;
use crate::domain::refill::RefillStatus;
use crate::domain::refusal::{OrderRefusal, Refusal};
use crate::domain::user;
use crate::domain::{OrderId, RefillId, ServiceId};
use crate::store::services::{Offer, PriceList};

/// Writes a value that cannot fail to be written: no map keys but texts, no floats.
fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// A failure: one member and no other.
pub(super) fn failure(text: &str) -> Vec<u8> {
    #[derive(serde::Serialize)]
    struct Body<'a> {
        error: &'a str,
    }
    to_bytes(&Body { error: text })
}

/// Money as the dialect writes it.
struct Amount(Dialect, Money);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Dialect::Form => serializer.collect_str(&self.1),
            Dialect::Json => RawValue::from_string(self.1.to_string())
                .map_err(<S::Error as serde::ser::Error>::custom)?
                .serialize(serializer),
        }
    }
}

/// A whole number as the dialect writes it.
struct Count(Dialect, i64);

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Dialect::Form => serializer.collect_str(&self.1),
            Dialect::Json => serializer.serialize_i64(self.1),
        }
    }
}

/// A failure inside an answer that is a success as a whole.
#[derive(serde::Serialize)]
struct Inner {
    error: String,
}

impl Inner {
    fn new(refusal: &Refusal) -> Self {
        Self { error: Failure::of_refusal(refusal).text }
    }
}

/// A value, or why there is none.
#[derive(serde::Serialize)]
#[serde(untagged)]
enum OrError<T> {
    Value(T),
    Error(Inner),
}

impl<T> From<Result<T, Refusal>> for OrError<T> {
    fn from(result: Result<T, Refusal>) -> Self {
        match result {
            Ok(value) => Self::Value(value),
            Err(refusal) => Self::Error(Inner::new(&refusal)),
        }
    }
}

/// How long services take, by service.
type Paces = BTreeMap<ServiceId, Pace>;

/// The catalogue as a user sees it; with all that is known of a service where paces are given.
pub(super) fn services(
    dialect: Dialect,
    prices: PriceList,
    offers: &[Offer],
    paces: Option<&Paces>,
) -> Vec<u8> {
    #[derive(serde::Serialize)]
    struct Extended<'a> {
        description: &'a str,
        /// In minutes.
        average_time: Option<i64>,
        refill_days: Option<i64>,
    }
    #[derive(serde::Serialize)]
    struct Line<'a> {
        service: i64,
        name: &'a str,
        category: &'a str,
        #[serde(rename = "type")]
        kind: &'static str,
        rate: Amount,
        min: Count,
        max: Count,
        dripfeed: bool,
        refill: bool,
        cancel: bool,
        #[serde(flatten)]
        extended: Option<Extended<'a>>,
    }
    fn line<'a>(
        offer: &'a Offer,
        dialect: Dialect,
        prices: PriceList,
        paces: Option<&Paces>,
    ) -> Line<'a> {
        let listing = &offer.service.listing;
        let rate = user::rate(listing.rate, offer.custom_rate, prices.discount);
        Line {
            service: offer.service.id.0,
            name: &listing.name,
            category: &offer.category,
            kind: listing.kind.label(),
            rate: Amount(dialect, Money::from_micros(rate.micros())),
            min: Count(dialect, listing.quantity_min),
            max: Count(dialect, listing.quantity_max),
            dripfeed: listing.is_dripfeed,
            refill: listing.is_refill,
            cancel: listing.is_cancel,
            extended: paces.map(|paces| Extended {
                description: &listing.description,
                average_time: paces.get(&offer.service.id).map(|pace| pace.minutes()),
                refill_days: listing.refill_days,
            }),
        }
    }
    let lines = offers.iter().map(|offer| line(offer, dialect, prices, paces));
    to_bytes(&lines.collect::<Vec<_>>())
}

/// An order was placed.
pub(super) fn added(dialect: Dialect, order: OrderId, currency: &str) -> Vec<u8> {
    #[derive(serde::Serialize)]
    struct Json<'a> {
        order: String,
        currency: &'a str,
    }
    #[derive(serde::Serialize)]
    struct Form {
        order: i64,
    }
    match dialect {
        Dialect::Json => to_bytes(&Json { order: order.to_string(), currency }),
        Dialect::Form => to_bytes(&Form { order: order.0 }),
    }
}

/// How an order stands.
#[derive(serde::Serialize)]
struct Status<'a> {
    charge: Amount,
    start_count: Count,
    status: &'static str,
    remains: Count,
    currency: &'a str,
    /// How many runs of a drip-feed have begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    runs: Option<Count>,
    /// How many posts a subscription was bought for.
    #[serde(skip_serializing_if = "Option::is_none")]
    posts: Option<Count>,
    /// The orders of runs or posts.
    #[serde(skip_serializing_if = "Option::is_none")]
    orders: Option<Vec<OrderNumber>>,
}

impl<'a> Status<'a> {
    fn new(dialect: Dialect, standing: Standing, currency: &'a str) -> Self {
        Self {
            charge: Amount(dialect, standing.net_charge),
            start_count: Count(dialect, standing.start_count.unwrap_or(0)),
            status: standing.status.label(),
            remains: Count(dialect, standing.remains),
            currency,
            runs: None,
            posts: None,
            orders: None,
        }
    }

    /// The same with what has come of the order.
    fn of(dialect: Dialect, told: &Told, currency: &'a str) -> Self {
        let alone = Self::new(dialect, told.standing, currency);
        let numbers = |ids: &[OrderId]| ids.iter().map(|id| OrderNumber(dialect, *id)).collect();
        match &told.parts {
            Parts::None => alone,
            Parts::Runs(begun, ids) => {
                Self { runs: Some(Count(dialect, *begun)), orders: Some(numbers(ids)), ..alone }
            }
            Parts::Posts(found, ids) => {
                Self { posts: Some(Count(dialect, *found)), orders: Some(numbers(ids)), ..alone }
            }
        }
    }
}

/// How one order stands.
pub(super) fn status(dialect: Dialect, told: &Told, currency: &str) -> Vec<u8> {
    to_bytes(&Status::of(dialect, told, currency))
}

/// How several orders stand, by id as it was asked for.
pub(super) fn statuses(
    dialect: Dialect,
    found: &[(&Asked<OrderId>, Option<Told>)],
    currency: &str,
) -> Vec<u8> {
    struct ById<'a>(Dialect, &'a [(&'a Asked<OrderId>, Option<Told>)], &'a str);

    impl Serialize for ById<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let Self(dialect, found, currency) = *self;
            let mut map = serializer.serialize_map(Some(found.len()))?;
            for (asked, told) in found {
                match told {
                    Some(told) => {
                        let status = Status::of(dialect, told, currency);
                        map.serialize_entry(&asked.text, &status)?;
                    }
                    None => {
                        map.serialize_entry(
                            &asked.text,
                            &Inner::new(&OrderRefusal::OrderNotFound.into()),
                        )?;
                    }
                }
            }
            map.end()
        }
    }

    to_bytes(&ById(dialect, found, currency))
}

/// The user's orders.
pub(super) fn orders(dialect: Dialect, orders: &[Order], currency: &str) -> Vec<u8> {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        order: OrderNumber,
        service: i64,
        link: &'a str,
        quantity: Count,
        created: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        custom_id: Option<&'a str>,
        #[serde(flatten)]
        status: Status<'a>,
    }
    let lines = orders.iter().map(|order| Line {
        order: OrderNumber(dialect, order.id),
        service: order.service.0,
        link: &order.link,
        quantity: Count(dialect, order.quantity),
        created: order.created_at.0,
        custom_id: order.custom_id.as_deref(),
        status: Status::new(dialect, order.standing(), currency),
    });
    to_bytes(&lines.collect::<Vec<_>>())
}

/// An order's id by itself: JSON clients know it as a text.
struct OrderNumber(Dialect, OrderId);

impl Serialize for OrderNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Dialect::Json => serializer.collect_str(&self.1),
            Dialect::Form => serializer.serialize_i64(self.1.0),
        }
    }
}

/// One order was canceled, or the request to was kept.
pub(super) fn canceled(dialect: Dialect, order: OrderId, refunded: Money) -> Vec<u8> {
    #[derive(serde::Serialize)]
    struct Json {
        success: bool,
        refunded: Amount,
    }
    #[derive(serde::Serialize)]
    struct Form {
        success: bool,
        status: &'static str,
        cancel: i64,
        order: i64,
        refunded: Amount,
    }
    let refunded = Amount(dialect, refunded);
    match dialect {
        Dialect::Json => to_bytes(&Json { success: true, refunded }),
        Dialect::Form => {
            let (success, status) = (true, "success");
            to_bytes(&Form { success, status, cancel: 1, order: order.0, refunded })
        }
    }
}

/// What was asked about, in a list: a number where it is one.
#[derive(serde::Serialize)]
#[serde(untagged)]
enum Named<'a> {
    Number(i64),
    Text(&'a str),
}

impl<'a> Named<'a> {
    fn new(id: Option<i64>, text: &'a str) -> Self {
        id.map_or(Self::Text(text), Self::Number)
    }
}

/// Several orders were canceled, or were not.
pub(super) fn cancels(results: Vec<(&Asked<OrderId>, Result<Money, Refusal>)>) -> Vec<u8> {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        order: Named<'a>,
        cancel: OrError<i64>,
    }
    let lines = results.into_iter().map(|(asked, result)| Line {
        order: Named::new(asked.id.map(|id| id.0), &asked.text),
        cancel: result.map(|_| 1).into(),
    });
    to_bytes(&lines.collect::<Vec<_>>())
}

/// A refill was asked for.
pub(super) fn refilled(dialect: Dialect, refill: RefillId) -> Vec<u8> {
    #[derive(serde::Serialize)]
    struct Reply {
        refill: String,
    }
    let refill = match dialect {
        Dialect::Json => format!("refill_{refill}"),
        Dialect::Form => refill.to_string(),
    };
    to_bytes(&Reply { refill })
}

/// Several refills were asked for, or were refused.
pub(super) fn refills(results: Vec<(&Asked<OrderId>, Result<RefillId, Refusal>)>) -> Vec<u8> {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        order: Named<'a>,
        refill: OrError<i64>,
    }
    let lines = results.into_iter().map(|(asked, result)| Line {
        order: Named::new(asked.id.map(|id| id.0), &asked.text),
        refill: result.map(|refill| refill.0).into(),
    });
    to_bytes(&lines.collect::<Vec<_>>())
}

/// How one refill stands.
pub(super) fn refill_status(status: RefillStatus) -> Vec<u8> {
    #[derive(serde::Serialize)]
    struct Reply {
        status: &'static str,
    }
    to_bytes(&Reply { status: status.label() })
}

/// How several refills stand.
pub(super) fn refill_statuses(found: &[(&Asked<RefillId>, Option<RefillStatus>)]) -> Vec<u8> {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        refill: Named<'a>,
        status: OrError<&'static str>,
    }
    let lines = found.iter().map(|(asked, status)| Line {
        refill: Named::new(asked.id.map(|id| id.0), &asked.text),
        status: status
            .map(RefillStatus::label)
            .ok_or(Refusal::from(OrderRefusal::RefillNotFound))
            .into(),
    });
    to_bytes(&lines.collect::<Vec<_>>())
}

/// What is in the account.
pub(super) fn balance(balance: Money, currency: &str) -> Vec<u8> {
    #[derive(serde::Serialize)]
    struct Reply<'a> {
        balance: String,
        currency: &'a str,
    }
    to_bytes(&Reply { balance: balance.to_string(), currency })
}
