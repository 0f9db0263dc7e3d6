//! The API keys of all users: who has which, and which are never used.
//!
//! A key belongs to a user and lives on the user's page (`keys.rs`); here an operator finds one
//! without knowing whose it is.

use askama::Template;

use super::keys::{last_used, withdraw};
use super::made::{self, issue};
use crate::admin::frame::answer::Answer;
use crate::admin::frame::ask::Ask;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::form::Form;
use crate::admin::frame::list::{Address, List, Size, Tab, no_page};
use crate::admin::frame::shell::{Nav, Shell};
use crate::commands::accounts::RotateKey;
use crate::domain::refusal::{OperatorRefusal, Refusal};
use crate::domain::user::User;
use crate::domain::{KeyId, Timestamp};
use crate::secret::{self, KeyHash};
use crate::store::keys::{self, ApiKey, Filter, Listed, Which};
use crate::store::users;

const PATH: &str = "/admin/keys";
/// A key that nobody used for so long may be one that nobody needs.
const IDLE_SECONDS: i64 = 90 * 86_400;

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
        "idle" => Which::IdleSince(Timestamp(now.0 - IDLE_SECONDS)),
        "revoked" => Which::Revoked,
        _ => Which::All,
    }
}

#[derive(Template)]
#[template(path = "admin/users/all_keys.html", blocks = ["list"])]
struct AllKeysPage {
    shell: Shell,
    form: Form,
    tabs: Vec<Tab>,
    state: &'static str,
    size: Size,
    list: List<Listed>,
}

/// The list.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let asked = TABS.into_iter().find(|(word, _)| *word == cx.form.get("state"));
    let (state, _) = asked.unwrap_or(TABS[0]);
    let (which, cursor, size) = (which(state, cx.now()), cx.cursor(), cx.size());
    let user = cx.form.get("user").to_owned();
    let called = user.clone();
    let found = cx
        .read(move |db| {
            let found = users::find_called(db, &called)?;
            if found.is_none() && !called.is_empty() {
                return Ok(None);
            }
            let user = found.map(|user| user.id);
            keys::page(db, &Filter { which, user, cursor, size: size.rows }).map(Some)
        })
        .await?;
    let page = found.unwrap_or_else(|| {
        cx.form.refuse("user", OperatorRefusal::UserNotFound);
        no_page()
    });
    let address = |word| Address::new(PATH).with("state", word).with("user", &user);
    let list = List::new(page, address(state).with("size", size.rows), |row| row.key.id.0);
    let tab = |(word, label)| Tab::new(address(word), label, word == state);
    let tabs = TABS.into_iter().map(tab).collect();
    let shell = cx.shell("API keys", Nav::Keys);
    let page = AllKeysPage { shell, form: cx.form.clone(), tabs, state, size, list };
    cx.list(&page, &page.as_list())
}

#[derive(Template)]
#[template(path = "admin/users/all_keys_new.html")]
struct NewKeyForm {
    shell: Shell,
    form: Form,
    /// The newest key, so that a form that is sent again makes no other.
    last_key: i64,
}

async fn new_key_form(cx: &mut Cx) -> Result<NewKeyForm, PageError> {
    let last_key = cx.read(keys::find_newest).await?.map_or(0, |key| key.0);
    Ok(NewKeyForm { shell: cx.shell("New key", Nav::Keys), form: cx.form.clone(), last_key })
}

/// The form for a new one.
pub(crate) async fn new(cx: &mut Cx) -> Answer {
    let page = new_key_form(cx).await?;
    cx.page(&page)
}

/// Makes a key for whoever is named.
pub(crate) async fn create(cx: &mut Cx) -> Answer {
    let name = cx.form.required("user", "Enter the name of the user it is for");
    if !name.is_empty() {
        match cx.read(move |db| users::find_called(db, &name)).await? {
            None => cx.form.refuse("user", OperatorRefusal::UserNotFound),
            Some(user) => {
                if let Some(page) = issue(cx, user, PATH).await? {
                    return Ok(page);
                }
            }
        }
    }
    let page = new_key_form(cx).await?;
    cx.refused_page(&page)
}

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
pub(crate) async fn revoke(cx: &mut Cx) -> Answer {
    let (key, user) = named(cx).await?;
    withdraw(cx, (key, user), PATH).await
}

/// Puts a new key in the place of one.
pub(crate) async fn rotate(cx: &mut Cx) -> Answer {
    let (old, user) = named(cx).await?;
    if old.revoked_at.is_some() {
        return replaced_before(cx, old, user).await;
    }
    cx.confirm(Ask {
        title: format!("Replace key {}… of {}?", old.prefix, user.name),
        facts: vec![
            ("From now on".to_owned(), "requests with the old key are refused".to_owned()),
            ("The new key".to_owned(), "is shown once, on the next page".to_owned()),
            ("Label".to_owned(), old.label.clone()),
            ("Last used".to_owned(), last_used(&old, cx.now())),
        ],
        verb: "Replace key".to_owned(),
        is_danger: true,
        ..Ask::default()
    })?;
    let key = secret::new_api_key();
    let command = RotateKey {
        actor: cx.actor()?,
        key: old.id,
        hash: KeyHash::of(key.expose()),
        prefix: secret::shown_prefix(&key).to_owned(),
    };
    match cx.write(command).await {
        Ok(id) => {
            let back = format!("/admin/users/{}/keys", user.id);
            let made = made::New { id, key, label: old.label, replaced: Some(old.prefix) };
            made::page(cx, user, made, &back).await
        }
        // The same form, sent twice at once: the first one counted.
        Err(PageError::Refused(Refusal::Operator(OperatorRefusal::KeyIsRevoked))) => {
            replaced_before(cx, old, user).await
        }
        Err(error) => Err(error),
    }
}

/// The answer to a form that was sent again: the key in whose place another one is.
async fn replaced_before(cx: &mut Cx, old: ApiKey, user: User) -> Answer {
    let id = old.id;
    let successor = cx
        .read(move |db| {
            let Some(old) = keys::find(db, id)? else { return Ok(None) };
            keys::find_successor(db, &old)
        })
        .await?;
    let Some(key) = successor else { return Err(OperatorRefusal::KeyIsRevoked.into()) };
    let back = format!("/admin/users/{}/keys", user.id);
    made::before(cx, user, key, &back)
}
