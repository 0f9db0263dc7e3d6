//! The tolerant client of other panels: actions become requests, bodies become typed answers.
//!
//! This folder alone knows what things are called on a provider's wire. It never guesses by
//! position, takes nothing from an answer that contradicts itself, and lets no key out.

use std::fmt;
use std::time::Duration;

use super::calls::{Book, Call};
use super::http::{Agent, Answer, Failure, Reach, Request};
use super::json::{self, Document, Json};
use super::mask::{ANSWER_LENGTH_MAX, Mask};
use super::outcome::Body;
use crate::clock;
use crate::domain::Timestamp;
use crate::domain::outcome::Family;
use crate::domain::provider::Dialect;
use crate::secret::Secret;

mod balance;
mod catalogue;
mod errand;
mod figure;
mod order;
mod own;
mod request;
mod status;

pub use balance::Balance;
pub use catalogue::{Catalogue, Item};
pub use errand::{CancelSaid, RefillReport, RefillSaid};
pub use order::Purchase;
pub use own::Hit;
pub use status::{STATUSES_MAX, Said, Statuses};

use request::Fields;

const ANSWER_BYTES_MAX: usize = 1024 * 1024;
const CALL_SECONDS: std::ops::RangeInclusive<i64> = 1..=60;
/// Characters of a request that are looked at for the log.
const LOGGED_LENGTH_MAX: usize = 2000;

/// Where a provider is called, and how.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub url: String,
    pub key: Secret,
    pub dialect: Dialect,
    /// Whether http and addresses that are not public are permitted.
    pub is_insecure: bool,
    /// For a whole call, 1 to 60; the list of services may take two minutes.
    pub timeout_seconds: i64,
}

/// Calls one provider. Questions of all threads share two idle connections; an order, and what is
/// asked about one, never travels on a connection that was used before.
#[derive(Clone, Debug)]
pub struct Client {
    endpoint: Endpoint,
    mask: Mask,
    orders: Agent,
    reading: Agent,
    book: Book,
}

/// What went wrong with a call, for the lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Surely no byte has left us.
    NotSent,
    /// A byte has left us, and no whole answer came.
    NoAnswer,
    /// A status that is no success, without a text that explains it, or 5xx.
    Status,
    /// The body is not what such an answer looks like.
    Unreadable,
    /// They say 429.
    Busy,
    /// An error text of theirs.
    Said(Family),
}

/// A call that brought nothing. Shown, it is a sentence for the operator without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    pub fault: Fault,
    pub text: String,
    /// The HTTP status, if one came.
    pub http: Option<u16>,
    /// After how many seconds they want to hear of us again.
    pub retry_after: Option<i64>,
}

impl CallError {
    /// Whether the provider's machine is at fault, not our request: that is what its breaker
    /// counts.
    pub const fn is_failure(&self) -> bool {
        match self.fault {
            Fault::NotSent | Fault::NoAnswer | Fault::Status | Fault::Unreadable => true,
            Fault::Busy | Fault::Said(_) => false,
        }
    }

    /// The sentence, with who says it where that is the provider.
    pub fn told(&self) -> String {
        match self.fault {
            Fault::Said(_) => format!("The provider says: {}", self.text),
            Fault::NotSent | Fault::NoAnswer | Fault::Status | Fault::Unreadable | Fault::Busy => {
                self.text.clone()
            }
        }
    }

    /// Whether surely no byte has left us.
    pub const fn is_not_sent(&self) -> bool {
        matches!(self.fault, Fault::NotSent)
    }

    /// Whether they say that they do not know the action: then it need not be asked again.
    pub fn is_unknown_action(&self) -> bool {
        let text = self.text.to_lowercase();
        let is_denied =
            ["incorrect", "invalid", "unknown", "unsupported", "not found", "not exist"]
                .iter()
                .any(|word| text.contains(word));
        matches!(self.fault, Fault::Said(_)) && text.contains("action") && is_denied
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A call that is to be made.
struct Question {
    action: &'static str,
    fields: Fields,
    /// Whether it may travel on a connection that was used before.
    is_reading: bool,
    timeout: Duration,
    answer_bytes_max: usize,
}

/// A call that was made.
struct Asked {
    result: Result<Answer, Failure>,
    ms: i64,
}

impl Client {
    /// A client whose calls are written into that book.
    pub fn new(endpoint: &Endpoint, book: Book) -> Self {
        let reach = Reach { is_insecure: endpoint.is_insecure, root: None };
        Self {
            endpoint: endpoint.clone(),
            mask: Mask::new(&endpoint.key),
            orders: Agent::for_orders(&reach),
            reading: Agent::for_reading(&reach),
            book,
        }
    }

    /// What must not be seen of this provider's key.
    pub fn mask(&self) -> &Mask {
        &self.mask
    }

    /// A question, with the provider's time and the usual bound.
    fn question(&self, action: &'static str, fields: Fields) -> Question {
        let (first, last) = (*CALL_SECONDS.start(), *CALL_SECONDS.end());
        let seconds = self.endpoint.timeout_seconds.clamp(first, last);
        Question {
            action,
            fields,
            is_reading: true,
            timeout: Duration::from_secs(seconds.unsigned_abs()),
            answer_bytes_max: ANSWER_BYTES_MAX,
        }
    }

    /// Asks and reads the answer, and writes the call down.
    fn ask<T>(
        &self,
        question: &Question,
        read: impl FnOnce(&Json) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let asked = self.post(question);
        let answer = match &asked.result {
            Ok(answer) => self.document(answer).and_then(|document| read(&document.json)),
            Err(failure) => Err(of_failure(failure)),
        };
        let (outcome, is_answered) = match &answer {
            Ok(_) => ("ok", true),
            Err(error) => (word_of(error.fault), !error.is_failure()),
        };
        self.record(question, &asked, outcome, is_answered);
        answer
    }

    fn post(&self, question: &Question) -> Asked {
        let key = self.endpoint.key.expose();
        let body = question.fields.write(self.endpoint.dialect, key, question.action);
        let agent = if question.is_reading { &self.reading } else { &self.orders };
        let begun = clock::instant();
        let result = agent.post(&Request {
            url: &self.endpoint.url,
            content_type: request::content_type(self.endpoint.dialect),
            body: body.as_bytes(),
            timeout: question.timeout,
            answer_bytes_max: question.answer_bytes_max,
        });
        let ms = clock::instant().saturating_duration_since(begun).as_millis();
        Asked { result, ms: i64::try_from(ms).unwrap_or(i64::MAX) }
    }

    fn record(&self, question: &Question, asked: &Asked, outcome: &'static str, is_answered: bool) {
        let request = question.fields.write(self.endpoint.dialect, "***", question.action);
        let (http, answer) = match &asked.result {
            Ok(answer) => (Some(answer.status), String::from_utf8_lossy(&answer.body)),
            Err(failure) => (None, failure.to_string().into()),
        };
        tracing::debug!(
            action = question.action,
            ms = asked.ms,
            http,
            outcome,
            "called a provider"
        );
        self.book.record(Call {
            at: Timestamp(0),
            action: question.action,
            ms: asked.ms,
            http,
            outcome,
            is_answered,
            request: self.mask.excerpt(&request, LOGGED_LENGTH_MAX),
            answer: self.mask.excerpt(&answer, LOGGED_LENGTH_MAX),
        });
    }

    /// The JSON of an answer that succeeded; of another, why it did not.
    fn document(&self, answer: &Answer) -> Result<Document, CallError> {
        let error = |fault, text: &str| CallError {
            fault,
            text: self.mask.excerpt(text, ANSWER_LENGTH_MAX),
            http: Some(answer.status),
            retry_after: answer.retry_after,
        };
        let document = json::read(&answer.body);
        let status = answer.status;
        match (status, document) {
            (429, _) => Err(error(Fault::Busy, "Too many requests (HTTP 429)")),
            (200..=202, Ok(document)) if document.repeats => {
                Err(error(Fault::Unreadable, "A key is repeated in the answer"))
            }
            (200..=202, Ok(document)) => Ok(document),
            (200..=202, Err(unreadable)) => Err(error(Fault::Unreadable, &unreadable.to_string())),
            (_, Ok(document)) => match (status, Body::of(&document.json).texts.first()) {
                (500.., Some(text)) => Err(error(Fault::Status, &format!("HTTP {status}: {text}"))),
                (_, Some(text)) => Err(error(Fault::Said(Family::of(text, &[])), text)),
                (_, None) => Err(error(Fault::Status, &format!("HTTP {status}"))),
            },
            (_, Err(unreadable)) => {
                Err(error(Fault::Status, &format!("HTTP {status}: {unreadable}")))
            }
        }
    }

    /// Why an answer with status 200 brings nothing: its error text, or that it has none of `what`.
    fn nothing(&self, json: &Json, what: &str) -> CallError {
        let said = Body::of(json);
        let (fault, text) = match said.texts.first() {
            Some(text) => (Fault::Said(Family::of(text, &[])), text.clone()),
            None => (Fault::Unreadable, format!("The answer holds no {what}")),
        };
        let text = self.mask.excerpt(&text, ANSWER_LENGTH_MAX);
        CallError { fault, text, http: Some(200), retry_after: None }
    }

    /// A text of theirs as it may be kept.
    fn shown(&self, text: &str) -> String {
        self.mask.excerpt(text, ANSWER_LENGTH_MAX)
    }
}

fn of_failure(failure: &Failure) -> CallError {
    let fault = match failure {
        Failure::NotSent(_) => Fault::NotSent,
        Failure::Unknown(_) => Fault::NoAnswer,
    };
    CallError { fault, text: failure.to_string(), http: None, retry_after: None }
}

fn word_of(fault: Fault) -> &'static str {
    match fault {
        Fault::NotSent => "not sent",
        Fault::NoAnswer => "no answer",
        Fault::Status => "failed",
        Fault::Unreadable => "unreadable",
        Fault::Busy => "busy",
        Fault::Said(_) => "refused",
    }
}
