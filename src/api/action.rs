//! Flat fields → what the client wants done.
//!
//! Together with `wire.rs` the only place that knows what things are called on the wire. An action
//! is read whole before anything is looked up.

use super::fields::{self, Broken, Fields};
use crate::domain::input::{Input, parse_number};
use crate::domain::order::PublicStatus;
use crate::domain::placing::Details;
use crate::domain::refusal::OrderRefusal;
use crate::domain::{OrderId, RefillId, ServiceId, UserId, is_hidden};
use crate::store::links::ByLink;
use crate::store::orders::{By, Filter};
use crate::store::page::Cursor;
use crate::store::requests::RequestId;

const LIST_MAX: usize = 1000;
const SHORT_LIST_MAX: usize = 100;
const TEXT_LENGTH_MAX: usize = 128;
const PAGE_DEFAULT: usize = 50;
const PAGE_MAX: usize = 100;

/// What a client wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Show the catalogue; with all that is known about a service where `extended`.
    Services {
        /// Whether descriptions and the like are wanted.
        extended: bool,
    },
    Ask(Question),
    Do(Change),
}

/// What can be answered from a few rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Status(Asked<OrderId>),
    Statuses(Vec<Asked<OrderId>>),
    Orders(Page),
    RefillStatus(Asked<RefillId>),
    RefillStatuses(Vec<Asked<RefillId>>),
    Balance,
}

impl Question {
    /// Whether answering may take longer than other requests should wait.
    pub(super) fn is_long(&self) -> bool {
        match self {
            Self::Orders(_) => true,
            Self::Statuses(asked) => asked.len() > SHORT_LIST_MAX,
            Self::RefillStatuses(asked) => asked.len() > SHORT_LIST_MAX,
            Self::Status(_) | Self::RefillStatus(_) | Self::Balance => false,
        }
    }
}

/// Which of the caller's orders to show, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    limit: usize,
    before: Option<OrderId>,
    status: Option<PublicStatus>,
    link: Option<String>,
    custom_id: Option<String>,
}

impl Page {
    /// The page as the store is asked for it.
    pub(super) fn filter(self, user: UserId) -> Filter {
        let by = match (self.link, self.custom_id) {
            (None, None) => By::User(user),
            (link, custom_id) => By::Own { user, link: link.map(ByLink::Exactly), custom_id },
        };
        let from = self.before.map_or(Cursor::Newest, |id| Cursor::Older(id.0));
        Filter { status: self.status, by, from, limit: self.limit, hides_runs: true }
    }
}

/// What goes through the writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Add(Box<Add>),
    Cancel(Asked<OrderId>),
    Cancels(Vec<Asked<OrderId>>),
    Refill(Asked<OrderId>),
    Refills(Vec<Asked<OrderId>>),
}

/// An order to place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Add {
    /// Which service; `None` for text that is no id.
    pub service: Option<ServiceId>,
    pub details: Details,
    /// The id under which this buys once.
    pub request: Option<RequestId>,
    /// The client's own name for the order.
    pub custom_id: Option<String>,
}

/// An id as the client wrote it, and what it is; `None` for text that is no id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked<Id> {
    pub text: String,
    /// What it means.
    pub id: Option<Id>,
}

/// Why no action could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unclear {
    UnknownAction,
    Missing(&'static str),
    /// A parameter's value is not valid.
    Invalid(&'static str),
    /// A field of an order is not valid.
    Refused(OrderRefusal),
}

type Result<T> = std::result::Result<T, Unclear>;

/// The client's key, if the fields have one.
pub(super) fn key(fields: &Fields) -> std::result::Result<Option<&str>, Broken> {
    fields.text("key")
}

/// Whether the fields are those of an order, at first sight.
pub(super) fn is_add(fields: &Fields) -> bool {
    fields.text("action").is_ok_and(|action| action == Some("add"))
}

impl Action {
    /// Reads the action and all of its parameters. The header is another way to name the request.
    pub(super) fn read(fields: &Fields, idempotency_key: Option<&[u8]>) -> Result<Self> {
        let action = fields.lines("action").map_err(|Broken| Unclear::Invalid("action"))?;
        let action = match action {
            Some(action) => action.to_ascii_lowercase(),
            None if fields.has("refill") => "refillstatus".to_owned(),
            None => return Err(Unclear::Missing("action")),
        };
        match action.as_str() {
            "services" => {
                let extended = text(fields, "extended")?;
                Ok(Self::Services { extended: matches!(extended, Some("1" | "true")) })
            }
            "add" => {
                Add::read(fields, idempotency_key).map(|add| Change::Add(Box::new(add)).into())
            }
            "status" => one_or_many(fields, ORDER, Question::Status, Question::Statuses),
            "multistatus" | "multi_status" | "statuses" => {
                many(fields, ORDER).map(|asked| Question::Statuses(asked).into())
            }
            "orders" => read_page(fields).map(|page| Question::Orders(page).into()),
            "cancel" => one_or_many(fields, ORDER, Change::Cancel, Change::Cancels),
            "refill" => one_or_many(fields, ORDER, Change::Refill, Change::Refills),
            "refillstatus" | "refill_status" => {
                one_or_many(fields, REFILL, Question::RefillStatus, Question::RefillStatuses)
            }
            "balance" => Ok(Question::Balance.into()),
            _ => Err(Unclear::UnknownAction),
        }
    }
}

impl From<Question> for Action {
    fn from(question: Question) -> Self {
        Self::Ask(question)
    }
}

impl From<Change> for Action {
    fn from(change: Change) -> Self {
        Self::Do(change)
    }
}

impl Add {
    fn read(fields: &Fields, idempotency_key: Option<&[u8]>) -> Result<Self> {
        let service = match text(fields, "service")? {
            Some(service) => service,
            None => text(fields, "service_id")?.ok_or(Unclear::Missing("service"))?,
        };
        let service = id(service).map(ServiceId);
        let mut details = Details::default();
        let mut inputs: Vec<Input> = fields.names().filter_map(Input::from_stored).collect();
        inputs.sort_unstable_by_key(|input| *input as usize);
        for input in inputs {
            let name = input.as_str();
            let value = match input.is_number() {
                true => fields.text(name).map(|text| text.map(str::to_owned)),
                false => fields.lines(name).map(|text| text.map(|text| text.into_owned())),
            };
            if let Some(value) = value.map_err(|Broken| Unclear::Invalid(name))? {
                details.add(input, value).map_err(Unclear::Refused)?;
            }
        }
        let custom_id = short_text(fields, "custom_id")?;
        let name = named_request(fields, idempotency_key)?;
        let request = name.map(|text| RequestId::of(text, service, custom_id.as_deref(), &details));
        Ok(Self { service, details, request, custom_id })
    }
}

/// The request's id by any of its three names.
fn named_request(fields: &Fields, header: Option<&[u8]>) -> Result<Option<String>> {
    const HEADER: &str = "Idempotency-Key";
    for name in ["request_id", "idempotency_key"] {
        if let Some(text) = text(fields, name)? {
            return check_request_id(text, name).map(Some);
        }
    }
    let Some(bytes) = header else { return Ok(None) };
    // One that cannot be read must not be taken for none: a repeat would buy once more.
    let text = std::str::from_utf8(bytes).map_err(|_| Unclear::Invalid(HEADER))?;
    fields::given(text).map(|text| check_request_id(text, HEADER)).transpose()
}

fn check_request_id(text: &str, name: &'static str) -> Result<String> {
    let is_visible = !text.chars().any(|c| is_hidden(c) || c.is_whitespace());
    if is_visible && text.chars().count() <= TEXT_LENGTH_MAX {
        return Ok(text.to_owned());
    }
    Err(Unclear::Invalid(name))
}

fn read_page(fields: &Fields) -> Result<Page> {
    let limit = text(fields, "limit")?.map(parse_number);
    let limit = limit.map(|limit| limit.and_then(|limit| usize::try_from(limit).ok()));
    let limit = limit.unwrap_or(Some(PAGE_DEFAULT)).filter(|limit| (1..=PAGE_MAX).contains(limit));
    let limit = limit.ok_or(Unclear::Invalid("limit"))?;
    let before = text(fields, "before")?.map(|text| id(text).ok_or(Unclear::Invalid("before")));
    let status = text(fields, "status")?.map(PublicStatus::from_label);
    Ok(Page {
        limit,
        before: before.transpose()?.map(OrderId),
        status: status.map(|status| status.ok_or(Unclear::Invalid("status"))).transpose()?,
        link: text(fields, "link")?.map(str::to_owned),
        custom_id: text(fields, "custom_id")?.map(str::to_owned),
    })
}

/// What an action may name one of, or several: the two field names, and how its ids are written.
struct Noun<Id> {
    one: &'static str,
    many: &'static str,
    read: fn(&str) -> Option<Id>,
}

const ORDER: Noun<OrderId> =
    Noun { one: "order", many: "orders", read: |text| id(text).map(OrderId) };
const REFILL: Noun<RefillId> = Noun {
    one: "refill",
    many: "refills",
    read: |text| id(text.strip_prefix("refill_").unwrap_or(text)).map(RefillId),
};

/// The plural wins where both are there; a singular with commas is a list too.
fn one_or_many<Id, A: Into<Action>>(
    fields: &Fields,
    noun: Noun<Id>,
    one: fn(Asked<Id>) -> A,
    many_of: fn(Vec<Asked<Id>>) -> A,
) -> Result<Action> {
    let is_plural = fields.has(noun.many) || fields.has_entries(noun.many);
    let mut asked = many(fields, noun)?;
    if !is_plural && asked.len() == 1 {
        return Ok(one(asked.remove(0)).into());
    }
    Ok(many_of(asked).into())
}

fn many<Id>(fields: &Fields, noun: Noun<Id>) -> Result<Vec<Asked<Id>>> {
    let list = |name| fields.list(name).map_err(|Broken| Unclear::Invalid(name));
    let mut texts = list(noun.many)?;
    if texts.is_empty() {
        texts = list(noun.one)?;
    }
    if texts.is_empty() {
        return Err(Unclear::Missing(noun.one));
    }
    if texts.len() > LIST_MAX {
        return Err(Unclear::Invalid(noun.many));
    }
    let read = noun.read;
    Ok(texts.into_iter().map(|text| Asked { id: read(&text), text }).collect())
}

/// An id: plain digits, from 1, below 2^31.
fn id(text: &str) -> Option<i64> {
    let is_plain = text.starts_with(|first| matches!(first, '1'..='9'));
    text.parse().ok().filter(|number| is_plain && *number <= i64::from(i32::MAX))
}

fn text<'a>(fields: &'a Fields, name: &'static str) -> Result<Option<&'a str>> {
    fields.text(name).map_err(|Broken| Unclear::Invalid(name))
}

/// A short text on one line.
fn short_text(fields: &Fields, name: &'static str) -> Result<Option<String>> {
    let Some(text) = text(fields, name)? else { return Ok(None) };
    let is_short = text.chars().count() <= TEXT_LENGTH_MAX && !text.chars().any(is_hidden);
    if is_short { Ok(Some(text.to_owned())) } else { Err(Unclear::Invalid(name)) }
}
