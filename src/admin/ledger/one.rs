//! One entry of the ledger, and the way to take it back.

use askama::Template;

use crate::admin::frame::answer::Answer;
use crate::admin::frame::ask::Ask;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::figure::{money, signed};
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
                "A goodwill entry cannot be reversed. Deduct the amount on the user's page."
                    .to_owned()
            }
            (OperatorRefusal::NotReversible, _) => {
                "This entry belongs to an order. To refund money, cancel the order or set it to \
                 partial."
                    .to_owned()
            }
            (refusal, _) => format!("{refusal}."),
        })
    }

    /// The amount with the sign that it has for the user; for a capture that of the revenue.
    fn amount(&self) -> String {
        signed(self.entry.seen_by_user().map_or(self.entry.posted.amount, |(change, _)| change))
    }

    /// The balance now, and what it would be if the entry was reversed.
    fn balances(&self) -> Option<(String, String)> {
        let user = self.user.as_ref()?;
        let after = balance_after(user, &reversal(&self.entry, Some(user), "why").ok()?)?;
        Some((money(user.balance), money(after)))
    }
}

/// The posting that would take this one back.
fn reversal(entry: &Entry, user: Option<&User>, note: &str) -> Result<Posting, OperatorRefusal> {
    entry.posted.reverse(user.ok_or(OperatorRefusal::NotReversible)?, note)
}

fn balance_after(user: &User, posting: &Posting) -> Option<Money> {
    match posting.source == user.account {
        true => user.balance.checked_sub(posting.amount),
        false => user.balance.checked_add(posting.amount),
    }
}

async fn found(cx: &Cx) -> Result<(Entry, Option<User>), PageError> {
    let id = PostingId(cx.path_id("id")?);
    let found = cx
        .read(move |db| {
            let Some(entry) = postings::find(db, id)? else { return Ok(None) };
            let user = entry.posted.user.map(|user| users::get(db, user)).transpose()?;
            Ok(Some((entry, user)))
        })
        .await?;
    let not_there = || format!("No entry {id}. The number may have been typed wrong.");
    found.ok_or_else(|| PageError::NotFound(not_there()))
}

/// One entry, both its sides.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let (entry, user) = found(cx).await?;
    let shell = cx.shell(&format!("Entry {}", entry.posted.id), Nav::Ledger);
    cx.page(&EntryPage { shell, form: cx.form.clone(), entry, user })
}

/// Takes an entry back, after showing what becomes of the balance.
pub(crate) async fn reverse(cx: &mut Cx) -> Answer {
    let (entry, user) = found(cx).await?;
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
                let balance = money(balance);
                let toast = format!("Entry {id} reversed. The balance of {name} is now {balance}");
                return cx.go(&format!("/admin/ledger/{id}"), Toast::new(toast));
            }
        }
    }
    let shell = cx.shell(&format!("Entry {id}"), Nav::Ledger);
    let page = EntryPage { shell, form: cx.form.clone(), entry, user };
    cx.refused_page(&page)
}

fn question(entry: &Entry, user: &User, (posting, after): (&Posting, Money)) -> Ask {
    let is_out = posting.source == user.account;
    let (sum, way) = (money(posting.amount), if is_out { "from" } else { "to" });
    let verb = if is_out { format!("Take back {sum}") } else { format!("Give back {sum}") };
    Ask {
        title: format!("Reverse entry {}: {sum} {way} {}?", entry.posted.id, user.name),
        facts: vec![
            (
                "Entry".to_owned(),
                format!("{} of {}", entry.posted.kind, money(entry.posted.amount)),
            ),
            ("Balance now".to_owned(), money(user.balance)),
            ("New balance".to_owned(), money(after)),
            ("Note".to_owned(), posting.note.clone()),
        ],
        verb,
        typed: None,
        is_danger: is_out,
        ..Ask::default()
    }
}
