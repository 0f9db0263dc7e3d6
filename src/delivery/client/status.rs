//! How orders stand, as a provider says it.
//!
//! Answers are found by id: in an object by id, in a list whose items name theirs, one bare object
//! only if one order was asked about. Never by position. What we did not ask about is dropped, and
//! so is an order of which two different things are said.

use super::balance::currency;
use super::figure::{amount, count};
use super::request::Fields;
use super::{CallError, Client, Fault};
use crate::delivery::json::Json;
use crate::delivery::outcome::{Body, id_of};
use crate::domain::money::Money;
use crate::domain::outcome::Family;

/// As many ids as go into one question.
pub const STATUSES_MAX: usize = 100;
const WORD_LENGTH_MAX: usize = 40;
const WRAPPERS: &[&str] = &["data", "orders", "result", "response"];

/// What is said of one order. What is missing or unclear is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Their word for its status.
    pub word: String,
    /// In their currency.
    pub charge: Option<Money>,
    pub currency: Option<String>,
    pub start_count: Option<i64>,
    /// Not below 0.
    pub remains: Option<i64>,
    pub service: Option<String>,
    pub link: Option<String>,
    pub quantity: Option<String>,
    /// The orders that a subscription has led to, by their numbers.
    pub orders: Vec<String>,
}

/// By the ids that were asked about, what is said of each, or the error text for it. What nothing
/// usable is said of is missing.
pub type Statuses = Vec<(String, Result<Said, String>)>;

impl Client {
    /// Asks about at most [`STATUSES_MAX`] orders at once.
    ///
    /// # Errors
    /// Where nothing usable is said of any of them.
    pub fn statuses(&self, ids: &[String]) -> Result<Statuses, CallError> {
        let fields = Fields::none().with("orders", ids.join(","));
        self.ask(&self.question("status", fields), |json| self.read_statuses(json, ids))
    }

    /// Asks about one order.
    ///
    /// # Errors
    /// Where nothing usable is said of it; an error text about the order itself is an answer.
    pub fn status(&self, id: &str) -> Result<Result<Said, String>, CallError> {
        let ids = [id.to_owned()];
        let fields = Fields::none().with("order", id);
        let found =
            self.ask(&self.question("status", fields), |json| self.read_statuses(json, &ids));
        match found {
            Ok(mut found) => match found.pop() {
                Some((_, said)) => Ok(said),
                // `read_statuses` returns no empty list.
                None => Err(self.nothing(&Json::Null, "status")),
            },
            Err(error) if is_about_order(&error) => Ok(Err(error.text)),
            Err(error) => Err(error),
        }
    }

    /// Reads what is said of these orders.
    pub(in crate::delivery) fn read_statuses(
        &self,
        json: &Json,
        ids: &[String],
    ) -> Result<Statuses, CallError> {
        let mut items = Vec::new();
        collect(json, ids, &mut items);
        let mut found: Statuses = Vec::new();
        for id in ids {
            let mut said = items.iter().filter(|(of, _)| of == id).map(|(_, item)| self.said(item));
            let first = said.next().flatten();
            let agrees = said.all(|other| other == first);
            found.extend(first.filter(|_| agrees).map(|said| (id.clone(), said)));
        }
        if !found.is_empty() {
            return Ok(found);
        }
        let error = self.nothing(json, "status");
        match ids {
            [id] if is_about_order(&error) => Ok(vec![(id.clone(), Err(error.text))]),
            _ => Err(error),
        }
    }

    /// What one item says; nothing where it holds neither a status nor an error.
    fn said(&self, item: &Json) -> Option<Result<Said, String>> {
        if let Json::Text(text) = item {
            return Some(Err(self.shown(text)));
        }
        let error = item.get("error").filter(|error| !error.is_no());
        if let Some(error) = error {
            let text = error.text().or_else(|| error.get("message")?.text());
            return Some(Err(self.shown(text.unwrap_or("An error without a text"))));
        }
        let scalar = |key: &str| item.get(key).and_then(Json::scalar).map(|it| self.shown(it));
        let word = item.get("status").and_then(Json::text).map(str::trim);
        match word.filter(|word| !word.is_empty()) {
            Some(word) => Some(Ok(Said {
                word: self.mask().excerpt(word, WORD_LENGTH_MAX),
                charge: item.get("charge").and_then(amount),
                currency: currency(item),
                start_count: item.get("start_count").and_then(count),
                remains: item.get("remains").and_then(count),
                service: scalar("service"),
                link: scalar("link"),
                quantity: scalar("quantity"),
                orders: orders(item),
            })),
            None => Body::of(item).texts.first().map(|text| Err(self.shown(text))),
        }
    }
}

/// Whether an error text is about the one order that was asked about, and not about us or them.
fn is_about_order(error: &CallError) -> bool {
    let text = error.text.to_lowercase();
    let is_usual = matches!(error.http, Some(200..=202 | 400 | 404 | 410 | 422));
    let is_named = text.contains("order") || text.contains("not found");
    error.fault == Fault::Said(Family::Other) && is_usual && is_named
}

/// The orders of a subscription: a list of ids, or a text with commas between them.
fn orders(item: &Json) -> Vec<String> {
    match item.get("orders") {
        Some(Json::List(ids)) => ids.iter().filter_map(id_of).collect(),
        Some(Json::Text(text)) => {
            let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty());
            ids.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// Which order an item names itself.
fn named(item: &Json) -> Option<String> {
    item.get("order").or_else(|| item.get("id")).and_then(id_of)
}

/// Whether an object is itself what is said of an order, and not what stands around that. "success"
/// is a word for an order only where something else is said of it.
fn is_bare(json: &Json) -> bool {
    let Some(word) = json.get("status").and_then(Json::text) else { return false };
    let is_around = |json: &Json| match json {
        Json::Object(_) => true,
        // The orders of a subscription are listed by their ids alone.
        Json::List(items) => items.iter().any(|item| item.scalar().is_none()),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => false,
    };
    let has_figure = ["charge", "remains", "start_count"].iter().any(|key| json.get(key).is_some());
    let is_said = has_figure || !word.trim().eq_ignore_ascii_case("success");
    is_said && !WRAPPERS.iter().any(|key| json.get(key).is_some_and(is_around))
}

fn collect<'a>(json: &'a Json, ids: &[String], items: &mut Vec<(String, &'a Json)>) {
    match json {
        Json::Object(entries) => {
            let asked = entries.iter().filter(|(key, _)| ids.contains(key));
            items.extend(asked.map(|(key, item)| (key.clone(), item)));
            if let [id] = ids
                && is_bare(json)
                && named(json).is_none_or(|named| named == *id)
            {
                items.push((id.clone(), json));
            }
            for wrapped in WRAPPERS.iter().filter_map(|key| json.get(key)) {
                collect(wrapped, ids, items);
            }
        }
        Json::List(list) => {
            let named = list.iter().filter_map(|item| Some((named(item)?, item)));
            items.extend(named.filter(|(id, _)| ids.contains(id)));
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::calls::Calls;
    use crate::delivery::client::Endpoint;
    use crate::delivery::json;
    use crate::domain::ProviderId;
    use crate::domain::provider::Dialect;
    use crate::secret::Secret;

    /// What is said of the orders 5 and 6, or of 5 alone: a line for each.
    fn said(body: &str, ids: &[&str]) -> Vec<String> {
        let endpoint = Endpoint {
            url: "https://example.com/api/v2".to_owned(),
            key: Secret::new("0123456789abcdef".to_owned()),
            dialect: Dialect::Form,
            is_insecure: false,
            timeout_seconds: 30,
        };
        let client = Client::new(&endpoint, Calls::default().book(ProviderId(1)));
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let json = json::read(body.as_bytes()).unwrap().json;
        match client.read_statuses(&json, &ids) {
            Ok(found) => found
                .into_iter()
                .map(|(id, said)| match said {
                    Ok(said) => format!("{id} {} {:?}", said.word, said.remains),
                    Err(text) => format!("{id} error {text}"),
                })
                .collect(),
            Err(error) => vec![format!("{:?} {error}", error.fault)],
        }
    }

    #[test]
    fn orders_are_found_by_their_id_and_never_by_position() {
        let (a, b) =
            (r#""status":"Completed","remains":"0""#, r#""status":"Partial","remains":7.9"#);
        let both = ["5 Completed Some(0)", "6 Partial Some(7)"];
        for body in [
            format!(r#"{{"6":{{{b}}},"5":{{{a}}},"7":{{{a}}}}}"#),
            format!(r#"[{{"order":6,{b}}},{{"order":"5",{a}}},{{"order":7,{a}}}]"#),
            format!(r#"{{"data":{{"5":{{{a}}},"6":{{{b}}}}}}}"#),
            format!(r#"{{"status":"success","orders":[{{"id":5,{a}}},{{"id":6,{b}}}]}}"#),
        ] {
            assert_eq!(said(&body, &["5", "6"]), both, "{body}");
        }
        let nothing = ["Unreadable The answer holds no status"];
        for body in [
            format!("[{{{a}}},{{{b}}}]"),
            format!("{{{a}}}"),
            format!(r#"{{"7":{{{a}}}}}"#),
            "[]".to_owned(),
            r#"{"5":{"charge":1},"6":null}"#.to_owned(),
        ] {
            assert_eq!(said(&body, &["5", "6"]), nothing, "{body}");
        }
        // Two things are said of 5.
        let body = format!(r#"[{{"order":5,{a}}},{{"order":5,{b}}},{{"order":6,{b}}}]"#);
        assert_eq!(said(&body, &["5", "6"]), ["6 Partial Some(7)"]);
    }

    #[test]
    fn one_order_may_be_bare() {
        for (body, expected) in [
            (r#"{"status":"In progress","remains":"N/A"}"#, "5 In progress None"),
            (r#"{"status":"Pending","order":5}"#, "5 Pending None"),
            (r#"{"status":"Active","posts":2,"orders":["8","9"]}"#, "5 Active None"),
            (r#"{"status":"success","remains":0}"#, "5 success Some(0)"),
            (r#"{"status":"Pending","order":6}"#, "Unreadable The answer holds no status"),
            (r#"{"status":"success"}"#, "Unreadable The answer holds no status"),
            (r#"{"status":"success","data":{}}"#, "Unreadable The answer holds no status"),
            (r#"[{"status":"Pending"}]"#, "Unreadable The answer holds no status"),
            (r#"{"error":"Incorrect order ID"}"#, "5 error Incorrect order ID"),
            (r#"{"5":"Incorrect order ID"}"#, "5 error Incorrect order ID"),
            (r#"{"5":{"error":"No","status":"Completed"}}"#, "5 error No"),
            (r#"{"error":"Invalid API key 0123456789abcdef"}"#, "Said(Key) Invalid API key ***"),
        ] {
            assert_eq!(said(body, &["5"]), [expected], "{body}");
        }
    }

    #[test]
    fn an_error_for_all_is_none_for_each() {
        let error = r#"{"error":"Incorrect order ID"}"#;
        assert_eq!(said(error, &["5", "6"]), ["Said(Other) Incorrect order ID"]);
        let some = r#"{"5":{"error":"Incorrect order ID"},"6":"Nope"}"#;
        assert_eq!(said(some, &["5", "6"]), ["5 error Incorrect order ID", "6 error Nope"]);
    }
}
