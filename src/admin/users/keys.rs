//! A user's API keys, new ones, and their end.

use askama::Template;

use super::made::issue;
use super::{Head, head, id, not_found, path};
use crate::admin::frame::answer::Answer;
use crate::admin::frame::ask::Ask;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::form::Form;
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::commands::accounts::RevokeKey;
use crate::domain::refusal::OperatorRefusal;
use crate::domain::user::User;
use crate::domain::{KeyId, Timestamp};
use crate::store::keys::{self, ApiKey};
use crate::store::{Read, together};

const DAY_SECONDS: i64 = 86_400;

#[derive(Template)]
#[template(path = "admin/users/keys.html")]
struct KeysPage {
    shell: Shell,
    tab: &'static str,
    head: Head,
    form: Form,
    keys: Vec<ApiKey>,
    /// The newest key of all users, so that a form that is sent again makes no other.
    last_key: i64,
    /// Where the API is.
    address: String,
}

async fn keys_page(cx: &mut Cx) -> Result<KeysPage, PageError> {
    let id = id(cx)?;
    let read = move |db: &Read<'_>| {
        let (head, keys, newest) =
            together!(db: Head::read(db, id), keys::list(db, id), keys::find_newest(db));
        Ok((head, keys, newest.map_or(0, |key| key.0)))
    };
    let (head, mut keys, last_key) = cx.read(read).await.map_err(not_found(id))?;
    keys.reverse();
    let (shell, form) = (cx.shell(&head.user.name, Nav::Users), cx.form.clone());
    Ok(KeysPage { shell, tab: "/keys", head, form, keys, last_key, address: cx.api_address() })
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

/// Asks, then refuses the key from now on.
pub(super) async fn withdraw(cx: &mut Cx, (key, user): (ApiKey, User), back: &str) -> Answer {
    cx.confirm(Ask {
        title: format!("Revoke key {}… of {}?", key.prefix, user.name),
        facts: vec![
            ("From now on".to_owned(), "requests with this key are refused".to_owned()),
            ("Label".to_owned(), key.label.clone()),
            ("Last used".to_owned(), last_used(&key, cx.now())),
        ],
        verb: "Revoke key".to_owned(),
        typed: None,
        is_danger: true,
        ..Ask::default()
    })?;
    cx.write(RevokeKey { actor: cx.actor()?, key: key.id }).await?;
    cx.go(back, Toast::new(format!("Key {}… is revoked", key.prefix)))
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
