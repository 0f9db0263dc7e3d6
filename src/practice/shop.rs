//! The shop in memory: what is sold, the orders and the money, and the honest answer to each
//! action in both dialects.

use std::collections::BTreeMap;

use super::answer::{amount, error, list, money, object, quoted};
use super::order::{Order, charge_micros};
use super::request::Request;
use super::services::{self, Counting, Service};
use crate::clock::Clock;

/// What a client may spend at first: 1000.
const DEPOSIT_MICROS: i64 = 1_000_000_000;
/// The first order's number is one more.
const NUMBER_BEFORE: i64 = 1000;
const IDS_MAX: usize = 1000;
const PAGE: usize = 50;
const PAGE_MAX: usize = 100;
/// Seconds after which a refill begins, and after which it is done.
const REFILL_TIMES: (i64, i64) = (10, 30);

/// A request to deliver again what dropped.
#[derive(Clone, Debug)]
struct Refill {
    order: String,
    asked_at: i64,
    /// What is to be said of it, whatever the time.
    status: Option<String>,
}

/// A refusal: the sentence, and what a Panelite adds to it.
#[derive(Clone, Debug)]
pub(super) struct No {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) text: String,
}

fn no(status: u16, code: &'static str, text: impl Into<String>) -> No {
    No { status, code, text: text.into() }
}

fn missing(field: &str) -> No {
    no(400, "bad_request", format!("Incorrect request: {field} is missing"))
}

fn no_order() -> No {
    no(404, "order_not_found", "Incorrect order ID")
}

/// An honest answer.
pub(super) struct Answer {
    pub(super) body: String,
    /// The number of the order it is about, where one was bought.
    pub(super) added: Option<String>,
}

/// All that the provider knows.
pub(super) struct Shop {
    pub(super) clock: Clock,
    pub(super) services: Vec<Service>,
    pub(super) orders: Vec<Order>,
    /// The number before that of the first order.
    pub(super) number_before: i64,
    refills: Vec<Refill>,
    paid_in_micros: i64,
    /// Whether it understands the ids that clients give to their orders, as a Panelite does.
    pub(super) knows_own_ids: bool,
}

impl Shop {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            services: services::all(),
            orders: Vec::new(),
            number_before: NUMBER_BEFORE,
            refills: Vec::new(),
            paid_in_micros: DEPOSIT_MICROS,
            knows_own_ids: false,
        }
    }

    /// Does what is asked. Only `add`, `cancel` and `refill` change anything.
    pub(super) fn answer(&mut self, request: &Request) -> Result<Answer, No> {
        if request.get("key") != Some(super::KEY) {
            return Err(no(401, "invalid_key", "Invalid API key"));
        }
        let plain = |body: String| Answer { body, added: None };
        match request.action.as_str() {
            "services" => Ok(plain(self.list_services(request.is_json))),
            "add" => self.add(request),
            "status" => self.status(request).map(plain),
            "orders" if self.knows_own_ids => self.page(request).map(plain),
            "balance" => {
                let balance = money(self.balance_micros());
                let pairs = [("balance", quoted(&balance)), ("currency", quoted("USD"))];
                Ok(plain(object(&pairs)))
            }
            "cancel" => self.cancel(request).map(plain),
            "refill" => self.refill(request).map(plain),
            "refill_status" => self.refill_status(request).map(plain),
            "" => Err(missing("action")),
            _ => Err(no(400, "unknown_action", "Incorrect action")),
        }
    }

    pub(super) fn now(&self) -> i64 {
        self.clock.now().0
    }

    /// The number that the next order gets.
    pub(super) fn next_number(&self) -> i64 {
        self.number_before + 1 + i64::try_from(self.orders.len()).unwrap_or(0)
    }

    pub(super) fn balance_micros(&self) -> i64 {
        let now = self.now();
        self.paid_in_micros - self.orders.iter().map(|order| order.kept_micros(now)).sum::<i64>()
    }

    pub(super) fn set_balance_micros(&mut self, micros: i64) {
        self.paid_in_micros += micros - self.balance_micros();
    }

    /// An order by its number, which may come back with a point and a zero.
    pub(super) fn order(&mut self, id: &str) -> Option<&mut Order> {
        let id = id.strip_suffix(".0").unwrap_or(id);
        self.orders.iter_mut().find(|order| order.id == id)
    }

    /// Sets what is said of a refill.
    pub(super) fn set_refill(&mut self, id: &str, status: &str) {
        if let Some(at) = self.refill_at(id) {
            self.refills[at].status = Some(status.to_owned());
        }
    }

    fn list_services(&self, is_json: bool) -> String {
        let service = |it: &Service| {
            object(&[
                ("service", it.id.to_string()),
                ("name", quoted(&it.name)),
                ("category", quoted(&it.category)),
                ("type", quoted(&it.kind)),
                ("rate", amount(&it.rate, is_json)),
                ("min", amount(&it.min.to_string(), is_json)),
                ("max", amount(&it.max.to_string(), is_json)),
                ("dripfeed", it.dripfeed.to_string()),
                ("refill", it.refill.to_string()),
                ("cancel", it.cancel.to_string()),
            ])
        };
        list(&self.services.iter().map(service).collect::<Vec<_>>())
    }

    fn add(&mut self, request: &Request) -> Result<Answer, No> {
        let inputs = request.inputs();
        if let Some(id) = self.replayed(request, &inputs)? {
            return Ok(bought(id, request.is_json));
        }
        let unknown = || no(404, "service_not_found", "Incorrect service ID");
        let id = request.get("service").and_then(|id| id.parse().ok()).unwrap_or(0);
        let service = self.services.iter().find(|it| it.id == id).ok_or_else(unknown)?;
        let (quantity, units) = counted(service, request)?;
        let is_piece = matches!(service.counting(), Counting::Piece);
        let charge_micros = charge_micros(&service.rate, units, is_piece);
        if charge_micros > self.balance_micros() {
            return Err(no(402, "insufficient_funds", "Not enough funds on balance"));
        }
        let link = request.get("link").or_else(|| request.get("username")).unwrap_or_default();
        let number = self.next_number();
        self.orders.push(Order {
            id: number.to_string(),
            service: id,
            link: link.to_owned(),
            quantity,
            units,
            charge_micros,
            inputs,
            placed_at: self.now(),
            canceled_at: None,
            nth: number - self.number_before,
            says: None,
            posts: Vec::new(),
        });
        Ok(bought(number.to_string(), request.is_json))
    }

    /// A new post of a subscription: an order of so many. Says its number.
    pub(super) fn post(&mut self, subscription: &str, quantity: i64) -> Option<String> {
        let (number, now) = (self.next_number(), self.now());
        let order = self.order(subscription)?;
        order.posts.push(number.to_string());
        let (service, link) = (order.service, order.link.clone());
        let rate = self.services.iter().find(|it| it.id == service)?.rate.clone();
        self.orders.push(Order {
            id: number.to_string(),
            service,
            link,
            quantity,
            units: quantity,
            charge_micros: charge_micros(&rate, quantity, false),
            inputs: BTreeMap::new(),
            placed_at: now,
            canceled_at: None,
            nth: number - NUMBER_BEFORE,
            says: None,
            posts: Vec::new(),
        });
        Some(number.to_string())
    }

    /// The order that was bought by the same request before.
    fn replayed(
        &self,
        request: &Request,
        inputs: &BTreeMap<String, String>,
    ) -> Result<Option<String>, No> {
        let Some(request_id) = request.get("request_id").filter(|_| self.knows_own_ids) else {
            return Ok(None);
        };
        let is_it = |order: &&Order| order.input("request_id") == Some(request_id);
        let Some(order) = self.orders.iter().find(is_it) else { return Ok(None) };
        let is_same_service = request.get("service") == Some(&order.service.to_string());
        if order.inputs != *inputs || !is_same_service {
            let text = "This request id was used for another order";
            return Err(no(409, "request_conflict", text));
        }
        Ok(Some(order.id.clone()))
    }

    fn status(&mut self, request: &Request) -> Result<String, No> {
        let (now, is_json) = (self.now(), request.is_json);
        let (ids, is_many) = ids(request)?;
        let mut pairs = Vec::new();
        for id in ids {
            match self.order(id) {
                Some(order) => pairs.push((id, object(&order.status_pairs(now, is_json)))),
                None if is_many => pairs.push((id, error(&no_order().text))),
                None => return Err(no_order()),
            }
        }
        match pairs.pop() {
            Some((_, only)) if !is_many => Ok(only),
            last => Ok(object(&pairs.into_iter().chain(last).collect::<Vec<_>>())),
        }
    }

    /// The newest orders, all or those with one custom id.
    fn page(&self, request: &Request) -> Result<String, No> {
        let limit = request.get("limit").map_or(Some(PAGE), |text| text.parse().ok());
        let limit = limit.filter(|limit| *limit <= PAGE_MAX);
        let limit = limit.ok_or_else(|| no(400, "bad_request", "Incorrect request: limit"))?;
        let before = request.get("before").and_then(|id| id.parse().ok()).unwrap_or(i64::MAX);
        let custom_id = request.get("custom_id");
        let is_meant = |order: &&Order| {
            order.nth + NUMBER_BEFORE < before
                && (custom_id.is_none() || order.input("custom_id") == custom_id)
        };
        let now = self.now();
        let row = |order: &Order| {
            let id = &order.id;
            let mut pairs = vec![
                ("order", if request.is_json { quoted(id) } else { amount(id, true) }),
                ("service", order.service.to_string()),
                ("link", quoted(&order.link)),
                ("quantity", amount(&order.quantity.to_string(), request.is_json)),
                ("created", order.placed_at.to_string()),
            ];
            pairs.extend(order.input("custom_id").map(|id| ("custom_id", quoted(id))));
            pairs.extend(order.status_pairs(now, request.is_json));
            object(&pairs)
        };
        let rows = self.orders.iter().rev().filter(is_meant).take(limit);
        Ok(list(&rows.map(row).collect::<Vec<_>>()))
    }

    fn cancel(&mut self, request: &Request) -> Result<String, No> {
        let (ids, is_many) = ids(request)?;
        if !is_many {
            self.cancel_one(ids.first().copied().unwrap_or_default())?;
            return Ok(r#"{"success":true,"status":"success","cancel":1}"#.to_owned());
        }
        let mut rows = Vec::new();
        for id in ids {
            let cancel = match self.cancel_one(id) {
                Ok(()) => "1".to_owned(),
                Err(no) => error(&no.text),
            };
            rows.push(object(&[("order", amount(id, true)), ("cancel", cancel)]));
        }
        Ok(list(&rows))
    }

    fn cancel_one(&mut self, id: &str) -> Result<(), No> {
        let now = self.now();
        let refused = |text: &str| no(422, "not_cancelable", text);
        let order = self.order(id).ok_or_else(no_order)?;
        let (service, is_final) = (order.service, order.is_final(now));
        if !self.services.iter().any(|it| it.id == service && it.cancel) {
            return Err(refused("Orders of this service cannot be canceled"));
        }
        if is_final {
            return Err(refused("Order has ended already"));
        }
        if let Some(order) = self.order(id) {
            order.canceled_at.get_or_insert(now);
        }
        Ok(())
    }

    fn refill(&mut self, request: &Request) -> Result<String, No> {
        let (ids, is_many) = ids(request)?;
        if !is_many {
            let refill = self.refill_one(ids.first().copied().unwrap_or_default())?;
            let prefix = if request.is_json { "refill_" } else { "" };
            return Ok(object(&[("refill", quoted(&format!("{prefix}{refill}")))]));
        }
        let mut rows = Vec::new();
        for id in ids {
            let refill = match self.refill_one(id) {
                Ok(refill) => refill.to_string(),
                Err(no) => error(&no.text),
            };
            rows.push(object(&[("order", amount(id, true)), ("refill", refill)]));
        }
        Ok(list(&rows))
    }

    fn refill_one(&mut self, id: &str) -> Result<usize, No> {
        let now = self.now();
        let refused = |text: &str| no(422, "not_refillable", text);
        let order = self.order(id).ok_or_else(no_order)?;
        let (service, is_completed, id) =
            (order.service, order.is_completed(now), order.id.clone());
        if !self.services.iter().any(|it| it.id == service && it.refill) {
            return Err(refused("Orders of this service are not refilled"));
        }
        if !is_completed {
            return Err(refused("Order is not completed"));
        }
        let is_open = |it: &Refill| {
            it.order == id && ["Pending", "In progress"].contains(&refill_word(it, now))
        };
        if self.refills.iter().any(is_open) {
            return Err(refused("Order is being refilled already"));
        }
        self.refills.push(Refill { order: id, asked_at: now, status: None });
        Ok(self.refills.len())
    }

    fn refill_status(&self, request: &Request) -> Result<String, No> {
        let now = self.now();
        let word = |id: &str| self.refill_at(id).map(|at| refill_word(&self.refills[at], now));
        let unknown = || no(404, "refill_not_found", "Refill not found");
        if let Some(ids) = request.ids("refills") {
            let row = |id: &&str| {
                let status = word(id).map_or_else(|| error(&unknown().text), quoted);
                object(&[("refill", amount(id, true)), ("status", status)])
            };
            return Ok(list(&ids.iter().map(row).collect::<Vec<_>>()));
        }
        let id = request.get("refill").ok_or_else(|| missing("refill"))?;
        Ok(object(&[("status", quoted(word(id).ok_or_else(unknown)?))]))
    }

    /// Where a refill is in the list, by its number in either dialect.
    fn refill_at(&self, id: &str) -> Option<usize> {
        let number: usize = id.strip_prefix("refill_").unwrap_or(id).parse().ok()?;
        number.checked_sub(1).filter(|at| *at < self.refills.len())
    }
}

/// The ids a request is about, and whether it is answered as one about many.
fn ids(request: &Request) -> Result<(Vec<&str>, bool), No> {
    let many = request.ids("orders");
    let is_many = many.is_some() || request.get("order").is_some_and(|text| text.contains(','));
    let ids = many.or_else(|| request.ids("order")).ok_or_else(|| missing("order"))?;
    match ids.len() {
        0 => Err(missing("order")),
        1..=IDS_MAX => Ok((ids, is_many)),
        _ => Err(no(400, "bad_request", "Incorrect request: too many orders")),
    }
}

/// The quantity of one run, and the units charged for.
fn counted(service: &Service, request: &Request) -> Result<(i64, i64), No> {
    if let Some(field) = service.needs().iter().find(|field| request.get(field).is_none()) {
        return Err(missing(field));
    }
    let number = |field: &str| -> Result<i64, No> {
        let text = request.get(field).ok_or_else(|| missing(field))?;
        text.parse().map_err(|_| no(400, "bad_request", format!("Incorrect request: {field}")))
    };
    let quantity = match service.counting() {
        Counting::Posts => return Ok((0, 0)),
        Counting::Piece => return Ok((1, 1)),
        Counting::Quantity => number("quantity")?,
        Counting::Lines(field) => {
            let text = request.get(field).ok_or_else(|| missing(field))?;
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            i64::try_from(lines.count()).unwrap_or(i64::MAX)
        }
    };
    if quantity < service.min {
        let text = format!("Quantity less than minimal {}", service.min);
        return Err(no(422, "quantity_below", text));
    }
    if quantity > service.max {
        let text = format!("Quantity more than maximum {}", service.max);
        return Err(no(422, "quantity_above", text));
    }
    let runs = if request.get("runs").is_some() { number("runs")? } else { 1 };
    let units = quantity.checked_mul(runs).filter(|units| *units > 0);
    units.map(|units| (quantity, units)).ok_or_else(|| missing("runs"))
}

/// What `add` answers.
fn bought(id: String, is_json: bool) -> Answer {
    let body = match is_json {
        true => object(&[("order", quoted(&id)), ("currency", quoted("USD"))]),
        false => object(&[("order", amount(&id, true))]),
    };
    Answer { body, added: Some(id) }
}

/// The word for a refill now.
fn refill_word(refill: &Refill, now: i64) -> &str {
    let (begins, ends) = REFILL_TIMES;
    let age = now - refill.asked_at;
    let by_age = if age < begins { "Pending" } else { "In progress" };
    let by_age = if age < ends { by_age } else { "Completed" };
    refill.status.as_deref().unwrap_or(by_age)
}
