//! Users: the list, and the pages of one user, which all have the same head and tabs above them.

pub(super) mod all_keys;
pub(super) mod keys;
pub(super) mod list;
pub(super) mod made;
pub(super) mod new;
pub(super) mod note;
pub(super) mod one;
pub(super) mod rates;
pub(super) mod webhook;

use crate::admin::frame::answer::encoded;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::figure::money;
use crate::domain::refusal::{OperatorRefusal, Refusal};
use crate::domain::user::User;
use crate::domain::{Timestamp, UserId};
use crate::store::{self, Read, users};

/// What all pages of a user have above them.
struct Head {
    user: User,
    created_at: Timestamp,
    note: String,
}

impl Head {
    fn read(db: &Read<'_>, id: UserId) -> store::Result<Self> {
        db.ahead(&[
            &|db| users::find(db, id).map(drop),
            &|db| users::created_at(db, id).map(drop),
            &|db| users::note(db, id).map(drop),
        ])?;
        let user = users::find(db, id)?.ok_or(OperatorRefusal::UserNotFound)?;
        Ok(Self { created_at: users::created_at(db, id)?, note: users::note(db, id)?, user })
    }

    /// The tabs: the end of the address, what it says.
    fn tabs(&self) -> [(&'static str, &'static str); 5] {
        [
            ("", "Ledger"),
            ("/keys", "API keys"),
            ("/rates", "Custom rates"),
            ("/webhook", "Webhook"),
            ("/note", "Note"),
        ]
    }

    fn balance(&self) -> String {
        money(self.user.balance)
    }

    /// What the user can spend, the credit limit included.
    fn available(&self) -> String {
        money(self.user.available())
    }

    /// The list of this user's orders.
    fn orders(&self) -> String {
        format!("/admin/orders?user={}", encoded(&self.user.name))
    }
}

fn id(cx: &Cx) -> Result<UserId, PageError> {
    cx.path_id("id").map(UserId)
}

fn path(user: UserId, tab: &str) -> String {
    format!("/admin/users/{user}{tab}")
}

async fn head(cx: &Cx) -> Result<Head, PageError> {
    let id = id(cx)?;
    cx.read(move |db| Head::read(db, id)).await.map_err(not_found(id))
}

/// A user who is not there is a page that is not there.
fn not_found(id: UserId) -> impl Fn(PageError) -> PageError {
    move |error| {
        if matches!(error, PageError::Refused(Refusal::Operator(OperatorRefusal::UserNotFound))) {
            return PageError::NotFound(format!(
                "No user {id}. The number may have been typed wrong."
            ));
        }
        error
    }
}
