//! A request that is being answered: who asks, what was sent, and the way to the store.
//!
//! On a route that wants the password, [`Cx::write`] itself refuses to run a command until it was
//! given.

use std::sync::Arc;
use std::time::Duration;

use actix_web::cookie::Cookie;
use actix_web::web::{Data, block};
use actix_web::{HttpMessage as _, HttpRequest, rt};

use super::error::PageError;
use super::form::Form;
use super::needs::Waiting;
use super::shell::{Nav, Shell, Toast};
use super::{Admin, cookies, request};
use crate::commands::admins::{RecordSessionUse, StartLogin};
use crate::domain::setting::Setting;
use crate::domain::{Actor, Timestamp};
use crate::password::Verdict;
use crate::secret::{self, KeyHash, Secret};
use crate::store::sessions::{self, Session};
use crate::store::{self, Command, Read, Source, Traced, admins, settings, together};
use crate::telemetry::RequestTag;

/// Whether the password was given lately enough for what the route does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// It was, or the route does not ask.
    Given,
    /// Not yet.
    Owed,
    /// What was given just now is wrong.
    Wrong,
}

/// A request that is being answered: who asks, what was sent, and the way to the store.
pub(crate) struct Cx {
    pub(crate) request: HttpRequest,
    pub(crate) admin: Data<Admin>,
    /// The body of what was posted, or else the query.
    pub(crate) form: Form,
    /// Who is logged in, or owes the code.
    pub(crate) session: Option<Session>,
    /// The secret of this browser: of its session, or only of its forms.
    pub(crate) token: Secret,
    /// Whether the password is still owed.
    pub(crate) proof: Proof,
    /// Whether a script only wants to know what would be asked. Nothing is ever done then.
    is_dry: bool,
    /// Whether the form was kept over a log-in and is only to be shown again.
    pub(super) is_returned: bool,
    /// What to say on the next page.
    pub(crate) toast: Option<Toast>,
    /// Those that the answer sets.
    pub(crate) cookies: Vec<Cookie<'static>>,
    /// Whether the last answer's toast is being shown.
    pub(super) is_told: bool,
    left: Option<Toast>,
    basics: Basics,
}

/// What every page shows of the settings.
struct Basics {
    panel: String,
    currency: String,
    zone: jiff::tz::TimeZone,
    waiting: Waiting,
}

impl Cx {
    /// Looks up who asks.
    pub(super) fn open(request: HttpRequest, admin: Data<Admin>) -> store::Result<Self> {
        let sent = cookies::token(&request, &admin);
        let hash = sent.as_ref().map(|token| KeyHash::of(token.expose()));
        let now = admin.clock.now();
        let find = |db: &Read<'_>| match &hash {
            Some(hash) => sessions::find(db, hash),
            None => Ok(None),
        };
        let (session, basics) = admin.store.point(|db| {
            // Whoever shows a token may be logged in: what waits is asked for along with who it is.
            let counted_at = hash.is_some().then_some(now);
            let all = |db: &Read<'_>| Basics::read(db, counted_at).map(drop);
            db.ahead(&[&|db| find(db).map(drop), &all])?;
            let session = find(db)?;
            let session = session.filter(|session| session.life.is_alive(now));
            let is_signed = session.as_ref().is_some_and(|session| !session.life.is_half);
            let basics = Basics::read(db, is_signed.then_some(now))?;
            Ok((session, basics))
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
        let left = cookies::left_toast(&request, &token);
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
            is_returned: false,
            toast: None,
            cookies,
            is_told: false,
            left,
            basics,
        })
    }

    /// Counts a try and compares the password with that of whoever has the name.
    pub(crate) async fn compare(
        &self,
        name: String,
        password: Secret,
    ) -> Result<(Verdict, Option<admins::Admin>), PageError> {
        let address = self.address();
        let started = self.admin.store.write(StartLogin { name, address }).await?;
        let hash = started.admin.as_ref().map(|admin| admin.password_hash.clone());
        let verdict = self.admin.passwords.compare(password, hash).await?;
        if verdict == Verdict::Wrong && started.delay_seconds > 0 {
            rt::time::sleep(Duration::from_secs(started.delay_seconds)).await;
        }
        Ok((verdict, started.admin))
    }

    /// The time by the panel's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.admin.clock.now()
    }

    /// The client's address; the networks of one household are one address in IPv6.
    pub(crate) fn address(&self) -> String {
        request::address(&self.request, &self.admin)
    }

    /// What the browser calls itself.
    pub(crate) fn agent(&self) -> String {
        request::agent(&self.request)
    }

    /// Where the API is, as clients reach it: the public address, or the one this browser uses.
    pub(crate) fn api_address(&self) -> String {
        request::api_address(&self.request, &self.admin)
    }

    /// Whether htmx asks, for a part of a page.
    pub(crate) fn wants_part(&self) -> bool {
        request::wants_part(&self.request)
    }

    /// Whoever is logged in. On routes that anybody may use, nobody is.
    ///
    /// # Errors
    /// `SignedOut`.
    pub(crate) fn me(&self) -> Result<&Session, PageError> {
        self.session.as_ref().ok_or(PageError::SignedOut)
    }

    /// Who is doing this, for the books and the audit log.
    ///
    /// # Errors
    /// `SignedOut`.
    pub(crate) fn actor(&self) -> Result<Actor, PageError> {
        Ok(Actor::Admin(self.me()?.admin))
    }

    /// A part of the path that is a number.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) fn path_id(&self, name: &str) -> Result<i64, PageError> {
        let text = self.request.match_info().get(name).unwrap_or_default();
        let id = text.parse().ok().filter(|id| *id > 0);
        let sentence = || PageError::NotFound(format!("There is nothing with the number {text}."));
        id.ok_or_else(sentence)
    }

    /// Reads a page's worth on a thread that may wait.
    ///
    /// # Errors
    /// What `read` returns, or a fault of the database.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Read<'_>) -> store::Result<T> + Send + 'static,
    ) -> Result<T, PageError> {
        let store = Arc::clone(&self.admin.store);
        match block(move || store.page(read)).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(store::Error::Busy.into()), // the server is stopping
        }
    }

    /// Lets through what changes something, or takes long: the person who asks means it and may.
    ///
    /// # Errors
    /// `Prove` where the password is owed; `Dry` where nothing is to be done.
    pub(crate) fn admit_change(&self) -> Result<(), PageError> {
        if self.proof != Proof::Given {
            return Err(PageError::Prove);
        }
        if self.is_dry || self.is_returned {
            return Err(PageError::Dry);
        }
        Ok(())
    }

    /// Runs a command once it is clear that the person who asks means it and may.
    ///
    /// # Errors
    /// The command's refusal; `Prove` where the password is owed; `Dry` where nothing is to be
    /// done.
    pub(crate) async fn write<C: Command>(&self, command: C) -> Result<C::Reply, PageError> {
        self.admit_change()?;
        let source = Source { address: self.address(), request: self.request_tag() };
        Ok(self.admin.store.write(Traced { source, command }).await?)
    }

    /// Runs a command and leaves what it refuses with the form.
    ///
    /// # Errors
    /// All but a refusal.
    pub(crate) async fn try_write<C: Command>(
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
    pub(crate) fn request_tag(&self) -> String {
        let extensions = self.request.extensions();
        extensions.get::<RequestTag>().map(RequestTag::to_string).unwrap_or_default()
    }

    /// What the page has around it.
    pub(crate) fn shell(&mut self, title: &str, nav: Nav) -> Shell {
        let toast = if self.wants_part() { None } else { self.left.take() };
        self.is_told |= toast.is_some();
        let signed_in = self.session.as_ref().filter(|session| !session.life.is_half);
        Shell {
            title: title.to_owned(),
            nav,
            panel: self.basics.panel.clone(),
            currency: self.basics.currency.clone(),
            zone: self.basics.zone.clone(),
            now: self.now(),
            looks: request::looks(&self.request),
            who: signed_in.map(|session| session.name.clone()),
            csrf: cookies::csrf(&self.token),
            toast,
            is_insecure: self.admin.insecure_cookies,
            waiting: self.basics.waiting.clone(),
            here: self.request.uri().path_and_query().map_or("/admin", |uri| uri.as_str()).into(),
        }
    }
}

impl Basics {
    /// `now` is when somebody is logged in, to whom it is said what waits.
    fn read(db: &Read<'_>, now: Option<Timestamp>) -> store::Result<Self> {
        let waiting = |db: &Read<'_>| {
            now.map_or_else(|| Ok(Waiting::default()), |now| Waiting::read(db, now))
        };
        let names = |db: &Read<'_>| {
            let names = [Setting::TimeZone, Setting::Name, Setting::Currency];
            db.each(&names, |db, name| settings::get(db, *name))
        };
        let (waiting, names) = together!(db: waiting(db), names(db));
        let [zone, panel, currency] = <[String; 3]>::try_from(names).unwrap_or_default();
        let zone = jiff::tz::TimeZone::get(&zone).unwrap_or(jiff::tz::TimeZone::UTC);
        Ok(Self { panel, currency, zone, waiting })
    }
}
