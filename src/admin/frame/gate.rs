//! The one door to every page: who asks, from where, and whether they may.
//!
//! [`serve`] is all that stands between a request and a handler, so no handler can forget any of
//! it: the origin of what changes something, the session, the token in the form, the password for
//! what touches money, keys or admins.

use actix_web::guard::GuardContext;
use actix_web::http::{Method, header};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::answer::{Answer, bare, see_other};
use super::cx::{Cx, Proof};
use super::error::PageError;
use super::form::Form;
use super::request::check_origin;
use super::{Access, Admin, Route, cookies, failed, finish};
use crate::commands::admins::ProvePassword;
use crate::password::Verdict;
use crate::request::{NoBody, read_body};
use crate::secret::Secret;

/// Declares the table of routes and hands each line to its handler.
macro_rules! routes {
    ($($method:ident $path:literal $access:ident $verb:literal => $handler:path;)*) => {
        /// Every page and every thing that can be done.
        pub const ROUTES: &[Route] = &[$(Route {
            method: actix_web::http::Method::$method,
            path: $path,
            access: Access::$access,
            verb: $verb,
        },)*];

        /// The routes of the pages, in the scope `/admin`.
        pub fn routes(config: &mut actix_web::web::ServiceConfig) {
            use actix_web::{HttpRequest, guard, middleware, web};

            let scope = web::scope("/admin").wrap(middleware::Compress::default());
            let mut route = ROUTES.iter();
            $(let scope = match route.next() {
                Some(route) => scope.route($path, web::method(route.method.clone()).to(
                    move |request: HttpRequest, payload: web::Payload, admin: web::Data<Admin>| {
                        gate::serve(request, payload, admin, route, $handler)
                    },
                )),
                None => scope,
            };)*
            config.app_data($crate::admin::frame::table::Table(ROUTES));
            config.service(scope.default_service(web::to(gate::nowhere)));
            config.route("/", web::get().guard(guard::fn_guard(gate::is_browser)).to(gate::front));
        }
    };
}
pub(crate) use routes;

/// Whether somebody looks at us with a browser.
pub(crate) fn is_browser(context: &GuardContext<'_>) -> bool {
    wants_page(context.head().headers())
}

/// Whether who asks can read a page.
pub(crate) fn wants_page(headers: &header::HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT);
    accept.and_then(|value| value.to_str().ok()).is_some_and(|text| text.contains("text/html"))
}

/// The bare address is for the operator: to the pages.
pub(crate) async fn front() -> HttpResponse {
    see_other("/admin")
}

/// Answers one request through a handler.
pub(crate) async fn serve(
    request: HttpRequest,
    payload: Payload,
    admin: Data<Admin>,
    route: &'static Route,
    handler: impl AsyncFn(&mut Cx) -> Answer,
) -> HttpResponse {
    let mut cx = match Cx::open(request, admin) {
        Ok(cx) => cx,
        Err(error) => return bare(&error),
    };
    let answer = match cx.admit(route, payload).await {
        // "/users/bulk" is no user.
        Ok(()) => match cx.object().filter(|_| route.method == Method::GET) {
            Some(path) => Ok(see_other(&path)),
            None => handler(&mut cx).await,
        },
        Err(error) => Err(error),
    };
    let response = answer.unwrap_or_else(|error| failed::page(&mut cx, error));
    finish::finish(cx, response)
}

/// Answers what no route is for. Who looks at what can only be posted to is led to its page.
pub(crate) async fn nowhere(request: HttpRequest, admin: Data<Admin>) -> HttpResponse {
    let mut cx = match Cx::open(request, admin) {
        Ok(cx) => cx,
        Err(error) => return bare(&error),
    };
    if cx.request.method() == Method::GET
        && let Some(path) = cx.object()
    {
        return finish::finish(cx, see_other(&path));
    }
    let sentence = "There is no such page. The address may have been typed wrong.";
    let response = failed::page(&mut cx, PageError::NotFound(sentence.to_owned()));
    finish::finish(cx, response)
}

impl Cx {
    /// The page of what is posted where this request goes; nothing where that is a page.
    fn object(&self) -> Option<String> {
        self.table().object_of(self.request.uri().path())
    }

    /// Lets the request through, or says why not.
    async fn admit(&mut self, route: &Route, payload: Payload) -> Result<(), PageError> {
        let changes = route.method != Method::GET;
        if changes {
            check_origin(&self.request, &self.admin).map_err(PageError::Forbidden)?;
            let body = read_body(payload, 0).await.map_err(no_body)?;
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
        if changes && route.access != Access::Open {
            self.take_returned();
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
}

const fn no_body(fault: NoBody) -> PageError {
    match fault {
        NoBody::TooLarge => PageError::TooLarge,
        NoBody::Late | NoBody::Broken => PageError::Unreadable,
    }
}
