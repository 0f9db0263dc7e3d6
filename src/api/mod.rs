//! `POST /api/v2`: the ways in, who asks, and what is done about it.
//!
//! bytes → `Fields` → `Caller` → `Action` → read or command → `wire` → bytes. Reads happen
//! on the worker's own thread, all from one moment, together with looking up the key; changes go
//! through the writer and are answered when they are safe on disk. An order of a caller who is
//! remembered goes to the writer at once.
//!
#![doc = include_str!("contract.md")]

mod action;
mod callers;
mod catalogue;
mod error;
mod fields;
mod limits;
mod wire;

use std::panic::AssertUnwindSafe;
use std::slice;
use std::sync::Arc;

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Bytes, Data, Payload, ServiceConfig};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use futures_util::FutureExt as _;

use crate::clock::Clock;
use crate::commands::accounts::RecordKeyUse;
use crate::commands::orders::{CancelOrders, PlaceOrder, RequestRefills};
use crate::config::TrustedProxies;
use crate::domain::Actor;
use crate::domain::refusal::{OrderRefusal, Refusal};
use crate::domain::setting::Limits;
use crate::request::{self, NoBody};
use crate::secret::KeyHash;
use crate::store::keys::Caller;
use crate::store::orders::{self, Origin};
use crate::store::services::PriceList;
use crate::store::{self, Command, IfCallersUnchanged, Point, Read, Store, drips, refills, users};
use crate::telemetry::RequestTag;

use action::{Action, Add, Asked, Change, Question, Unclear};
use callers::{Callers, Known, Seen};
use catalogue::{Catalogue, Hour, Wanted};
use error::{Error, Failure};
use fields::{Broken, Dialect, Fields};
use limits::Limiter;

/// Bytes that are read and thrown away of a body that is too large, so that its sender hears why.
const DISCARDED_MAX: usize = 16 * 1024 * 1024;

const ERROR_CODE: HeaderName = HeaderName::from_static("x-error-code");

/// What the API needs to answer.
pub struct Api {
    store: Arc<Store>,
    clock: Clock,
    proxies: TrustedProxies,
    limiter: Limiter,
    callers: Callers,
    catalogue: Catalogue,
}

impl Api {
    /// An API over a store.
    pub fn new(store: Arc<Store>, clock: Clock, proxies: TrustedProxies, limits: &Limits) -> Self {
        let (limiter, callers) = (Limiter::new(limits), Callers::default());
        Self { store, clock, proxies, limiter, callers, catalogue: Catalogue::default() }
    }

    /// Takes over limits that were set while we run.
    pub fn set_limits(&self, limits: &Limits) {
        self.limiter.set(limits);
    }
}

/// The routes of the API. Both spellings of the path answer; neither redirects.
pub fn routes(config: &mut ServiceConfig) {
    for path in ["/api/v2", "/api/v2/"] {
        config.route(path, web::route().to(v2));
    }
}

/// Anything that no route is for.
pub async fn not_found(request: HttpRequest) -> HttpResponse {
    respond_error(&request, Dialect::Json, &Error::NotFound)
}

async fn v2(request: HttpRequest, payload: Payload, api: Data<Api>) -> HttpResponse {
    if !matches!(*request.method(), Method::GET | Method::POST) {
        return respond_error(&request, Dialect::Json, &Error::MethodNotAllowed);
    }
    let body = match request::read_body(payload, DISCARDED_MAX).await {
        Ok(body) => body,
        Err(fault) => return respond_error(&request, Dialect::Json, &no_body(fault)),
    };
    let dialect = Dialect::of(&body);
    // One bad request must not take the connections of others with it.
    let answered = AssertUnwindSafe(answer(&request, dialect, body, &api)).catch_unwind().await;
    match answered.unwrap_or(Err(Error::Panicked)) {
        Ok(response) => response,
        Err(error) => respond_error(&request, dialect, &error),
    }
}

const fn no_body(fault: NoBody) -> Error {
    match fault {
        NoBody::TooLarge => Error::TooLarge,
        NoBody::Late => Error::Timeout,
        NoBody::Broken => Error::Unreadable,
    }
}

async fn answer(
    request: &HttpRequest,
    dialect: Dialect,
    body: Bytes,
    api: &Api,
) -> Result<HttpResponse, Error> {
    let headers = request.headers();
    if is_encoded(headers) {
        return Err(Error::Encoded);
    }
    let fields = Fields::read(dialect, headers, request.query_string(), body).await;
    let fields = fields.map_err(|fields::Unreadable| Error::Unreadable)?;
    let call = Call { request, dialect, fields: &fields };
    let mut remembered = api.recall(&call);
    let mut is_counted = remembered.is_some();
    loop {
        let next = match remembered.take() {
            Some(next) => next,
            None => api.store.point(|db| Ok(api.ask(db, &call, is_counted)))??,
        };
        let body = match next {
            Next::Answered(body) => Some(body),
            Next::Services(wanted) => return api.services(headers, wanted).await,
            Next::Page(caller, question) => {
                Some(api.page(move |db| reply(db, dialect, &caller.caller, question)).await?)
            }
            Next::Change(seen, change) => api.change(dialect, &seen, change).await?,
        };
        match body {
            Some(body) => return Ok(respond(StatusCode::OK, body)),
            // Something about the callers has changed: who asks is looked up once more.
            None => is_counted = true,
        }
    }
}

fn is_encoded(headers: &HeaderMap) -> bool {
    let encoding = headers.get(header::CONTENT_ENCODING);
    encoding.is_some_and(|name| !name.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// What a client sent.
struct Call<'a> {
    request: &'a HttpRequest,
    dialect: Dialect,
    fields: &'a Fields,
}

impl Call<'_> {
    /// The client's key, by any of its three ways in.
    fn key(&self) -> Result<Option<&str>, Error> {
        let headers = self.request.headers();
        let key = action::key(self.fields).map_err(|Broken| Error::Unreadable)?;
        Ok(key.or_else(|| text_header(headers, "x-api-key")).or_else(|| bearer(headers)))
    }

    fn action(&self) -> Result<Action, Unclear> {
        let idempotency_key = self.request.headers().get("idempotency-key");
        Action::read(self.fields, idempotency_key.map(HeaderValue::as_bytes))
    }
}

/// What is left to do once the caller is known and what is near has been read.
enum Next {
    Answered(Vec<u8>),
    Services(Wanted),
    Page(Arc<Known>, Question),
    Change(Seen, Change),
}

impl Api {
    /// An order of a caller who is remembered: it needs no look at the file, since the writer looks
    /// whether any caller has changed since. `None` for everything else and where anything is
    /// amiss; that is judged by what the file says.
    fn recall(&self, call: &Call<'_>) -> Option<Next> {
        if !action::is_add(call.fields) {
            return None;
        }
        let seen = self.callers.recall(&KeyHash::of(call.key().ok()??))?;
        match call.action() {
            Ok(Action::Do(change)) if self.admit(&seen.known, false).is_ok() => {
                Some(Next::Change(seen, change))
            }
            _ => None,
        }
    }

    /// Looks up who asks and reads what can be read at once.
    fn ask(&self, db: &Point<'_>, call: &Call<'_>, is_counted: bool) -> Result<Next, Error> {
        let (dialect, seen) = (call.dialect, self.authenticate(db, call)?);
        self.admit(&seen.known, is_counted)?;
        self.note_use(&seen.known);
        let caller = &seen.known.caller;
        match call.action()? {
            Action::Services { extended } => {
                let prices = PriceList {
                    version: db.versions()?.catalogue,
                    discount: caller.discount,
                    own: caller.has_custom_rates.then_some(caller.user),
                };
                let extended = extended.then(|| Hour::of(self.clock.now()));
                Ok(Next::Services(Wanted { prices, dialect, extended }))
            }
            Action::Ask(question) if question.is_long() => Ok(Next::Page(seen.known, question)),
            Action::Ask(question) => reply(db, dialect, caller, question).map(Next::Answered),
            Action::Do(change) => Ok(Next::Change(seen, change)),
        }
    }

    /// Who asks. A wrong key counts against its address.
    fn authenticate(&self, db: &Point<'_>, call: &Call<'_>) -> Result<Seen, Error> {
        let seen = match call.key()? {
            Some(key) => self.callers.find(db, KeyHash::of(key))?,
            None => None,
        };
        seen.ok_or_else(|| {
            let address = request::client_address(call.request, &self.proxies);
            let wrong = self.limiter.count_wrong_key(address);
            wrong.err().map_or(Error::InvalidKey, Error::RateLimited)
        })
    }

    /// Refuses the suspended and the too quick. A valid key counts only against itself, and once.
    fn admit(&self, known: &Known, is_counted: bool) -> Result<(), Error> {
        if known.caller.is_suspended {
            return Err(OrderRefusal::Suspended.into());
        }
        if !is_counted {
            self.limiter.count_key(known.caller.key).map_err(Error::RateLimited)?;
        }
        Ok(())
    }

    fn note_use(&self, known: &Known) {
        if known.is_due(self.clock.now(), RecordKeyUse::EVERY_SECONDS) {
            self.store.write_soon(RecordKeyUse { key: known.caller.key });
        }
    }

    /// Reads what may take a while on a thread that may wait.
    async fn page(
        &self,
        read: impl FnOnce(&Read<'_>) -> Result<Vec<u8>, Error> + Send + 'static,
    ) -> Result<Vec<u8>, Error> {
        let store = Arc::clone(&self.store);
        match web::block(move || store.page(|db| Ok(read(db)))).await {
            Ok(result) => result?,
            Err(_) => Err(Error::Store(store::Error::Busy)), // the server is stopping
        }
    }

    /// Runs the command behind an action. `None` where a caller has changed since this
    /// one was seen.
    async fn change(
        &self,
        dialect: Dialect,
        seen: &Seen,
        change: Change,
    ) -> Result<Option<Vec<u8>>, Error> {
        let Caller { user, key, ref currency, .. } = seen.known.caller;
        Ok(match change {
            Change::Add(add) => {
                let Add { service, details, request, custom_id } = *add;
                let origin = Origin { actor: Actor::Key(key), request, custom_id };
                let command = PlaceOrder { user, service, details, origin };
                let order = self.write(seen, command).await?;
                order.map(|order| wire::added(dialect, order, currency))
            }
            Change::Cancel(asked) => {
                let command = CancelOrders { user, key, orders: ids(slice::from_ref(&asked)) };
                let refunded = self.write(seen, command).await?.map(only).transpose()?;
                let canceled = refunded.zip(asked.id);
                canceled.map(|(refunded, order)| wire::canceled(dialect, order, refunded))
            }
            Change::Cancels(asked) => {
                let command = CancelOrders { user, key, orders: ids(&asked) };
                let results = self.write(seen, command).await?;
                results.map(|results| wire::cancels(with_results(&asked, results, unknown)))
            }
            Change::Refill(asked) => {
                let command = RequestRefills { user, orders: ids(slice::from_ref(&asked)) };
                let refill = self.write(seen, command).await?.map(only).transpose()?;
                refill.map(|refill| wire::refilled(dialect, refill))
            }
            Change::Refills(asked) => {
                let command = RequestRefills { user, orders: ids(&asked) };
                let results = self.write(seen, command).await?;
                results.map(|results| wire::refills(with_results(&asked, results, unknown)))
            }
        })
    }

    /// Runs a command if no caller has changed since this one was seen.
    async fn write<C: Command>(&self, seen: &Seen, command: C) -> store::Result<Option<C::Reply>> {
        let reply = self.store.write(IfCallersUnchanged { version: seen.callers, command }).await;
        if matches!(reply, Ok(Some(_)) | Err(store::Error::Refused(_))) {
            self.note_use(&seen.known);
        }
        reply
    }
}

/// Answers what can be answered from a few rows.
fn reply(
    db: &Read<'_>,
    dialect: Dialect,
    caller: &Caller,
    question: Question,
) -> Result<Vec<u8>, Error> {
    let (user, currency) = (caller.user, caller.currency.as_str());
    Ok(match question {
        Question::Balance => wire::balance(users::balance(db, user)?, currency),
        Question::Status(asked) => {
            let found = drips::find_told(db, user, &ids(slice::from_ref(&asked)))?;
            let told = found.first().and_then(Option::as_ref).ok_or(OrderRefusal::OrderNotFound)?;
            wire::status(dialect, told, currency)
        }
        Question::Statuses(asked) => {
            let found = drips::find_told(db, user, &ids(&asked))?;
            wire::statuses(dialect, &with_results(&asked, found, || None), currency)
        }
        Question::Orders(page) => {
            wire::orders(dialect, &orders::list(db, &page.filter(user))?, currency)
        }
        Question::RefillStatus(asked) => {
            let found = refills::find_statuses(db, user, &ids(slice::from_ref(&asked)))?;
            let status = found.first().copied().flatten().ok_or(OrderRefusal::RefillNotFound)?;
            wire::refill_status(status)
        }
        Question::RefillStatuses(asked) => {
            let found = refills::find_statuses(db, user, &ids(&asked))?;
            wire::refill_statuses(&with_results(&asked, found, || None))
        }
    })
}

/// What may be looked for: text that is no id stands for nothing.
fn ids<Id: Copy>(asked: &[Asked<Id>]) -> Vec<Id> {
    asked.iter().filter_map(|asked| asked.id).collect()
}

/// What was asked for with what became of it: a result for each that has an id, in their order.
fn with_results<Id, T>(
    asked: &[Asked<Id>],
    results: Vec<T>,
    unknown: impl Fn() -> T,
) -> Vec<(&Asked<Id>, T)> {
    let mut results = results.into_iter();
    let mut result = |asked: &Asked<Id>| asked.id.as_ref().and_then(|_| results.next());
    asked.iter().map(|asked| (asked, result(asked).unwrap_or_else(&unknown))).collect()
}

/// What becomes of an order whose number is no id.
fn unknown<T>() -> Result<T, Refusal> {
    Err(OrderRefusal::OrderNotFound.into())
}

/// The answer of a command that was given one order, or none where there was no id.
fn only<T>(results: Vec<Result<T, Refusal>>) -> Result<T, Error> {
    Ok(results.into_iter().next().unwrap_or_else(unknown)?)
}

/// What a header says that is plain text.
fn text_header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).and_then(fields::given)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = text_header(headers, "authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// An answer. Nobody may keep it: it is about money, and about one client.
fn respond(status: StatusCode, body: impl Into<Bytes>) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/json")))
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .body(body.into())
}

/// A failure, with the status that the dialect's clients can bear.
fn respond_error(request: &HttpRequest, dialect: Dialect, error: &Error) -> HttpResponse {
    let failure = Failure::of(error);
    if let Error::Store(fault @ store::Error::Storage(_)) = error {
        let extensions = request.extensions();
        let tag = extensions.get::<RequestTag>().map(RequestTag::to_string);
        tracing::error!(request_id = tag, error = %fault, "an API request failed");
    }
    let is_of_http = matches!(
        error,
        Error::NotFound | Error::MethodNotAllowed | Error::Timeout | Error::TooLarge
    );
    let bears_status = dialect == Dialect::Json
        || is_of_http
        || failure.status.is_server_error()
        || failure.status == StatusCode::TOO_MANY_REQUESTS;
    let status = if bears_status { failure.status } else { StatusCode::OK };
    let mut response = respond(status, wire::failure(&failure.text));
    let headers = response.headers_mut();
    headers.insert(ERROR_CODE, HeaderValue::from_static(failure.code));
    match status {
        StatusCode::UNAUTHORIZED => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        _ => {}
    }
    if let Error::RateLimited(seconds) = error {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
    }
    response
}
