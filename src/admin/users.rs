//! All users, and a new one.

use actix_web::http::StatusCode;
use askama::Template;

use super::form::Form;
use super::gate::Cx;
use super::reply::{Answer, Ask, encoded};
use super::shell::{Nav, Shell, Toast};
use crate::commands::accounts::{CreateUser, SetSuspended};
use crate::domain::UserId;
use crate::domain::user::User;
use crate::store::Read;
use crate::store::page::Page;
use crate::store::users::{self, Filter, Listed, Which};

/// Rows on a page, unless the reader wants another number.
const SIZES: [i64; 3] = [50, 100, 200];

#[derive(Template)]
#[template(path = "admin/users.html", blocks = ["list"])]
struct UsersPage {
    shell: Shell,
    which: Which,
    /// What the name begins with.
    q: String,
    page: Page<Listed>,
    size: i64,
}

impl UsersPage {
    /// The tabs: the word in the address, what it says, and whether it is this one.
    fn tabs(&self) -> [(&'static str, &'static str, bool); 3] {
        [
            ("", "All", self.which == Which::All),
            ("suspended", "Suspended", self.which == Which::Suspended),
            ("owing", "Below zero", self.which == Which::Owing),
        ]
    }

    fn state(&self) -> &'static str {
        self.tabs().into_iter().find(|(.., is_this)| *is_this).map_or("", |(word, ..)| word)
    }

    fn is_filtered(&self) -> bool {
        !self.q.is_empty() || self.which != Which::All
    }

    /// The address of the page with other ends.
    fn older(&self) -> Option<String> {
        let last = self.page.rows.last().filter(|_| self.page.has_older)?;
        Some(format!("{}&older={}", self.address(), last.user.id))
    }

    fn newer(&self) -> Option<String> {
        let first = self.page.rows.first().filter(|_| self.page.has_newer)?;
        Some(format!("{}&newer={}", self.address(), first.user.id))
    }

    fn address(&self) -> String {
        let q = encoded(&self.q);
        format!("/admin/users?state={}&q={q}&size={}", self.state(), self.size)
    }
}

/// The list.
pub(super) async fn list(cx: &mut Cx) -> Answer {
    let which = match cx.form.get("state") {
        "suspended" => Which::Suspended,
        "owing" => Which::Owing,
        _ => Which::All,
    };
    let q: String = cx.form.get("q").chars().take(64).collect();
    let (cursor, size) = (cx.cursor(), cx.size(&SIZES));
    let filter = Filter { which, name: q.clone(), cursor, size };
    let page = cx.read(move |db| users::page(db, &filter)).await?;
    let page = UsersPage { shell: cx.shell("Users", Nav::Users), which, q, page, size };
    cx.list(&page, &page.as_list())
}

/// The names among the ticked that a question shows.
const NAMED_MAX: usize = 5;
/// More ticked rows than that have to be confirmed by typing their number.
const TYPED_ABOVE: usize = 50;

/// Suspends or resumes those that are ticked.
pub(super) async fn bulk(cx: &mut Cx) -> Answer {
    let ids: Vec<_> = cx.form.ids("id").into_iter().map(UserId).collect();
    let is_suspended = cx.form.get("do") != "resume";
    if ids.is_empty() {
        return cx.go("/admin/users", Toast::said("No user was ticked, nothing was done"));
    }
    let asked = ids.clone();
    let find = move |db: &Read<'_>| asked.iter().map(|id| users::find(db, *id)).collect();
    let found: Vec<Option<User>> = cx.read(find).await?;
    let users: Vec<User> = found.into_iter().flatten().collect();
    let (verb, follows) = match is_suspended {
        true => ("Suspend", "requests with their keys are refused"),
        false => ("Resume", "requests with their keys are answered"),
    };
    let count = match users.len() {
        1 => "1 user".to_owned(),
        count => format!("{count} users"),
    };
    let named: Vec<&str> = users.iter().take(NAMED_MAX).map(|user| user.name.as_str()).collect();
    let more = if users.len() > NAMED_MAX { " …" } else { "" };
    cx.confirm(Ask {
        title: format!("{verb} {count}?"),
        facts: vec![
            ("Users".to_owned(), format!("{}{more}", named.join(", "))),
            ("From now on".to_owned(), follows.to_owned()),
        ],
        verb: format!("{verb} {count}"),
        typed: (users.len() > TYPED_ABOVE).then(|| users.len().to_string()),
        is_danger: is_suspended,
    })?;
    let users = users.into_iter().map(|user| user.id).collect();
    let changed = cx.write(SetSuspended { actor: cx.actor()?, users, is_suspended }).await?;
    let said = if is_suspended { "suspended" } else { "active again" };
    cx.go("/admin/users", Toast::said(format!("{changed} of {count}: {said}")))
}

#[derive(Template)]
#[template(path = "admin/user_new.html")]
struct NewUserPage {
    shell: Shell,
    form: Form,
}

/// The form for a new one.
pub(super) async fn new(cx: &mut Cx) -> Answer {
    let page = NewUserPage { shell: cx.shell("New user", Nav::Users), form: cx.form.clone() };
    cx.page(&page)
}

/// Adds a user; his page is next, where he gets his first key.
pub(super) async fn create(cx: &mut Cx) -> Answer {
    let name = cx.form.required("name", "Choose a name");
    if cx.form.is_sound() {
        let create = CreateUser { actor: cx.actor()?, name: name.clone() };
        if let Some(id) = cx.try_write(create).await? {
            let toast = Toast::said(format!("{name} is added. Create a key to let them order"));
            return cx.go(&format!("/admin/users/{id}/keys"), toast);
        }
    }
    let page = NewUserPage { shell: cx.shell("New user", Nav::Users), form: cx.form.clone() };
    cx.page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}
