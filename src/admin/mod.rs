//! The pages: what the operator sees and does in a browser.
//!
//! [`ROUTES`] is the whole of it. A request goes through the gate (`gate.rs`), which knows from the
//! table who may come in; a handler reads a form, runs a command, and answers with a page or with
//! the way to the next one. `admin/users.rs` and `templates/admin/users.html` belong together, and
//! so for every noun. Nothing here needs a script: what scripts add is speed and keys.

mod account;
mod audit;
mod books;
mod cancels;
mod categories;
mod chart;
mod cookies;
mod dashboard;
mod error;
mod form;
mod gate;
mod keys;
mod ledger;
mod link;
mod order;
mod order_new;
mod orders;
mod orders_bulk;
mod refills;
mod reply;
mod service;
mod service_import;
mod services;
mod session;
mod settings;
mod setup;
mod shell;
mod user;
mod users;

use std::sync::Arc;

use actix_web::guard::{self, GuardContext};
use actix_web::http::{Method, header};
use actix_web::middleware::Compress;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::clock::Clock;
use crate::config::{Config, PublicUrl, TrustedProxies};
use crate::password::Passwords;
use crate::secret::Sealer;
use crate::store::Store;

pub use setup::SetupLink;

/// What the pages need to answer.
pub struct Admin {
    store: Arc<Store>,
    clock: Clock,
    proxies: TrustedProxies,
    public_url: Option<PublicUrl>,
    insecure_cookies: bool,
    passwords: Passwords,
    sealer: Sealer,
    setup: Option<SetupLink>,
    books: books::Books,
}

impl Admin {
    /// The pages over a store. `setup` is the link that was printed, while there is no admin.
    pub fn new(
        store: Arc<Store>,
        config: &Config,
        sealer: Sealer,
        setup: Option<SetupLink>,
    ) -> Self {
        Self {
            store,
            clock: config.clock.clone(),
            proxies: config.trusted_proxies.clone(),
            public_url: config.public_url.clone(),
            insecure_cookies: config.insecure_cookies,
            passwords: Passwords::new(config.password_cost),
            sealer,
            setup,
            books: books::Books::default(),
        }
    }
}

/// Who may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Open,
    /// Who has given the password and owes the code.
    Half,
    /// Who is logged in.
    Signed,
    /// Who is logged in and has given the password in the last quarter of an hour: for money,
    /// keys and admins.
    Proved,
}

/// One page, or one thing that can be done.
#[derive(Debug)]
pub struct Route {
    /// GET shows, POST does.
    pub method: Method,
    /// Where, below `/admin`.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
    /// What the audit log says when it was done; nothing where nothing changes.
    pub verb: &'static str,
}

/// Declares the table and hands each line to its handler.
macro_rules! routes {
    ($($method:ident $path:literal $access:ident $verb:literal => $handler:path;)*) => {
        /// Every page and every thing that can be done.
        pub const ROUTES: &[Route] = &[$(Route {
            method: Method::$method,
            path: $path,
            access: Access::$access,
            verb: $verb,
        },)*];

        /// The routes of the pages, in the scope `/admin`.
        pub fn routes(config: &mut ServiceConfig) {
            let scope = web::scope("/admin").wrap(Compress::default());
            let mut route = ROUTES.iter();
            $(let scope = match route.next() {
                Some(route) => scope.route($path, web::method(route.method.clone()).to(
                    move |request: HttpRequest, payload: Payload, admin: Data<Admin>| {
                        gate::serve(request, payload, admin, route, $handler)
                    },
                )),
                None => scope,
            };)*
            config.service(scope.default_service(web::to(gate::nowhere)));
            config.route("/", web::get().guard(guard::fn_guard(is_browser)).to(front));
        }
    };
}

/// Whether somebody looks at us with a browser.
fn is_browser(context: &GuardContext<'_>) -> bool {
    let accept = context.head().headers().get(header::ACCEPT);
    accept.and_then(|value| value.to_str().ok()).is_some_and(|text| text.contains("text/html"))
}

/// The bare address is for the operator: to the pages.
async fn front() -> HttpResponse {
    reply::see_other("/admin")
}

routes! {
    // Getting in and out.
    GET  "/setup"                          Open   ""                     => setup::show;
    POST "/setup"                          Open   "admin.create"         => setup::create;
    GET  "/login"                          Open   ""                     => session::login_page;
    POST "/login"                          Open   "session.start"        => session::login;
    GET  "/login/code"                     Half   ""                     => session::code_page;
    POST "/login/code"                     Half   "session.start"        => session::code;
    POST "/logout"                         Signed "session.end"          => session::logout;
    POST "/looks"                          Open   ""                     => session::looks;

    // One's own account.
    GET  "/account"                        Signed ""                     => account::show;
    POST "/account/password"               Proved "admin.password"       => account::set_password;
    GET  "/account/app"                    Signed ""                     => account::app_page;
    POST "/account/app"                    Proved "admin.totp_on"        => account::set_app;
    POST "/account/app/off"                Proved "admin.totp_off"       => account::drop_app;
    POST "/account/recovery"               Proved "admin.recovery_codes" => account::new_codes;
    POST "/account/sessions/{id}/end"      Signed "session.end"          => account::end_session;
    POST "/account/sessions/end-others"    Signed "session.end_others"   => account::end_others;

    // Work.
    GET  ""                                Signed ""                     => dashboard::show;

    GET  "/orders"                         Signed ""                     => orders::list;
    GET  "/orders/new"                     Signed ""                     => order_new::new;
    POST "/orders"                         Proved "order.create"         => order_new::create;
    POST "/orders/bulk"                    Signed "order.set"            => orders_bulk::set_status;
    POST "/orders/bulk/refund"             Proved "order.set"            => orders_bulk::refund;
    GET  "/orders/{id}"                    Signed ""                     => order::show;
    POST "/orders/{id}/status"             Signed "order.set"            => order::set_status;
    POST "/orders/{id}/refund"             Proved "order.set"            => order::refund;
    GET  "/refills"                        Signed ""                     => refills::list;
    POST "/refills/bulk"                   Signed "refill.set"           => refills::bulk;
    GET  "/refills/cancels"                Signed ""                     => cancels::list;
    POST "/refills/cancels/refund"         Proved "order.set"            => cancels::refund;
    POST "/refills/cancels/decline"        Signed "order.decline_cancel" => cancels::decline;
    POST "/refills/{id}/set"               Signed "refill.set"           => refills::set;

    // The catalogue.
    GET  "/services"                       Signed ""                     => services::list;
    POST "/services"                       Signed "service.create"       => service::create;
    GET  "/services/new"                   Signed ""                     => service::new;
    GET  "/services/import"                Signed ""                     => service_import::show;
    POST "/services/import"                Signed "service.import"       => service_import::import;
    GET  "/services/export.csv"            Signed ""                     => service_import::export;
    POST "/services/enable"                Signed "service.enable"       => services::enable;
    POST "/services/disable"               Signed "service.disable"      => services::disable;
    POST "/services/rates"                 Signed "service.rate"         => services::rates;
    POST "/services/move"                  Signed "service.move"         => services::move_to;
    GET  "/services/{id}"                  Signed ""                     => service::show;
    POST "/services/{id}"                  Signed "service.update"       => service::update;
    POST "/services/{id}/row"              Signed "service.update"       => services::edit;
    POST "/services/{id}/up"               Signed "service.shift"        => services::up;
    POST "/services/{id}/down"             Signed "service.shift"        => services::down;
    POST "/services/{id}/enable"           Signed "service.enable"       => service::enable;
    POST "/services/{id}/disable"          Signed "service.disable"      => service::disable;
    POST "/services/{id}/delete"           Signed "service.delete"       => service::delete;

    GET  "/categories"                     Signed ""                     => categories::list;
    POST "/categories"                     Signed "category.create"      => categories::create;
    POST "/categories/{id}"                Signed "category.rename"      => categories::rename;
    POST "/categories/{id}/up"             Signed "category.shift"       => categories::up;
    POST "/categories/{id}/down"           Signed "category.shift"       => categories::down;
    POST "/categories/{id}/enable"         Signed "category.enable"      => categories::enable;
    POST "/categories/{id}/disable"        Signed "category.disable"     => categories::disable;
    POST "/categories/{id}/delete"         Signed "category.delete"      => categories::delete;

    // The system.
    GET  "/settings"                       Signed ""                     => settings::show;
    POST "/settings/general"               Signed "setting.set"          => settings::general;
    POST "/settings/money"                 Proved "setting.set"          => settings::money;
    POST "/settings/limits"                Proved "setting.set"          => settings::limits;

    // People and money.
    GET  "/users"                          Signed ""                     => users::list;
    GET  "/users/new"                      Signed ""                     => users::new;
    POST "/users"                          Signed "user.create"          => users::create;
    POST "/users/bulk"                     Signed "user.suspend"         => users::bulk;
    GET  "/users/{id}"                     Signed ""                     => user::ledger;
    POST "/users/{id}/funds"               Proved "user.balance"         => user::funds;
    POST "/users/{id}/terms"               Proved "user.discount"        => user::set_terms;
    POST "/users/{id}/suspend"             Signed "user.suspend"         => user::suspend;
    POST "/users/{id}/resume"              Signed "user.resume"          => user::resume;
    GET  "/users/{id}/keys"                Signed ""                     => user::keys;
    POST "/users/{id}/keys"                Proved "key.create"           => user::create_key;
    POST "/users/{id}/keys/{key}/revoke"   Proved "key.revoke"           => user::revoke_key;
    GET  "/users/{id}/rates"               Signed ""                     => user::rates;
    POST "/users/{id}/rates"               Proved "user.rate"            => user::set_rate;
    POST "/users/{id}/rates/{service}/drop" Proved "user.rate"           => user::drop_rate;
    GET  "/users/{id}/note"                Signed ""                     => user::note;
    POST "/users/{id}/note"                Signed "user.note"            => user::set_note;
    GET  "/keys"                           Signed ""                     => keys::list;
    GET  "/keys/new"                       Signed ""                     => keys::new;
    POST "/keys"                           Proved "key.create"           => keys::create;
    POST "/keys/{id}/rotate"               Proved "key.rotate"           => keys::rotate;
    POST "/keys/{id}/revoke"               Proved "key.revoke"           => keys::revoke;
    GET  "/ledger"                         Signed ""                     => ledger::list;
    POST "/ledger/check"                   Signed "books.check"          => books::check_now;
    GET  "/ledger/{id}"                    Signed ""                     => ledger::show;
    POST "/ledger/{id}/reverse"            Proved "posting.reverse"      => ledger::reverse;

    // The system.
    GET  "/audit"                          Signed ""                     => audit::list;
}
