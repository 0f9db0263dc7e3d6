//! The first page ever: makes the admin, names the panel.
//!
//! It opens only with a link that `serve` printed, while there is no admin. The link counts for
//! half an hour; after that the panel is started again, or `panelite admin create` used.

use askama::Template;

use super::login::begin;
use crate::admin::frame::SetupLink;
use crate::admin::frame::answer::{Answer, see_other};
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::form::Form;
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::commands::admins::SetUpPanel;
use crate::domain::refusal::OperatorRefusal;
use crate::domain::setting::Setting;
use crate::domain::user::check_name;
use crate::password;
use crate::secret::Secret;
use crate::store::admins;

#[derive(Template)]
#[template(path = "admin/account/setup.html")]
struct SetupPage {
    shell: Shell,
    form: Form,
    /// All the names a time zone can have.
    zones: Vec<String>,
}

fn page(cx: &mut Cx) -> SetupPage {
    let zones = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
    SetupPage { shell: cx.shell("Set up your panel", Nav::Other), form: cx.form.clone(), zones }
}

/// The link counts only with its token, in its time, while there is no admin.
async fn check(cx: &Cx) -> Result<(), PageError> {
    if !cx.read(admins::is_empty).await? {
        return Err(OperatorRefusal::SetupIsOver.into());
    }
    let sent = cx.form.get("token");
    if SetupLink(&cx.admin.sealer).is(sent, cx.now()) {
        return Ok(());
    }
    let sentence = "This setup link is wrong or too old. Start the panel again for a new link, \
                    or run `panelite admin create` on its machine.";
    Err(PageError::NotFound(sentence.to_owned()))
}

/// The form.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    check(cx).await?;
    let token = cx.form.get("token").to_owned();
    cx.form = Form::filled([
        ("token", token),
        ("panel", String::new()),
        ("currency", Setting::Currency.default().to_owned()),
        ("time_zone", Setting::TimeZone.default().to_owned()),
    ]);
    let page = page(cx);
    cx.page(&page)
}

/// Makes the admin and logs them in.
pub(crate) async fn create(cx: &mut Cx) -> Answer {
    check(cx).await?;
    let name = cx.form.required("name", "Enter the name you will log in with");
    let password = Secret::new(cx.form.raw("password").to_owned());
    let panel = cx.form.required("panel", "Enter a name for the panel");
    let currency = cx.form.get("currency").to_uppercase();
    let time_zone = cx.form.get("time_zone").to_owned();
    if let Err(refusal) = check_name(&name) {
        cx.form.refuse("name", refusal);
    }
    if let Err(refusal) = password::check(&password) {
        cx.form.refuse("password", refusal);
    }
    if cx.form.raw("again") != password.expose() {
        cx.form.refuse("again", "The two passwords differ");
    }
    if Setting::Name.check(&panel).is_err() {
        cx.form.refuse("panel", "A panel's name is 1 to 64 printable characters");
    }
    if Setting::Currency.check(&currency).is_err() {
        cx.form.refuse("currency", "Enter the three letters of the currency, such as USD");
    }
    if jiff::tz::TimeZone::get(&time_zone).is_err() {
        cx.form.refuse("time_zone", "Choose a zone from the list, such as Europe/Berlin");
    }
    if cx.form.is_sound() {
        let password_hash = cx.admin.passwords.hash(password).await?;
        let settings = vec![
            (Setting::Name, panel),
            (Setting::Currency, currency),
            (Setting::TimeZone, time_zone),
        ];
        let session = begin(cx);
        let command = SetUpPanel { name, password_hash, settings, session };
        if cx.try_write(command).await?.is_some() {
            cx.toast = Some(Toast::new("Your panel is ready"));
            return Ok(see_other("/admin"));
        }
    }
    let page = page(cx);
    cx.refused_page(&page)
}
