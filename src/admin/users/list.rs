//! All users.

use askama::Template;

use crate::admin::frame::answer::Answer;
use crate::admin::frame::ask::Ask;
use crate::admin::frame::bulk;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::figure::{Decimals, grouped, money};
use crate::admin::frame::list::{Address, List, Size, Tab};
use crate::admin::frame::shell::{Nav, Shell, Toast, Undo};
use crate::commands::accounts::SetSuspended;
use crate::domain::UserId;
use crate::domain::user::User;
use crate::store::Read;
use crate::store::users::{self, Filter, Listed, Which};

const PATH: &str = "/admin/users";
/// What is read of the name that is looked for.
const NAME_LENGTH_MAX: usize = 64;
/// The names of selected users that a question shows.
const NAMED_MAX: usize = 5;

/// The tabs: the word in the address, what it says, which users it shows.
const TABS: [(&str, &str, Which); 3] = [
    ("", "All", Which::All),
    ("suspended", "Suspended", Which::Suspended),
    ("owing", "Below zero", Which::Owing),
];

#[derive(Template)]
#[template(path = "admin/users/list.html", blocks = ["list"])]
struct UsersPage {
    shell: Shell,
    tabs: Vec<Tab>,
    state: &'static str,
    /// What the name begins with.
    q: String,
    size: Size,
    list: List<Listed>,
}

impl UsersPage {
    fn balances(&self) -> Decimals {
        Decimals::of(self.list.rows.iter().map(|row| row.user.balance.micros()))
    }
}

/// The list.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let asked = TABS.into_iter().find(|(word, ..)| *word == cx.form.get("state"));
    let (state, _, which) = asked.unwrap_or(TABS[0]);
    let (q, cursor, size) = (cx.form.text("q", NAME_LENGTH_MAX), cx.cursor(), cx.size());
    let filter = Filter { which, name: q.clone(), cursor, size: size.rows };
    let page = cx.read(move |db| users::page(db, &filter)).await?;
    let address = Address::new(PATH).with("state", state).with("q", &q).with("size", size.rows);
    let list = List::new(page, address, |row| row.user.id.0);
    let tab =
        |(word, label, _)| Tab::new(Address::new(PATH).with("state", word), label, word == state);
    let tabs = TABS.into_iter().map(tab).collect();
    let page = UsersPage { shell: cx.shell("Users", Nav::Users), tabs, state, q, size, list };
    cx.list(&page, &page.as_list())
}

/// Suspends or resumes those that are selected: at once, unless they are very many.
pub(crate) async fn bulk(cx: &mut Cx) -> Answer {
    let ids: Vec<_> = cx.form.selected("id").into_iter().map(UserId).collect();
    let is_suspended = cx.form.get("do") != "resume";
    if ids.is_empty() {
        return cx.go(PATH, Toast::new(bulk::none_selected("user")));
    }
    let find = move |db: &Read<'_>| ids.iter().map(|id| users::find(db, *id)).collect();
    let found: Vec<Option<User>> = cx.read(find).await?;
    let users: Vec<User> = found.into_iter().flatten().collect();
    let typed = bulk::typed(users.len());
    if typed.is_some() {
        cx.confirm(question(&users, is_suspended))?;
    }
    let opposite = if is_suspended { "resume" } else { "suspend" };
    let undo = Undo::post("/admin/users/bulk").with("do", opposite);
    let changed = users.iter().filter(|user| user.is_suspended != is_suspended);
    let undo = changed.fold(undo, |undo, user| undo.with("id", user.id));
    let users = users.into_iter().map(|user| user.id).collect();
    let count = cx.write(SetSuspended { actor: cx.actor()?, users, is_suspended }).await?;
    let word = if is_suspended { "suspended" } else { "resumed" };
    let text = format!("{} {word}", bulk::counted(count, "user"));
    let undo = Some(undo).filter(|_| count > 0);
    cx.go(PATH, Toast { text, undo })
}

fn question(users: &[User], is_suspended: bool) -> Ask {
    let (verb, follows) = match is_suspended {
        true => ("Suspend", "requests with their keys are refused"),
        false => ("Resume", "requests with their keys are answered"),
    };
    let count = bulk::counted(users.len(), "user");
    let named = bulk::named(users.iter().map(|user| &user.name), NAMED_MAX);
    Ask {
        title: format!("{verb} {count}?"),
        facts: vec![("Users".to_owned(), named), ("From now on".to_owned(), follows.to_owned())],
        verb: format!("{verb} {count}"),
        typed: bulk::typed(users.len()),
        is_danger: is_suspended,
        ..Ask::default()
    }
}
