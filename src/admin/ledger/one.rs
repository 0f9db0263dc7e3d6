//! One movement of money, and the way to take it back.

use askama::Template;

use crate::admin::frame::answer::Answer;
use crate::admin::frame::ask::Ask;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::form::Form;
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::admin::frame::terms::Terms;
use crate::commands::accounts::Reverse;
use crate::domain::ledger::{self, ESCROW, EXTERNAL, Posting, PostingKind, REVENUE};
use crate::domain::money::Money;
use crate::domain::refusal::OperatorRefusal;
use crate::domain::user::User;
use crate::domain::{AccountId, PostingId};
use crate::store::postings::{self, Entry};
use crate::store::users;

#[derive(Template)]
#[template(path = "admin/ledger/one.html")]
struct EntryPage {
    shell: Shell,
    form: Form,
    entry: Entry,
    user: Option<User>,
}

impl EntryPage {
    /// An account, as people call it.
    fn account(&self, account: &AccountId) -> String {
        match *account {
            EXTERNAL => "Outside".to_owned(),
            ESCROW => "Escrow".to_owned(),
            REVENUE => "Revenue".to_owned(),
            _ => self.entry.user_name.clone().unwrap_or_default(),
        }
    }

    /// Why it cannot be reversed.
    fn refusal(&self) -> Option<String> {
        let Err(refusal) = reversal(&self.entry, self.user.as_ref(), "why") else { return None };
        Some(match (refusal, self.entry.posted.kind) {
            (OperatorRefusal::NotReversible, PostingKind::Goodwill) => {
                "A kindness is not reversed. Deduct the amount on the user's page.".to_owned()
            }
            (OperatorRefusal::NotReversible, _) => {
                "This belongs to an order and is settled with it: cancel the order, or end it \
                 as partial, to return money."
                    .to_owned()
            }
            (refusal, _) => format!("{refusal}."),
        })
    }

    /// What the balance would be if it was reversed.
    fn after(&self) -> Option<Money> {
        let user = self.user.as_ref()?;
        balance_after(user, &reversal(&self.entry, Some(user), "why").ok()?)
    }
}

/// The movement that would take this one back.
fn reversal(entry: &Entry, user: Option<&User>, note: &str) -> Result<Posting, OperatorRefusal> {
    entry.posted.reverse(user.ok_or(OperatorRefusal::NotReversible)?, note)
}

fn balance_after(user: &User, posting: &Posting) -> Option<Money> {
    match posting.source == user.account {
        true => user.balance.checked_sub(posting.amount),
        false => user.balance.checked_add(posting.amount),
    }
}

async fn movement(cx: &Cx) -> Result<(Entry, Option<User>), PageError> {
    let id = PostingId(cx.path_id("id")?);
    let found = cx
        .read(move |db| {
            let Some(entry) = postings::find(db, id)? else { return Ok(None) };
            let user = entry.posted.user.map(|user| users::get(db, user)).transpose()?;
            Ok(Some((entry, user)))
        })
        .await?;
    let not_there = || format!("No movement {id}. The number may have been typed wrong.");
    found.ok_or_else(|| PageError::NotFound(not_there()))
}

/// One movement, both its sides.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let (entry, user) = movement(cx).await?;
    let shell = cx.shell(&format!("Movement {}", entry.posted.id), Nav::Ledger);
    cx.page(&EntryPage { shell, form: cx.form.clone(), entry, user })
}

/// Takes a movement back, after showing what becomes of the balance.
pub(crate) async fn reverse(cx: &mut Cx) -> Answer {
    let (entry, user) = movement(cx).await?;
    let id = entry.posted.id;
    let note = cx.form.get("note").to_owned();
    let asked = reversal(&entry, user.as_ref(), &note).and_then(|posting| {
        let user = user.as_ref().ok_or(OperatorRefusal::NotReversible)?;
        let after = balance_after(user, &posting).ok_or(OperatorRefusal::AmountTooLarge)?;
        Ok((user, posting, after))
    });
    match asked {
        Err(refusal) => cx.form.refuse_by(&refusal.into()),
        Ok((user, posting, after)) => {
            let typed = cx.read(Terms::read).await?.typed(posting.amount);
            cx.confirm(Ask { typed, ..question(&entry, user, (&posting, after)) })?;
            let command = Reverse { actor: cx.actor()?, posting: id, note };
            if let Some(balance) = cx.try_write(command).await? {
                let name = &user.name;
                let toast = format!("Movement {id} is reversed, {name}'s balance is {balance}");
                return cx.go(&format!("/admin/ledger/{id}"), Toast::new(toast));
            }
        }
    }
    let shell = cx.shell(&format!("Movement {id}"), Nav::Ledger);
    let page = EntryPage { shell, form: cx.form.clone(), entry, user };
    cx.refused_page(&page)
}

fn question(entry: &Entry, user: &User, (posting, after): (&Posting, Money)) -> Ask {
    let is_out = posting.source == user.account;
    let (sum, way) = (posting.amount, if is_out { "from" } else { "to" });
    let verb = if is_out { format!("Take {sum} back") } else { format!("Give {sum} back") };
    Ask {
        title: format!("Reverse movement {}: {sum} {way} {}?", entry.posted.id, user.name),
        facts: vec![
            ("It was".to_owned(), format!("{} of {}", entry.posted.kind, entry.posted.amount)),
            ("Balance now".to_owned(), user.balance.to_string()),
            ("New balance".to_owned(), after.to_string()),
            ("Note".to_owned(), posting.note.clone()),
        ],
        verb,
        typed: None,
        is_danger: is_out,
        ..Ask::default()
    }
}
