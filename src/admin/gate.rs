//! The one door to every page: who asks, from where, and whether he may.
//!
//! [`serve`] is all that stands between a request and a handler, so no handler can forget any of
//! it: the origin of what changes something, the session, the token in the form, the password for
//! what touches money, keys or admins. On a route that wants the password, [`Cx::write`] itself
//! refuses to run a command until it was given.

use std::net::IpAddr;
use std::time::Duration;

use actix_web::http::{Method, header};
use actix_web::web::{BytesMut, Data, Payload};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, rt};
use futures_util::StreamExt as _;

use super::error::{self, PageError};
use super::form::Form;
use super::reply::{self, Answer};
use super::shell::{Looks, Nav, Shell, Theme, Toast};
use super::{Access, Admin, Route, cookies};
use crate::commands::admins::{ProvePassword, RecordSessionUse, StartLogin};
use crate::domain::setting::Setting;
use crate::domain::{Actor, Timestamp};
use crate::password::Verdict;
use crate::secret::{self, KeyHash, Secret};
use crate::store::page::Cursor;
use crate::store::sessions::{self, Session};
use crate::store::{self, Command, Read, Source, Traced, settings};
use crate::telemetry::RequestTag;

const BODY_MAX: usize = 1024 * 1024;
const BODY_DEADLINE: Duration = Duration::from_secs(10);
const AGENT_LENGTH_MAX: usize = 200;

/// Whether the password was given lately enough for what the route does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// It was, or the route does not ask.
    Given,
    /// Not yet.
    Owed,
    /// What was given just now is wrong.
    Wrong,
}

/// A request that is being answered: who asks, what was sent, and the way to the store.
pub(super) struct Cx {
    pub(super) request: HttpRequest,
    pub(super) admin: Data<Admin>,
    /// The body of what was posted, or else the query.
    pub(super) form: Form,
    /// Who is logged in, or owes the code.
    pub(super) session: Option<Session>,
    /// The secret of this browser: of its session, or only of its forms.
    pub(super) token: Secret,
    /// Whether the password is still owed.
    pub(super) proof: Proof,
    /// Whether a script only wants to know what would be asked. Nothing is ever done then.
    is_dry: bool,
    /// What to say on the next page.
    pub(super) toast: Option<Toast>,
    /// Cookies to set.
    pub(super) cookies: Vec<actix_web::cookie::Cookie<'static>>,
    /// Whether the last answer's toast is being shown.
    pub(super) is_told: bool,
    said: Option<Toast>,
    basics: Basics,
}

/// What every page shows of the settings.
struct Basics {
    panel: String,
    currency: String,
    zone: jiff::tz::TimeZone,
}

/// Answers one request through a handler.
pub(super) async fn serve(
    request: HttpRequest,
    payload: Payload,
    admin: Data<Admin>,
    route: &'static Route,
    handler: impl AsyncFn(&mut Cx) -> Answer,
) -> HttpResponse {
    let mut cx = match Cx::open(request, admin) {
        Ok(cx) => cx,
        Err(error) => return error::bare(&error),
    };
    let answer = match cx.admit(route, payload).await {
        Ok(()) => handler(&mut cx).await,
        Err(error) => Err(error),
    };
    let response = answer.unwrap_or_else(|error| error::page(&mut cx, error));
    reply::finish(cx, response)
}

/// Answers what no route is for.
pub(super) async fn nowhere(request: HttpRequest, admin: Data<Admin>) -> HttpResponse {
    let mut cx = match Cx::open(request, admin) {
        Ok(cx) => cx,
        Err(error) => return error::bare(&error),
    };
    let sentence = "There is no such page. The address may have been typed wrong.";
    let response = error::page(&mut cx, PageError::NotFound(sentence.to_owned()));
    reply::finish(cx, response)
}

impl Cx {
    /// Looks up who asks.
    fn open(request: HttpRequest, admin: Data<Admin>) -> store::Result<Self> {
        let sent = cookies::token(&request, &admin);
        let hash = sent.as_ref().map(|token| KeyHash::of(token.expose()));
        let now = admin.clock.now();
        let (session, basics) = admin.store.point(|db| {
            let session = match &hash {
                Some(hash) => sessions::find(db, hash)?,
                None => None,
            };
            Ok((session.filter(|session| session.life.is_alive(now)), Basics::read(db)?))
        })?;
        if let Some(session) = &session
            && now.0 - session.life.seen_at.0 >= RecordSessionUse::EVERY_SECONDS
        {
            admin.store.write_soon(RecordSessionUse { session: session.id });
        }
        let mut cookies = Vec::new();
        let token = sent.unwrap_or_else(|| {
            let token = secret::new_token(52);
            cookies.push(cookies::session(&admin, &token));
            token
        });
        let said = cookies::said(&request, &token);
        let form = Form::parse(request.query_string().as_bytes());
        let is_dry = request.headers().contains_key("x-dry-run");
        Ok(Self {
            request,
            admin,
            form,
            session,
            token,
            proof: Proof::Given,
            is_dry,
            toast: None,
            cookies,
            is_told: false,
            said,
            basics,
        })
    }

    /// Lets the request through, or says why not.
    async fn admit(&mut self, route: &Route, payload: Payload) -> Result<(), PageError> {
        let changes = route.method != Method::GET;
        if changes {
            check_origin(&self.request, &self.admin).map_err(PageError::Forbidden)?;
            let body = read_body(payload).await?;
            self.form = Form::parse(&body);
        }
        let is_half = self.session.as_ref().map(|session| session.life.is_half);
        match (route.access, is_half) {
            (Access::Open, _) | (Access::Half, Some(true)) => {}
            (Access::Signed | Access::Proved, Some(false)) => {}
            (Access::Half | Access::Signed | Access::Proved, _) => {
                return Err(PageError::SignedOut);
            }
        }
        if changes && !cookies::is_csrf(&self.token, self.form.get("csrf")) {
            let why = "The form did not come from this browser, or is too old.";
            return Err(PageError::Forbidden(why));
        }
        if route.access == Access::Proved {
            self.proof = self.prove().await?;
        }
        Ok(())
    }

    /// Whether the password was given lately, or is given right now.
    async fn prove(&mut self) -> Result<Proof, PageError> {
        let Some(session) = self.session.clone() else { return Ok(Proof::Owed) };
        if session.life.is_proved(self.now()) {
            return Ok(Proof::Given);
        }
        let password = self.form.raw("proof");
        if password.is_empty() {
            return Ok(Proof::Owed);
        }
        let password = Secret::new(password.to_owned());
        let name = session.name.clone();
        let (verdict, _) = self.compare(name, password).await?;
        if verdict == Verdict::Wrong {
            return Ok(Proof::Wrong);
        }
        let address = self.address();
        self.admin.store.write(ProvePassword { session, address }).await?;
        Ok(Proof::Given)
    }

    /// Counts a try and compares the password with that of whoever has the name.
    pub(super) async fn compare(
        &self,
        name: String,
        password: Secret,
    ) -> Result<(Verdict, Option<store::admins::Admin>), PageError> {
        let address = self.address();
        let started = self.admin.store.write(StartLogin { name, address }).await?;
        let hash = started.admin.as_ref().map(|admin| admin.password_hash.clone());
        let verdict = self.admin.passwords.compare(password, hash).await?;
        if verdict == Verdict::Wrong && started.delay_seconds > 0 {
            rt::time::sleep(Duration::from_secs(started.delay_seconds)).await;
        }
        Ok((verdict, started.admin))
    }

    /// Now.
    pub(super) fn now(&self) -> Timestamp {
        self.admin.clock.now()
    }

    /// The client's address; networks of one household are one address in IPv6.
    pub(super) fn address(&self) -> String {
        let peer = self.request.peer_addr().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.ip());
        let forwarded_for = self.request.headers().get_all("x-forwarded-for");
        let forwarded_for = forwarded_for.map(header::HeaderValue::as_bytes);
        match self.admin.proxies.client(peer, forwarded_for).to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        }
    }

    /// What the browser calls itself.
    pub(super) fn agent(&self) -> String {
        let agent = self.request.headers().get(header::USER_AGENT);
        let agent = agent.and_then(|value| value.to_str().ok()).unwrap_or_default();
        agent.chars().filter(|c| !c.is_control()).take(AGENT_LENGTH_MAX).collect()
    }

    /// Whoever is logged in. On routes that anybody may use, nobody is.
    ///
    /// # Errors
    /// `SignedOut`.
    pub(super) fn me(&self) -> Result<&Session, PageError> {
        self.session.as_ref().ok_or(PageError::SignedOut)
    }

    /// Who is doing this, for the books and the audit log.
    ///
    /// # Errors
    /// `SignedOut`.
    pub(super) fn actor(&self) -> Result<Actor, PageError> {
        Ok(Actor::Admin(self.me()?.admin))
    }

    /// A part of the path that is a number.
    ///
    /// # Errors
    /// `NotFound`.
    pub(super) fn path_id(&self, name: &str) -> Result<i64, PageError> {
        let text = self.request.match_info().get(name).unwrap_or_default();
        let id = text.parse().ok().filter(|id| *id > 0);
        let sentence = || PageError::NotFound(format!("There is nothing with the number {text}."));
        id.ok_or_else(sentence)
    }

    /// Where a list goes on: `older=…` or `newer=…` in the address.
    pub(super) fn cursor(&self) -> Cursor {
        let id = |name: &str| self.form.get(name).parse().ok();
        let older = id("older").map(Cursor::Older);
        older.or_else(|| id("newer").map(Cursor::Newer)).unwrap_or_default()
    }

    /// How many rows a list shows: one of the sizes on offer.
    pub(super) fn size(&self, sizes: &[i64; 3]) -> i64 {
        let size = self.form.get("size").parse().ok();
        size.filter(|size| sizes.contains(size)).unwrap_or(sizes[0])
    }

    /// Whether htmx asks, for a part of a page.
    pub(super) fn wants_part(&self) -> bool {
        let headers = self.request.headers();
        let says = |name: &str| headers.get(name).is_some_and(|value| value == "true");
        says("hx-request") && !says("hx-boosted") && !says("hx-history-restore-request")
    }

    /// Reads a page's worth on a thread that may wait.
    ///
    /// # Errors
    /// What `read` returns, or a fault of the database.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Read<'_>) -> store::Result<T> + Send + 'static,
    ) -> Result<T, PageError> {
        let store = std::sync::Arc::clone(&self.admin.store);
        match actix_web::web::block(move || store.page(read)).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(store::Error::Busy.into()), // the server is stopping
        }
    }

    /// Lets through what changes something, or takes long: this person means it and may.
    ///
    /// # Errors
    /// `Prove` where the password is owed; `Dry` where nothing is to be done.
    pub(super) fn admit_change(&self) -> Result<(), PageError> {
        if self.proof != Proof::Given {
            return Err(PageError::Prove);
        }
        if self.is_dry {
            return Err(PageError::Dry);
        }
        Ok(())
    }

    /// Runs a command once it is clear that this person means it and may.
    ///
    /// # Errors
    /// The command's refusal; `Prove` where the password is owed; `Dry` where nothing is to be
    /// done.
    pub(super) async fn write<C: Command>(&self, command: C) -> Result<C::Reply, PageError> {
        self.admit_change()?;
        let source = Source { address: self.address(), request: self.request_tag() };
        Ok(self.admin.store.write(Traced { source, command }).await?)
    }

    /// Runs a command and leaves what it refuses with the form.
    ///
    /// # Errors
    /// All but a refusal.
    pub(super) async fn try_write<C: Command>(
        &mut self,
        command: C,
    ) -> Result<Option<C::Reply>, PageError> {
        match self.write(command).await {
            Ok(reply) => Ok(Some(reply)),
            Err(PageError::Refused(refusal)) => {
                self.form.refuse_by(&refusal);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The id under which the log knows the request.
    pub(super) fn request_tag(&self) -> String {
        let extensions = self.request.extensions();
        extensions.get::<RequestTag>().map(RequestTag::to_string).unwrap_or_default()
    }

    /// What the page has around it.
    pub(super) fn shell(&mut self, title: &str, nav: Nav) -> Shell {
        let toast = if self.wants_part() { None } else { self.said.take() };
        self.is_told |= toast.is_some();
        let signed_in = self.session.as_ref().filter(|session| !session.life.is_half);
        Shell {
            title: title.to_owned(),
            nav,
            panel: self.basics.panel.clone(),
            currency: self.basics.currency.clone(),
            zone: self.basics.zone.clone(),
            now: self.now(),
            looks: looks(&self.request),
            who: signed_in.map(|session| session.name.clone()),
            csrf: cookies::csrf(&self.token),
            toast,
            is_insecure: self.admin.insecure_cookies,
            here: self.request.uri().path_and_query().map_or("/admin", |uri| uri.as_str()).into(),
        }
    }
}

impl Basics {
    fn read(db: &Read<'_>) -> store::Result<Self> {
        let zone = settings::get(db, Setting::TimeZone)?;
        Ok(Self {
            panel: settings::get(db, Setting::Name)?,
            currency: settings::get(db, Setting::Currency)?,
            zone: jiff::tz::TimeZone::get(&zone).unwrap_or(jiff::tz::TimeZone::UTC),
        })
    }
}

fn looks(request: &HttpRequest) -> Looks {
    let word = |name| request.cookie(name).map(|cookie| cookie.value().to_owned());
    let theme = word("theme").and_then(|word| Theme::from_word(&word)).unwrap_or_default();
    let is = |name, wanted: &str| word(name).is_some_and(|word| word == wanted);
    Looks { theme, is_compact: is("density", "compact"), has_no_keys: is("keys", "off") }
}

/// Where a change may come from: our own pages. Says why not.
fn check_origin(request: &HttpRequest, admin: &Admin) -> Result<(), &'static str> {
    const FOREIGN: &str = "The request came from another site.";
    let text = |name: &str| {
        request.headers().get(name).map(|value| value.to_str().unwrap_or("unreadable"))
    };
    match (text("sec-fetch-site"), text("origin")) {
        (Some("same-origin"), _) => Ok(()),
        (Some(_), _) => Err(FOREIGN),
        (None, Some(origin)) => {
            let is_public = |url: &crate::config::PublicUrl| origin == url.origin();
            let host = text("host").unwrap_or_default();
            let is_host = || {
                let bare = origin.strip_prefix("https://").or(origin.strip_prefix("http://"));
                bare.is_some_and(|bare| !bare.is_empty() && bare.eq_ignore_ascii_case(host))
            };
            let is_ours = admin.public_url.as_ref().map_or_else(is_host, is_public);
            if is_ours { Ok(()) } else { Err(FOREIGN) }
        }
        (None, None) => Err("The browser did not say where the request came from."),
    }
}

/// The whole body, up to its bound, within its time.
async fn read_body(mut payload: Payload) -> Result<BytesMut, PageError> {
    let read = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| PageError::Unreadable)?;
            if body.len() + chunk.len() > BODY_MAX {
                return Err(PageError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    rt::time::timeout(BODY_DEADLINE, read).await.unwrap_or(Err(PageError::Unreadable))
}
