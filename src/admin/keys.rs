//! All API keys: who has which, which are never used, new ones and their end.

use actix_web::HttpResponse;
use askama::Template;

use super::error::PageError;
use super::form::Form;
use super::gate::Cx;
use super::reply::{Answer, Ask, encoded};
use super::shell::{Nav, Shell, Toast};
use crate::commands::accounts::{CreateKey, RevokeKey, RotateKey};
use crate::domain::refusal::OperatorRefusal;
use crate::domain::user::User;
use crate::domain::{KeyId, Timestamp};
use crate::secret::{self, KeyHash};
use crate::store::keys::{self, ApiKey, Filter, Listed, Which};
use crate::store::page::Page;
use crate::store::users;

const SIZES: [i64; 3] = [50, 100, 200];
const DAY_SECONDS: i64 = 86_400;
/// A key that nobody used for so many days may be one that nobody needs.
const IDLE_DAYS: i64 = 90;

#[derive(Template)]
#[template(path = "admin/keys.html", blocks = ["list"])]
struct KeysPage {
    shell: Shell,
    form: Form,
    which: Which,
    page: Page<Listed>,
    size: i64,
}

/// The tabs: the word in the address and what it says.
const TABS: [(&str, &str); 5] = [
    ("", "All"),
    ("active", "Active"),
    ("unused", "Never used"),
    ("idle", "Not used for 90 days"),
    ("revoked", "Revoked"),
];

fn which(word: &str, now: Timestamp) -> Which {
    match word {
        "active" => Which::Active,
        "unused" => Which::NeverUsed,
        "idle" => Which::IdleSince(Timestamp(now.0 - IDLE_DAYS * DAY_SECONDS)),
        "revoked" => Which::Revoked,
        _ => Which::All,
    }
}

impl KeysPage {
    fn state(&self) -> &'static str {
        match self.which {
            Which::All => "",
            Which::Active => "active",
            Which::NeverUsed => "unused",
            Which::IdleSince(_) => "idle",
            Which::Revoked => "revoked",
        }
    }

    fn is_filtered(&self) -> bool {
        self.which != Which::All || !self.form.get("user").is_empty()
    }

    /// The address of a tab: whoever is asked for stays.
    fn tab(&self, word: &str) -> String {
        let user = encoded(self.form.get("user"));
        format!("/admin/keys?state={word}&user={user}")
    }

    fn older(&self) -> Option<String> {
        let last = self.page.rows.last().filter(|_| self.page.has_older)?;
        Some(format!("{}&size={}&older={}", self.tab(self.state()), self.size, last.key.id))
    }

    fn newer(&self) -> Option<String> {
        let first = self.page.rows.first().filter(|_| self.page.has_newer)?;
        Some(format!("{}&size={}&newer={}", self.tab(self.state()), self.size, first.key.id))
    }
}

/// The list.
pub(super) async fn list(cx: &mut Cx) -> Answer {
    let which = which(cx.form.get("state"), cx.now());
    let (user, cursor, size) = (cx.form.get("user").to_owned(), cx.cursor(), cx.size(&SIZES));
    let found = cx
        .read(move |db| {
            let user = match user.as_str() {
                "" => None,
                text => match users::find_called(db, text)? {
                    Some(user) => Some(user.id),
                    None => return Ok(None),
                },
            };
            keys::page(db, &Filter { which, user, cursor, size }).map(Some)
        })
        .await?;
    let page = found.unwrap_or_else(|| {
        cx.form.refuse("user", OperatorRefusal::UserNotFound);
        Page { rows: Vec::new(), has_newer: false, has_older: false }
    });
    let shell = cx.shell("API keys", Nav::Keys);
    let page = KeysPage { shell, form: cx.form.clone(), which, page, size };
    cx.list(&page, &page.as_list())
}

// -------------------------------------------------------------------------------------- new keys

#[derive(Template)]
#[template(path = "admin/key_new.html")]
struct NewKeyForm {
    shell: Shell,
    form: Form,
}

/// The form for a new one.
pub(super) async fn new(cx: &mut Cx) -> Answer {
    let page = NewKeyForm { shell: cx.shell("New key", Nav::Keys), form: cx.form.clone() };
    cx.page(&page)
}

/// Makes a key for whoever is named.
pub(super) async fn create(cx: &mut Cx) -> Answer {
    let name = cx.form.required("user", "Write the name of the user it is for");
    if !name.is_empty() {
        match cx.read(move |db| users::find_called(db, &name)).await? {
            None => cx.form.refuse("user", OperatorRefusal::UserNotFound),
            Some(user) => {
                if let Some(page) = issue(cx, user, "/admin/keys").await? {
                    return Ok(page);
                }
            }
        }
    }
    let page = NewKeyForm { shell: cx.shell("New key", Nav::Keys), form: cx.form.clone() };
    cx.refused_page(&page)
}

/// The one page that ever shows a key.
#[derive(Template)]
#[template(path = "admin/key_made.html")]
struct MadePage {
    shell: Shell,
    user: User,
    label: String,
    key: String,
    /// The first characters of the key in whose place this one is.
    replaced: Option<String>,
    /// Where to go on.
    back: String,
}

/// Makes a key under the label of the form and shows it this once; nothing where the label was
/// refused, which the form then says.
pub(super) async fn issue(
    cx: &mut Cx,
    user: User,
    back: &str,
) -> Result<Option<HttpResponse>, PageError> {
    let key = secret::new_api_key();
    let label = cx.form.get("label").to_owned();
    let command = CreateKey {
        actor: cx.actor()?,
        user: user.id,
        hash: KeyHash::of(key.expose()),
        prefix: secret::shown_prefix(&key).to_owned(),
        label: label.clone(),
    };
    if cx.try_write(command).await?.is_none() {
        return Ok(None);
    }
    let shell = cx.shell("The new key", Nav::Keys);
    let (key, back) = (key.expose().to_owned(), back.to_owned());
    cx.page(&MadePage { shell, user, label, key, replaced: None, back }).map(Some)
}

// ----------------------------------------------------------------------------------- their end

/// The key of the path and whose it is.
async fn named(cx: &Cx) -> Result<(ApiKey, User), PageError> {
    let id = KeyId(cx.path_id("id")?);
    cx.read(move |db| {
        let key = keys::find(db, id)?.ok_or(OperatorRefusal::KeyNotFound)?;
        let user = users::get(db, key.user)?;
        Ok((key, user))
    })
    .await
}

/// Refuses a key from now on.
pub(super) async fn revoke(cx: &mut Cx) -> Answer {
    let (key, user) = named(cx).await?;
    withdraw(cx, (key, user), "/admin/keys").await
}

/// Asks, then refuses the key from now on.
pub(super) async fn withdraw(cx: &mut Cx, (key, user): (ApiKey, User), back: &str) -> Answer {
    cx.confirm(Ask {
        title: format!("Revoke the key {}… of {}?", key.prefix, user.name),
        facts: vec![
            ("From now on".to_owned(), "requests with it are refused".to_owned()),
            ("Label".to_owned(), key.label.clone()),
            ("Last used".to_owned(), last_used(&key, cx.now())),
        ],
        verb: "Revoke 1 key".to_owned(),
        typed: None,
        is_danger: true,
    })?;
    cx.write(RevokeKey { actor: cx.actor()?, key: key.id }).await?;
    cx.go(back, Toast::said(format!("The key {}… is revoked", key.prefix)))
}

/// Puts a new key in the place of one.
pub(super) async fn rotate(cx: &mut Cx) -> Answer {
    let (old, user) = named(cx).await?;
    if old.revoked_at.is_some() {
        return Err(OperatorRefusal::KeyIsRevoked.into());
    }
    cx.confirm(Ask {
        title: format!("Replace the key {}… of {}?", old.prefix, user.name),
        facts: vec![
            ("From now on".to_owned(), "requests with the old key are refused".to_owned()),
            ("The new key".to_owned(), "is shown once, on the next page".to_owned()),
            ("Label".to_owned(), old.label.clone()),
            ("Last used".to_owned(), last_used(&old, cx.now())),
        ],
        verb: "Replace 1 key".to_owned(),
        typed: None,
        is_danger: true,
    })?;
    let key = secret::new_api_key();
    let command = RotateKey {
        actor: cx.actor()?,
        key: old.id,
        hash: KeyHash::of(key.expose()),
        prefix: secret::shown_prefix(&key).to_owned(),
    };
    cx.write(command).await?;
    let shell = cx.shell("The new key", Nav::Keys);
    let back = format!("/admin/users/{}/keys", user.id);
    let (key, replaced) = (key.expose().to_owned(), Some(old.prefix));
    cx.page(&MadePage { shell, user, label: old.label, key, replaced, back })
}

fn last_used(key: &ApiKey, now: Timestamp) -> String {
    let days = key.last_used_at.map(|at| (now.0 - at.0) / DAY_SECONDS);
    match days {
        None => "never".to_owned(),
        Some(0) => "in the last 24 hours".to_owned(),
        Some(1) => "1 day ago".to_owned(),
        Some(days) => format!("{days} days ago"),
    }
}
