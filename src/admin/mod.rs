//! The pages: what the operator sees and does in a browser.
//!
//! [`ROUTES`] is the whole of it. A request goes through the gate (`frame/gate.rs`), which knows
//! from the table who may come in; a handler reads a form, runs a command, and answers with a page
//! or with the way to the next one. `admin/users/list.rs` and `templates/admin/users/list.html`
//! belong together, and so for every file. Nothing here needs a script: what scripts add is speed
//! and keys.

mod account;
mod alerts;
mod audit;
mod dashboard;
mod frame;
mod ledger;
mod orders;
mod providers;
mod refills;
mod services;
mod settings;
mod users;

use account::{login, setup};
use alerts::channels;
use frame::gate;
use ledger::books;
use services::{categories, import};
use users::all_keys;

pub(crate) use frame::gate::{nowhere, wants_page};
pub use frame::{Access, Admin, Route, SetupLink};

gate::routes! {
    // Getting in and out.
    GET  "/setup"                        Open   ""                     => setup::show;
    POST "/setup"                        Open   "admin.create"         => setup::create;
    GET  "/login"                        Open   ""                     => login::login_page;
    POST "/login"                        Open   "session.start"        => login::login;
    GET  "/login/code"                   Half   ""                     => login::code_page;
    POST "/login/code"                   Half   "session.start"        => login::code;
    POST "/logout"                       Signed "session.end"          => login::logout;
    POST "/looks"                        Open   ""                     => login::looks;

    // One's own account.
    GET  "/account"                      Signed ""                     => account::show;
    POST "/account/password"             Proved "admin.password"       => account::set_password;
    GET  "/account/app"                  Signed ""                     => account::app_page;
    POST "/account/app"                  Proved "admin.totp_on"        => account::set_app;
    POST "/account/app/off"              Proved "admin.totp_off"       => account::drop_app;
    POST "/account/recovery"             Proved "admin.recovery_codes" => account::new_codes;
    POST "/account/sessions/{id}/end"    Signed "session.end"          => account::end_session;
    POST "/account/sessions/end-others"  Signed "session.end_others"   => account::end_others;

    // Work.
    GET  ""                              Signed ""                     => dashboard::show;

    GET  "/orders"                       Signed ""                     => orders::list::show;
    GET  "/orders/new"                   Signed ""                     => orders::new::show;
    POST "/orders"                       Proved "order.create"         => orders::new::create;
    POST "/orders/bulk"                  Signed "order.set"            => orders::bulk::set_status;
    POST "/orders/bulk/refund"           Proved "order.set"            => orders::bulk::refund;
    POST "/orders/bulk/move"             Signed "order.move"           => orders::bulk::move_to;
    POST "/orders/hand"                  Proved "order.take_over"      => orders::decide::many;
    POST "/orders/{id}/decide"           Proved "order.give_up"        => orders::decide::one;
    POST "/orders/{id}/look"             Signed ""                     => orders::decide::look;
    GET  "/orders/{id}"                  Signed ""                     => orders::one::show;
    POST "/orders/{id}/post"             Proved "order.buy_post"       => orders::posts::buy;
    POST "/orders/{id}/status"           Signed "order.set"            => orders::one::set_status;
    POST "/orders/{id}/refund"           Proved "order.set"            => orders::one::refund;
    GET  "/refills/cancels"              Signed ""                     => orders::cancels::show;
    POST "/refills/cancels/refund"       Proved "order.set"            => orders::cancels::refund;
    POST "/refills/cancels/decline"      Signed "order.decline_cancel" => orders::cancels::decline;

    GET  "/alerts"                       Signed ""                     => alerts::show;
    GET  "/alerts/channels"              Signed ""                     => channels::show;
    POST "/alerts/mail"                  Proved "setting.set"          => channels::set_mail;
    POST "/alerts/mail/test"             Signed ""                     => channels::test_mail;
    POST "/alerts/telegram"              Proved "setting.set"          => channels::set_telegram;
    POST "/alerts/telegram/test"         Signed ""                     => channels::test_telegram;
    POST "/alerts/{id}/mute"             Signed "condition.mute"       => alerts::mute;

    GET  "/refills"                      Signed ""                     => refills::list::show;
    GET  "/refills/drips"                Signed ""                     => refills::drips::show;
    POST "/refills/drips/{id}/stop"      Proved "order.stop_runs"      => refills::drips::stop;
    POST "/refills/drips/{id}/resume"    Signed "order.resume_runs"    => refills::drips::resume;
    POST "/refills/bulk"                 Signed "refill.set"           => refills::list::bulk;
    POST "/refills/{id}/set"             Signed "refill.set"           => refills::list::set;

    // The catalogue.
    GET  "/services"                     Signed ""                     => services::list::show;
    POST "/services"                     Signed "service.create"       => services::one::create;
    GET  "/services/new"                 Signed ""                     => services::one::new;
    GET  "/services/import"              Signed ""                     => import::show;
    POST "/services/import"              Signed "service.import"       => import::import;
    GET  "/services/import/template.csv" Signed ""                     => import::template;
    GET  "/services/export.csv"          Signed ""                     => import::export;
    POST "/services/enable"              Signed "service.enable"       => services::bulk::enable;
    POST "/services/disable"             Signed "service.disable"      => services::bulk::disable;
    POST "/services/rates"               Signed "service.rate"         => services::bulk::rates;
    POST "/services/rates/undo"          Signed "service.rate"         => services::bulk::undo;
    POST "/services/move"                Signed "service.move"         => services::bulk::move_to;
    GET  "/services/{id}"                Signed ""                     => services::one::show;
    POST "/services/{id}"                Signed "service.update"       => services::one::update;
    POST "/services/{id}/supply"         Signed "service.supply"       => services::one::set_supply;
    POST "/services/{id}/by-rule"        Signed "service.rate"         => services::one::by_rule;
    POST "/services/{id}/row"            Signed "service.update"       => services::list::edit;
    POST "/services/{id}/up"             Signed "service.shift"        => services::list::up;
    POST "/services/{id}/down"           Signed "service.shift"        => services::list::down;
    POST "/services/{id}/enable"         Signed "service.enable"       => services::one::enable;
    POST "/services/{id}/disable"        Signed "service.disable"      => services::one::disable;
    POST "/services/{id}/delete"         Signed "service.delete"       => services::one::delete;

    GET  "/categories"                   Signed ""                     => categories::show;
    POST "/categories"                   Signed "category.create"      => categories::create;
    POST "/categories/{id}"              Signed "category.rename"      => categories::rename;
    POST "/categories/{id}/up"           Signed "category.shift"       => categories::up;
    POST "/categories/{id}/down"         Signed "category.shift"       => categories::down;
    POST "/categories/{id}/enable"       Signed "category.enable"      => categories::enable;
    POST "/categories/{id}/disable"      Signed "category.disable"     => categories::disable;
    POST "/categories/{id}/delete"       Signed "category.delete"      => categories::delete;

    GET  "/providers"                    Signed ""                     => providers::list::show;
    GET  "/providers/new"                Signed ""                     => providers::new::show;
    POST "/providers/test"               Signed ""                     => providers::new::test;
    POST "/providers"                    Proved "provider.add"         => providers::new::create;
    GET  "/providers/{id}"               Signed ""                     => providers::one::show;
    POST "/providers/{id}"               Signed "provider.update"      => providers::one::update;
    POST "/providers/{id}/pause"         Signed "provider.pause"       => providers::one::pause;
    POST "/providers/{id}/resume"        Signed "provider.resume"      => providers::one::resume;
    POST "/providers/{id}/probe"         Signed ""                     => providers::one::probe;
    POST "/providers/{id}/sync"          Signed "provider.sync"        => providers::one::sync;
    POST "/providers/{id}/access"        Proved "provider.access"      => providers::one::reconnect;
    POST "/providers/{id}/remove"        Signed "provider.remove"      => providers::one::remove;
    GET  "/providers/{id}/import"        Signed ""                     => providers::import::show;
    POST "/providers/{id}/import/plan"   Signed ""                     => providers::plan::show;
    POST "/providers/{id}/import"        Signed "provider.import"      => providers::plan::apply;
    GET  "/providers/{id}/import/run"    Signed ""                     => providers::run::show;
    POST "/providers/{id}/import/undo"   Signed "provider.undo_import" => providers::run::undo;
    GET  "/providers/{id}/calls"         Signed ""                     => providers::calls::show;

    // People and money.
    GET  "/users"                        Signed ""                     => users::list::show;
    GET  "/users/new"                    Signed ""                     => users::new::show;
    POST "/users"                        Signed "user.create"          => users::new::create;
    POST "/users/bulk"                   Signed "user.suspend"         => users::list::bulk;
    GET  "/users/{id}"                   Signed ""                     => users::one::show;
    POST "/users/{id}/funds"             Proved "user.balance"         => users::one::funds;
    POST "/users/{id}/terms"             Proved "user.discount"        => users::one::set_terms;
    POST "/users/{id}/suspend"           Signed "user.suspend"         => users::one::suspend;
    POST "/users/{id}/resume"            Signed "user.resume"          => users::one::resume;
    GET  "/users/{id}/keys"              Signed ""                     => users::keys::show;
    POST "/users/{id}/keys"              Proved "key.create"           => users::keys::create;
    POST "/users/{id}/keys/{key}/revoke" Proved "key.revoke"           => users::keys::revoke;
    GET  "/users/{id}/rates"             Signed ""                     => users::rates::show;
    POST "/users/{id}/rates"             Proved "user.rate"            => users::rates::set;
    POST "/users/{id}/rates/{service}/drop" Proved "user.rate"            => users::rates::drop;
    GET  "/users/{id}/webhook"           Signed ""                     => users::webhook::show;
    POST "/users/{id}/webhook"           Proved "user.webhook"         => users::webhook::set;
    POST "/users/{id}/webhook/secret"    Proved "user.webhook_secret"  => users::webhook::rotate;
    POST "/users/{id}/webhook/off"       Signed "user.webhook_off"     => users::webhook::stop;
    POST "/users/{id}/webhook/{event}/again" Signed "user.webhook_again" => users::webhook::again;
    GET  "/users/{id}/note"              Signed ""                     => users::note::show;
    POST "/users/{id}/note"              Signed "user.note"            => users::note::set;
    GET  "/keys"                         Signed ""                     => all_keys::show;
    GET  "/keys/new"                     Signed ""                     => all_keys::new;
    POST "/keys"                         Proved "key.create"           => all_keys::create;
    GET  "/keys/{id}/used"               Signed ""                     => users::made::used;
    POST "/keys/{id}/rotate"             Proved "key.rotate"           => all_keys::rotate;
    POST "/keys/{id}/revoke"             Proved "key.revoke"           => all_keys::revoke;
    GET  "/ledger"                       Signed ""                     => ledger::list::show;
    POST "/ledger/check"                 Signed "books.check"          => books::check_now;
    GET  "/ledger/{id}"                  Signed ""                     => ledger::one::show;
    POST "/ledger/{id}/reverse"          Proved "posting.reverse"      => ledger::one::reverse;

    // The system.
    GET  "/settings"                     Signed ""                     => settings::show;
    POST "/settings/general"             Signed "setting.set"          => settings::general;
    POST "/settings/money"               Proved "setting.set"          => settings::money;
    POST "/settings/limits"              Proved "setting.set"          => settings::limits;
    GET  "/audit"                        Signed ""                     => audit::show;
}
