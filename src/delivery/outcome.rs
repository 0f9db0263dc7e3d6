//! What an answer to `add` means: a pure table.
//!
//! An order counts as refused or as not sent only where a line of the table says so. All else, and
//! whatever contradicts itself, may have arrived: a person decides.

use super::http::{Answer, Failure};
use super::json::{self, Json};
use super::mask::{ANSWER_LENGTH_MAX, Mask};
use crate::domain::outcome::{Family, Outcome};

const ID_LENGTH_MAX: usize = 64;

/// What stands around the answer proper, and what it may be called itself.
const WRAPPERS: &[&str] = &["data", "result", "response"];
const ORDER_KEYS: &[&str] = &["order", "order_id", "orderId"];

/// Words that look like an id and are none.
const NO_IDS: &[&str] = &[
    "null",
    "none",
    "nil",
    "nan",
    "undefined",
    "false",
    "true",
    "error",
    "fail",
    "failed",
    "success",
    "ok",
    "done",
    "pending",
];

/// What an answer is an answer to.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// What the customer wrote: the link and the inputs.
    pub own: &'a [&'a str],
    /// Whether our own ids went with it: a Panelite then cannot buy twice.
    pub has_ids: bool,
    pub mask: &'a Mask,
}

/// What an HTTP status allows a body to mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Allowed {
    /// An acceptance or a refusal.
    Anything,
    Refusal,
    /// A refusal, which is about our key.
    KeyRefusal,
    /// A refusal of a family that we know: a moved address answers "Not found" to everything.
    NamedRefusal,
    Nothing,
}

impl Allowed {
    fn by(status: u16) -> Self {
        match status {
            200..=202 => Self::Anything,
            400 | 402 | 409 | 410 | 422 => Self::Refusal,
            401 => Self::KeyRefusal,
            403 | 404 => Self::NamedRefusal,
            _ => Self::Nothing,
        }
    }
}

/// Reads what became of an order.
pub fn read(result: &Result<Answer, Failure>, sent: &Sent<'_>) -> Outcome {
    match result {
        Err(failure @ Failure::NotSent(_)) => Outcome::NotSent { answer: failure.to_string() },
        Err(failure @ Failure::Unknown(_)) => Outcome::Unknown { answer: failure.to_string() },
        Ok(answer) => Reader { answer, sent }.read(),
    }
}

struct Reader<'a> {
    answer: &'a Answer,
    sent: &'a Sent<'a>,
}

impl Reader<'_> {
    fn read(&self) -> Outcome {
        let document = match json::read(&self.answer.body) {
            Ok(document) if document.repeats => return self.unknown("A key is repeated"),
            Ok(document) => document,
            Err(_) if self.is_busy_by_status() => return self.busy(false, None),
            Err(unreadable) => return self.unknown(&unreadable.to_string()),
        };
        let said = Body::of(&document.json);
        let id = match said.id() {
            Ok(id) => id,
            Err(flaw) => return self.unknown(flaw),
        };
        match id {
            None if self.is_busy_by_status() => self.busy(false, said.texts.first()),
            None => self.refusal(&said.texts),
            Some(_) if said.has_error => self.unknown("It names an order and an error"),
            Some(id) if Allowed::by(self.answer.status) == Allowed::Anything => self.accepted(id),
            Some(_) => self.unknown("It names an order"),
        }
    }

    /// Whether the status alone says that nothing was done.
    fn is_busy_by_status(&self) -> bool {
        let is_promise = self.answer.code.as_deref() == Some("busy") && self.sent.has_ids;
        self.answer.status == 429 || self.answer.status == 503 && is_promise
    }

    fn accepted(&self, their_id: String) -> Outcome {
        match self.sent.mask.cut(&their_id) == their_id {
            true => Outcome::Accepted { their_id },
            false => self.unknown("Its order id is our key"),
        }
    }

    fn refusal(&self, texts: &[String]) -> Outcome {
        let Some(text) = texts.first() else { return self.unknown("No order and no error") };
        let by_code = self.answer.code.as_deref().and_then(family_of_code);
        let families = texts.iter().map(|text| Family::of(text, self.sent.own));
        let families: Vec<Family> = families.collect();
        let is_doubtful = |family: &Family| matches!(family, Family::Trouble | Family::Replay);
        let family = match (by_code, families.iter().find(|family| is_doubtful(family))) {
            (Some(family), _) => family,
            (None, Some(doubtful)) => *doubtful,
            (None, None) => families.first().copied().unwrap_or(Family::Other),
        };
        let is_allowed = match Allowed::by(self.answer.status) {
            Allowed::Anything | Allowed::Refusal | Allowed::KeyRefusal => true,
            Allowed::NamedRefusal => family != Family::Other,
            Allowed::Nothing => false,
        };
        if !is_allowed || is_doubtful(&family) {
            return self.unknown_text(text);
        }
        let is_about_key = Allowed::by(self.answer.status) == Allowed::KeyRefusal;
        let family = if is_about_key { Family::Key } else { family };
        if family == Family::Busy {
            return self.busy(by_code.is_none(), Some(text));
        }
        Outcome::Refused { family, answer: self.shown(text) }
    }

    fn busy(&self, is_only_said: bool, text: Option<&String>) -> Outcome {
        let status = format!("HTTP {}", self.answer.status);
        let answer = text.map_or(status, |text| self.shown(text));
        Outcome::Busy { retry_after: self.answer.retry_after, is_only_said, answer }
    }

    /// Unknown, with what is odd about the answer, and the answer.
    fn unknown(&self, flaw: &str) -> Outcome {
        let body = String::from_utf8_lossy(&self.answer.body);
        let answer = self.shown(&format!("HTTP {}: {flaw}: {body}", self.answer.status));
        Outcome::Unknown { answer: answer.trim_end_matches([':', ' ']).to_owned() }
    }

    fn unknown_text(&self, text: &str) -> Outcome {
        let answer = match self.answer.status {
            200 => self.shown(text),
            status => self.shown(&format!("HTTP {status}: {text}")),
        };
        Outcome::Unknown { answer }
    }

    fn shown(&self, text: &str) -> String {
        self.sent.mask.excerpt(text, ANSWER_LENGTH_MAX)
    }
}

/// The family of a Panelite's own error code, if it can be one of an order.
fn family_of_code(code: &str) -> Option<Family> {
    Some(match code {
        "bad_request" | "unknown_action" | "refused" => Family::Other,
        "invalid_key" | "suspended" | "address_refused" => Family::Key,
        "service_not_found" => Family::Service,
        "bad_link" => Family::Link,
        "duplicate_order" => Family::Duplicate,
        "quantity_below" | "quantity_above" => Family::Quantity,
        "insufficient_funds" => Family::Funds,
        "request_conflict" => Family::Replay,
        "rate_limited" | "busy" => Family::Busy,
        "internal" => Family::Trouble,
        _ => return None,
    })
}

/// What a body says, wherever in it.
pub(super) struct Body<'a> {
    /// The objects that may say it, from the outermost in.
    pub(super) layers: Vec<&'a Json>,
    /// The error texts.
    pub(super) texts: Vec<String>,
    /// Whether there is any sign of an error, a text or not.
    pub(super) has_error: bool,
}

impl<'a> Body<'a> {
    pub(super) fn of(json: &'a Json) -> Self {
        let mut layers = Vec::new();
        collect_layers(json, &mut layers);
        let mut said = Self { layers, texts: Vec::new(), has_error: false };
        for layer in said.layers.clone() {
            said.note_errors(layer);
        }
        said
    }

    fn note_errors(&mut self, layer: &Json) {
        if let Some(error) = layer.get("error").filter(|error| !error.is_no()) {
            self.has_error = true;
            self.note_text(error.text().or_else(|| error.get("message")?.text()));
        }
        if let Some(errors) = layer.get("errors") {
            self.has_error |= !errors.is_no() && errors.list().is_none_or(|list| !list.is_empty());
            self.note_text(errors.list().and_then(|errors| errors.first()?.text()));
        }
        let is_error_word = |word: &str| {
            matches!(word.to_lowercase().as_str(), "error" | "fail" | "failed" | "false")
        };
        let is_word =
            |json: &Json| *json == Json::Bool(false) || json.text().is_some_and(is_error_word);
        let is_false = |json: &Json| {
            *json == Json::Bool(false) || json.text().is_some_and(|text| text == "false")
        };
        let is_failed =
            layer.get("status").is_some_and(is_word) || layer.get("success").is_some_and(is_false);
        if is_failed {
            self.has_error = true;
            self.note_text(layer.get("message").or_else(|| layer.get("msg")).and_then(Json::text));
        }
        // Less than that makes no refusal, but an acceptance it is not.
        self.has_error |= layer.get("success").is_some_and(Json::is_no);
    }

    fn note_text(&mut self, text: Option<&str>) {
        let text = text.map(str::trim).filter(|text| !matches!(*text, "" | "0" | "false"));
        self.texts.extend(text.map(str::to_owned));
    }

    /// The one order that it names.
    fn id(&self) -> Result<Option<String>, &'static str> {
        let named =
            self.layers.iter().flat_map(|layer| ORDER_KEYS.iter().map(|key| layer.get(key)));
        let mut found: Option<String> = None;
        for json in named.flatten() {
            let Some(id) = id_of(json) else { return Err("Its order id is odd") };
            match &found {
                Some(other) if *other != id => return Err("It names two orders"),
                _ => found = Some(id),
            }
        }
        Ok(found)
    }
}

/// The object itself, the one item of a list, and what stands in a wrapper.
fn collect_layers<'a>(json: &'a Json, layers: &mut Vec<&'a Json>) {
    match json {
        Json::Object(_) => {
            layers.push(json);
            for wrapped in WRAPPERS.iter().filter_map(|key| json.get(key)) {
                collect_layers(wrapped, layers);
            }
        }
        Json::List(items) => {
            if let [item @ Json::Object(_)] = items.as_slice() {
                collect_layers(item, layers);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => {}
    }
}

/// An id of theirs: an integer from 1 on, also as `123.0`, or up to 64 letters, digits, `_`, `-`.
pub(super) fn id_of(json: &Json) -> Option<String> {
    let (text, is_number) = match json {
        Json::Number(text) => (text.as_str(), true),
        Json::Text(text) => (text.trim(), false),
        Json::Null | Json::Bool(_) | Json::List(_) | Json::Object(_) => return None,
    };
    let whole = match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    let is_digits = !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit());
    let fits = whole.len() <= ID_LENGTH_MAX;
    if is_digits {
        let is_zero = whole.bytes().all(|byte| byte == b'0');
        return (fits && !is_zero).then(|| whole.to_owned());
    }
    let is_token = !is_number
        && whole == text
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let is_word = NO_IDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    let is_id = is_token && fits && !is_word && !text.is_empty() && !text.starts_with('-');
    is_id.then(|| text.to_owned())
}
