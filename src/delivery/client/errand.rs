//! What is asked about an order that runs: to cancel it, to refill it, how the refill stands.
//!
//! None of it moves money: a cancel that was asked for is believed when the status says so.

use super::request::Fields;
use super::{CallError, Client, Fault};
use crate::delivery::json::Json;
use crate::delivery::outcome::{Body, id_of};
use crate::domain::outcome::Family;
use crate::domain::refill::RefillStatus;

/// What they say to a cancel request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelSaid {
    /// They have it; their status will tell.
    Asked,
    Refused(String),
    /// Worth asking again.
    Unclear(String),
}

/// What they say to a refill request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefillSaid {
    /// They do it, under this number of theirs, if they say one.
    Asked {
        their_id: Option<String>,
    },
    Refused(String),
    /// Worth asking again.
    Unclear(String),
}

/// How a refill stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefillReport {
    Status(RefillStatus),
    /// An error text, or a word that nobody knows.
    Unclear(String),
}

/// What a request came to, whatever it was for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reply {
    /// The value that was answered, or just success.
    Done(Option<String>),
    Refused(String),
    /// An error for the call as a whole: it may not have been understood.
    Error(String),
    Unclear,
}

impl Client {
    /// Asks to cancel an order: by the plural that most panels know, and where that is not
    /// understood by the singular.
    ///
    /// # Errors
    /// Where nothing was said; it is worth asking again.
    pub fn cancel(&self, id: &str) -> Result<CancelSaid, CallError> {
        let first = self.request("cancel", ("orders", id))?;
        let reply = match first {
            Reply::Done(_) | Reply::Refused(_) => first,
            Reply::Error(text) if is_passing(&text) => return Ok(CancelSaid::Unclear(text)),
            Reply::Error(_) | Reply::Unclear => self.request("cancel", ("order", id))?,
        };
        Ok(match reply {
            Reply::Done(_) => CancelSaid::Asked,
            Reply::Error(text) if is_passing(&text) => CancelSaid::Unclear(text),
            Reply::Refused(text) | Reply::Error(text) => CancelSaid::Refused(text),
            Reply::Unclear => CancelSaid::Unclear("The answer is not clear".to_owned()),
        })
    }

    /// Asks to deliver again what dropped of an order.
    ///
    /// # Errors
    /// Where nothing was said.
    pub fn refill(&self, id: &str) -> Result<RefillSaid, CallError> {
        Ok(match self.request("refill", ("order", id))? {
            Reply::Done(their_id) => RefillSaid::Asked { their_id },
            Reply::Error(text) if is_passing(&text) => RefillSaid::Unclear(text),
            Reply::Refused(text) | Reply::Error(text) => RefillSaid::Refused(text),
            Reply::Unclear => RefillSaid::Unclear("The answer is not clear".to_owned()),
        })
    }

    /// Asks how a refill stands, by their number.
    ///
    /// # Errors
    /// Where nothing was said of it.
    pub fn refill_status(&self, id: &str) -> Result<RefillReport, CallError> {
        let fields = Fields::none().with("refill", id);
        self.ask(&self.question("refill_status", fields), |json| {
            let status = refill_word(json, id).ok_or_else(|| self.nothing(json, "status"))?;
            Ok(match status {
                Ok(word) => refill_status(&word)
                    .map_or_else(|| RefillReport::Unclear(self.shown(&word)), RefillReport::Status),
                Err(text) => RefillReport::Unclear(self.shown(&text)),
            })
        })
    }

    /// Asks for something about one order, named by that field.
    fn request(
        &self,
        action: &'static str,
        named: (&'static str, &str),
    ) -> Result<Reply, CallError> {
        let (field, id) = named;
        let mut question = self.question(action, Fields::none().with(field, id));
        question.is_reading = false;
        match self.ask(&question, |json| Ok(reply(json, action, id))) {
            Ok(Reply::Refused(text)) => Ok(Reply::Refused(self.shown(&text))),
            Ok(Reply::Error(text)) => Ok(Reply::Error(self.shown(&text))),
            Ok(reply) => Ok(reply),
            // A status that a Panelite and its like give to what cannot be done.
            Err(error) if is_refusal(&error) => Ok(Reply::Error(error.text)),
            Err(error) => Err(error),
        }
    }
}

fn is_refusal(error: &CallError) -> bool {
    let is_usual = matches!(error.http, Some(400 | 402 | 404 | 409 | 410 | 422));
    matches!(error.fault, Fault::Said(_)) && is_usual
}

/// Whether an error says nothing of the order, and may be gone by the next time.
fn is_passing(text: &str) -> bool {
    match Family::of(text, &[]) {
        Family::Trouble | Family::Replay | Family::Key | Family::Busy => true,
        Family::Funds
        | Family::Duplicate
        | Family::Service
        | Family::Quantity
        | Family::Link
        | Family::Other => false,
    }
}

/// Reads what was said of one order. `name` is what the value is called, like the action.
fn reply(json: &Json, name: &str, id: &str) -> Reply {
    let named = |item: &&Json| item.get("order").and_then(id_of).is_some_and(|it| it == id);
    let wrapped = json.get("data").unwrap_or(json);
    let items = json.list().or_else(|| wrapped.list());
    if let Some(items) = items {
        let found = items.iter().find(named).map(|item| of_item(item, name));
        return found.unwrap_or(Reply::Unclear);
    }
    if let Some(item) = json.get(id).or_else(|| wrapped.get(id)) {
        let is_object = matches!(item, Json::Object(_));
        return if is_object { of_item(item, name) } else { of_value(item) };
    }
    let body = Body::of(json);
    if let Some(text) = body.texts.first() {
        return Reply::Error(text.clone());
    }
    if body.has_error {
        return Reply::Unclear;
    }
    let value = body.layers.iter().find_map(|layer| layer.get(name));
    if let Some(value) = value {
        return of_value(value);
    }
    let is_word = |json: &Json| json.text().is_some_and(|it| it.eq_ignore_ascii_case("success"));
    let is_done = body.layers.iter().any(|layer| {
        layer.get("success").is_some_and(|it| !it.is_no())
            || layer.get("status").is_some_and(|it| is_word(it) || *it == Json::Bool(true))
            || layer.get("order").and_then(id_of).is_some_and(|it| it == id)
    });
    let bare = json.get("data").filter(|data| data.scalar().is_some()).map(of_value);
    match (bare, is_done) {
        (Some(reply @ Reply::Done(Some(_))), _) if name == "refill" => reply,
        (_, true) => Reply::Done(None),
        (_, false) => Reply::Unclear,
    }
}

/// What one item of a list says.
fn of_item(item: &Json, name: &str) -> Reply {
    match (item.get(name), Body::of(item).texts.first()) {
        (Some(value), None) => of_value(value),
        (_, Some(text)) => Reply::Refused(text.clone()),
        (None, None) => Reply::Unclear,
    }
}

/// What stands under the action's own name: a number, an error, or just that it is done.
fn of_value(value: &Json) -> Reply {
    if let Some(text) = Body::of(value).texts.first() {
        return Reply::Refused(text.clone());
    }
    let is_success = value.text().is_some_and(|it| it.eq_ignore_ascii_case("success"));
    match id_of(value) {
        _ if is_success || *value == Json::Bool(true) => Reply::Done(None),
        Some(id) => Reply::Done(Some(id)),
        None => Reply::Unclear,
    }
}

/// A refill's status by their word.
fn refill_status(word: &str) -> Option<RefillStatus> {
    let word = word.to_lowercase().replace([' ', '_', '-'], "");
    Some(match word.as_str() {
        "pending" | "queued" | "awaiting" | "waiting" | "new" | "submitted" => {
            RefillStatus::Pending
        }
        "inprogress" | "processing" | "active" | "running" | "started" => RefillStatus::InProgress,
        "completed" | "complete" | "success" | "done" | "finished" => RefillStatus::Completed,
        "rejected" | "declined" | "canceled" | "cancelled" | "refused" => RefillStatus::Rejected,
        "error" | "failed" | "fail" => RefillStatus::Error,
        _ => return None,
    })
}

/// The word for a refill, or the error about it.
fn refill_word(json: &Json, id: &str) -> Option<Result<String, String>> {
    let bare = |id: &str| id.strip_prefix("refill_").unwrap_or(id).to_owned();
    let named =
        |item: &&Json| item.get("refill").and_then(id_of).is_some_and(|it| bare(&it) == bare(id));
    let wrapped = json.get("data").unwrap_or(json);
    let item = match json.list().or_else(|| wrapped.list()) {
        Some(items) => items.iter().find(named)?,
        None => json.get(id).or_else(|| wrapped.get(id)).unwrap_or(wrapped),
    };
    let status = item.get("status");
    // A word such as "Error" is a status here, whatever message stands beside it.
    let error = item.get("error").or_else(|| status?.get("error"));
    if let Some(error) = error.filter(|error| !error.is_no()) {
        return Some(Err(error.text().unwrap_or("An error without a text").to_owned()));
    }
    status
        .and_then(Json::text)
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .map(|it| Ok(it.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::json;

    fn body(text: &str) -> Json {
        json::read(text.as_bytes()).unwrap().json
    }

    #[test]
    fn a_cancel_is_asked_refused_or_unclear() {
        let refused = |text: &str| Reply::Refused(text.to_owned());
        for (text, expected) in [
            (r#"[{"order":9,"cancel":1}]"#, Reply::Done(Some("1".to_owned()))),
            (r#"[{"order":"9","cancel":{"error":"Too late"}}]"#, refused("Too late")),
            (r#"[{"order":8,"cancel":1}]"#, Reply::Unclear),
            (r#"[{"cancel":1}]"#, Reply::Unclear),
            (r#"{"data":[{"order":9,"cancel":true}]}"#, Reply::Done(None)),
            (r#"{"success":true,"refunded":2.50}"#, Reply::Done(None)),
            (r#"{"success":"Order is being canceled"}"#, Reply::Done(None)),
            (r#"{"status":"success"}"#, Reply::Done(None)),
            (r#"{"order":9}"#, Reply::Done(None)),
            (r#"{"order":8}"#, Reply::Unclear),
            (r#"{"cancel":0}"#, Reply::Unclear),
            (r#"{"success":false}"#, Reply::Unclear),
            (r#"{"error":"Incorrect request"}"#, Reply::Error("Incorrect request".to_owned())),
            (r#"{"status":"fail","message":"No"}"#, Reply::Error("No".to_owned())),
            ("{}", Reply::Unclear),
        ] {
            assert_eq!(reply(&body(text), "cancel", "9"), expected, "{text}");
        }
    }

    #[test]
    fn a_refill_has_a_number_or_just_success() {
        let done = |id: &str| Reply::Done(Some(id.to_owned()));
        for (text, expected) in [
            (r#"{"refill":17}"#, done("17")),
            (r#"{"refill":"refill_17"}"#, done("refill_17")),
            (r#"{"data":{"refill":"17"}}"#, done("17")),
            (r#"{"data":17}"#, done("17")),
            (r#"[{"order":9,"refill":17}]"#, done("17")),
            (r#"{"refill":true}"#, Reply::Done(None)),
            (r#"{"refill":"Success"}"#, Reply::Done(None)),
            (r#"{"status":"success"}"#, Reply::Done(None)),
            (r#"{"refill":0}"#, Reply::Unclear),
            (r#"{"refill":{"error":"No"}}"#, Reply::Refused("No".to_owned())),
            (r#"{"refill":17,"error":"No"}"#, Reply::Error("No".to_owned())),
        ] {
            assert_eq!(reply(&body(text), "refill", "9"), expected, "{text}");
        }
    }

    #[test]
    fn a_refill_stands_by_a_word() {
        for (text, expected) in [
            (r#"{"status":"Completed"}"#, Some(Ok("Completed"))),
            (r#"{"data":{"status":"In_progress"}}"#, Some(Ok("In_progress"))),
            (r#"[{"refill":17,"status":"Rejected"}]"#, Some(Ok("Rejected"))),
            (r#"[{"refill":18,"status":"Rejected"}]"#, None),
            (
                r#"[{"refill":17,"status":{"error":"Refill not found"}}]"#,
                Some(Err("Refill not found")),
            ),
            (r#"{"error":"Refill not found"}"#, Some(Err("Refill not found"))),
            (r#"{"status":"Error"}"#, Some(Ok("Error"))),
            ("{}", None),
        ] {
            let expected = expected.map(|it| it.map(str::to_owned).map_err(str::to_owned));
            assert_eq!(refill_word(&body(text), "refill_17"), expected, "{text}");
        }
        for (word, status) in [
            ("In progress", Some(RefillStatus::InProgress)),
            ("CANCELED", Some(RefillStatus::Rejected)),
            ("on-hold", None),
        ] {
            assert_eq!(refill_status(word), status, "{word}");
        }
    }
}
