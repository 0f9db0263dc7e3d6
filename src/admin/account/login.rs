//! Logging in, with the code of an app where the admin has one; logging out; looks.

use askama::Template;

use crate::admin::frame::answer::{Answer, encoded, local, see_other};
use crate::admin::frame::cookies;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::form::Form;
use crate::admin::frame::shell::{Nav, Shell, Theme};
use crate::commands::admins::{Code, EndSession, FinishCode, FinishLogin, StartLogin};
use crate::domain::refusal::{OperatorRefusal, Refusal};
use crate::password::Verdict;
use crate::secret::{self, KeyHash, Secret};
use crate::store::admins;
use crate::store::sessions::NewSession;
use crate::totp::Seed;

/// No admin has a longer name.
const NAME_LENGTH_MAX: usize = 64;

#[derive(Template)]
#[template(path = "admin/account/login.html")]
struct LoginPage {
    shell: Shell,
    form: Form,
    /// Whether there is nobody who could log in yet.
    is_new: bool,
}

#[derive(Template)]
#[template(path = "admin/account/login_code.html")]
struct CodePage {
    shell: Shell,
    form: Form,
}

/// A new session with a new secret, which replaces the browser's old one.
pub(crate) fn begin(cx: &mut Cx) -> NewSession {
    let token = secret::new_token(52);
    let session =
        NewSession { token: KeyHash::of(token.expose()), address: cx.address(), agent: cx.agent() };
    cx.cookies.push(cookies::session(&cx.admin, &token));
    cx.token = token;
    session
}

async fn login_form(cx: &mut Cx) -> Result<LoginPage, PageError> {
    let is_new = cx.read(admins::is_empty).await?;
    Ok(LoginPage { shell: cx.shell("Log in", Nav::Other), form: cx.form.clone(), is_new })
}

/// The form.
pub(crate) async fn login_page(cx: &mut Cx) -> Answer {
    if cx.session.as_ref().is_some_and(|session| !session.life.is_half) {
        return Ok(see_other(local(cx.form.get("next"))));
    }
    let page = login_form(cx).await?;
    cx.page(&page)
}

/// Logs in, or asks for the code. A wrong name and a wrong password answer alike.
pub(crate) async fn login(cx: &mut Cx) -> Answer {
    let name: String = cx.form.get("name").chars().take(NAME_LENGTH_MAX + 1).collect();
    let password = Secret::new(cx.form.raw("password").to_owned());
    let (verdict, admin) = cx.compare(name, password).await?;
    let (Verdict::Right { renewed }, Some(admin)) = (verdict, admin) else {
        cx.form.refuse("", "Wrong name or password");
        let page = login_form(cx).await?;
        return cx.refused_page(&page);
    };
    let next = local(cx.form.get("next")).to_owned();
    let session = begin(cx);
    let owes_code = cx.write(FinishLogin { admin: admin.id, session, renewed }).await?;
    if !owes_code {
        return cx.after_log_in(&next);
    }
    if cx.form.has("kept") {
        let page = code_form(cx);
        return cx.page(&page);
    }
    let next = encoded(&next);
    Ok(see_other(&format!("/admin/login/code?next={next}")))
}

fn code_form(cx: &mut Cx) -> CodePage {
    CodePage { shell: cx.shell("Enter your code", Nav::Other), form: cx.form.clone() }
}

/// The form of the second step.
pub(crate) async fn code_page(cx: &mut Cx) -> Answer {
    let page = code_form(cx);
    cx.page(&page)
}

/// The second step: a code of the app, or a recovery code.
pub(crate) async fn code(cx: &mut Cx) -> Answer {
    let half = cx.me()?.clone();
    let (name, address) = (half.name.clone(), cx.address());
    let started = cx.write(StartLogin { name, address }).await?;
    let admin = started.admin.ok_or(PageError::SignedOut)?;
    let typed = cx.form.get("code").to_owned();
    let seed = admin.totp_seed.as_deref().and_then(|sealed| {
        cx.admin.sealer.unseal(&seed_place(admin.id), sealed).map(Seed::from_bytes)
    });
    let step = seed.and_then(|seed| seed.step(&typed, cx.now()));
    let code = step.map_or_else(|| Code::Recovery(recovery_hash(&typed)), Code::Step);
    let next = local(cx.form.get("next")).to_owned();

    let (token, cookies) = (cx.token.clone(), cx.cookies.clone());
    let session = begin(cx);
    if cx.try_write(FinishCode { half, code, session }).await?.is_some() {
        return cx.after_log_in(&next);
    }
    (cx.token, cx.cookies) = (token, cookies); // the half session goes on
    let page = code_form(cx);
    cx.refused_page(&page)
}

/// Where an admin's seed is sealed for.
pub(crate) fn seed_place(admin: crate::domain::AdminId) -> String {
    format!("admins/totp_seed/{admin}")
}

/// The hash of a recovery code, however it was typed.
pub(crate) fn recovery_hash(typed: &str) -> KeyHash {
    let plain: String = typed.chars().filter(char::is_ascii_alphanumeric).collect();
    KeyHash::of(&plain.to_lowercase())
}

/// Ends the session.
pub(crate) async fn logout(cx: &mut Cx) -> Answer {
    let me = cx.me()?;
    let command = EndSession { admin: me.admin, session: me.id };
    match cx.write(command).await {
        Ok(()) | Err(PageError::Refused(Refusal::Operator(OperatorRefusal::SessionNotFound))) => {}
        Err(error) => return Err(error),
    }
    cx.cookies.push(cookies::no_session(&cx.admin));
    Ok(see_other("/admin/login"))
}

/// Light or dark, high rows or low ones: kept by the browser.
pub(crate) async fn looks(cx: &mut Cx) -> Answer {
    if let Some(theme) = Theme::from_word(cx.form.get("theme")) {
        cx.cookies.push(cookies::looks(&cx.admin, "theme", theme.as_str()));
    }
    for (name, words) in [("density", ["normal", "compact"]), ("keys", ["on", "off"])] {
        if let Some(word) = words.into_iter().find(|word| *word == cx.form.get(name)) {
            cx.cookies.push(cookies::looks(&cx.admin, name, word));
        }
    }
    Ok(see_other(local(cx.form.get("here"))))
}
