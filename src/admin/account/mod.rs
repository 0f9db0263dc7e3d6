//! One's own account: password, app, recovery codes, sessions.

pub(super) mod login;
mod qr;
pub(super) mod setup;

use askama::Template;

use crate::admin::frame::answer::{Answer, see_other};
use crate::admin::frame::ask::Ask;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::form::Form;
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::commands::admins::{
    EndOtherSessions, EndSession, NewTotp, SetPassword, SetRecoveryCodes, SetTotp,
};
use crate::domain::SessionId;
use crate::password;
use crate::secret::{self, Secret};
use crate::store::admins;
use crate::store::sessions::{self, Session};
use crate::totp::Seed;
use login::{recovery_hash, seed_place};
use qr::Qr;

const RECOVERY_CODES: usize = 10;
const RECOVERY_LENGTH: usize = 16;
const PATH: &str = "/admin/account";

#[derive(Template)]
#[template(path = "admin/account/mod.html")]
struct AccountPage {
    shell: Shell,
    form: Form,
    /// The session that looks at this.
    me: Session,
    sessions: Vec<Session>,
    has_app: bool,
    codes_left: i64,
}

impl AccountPage {
    /// A browser by the names people know, from what it calls itself.
    fn browser(agent: &str) -> String {
        const BROWSERS: [(&str, &str); 5] = [
            ("Firefox/", "Firefox"),
            ("Edg/", "Edge"),
            ("OPR/", "Opera"),
            ("Chrome/", "Chrome"),
            ("Safari/", "Safari"),
        ];
        const SYSTEMS: [(&str, &str); 6] = [
            ("Android", "Android"),
            ("iPhone", "iPhone"),
            ("iPad", "iPad"),
            ("Windows", "Windows"),
            ("Mac OS X", "macOS"),
            ("Linux", "Linux"),
        ];
        let known = |names: &[(&str, &'static str)]| {
            names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
        };
        match (known(&BROWSERS), known(&SYSTEMS)) {
            (Some(browser), Some(system)) => format!("{browser} on {system}"),
            (Some(name), None) | (None, Some(name)) => name.to_owned(),
            (None, None) => agent.split('/').next().unwrap_or_default().to_owned(),
        }
    }
}

async fn account(cx: &mut Cx) -> Result<AccountPage, PageError> {
    let (me, now) = (cx.me()?.clone(), cx.now());
    let admin = me.admin;
    let (sessions, has_app, codes_left) = cx
        .read(move |db| {
            let has_app = admins::get(db, admin)?.totp_seed.is_some();
            let codes_left = admins::recovery_codes_left(db, admin)?;
            Ok((sessions::list(db, admin, now)?, has_app, codes_left))
        })
        .await?;
    let (shell, form) = (cx.shell("Your account", Nav::Account), cx.form.clone());
    Ok(AccountPage { shell, form, me, sessions, has_app, codes_left })
}

/// The page.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let page = account(cx).await?;
    cx.page(&page)
}

/// A new password; other browsers are logged out.
pub(crate) async fn set_password(cx: &mut Cx) -> Answer {
    let password = Secret::new(cx.form.raw("password").to_owned());
    if let Err(refusal) = password::check(&password) {
        cx.form.refuse("password", refusal);
    }
    if cx.form.raw("again") != password.expose() {
        cx.form.refuse("again", "The two passwords differ");
    }
    if !cx.form.is_sound() {
        let page = account(cx).await?;
        return cx.refused_page(&page);
    }
    let password_hash = cx.admin.passwords.hash(password).await?;
    let (actor, me) = (cx.actor()?, cx.me()?);
    let (admin, kept) = (me.admin, Some(me.id));
    cx.write(SetPassword { actor, admin, password_hash, kept }).await?;
    cx.go(PATH, Toast::new("Password changed. Other sessions are logged out"))
}

#[derive(Template)]
#[template(path = "admin/account/mod_app.html")]
struct AppPage {
    shell: Shell,
    form: Form,
    seed: String,
    /// The link an authenticator app opens.
    url: String,
    /// The same, to be read by a camera.
    qr: Option<Qr>,
}

fn app(cx: &mut Cx, seed: &Seed) -> Result<AppPage, PageError> {
    let name = cx.me()?.name.clone();
    let shell = cx.shell("Turn on two-factor authentication", Nav::Account);
    let url = seed.url(&shell.panel, &name);
    let qr = Qr::of(&url);
    Ok(AppPage { shell, form: cx.form.clone(), seed: grouped(&seed.text()), url, qr })
}

/// Four and four, to be typed.
fn grouped(text: &str) -> String {
    let groups: Vec<&str> =
        (0..text.len()).step_by(4).filter_map(|at| text.get(at..text.len().min(at + 4))).collect();
    groups.join(" ")
}

/// A new seed for an app.
pub(crate) async fn app_page(cx: &mut Cx) -> Answer {
    let page = app(cx, &Seed::generate())?;
    cx.page(&page)
}

#[derive(Template)]
#[template(path = "admin/account/mod_recovery.html")]
struct RecoveryPage {
    shell: Shell,
    codes: Vec<String>,
}

fn recovery(cx: &mut Cx, codes: Vec<String>) -> Answer {
    let page = RecoveryPage { shell: cx.shell("Your recovery codes", Nav::Account), codes };
    cx.page(&page)
}

fn fresh_codes() -> Vec<String> {
    let code = |_| grouped(secret::new_token(RECOVERY_LENGTH).expose()).replace(' ', "-");
    (0..RECOVERY_CODES).map(code).collect()
}

/// Turns two-factor authentication on, once one code has shown that the app has the seed.
pub(crate) async fn set_app(cx: &mut Cx) -> Answer {
    let text: String = cx.form.get("seed").chars().filter(|c| !c.is_whitespace()).collect();
    let Some(seed) = Seed::parse(&text) else { return Ok(see_other("/admin/account/app")) };
    let Some(step) = seed.step(cx.form.get("code"), cx.now()) else {
        cx.form.refuse("code", "This is not the code that the app shows now. Enter the latest one");
        let page = app(cx, &seed)?;
        return cx.refused_page(&page);
    };
    let (actor, admin) = (cx.actor()?, cx.me()?.admin);
    let codes = fresh_codes();
    let totp = NewTotp {
        seed: cx.admin.sealer.seal(&seed_place(admin), seed.as_bytes()),
        step,
        recovery: codes.iter().map(|code| recovery_hash(code)).collect(),
    };
    cx.write(SetTotp { actor, admin, totp: Some(totp) }).await?;
    recovery(cx, codes)
}

/// Turns two-factor authentication off.
pub(crate) async fn drop_app(cx: &mut Cx) -> Answer {
    cx.confirm(Ask {
        title: "Turn off two-factor authentication?".to_owned(),
        facts: vec![
            ("From now on".to_owned(), "your password alone logs you in".to_owned()),
            ("Recovery codes".to_owned(), "are deleted".to_owned()),
        ],
        verb: "Turn off".to_owned(),
        is_danger: true,
        ..Ask::default()
    })?;
    let (actor, admin) = (cx.actor()?, cx.me()?.admin);
    cx.write(SetTotp { actor, admin, totp: None }).await?;
    cx.go(PATH, Toast::new("Two-factor authentication is off"))
}

/// New recovery codes; the old ones no longer count.
pub(crate) async fn new_codes(cx: &mut Cx) -> Answer {
    let codes = fresh_codes();
    let hashes = codes.iter().map(|code| recovery_hash(code)).collect();
    let admin = cx.me()?.admin;
    cx.write(SetRecoveryCodes { admin, codes: hashes }).await?;
    recovery(cx, codes)
}

/// Logs another browser out.
pub(crate) async fn end_session(cx: &mut Cx) -> Answer {
    let (admin, session) = (cx.me()?.admin, SessionId(cx.path_id("id")?));
    cx.write(EndSession { admin, session }).await?;
    cx.go(PATH, Toast::new("Session logged out"))
}

/// Logs all other browsers out.
pub(crate) async fn end_others(cx: &mut Cx) -> Answer {
    let (admin, kept) = (cx.me()?.admin, cx.me()?.id);
    let ended = cx.write(EndOtherSessions { admin, kept }).await?;
    let toast = match ended {
        1 => "1 other session logged out".to_owned(),
        _ => format!("{ended} other sessions logged out"),
    };
    cx.go(PATH, Toast::new(toast))
}
