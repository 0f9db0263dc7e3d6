//! An order at the practice provider: how it moves with the clock, and what is said of it.
//!
//! Ten seconds pending, ten processing, then units arrive until a minute is over. Every seventh
//! order ends partial with a quarter of its quantity missing.

use std::collections::BTreeMap;

use super::answer::{amount, list, money, parse_amount};

/// Seconds after which an order is processed.
const PROCESSING_AFTER: i64 = 10;
/// Seconds after which units arrive.
const RUNNING_AFTER: i64 = 20;
/// Seconds after which it has ended.
const FINAL_AFTER: i64 = 60;

/// An order as a test sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The provider's number, as it was answered.
    pub id: String,
    pub service: i64,
    /// The username for a subscription.
    pub link: String,
    pub quantity: i64,
    pub custom_id: Option<String>,
    pub request_id: Option<String>,
    /// The word that `status` answers now.
    pub status: String,
    /// What `status` answers now, less what was given back.
    pub charge: String,
    /// Everything that came with it, but for key, action and service.
    pub inputs: BTreeMap<String, String>,
}

/// What `status` is to say of an order from now on, word for word; the clock moves it no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Says {
    status: String,
    remains: String,
    start_count: String,
    charge: Option<String>,
}

impl Says {
    /// Such a word, nothing remaining, a start count of 100, and the charge that follows.
    pub fn status(word: &str) -> Self {
        let (status, remains, start_count) = (word.to_owned(), "0".to_owned(), "100".to_owned());
        Self { status, remains, start_count, charge: None }
    }

    /// With so much remaining: a number, or any other text.
    #[must_use]
    pub fn remains(self, remains: impl ToString) -> Self {
        Self { remains: remains.to_string(), ..self }
    }

    /// With such a start count: a number, or any other text.
    #[must_use]
    pub fn start_count(self, start_count: impl ToString) -> Self {
        Self { start_count: start_count.to_string(), ..self }
    }

    /// With such a charge, which the balance knows nothing of.
    #[must_use]
    pub fn charge(self, charge: impl ToString) -> Self {
        Self { charge: Some(charge.to_string()), ..self }
    }
}

/// An order as the shop keeps it.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) service: i64,
    pub(super) link: String,
    pub(super) quantity: i64,
    pub(super) units: i64,
    pub(super) charge_micros: i64,
    pub(super) inputs: BTreeMap<String, String>,
    pub(super) placed_at: i64,
    pub(super) canceled_at: Option<i64>,
    /// Which one it is, from 1.
    pub(super) nth: i64,
    pub(super) says: Option<Says>,
    /// The orders of a subscription's posts.
    pub(super) posts: Vec<String>,
}

impl Order {
    /// One of its inputs.
    pub(super) fn input(&self, name: &str) -> Option<&str> {
        self.inputs.get(name).map(String::as_str)
    }

    /// The five fields of `status`, as texts.
    pub(super) fn report(&self, now: i64) -> Says {
        let says = self.says.clone().unwrap_or_else(|| self.moved(now));
        let charge = says.charge.clone().unwrap_or_else(|| money(self.kept_micros(now)));
        Says { charge: Some(charge), ..says }
    }

    /// Whether it is a subscription: it lasts until it is canceled.
    fn is_subscription(&self) -> bool {
        self.units == 0
    }

    /// Where the clock has brought it.
    fn moved(&self, now: i64) -> Says {
        if self.is_subscription() {
            let word = if self.canceled_at.is_some() { "Canceled" } else { "Active" };
            return Says::status(word).start_count(0);
        }
        let ends_at = self.canceled_at.unwrap_or(now).min(now);
        let age = ends_at - self.placed_at;
        let missing = if self.nth % 7 == 0 { self.quantity / 4 } else { 0 };
        let running = i128::from((age - RUNNING_AFTER).clamp(0, FINAL_AFTER - RUNNING_AFTER));
        let whole = i128::from(FINAL_AFTER - RUNNING_AFTER);
        let arrived = i128::from(self.units - missing) * running / whole;
        let remains = self.units - i64::try_from(arrived).unwrap_or(0);
        let word = match age {
            FINAL_AFTER.. if missing > 0 => "Partial",
            FINAL_AFTER.. => "Completed",
            _ if self.canceled_at.is_some() && remains < self.units => "Partial",
            _ if self.canceled_at.is_some() => "Canceled",
            RUNNING_AFTER.. => "In progress",
            PROCESSING_AFTER.. => "Processing",
            _ => "Pending",
        };
        let start_count = if word == "Pending" { 0 } else { 100 + self.nth };
        Says::status(word).remains(remains).start_count(start_count)
    }

    /// What is kept of the charge.
    pub(super) fn kept_micros(&self, now: i64) -> i64 {
        let says = self.says.clone().unwrap_or_else(|| self.moved(now));
        let remains = says.remains.parse().unwrap_or(0).clamp(0, self.units);
        let back = match says.status.as_str() {
            "Canceled" => i128::from(self.charge_micros),
            "Partial" if self.units > 0 => {
                i128::from(self.charge_micros) * i128::from(remains) / i128::from(self.units)
            }
            _ => 0,
        };
        self.charge_micros - i64::try_from(back).unwrap_or(0)
    }

    /// Whether it moves no more.
    pub(super) fn is_final(&self, now: i64) -> bool {
        ["Completed", "Partial", "Canceled"].contains(&self.report(now).status.as_str())
    }

    /// When it was completed, if it was.
    pub(super) fn is_completed(&self, now: i64) -> bool {
        self.report(now).status == "Completed"
    }

    /// The five fields as they go over the wire.
    pub(super) fn status_pairs(&self, now: i64, is_json: bool) -> Vec<(&'static str, String)> {
        let says = self.report(now);
        let text = |text: &str| amount(text, is_json);
        let mut pairs = vec![
            ("charge", text(&says.charge.unwrap_or_default())),
            ("start_count", text(&says.start_count)),
            ("status", amount(&says.status, false)),
            ("remains", text(&says.remains)),
            ("currency", amount("USD", false)),
        ];
        if self.is_subscription() {
            let orders = self.posts.iter().map(|id| amount(id, is_json)).collect::<Vec<_>>();
            pairs.push(("posts", text(&self.posts.len().to_string())));
            pairs.push(("orders", list(&orders)));
        }
        pairs
    }

    /// As a test sees it.
    pub(super) fn placed(&self, now: i64) -> Placed {
        let says = self.report(now);
        Placed {
            id: self.id.clone(),
            service: self.service,
            link: self.link.clone(),
            quantity: self.quantity,
            custom_id: self.input("custom_id").map(str::to_owned),
            request_id: self.input("request_id").map(str::to_owned),
            status: says.status,
            charge: says.charge.unwrap_or_default(),
            inputs: self.inputs.clone(),
        }
    }
}

/// What so many units cost, rounded up; a rate that is no number costs nothing.
pub(super) fn charge_micros(rate: &str, units: i64, is_piece: bool) -> i64 {
    let rate = i128::from(parse_amount(rate).unwrap_or(0));
    let charge = if is_piece { rate } else { (rate * i128::from(units) + 999) / 1000 };
    i64::try_from(charge).unwrap_or(i64::MAX)
}
