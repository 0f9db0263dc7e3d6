//! A user's API keys, new ones, and their end.

use actix_web::HttpResponse;
use askama::Template;

use super::{Head, head, id, not_found, path};
use crate::admin::frame::answer::Answer;
use crate::admin::frame::ask::Ask;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::form::Form;
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::commands::accounts::{CreateKey, RevokeKey};
use crate::domain::refusal::OperatorRefusal;
use crate::domain::user::User;
use crate::domain::{KeyId, Timestamp};
use crate::secret::{self, KeyHash};
use crate::store::Read;
use crate::store::keys::{self, ApiKey};

const DAY_SECONDS: i64 = 86_400;

#[derive(Template)]
#[template(path = "admin/users/keys.html")]
struct KeysPage {
    shell: Shell,
    tab: &'static str,
    head: Head,
    form: Form,
    keys: Vec<ApiKey>,
}

async fn keys_page(cx: &mut Cx) -> Result<KeysPage, PageError> {
    let id = id(cx)?;
    let read = move |db: &Read<'_>| Ok((Head::read(db, id)?, keys::list(db, id)?));
    let (head, mut keys) = cx.read(read).await.map_err(not_found(id))?;
    keys.reverse();
    let shell = cx.shell(&head.user.name, Nav::Users);
    Ok(KeysPage { shell, tab: "/keys", head, form: cx.form.clone(), keys })
}

/// The keys of a user.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let page = keys_page(cx).await?;
    cx.page(&page)
}

/// A new key, shown this once.
pub(crate) async fn create(cx: &mut Cx) -> Answer {
    let user = head(cx).await?.user;
    let back = path(user.id, "/keys");
    if let Some(page) = issue(cx, user, &back).await? {
        return Ok(page);
    }
    let page = keys_page(cx).await?;
    cx.refused_page(&page)
}

/// Refuses a key from now on.
pub(crate) async fn revoke(cx: &mut Cx) -> Answer {
    let (user, key) = (head(cx).await?.user, KeyId(cx.path_id("key")?));
    let found = cx.read(move |db| keys::find(db, key)).await?;
    let found = found.filter(|found| found.user == user.id).ok_or(OperatorRefusal::KeyNotFound)?;
    let back = path(user.id, "/keys");
    withdraw(cx, (found, user), &back).await
}

/// The one page that ever shows a key.
#[derive(Template)]
#[template(path = "admin/users/keys_made.html")]
pub(super) struct MadePage {
    pub(super) shell: Shell,
    pub(super) user: User,
    pub(super) label: String,
    pub(super) key: String,
    /// The first characters of the key in whose place this one is.
    pub(super) replaced: Option<String>,
    /// Where to go on.
    pub(super) back: String,
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
        ..Ask::default()
    })?;
    cx.write(RevokeKey { actor: cx.actor()?, key: key.id }).await?;
    cx.go(back, Toast::new(format!("The key {}… is revoked", key.prefix)))
}

/// How long ago a key was used, in days.
pub(super) fn last_used(key: &ApiKey, now: Timestamp) -> String {
    let days = key.last_used_at.map(|at| (now.0 - at.0) / DAY_SECONDS);
    match days {
        None => "never".to_owned(),
        Some(0) => "in the last 24 hours".to_owned(),
        Some(1) => "1 day ago".to_owned(),
        Some(days) => format!("{days} days ago"),
    }
}
