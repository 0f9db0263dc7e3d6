//! One user: his money, his ledger, keys, custom rates, notes.

use askama::Template;

use super::error::PageError;
use super::form::Form;
use super::gate::Cx;
use super::keys::{issue, withdraw};
use super::reply::{Answer, Ask, encoded, see_other};
use super::shell::{Nav, Shell, Toast};
use crate::commands::accounts::{Adjust, Deposit, SetUser, SetUserNote, SetUserRate};
use crate::domain::ledger::Account;
use crate::domain::money::Money;
use crate::domain::refusal::{OperatorRefusal, OrderRefusal, Refusal};
use crate::domain::setting::Setting;
use crate::domain::user::User;
use crate::domain::{KeyId, ServiceId, Timestamp, UserId};
use crate::store::keys::{self, ApiKey};
use crate::store::ledger::{self, Booked};
use crate::store::page::Page;
use crate::store::users::{self, CustomRate};
use crate::store::{self, Read, services, settings};

const SIZES: [i64; 3] = [50, 100, 200];

/// What all pages of a user have above them.
struct Head {
    user: User,
    created_at: Timestamp,
    note: String,
}

impl Head {
    fn read(db: &Read<'_>, id: UserId) -> store::Result<Self> {
        let user = users::find(db, id)?.ok_or(OperatorRefusal::UserNotFound)?;
        Ok(Self { created_at: users::created_at(db, id)?, note: users::note(db, id)?, user })
    }

    /// The tabs: the end of the address, what it says.
    fn tabs(&self) -> [(&'static str, &'static str); 4] {
        [("", "Ledger"), ("/keys", "API keys"), ("/rates", "Own rates"), ("/note", "Note")]
    }

    /// The list of his orders.
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

// ------------------------------------------------------------------------------ money and ledger

#[derive(Template)]
#[template(path = "admin/user_ledger.html", blocks = ["list"])]
struct LedgerPage {
    shell: Shell,
    tab: &'static str,
    head: Head,
    form: Form,
    page: Page<Booked>,
    size: i64,
}

impl LedgerPage {
    fn older(&self) -> Option<String> {
        let last = self.page.rows.last().filter(|_| self.page.has_older)?;
        Some(format!("{}?size={}&older={}", path(self.head.user.id, ""), self.size, last.id))
    }

    fn newer(&self) -> Option<String> {
        let first = self.page.rows.first().filter(|_| self.page.has_newer)?;
        Some(format!("{}?size={}&newer={}", path(self.head.user.id, ""), self.size, first.id))
    }
}

async fn ledger_page(cx: &mut Cx) -> Result<LedgerPage, PageError> {
    let id = id(cx)?;
    let (cursor, size) = (cx.cursor(), cx.size(&SIZES));
    let (head, page) = cx
        .read(move |db| {
            let head = Head::read(db, id)?;
            let account = Account { user: id, id: head.user.account };
            Ok((head, ledger::page_of(db, account, cursor, size)?))
        })
        .await
        .map_err(not_found(id))?;
    let shell = cx.shell(&head.user.name, Nav::Users);
    Ok(LedgerPage { shell, tab: "", head, form: cx.form.clone(), page, size })
}

/// What happened to his account.
pub(super) async fn ledger(cx: &mut Cx) -> Answer {
    let page = ledger_page(cx).await?;
    cx.list(&page, &page.as_list())
}

/// A movement that somebody asked for, as it was read from the form.
struct Movement {
    /// What goes into the account; less than nothing goes out.
    amount: Money,
    is_deposit: bool,
    note: String,
}

impl Movement {
    fn read(form: &mut Form) -> Self {
        let amount = form.amount("amount");
        if amount == Money::ZERO {
            form.refuse("amount", OperatorRefusal::AmountIsZero);
        }
        let (is_deposit, amount) = match form.get("kind") {
            "correct-down" => (false, Money::from_micros(-amount.micros())),
            "correct-up" => (false, amount),
            _ => (true, amount),
        };
        let note = form.get("note").to_owned();
        if !is_deposit && note.is_empty() {
            form.refuse("note", OperatorRefusal::NoteMissing);
        }
        Self { amount, is_deposit, note }
    }

    /// The question before it is booked: from where to where the balance goes.
    fn ask(&self, user: &User, after: Money, currency: &str) -> Ask {
        let (name, sum) = (&user.name, self.amount.magnitude());
        let (verb, way) = match (self.is_deposit, self.amount.is_negative()) {
            (true, _) => ("Add", "to"),
            (false, false) => ("Correct", "up for"),
            (false, true) => ("Deduct", "from"),
        };
        Ask {
            title: format!("{verb} {sum} {currency} {way} {name}?"),
            facts: vec![
                ("Balance now".to_owned(), format!("{} {currency}", user.balance)),
                ("New balance".to_owned(), format!("{after} {currency}")),
                ("Note".to_owned(), self.note.clone()),
            ],
            verb: format!("{verb} {sum} {currency}"),
            typed: None,
            is_danger: self.amount.is_negative(),
        }
    }
}

/// Books money that came in, or corrects the balance, after showing what becomes of it.
pub(super) async fn funds(cx: &mut Cx) -> Answer {
    let head = head(cx).await?;
    let user = &head.user;
    let movement = Movement::read(&mut cx.form);
    let after = user.balance.checked_add(movement.amount);
    let after = after
        .filter(|_| !movement.amount.is_negative() || user.can_pay(movement.amount.magnitude()));
    let Some(after) = after.filter(|_| cx.form.is_sound()) else {
        if cx.form.is_sound() {
            let most = user.available();
            cx.form.refuse("amount", format!("At most {most} can be taken from {}", user.name));
        }
        let page = ledger_page(cx).await?;
        return cx.refused_page(&page);
    };
    let above = cx.read(|db| settings::get(db, Setting::ConfirmAbove)).await?;
    let sum = movement.amount.magnitude();
    let is_much = Money::parse(&above).is_some_and(|above| sum > above);
    let currency = cx.read(|db| settings::get(db, Setting::Currency)).await?;
    let ask = movement.ask(user, after, &currency);
    cx.confirm(Ask { typed: is_much.then(|| sum.to_string()), ..ask })?;

    let (actor, id) = (cx.actor()?, user.id);
    let reference = Some(cx.form.get("idem")).filter(|idem| !idem.is_empty());
    let reference = reference.map(|idem| format!("form {idem}"));
    let Movement { amount, is_deposit, note } = movement;
    let booked = match is_deposit {
        true => cx.write(Deposit { actor, user: id, amount, note, reference }).await,
        false => cx.write(Adjust { actor, user: id, amount, note, reference }).await,
    };
    match booked {
        Ok(balance) => {
            let toast = Toast::said(format!("{}'s balance is {balance} {currency} now", user.name));
            cx.go(&path(id, ""), toast)
        }
        // The same form, sent twice: the first time counted.
        Err(PageError::Refused(Refusal::Operator(OperatorRefusal::ReferenceTaken))) => {
            Ok(see_other(&path(id, "")))
        }
        Err(PageError::Refused(refusal)) => {
            cx.form.refuse_by(&refusal);
            let page = ledger_page(cx).await?;
            cx.refused_page(&page)
        }
        Err(error) => Err(error),
    }
}

/// Discount and credit limit.
pub(super) async fn set_terms(cx: &mut Cx) -> Answer {
    let head = head(cx).await?;
    let discount = cx.form.discount("discount");
    let credit_limit = cx.form.amount("credit_limit");
    if cx.form.is_sound() {
        let user = &head.user;
        let command = SetUser {
            actor: cx.actor()?,
            user: user.id,
            discount: (discount != user.discount).then_some(discount),
            credit_limit: (credit_limit != user.credit_limit).then_some(credit_limit),
            suspended: None,
        };
        if cx.try_write(command).await?.is_some() {
            let toast = Toast::said(format!("The terms of {} are saved", user.name));
            return cx.go(&path(user.id, ""), toast);
        }
    }
    let page = ledger_page(cx).await?;
    cx.refused_page(&page)
}

/// Refuses his keys from now on.
pub(super) async fn suspend(cx: &mut Cx) -> Answer {
    set_suspended(cx, true).await
}

/// Accepts his keys again.
pub(super) async fn resume(cx: &mut Cx) -> Answer {
    set_suspended(cx, false).await
}

async fn set_suspended(cx: &mut Cx, is_suspended: bool) -> Answer {
    let user = head(cx).await?.user;
    let (actor, id, suspended) = (cx.actor()?, user.id, Some(is_suspended));
    let command = SetUser { actor, user: id, discount: None, credit_limit: None, suspended };
    cx.write(command).await?;
    let (said, undo) = match is_suspended {
        true => ("suspended", "/resume"),
        false => ("active again", "/suspend"),
    };
    cx.go(&path(id, ""), Toast::with_undo(format!("{} is {said}", user.name), path(id, undo)))
}

// ------------------------------------------------------------------------------------------ keys

#[derive(Template)]
#[template(path = "admin/user_keys.html")]
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

/// His keys.
pub(super) async fn keys(cx: &mut Cx) -> Answer {
    let page = keys_page(cx).await?;
    cx.page(&page)
}

/// A new key, shown this once.
pub(super) async fn create_key(cx: &mut Cx) -> Answer {
    let user = head(cx).await?.user;
    let back = path(user.id, "/keys");
    if let Some(page) = issue(cx, user, &back).await? {
        return Ok(page);
    }
    let page = keys_page(cx).await?;
    cx.refused_page(&page)
}

/// Refuses a key from now on.
pub(super) async fn revoke_key(cx: &mut Cx) -> Answer {
    let (user, key) = (head(cx).await?.user, KeyId(cx.path_id("key")?));
    let found = cx.read(move |db| keys::find(db, key)).await?;
    let found = found.filter(|found| found.user == user.id).ok_or(OperatorRefusal::KeyNotFound)?;
    let back = path(user.id, "/keys");
    withdraw(cx, (found, user), &back).await
}

// ----------------------------------------------------------------------------------------- rates

#[derive(Template)]
#[template(path = "admin/user_rates.html")]
struct RatesPage {
    shell: Shell,
    tab: &'static str,
    head: Head,
    form: Form,
    rates: Vec<CustomRate>,
}

async fn rates_page(cx: &mut Cx) -> Result<RatesPage, PageError> {
    let id = id(cx)?;
    let read = move |db: &Read<'_>| Ok((Head::read(db, id)?, users::list_rates(db, id)?));
    let (head, rates) = cx.read(read).await.map_err(not_found(id))?;
    let shell = cx.shell(&head.user.name, Nav::Users);
    Ok(RatesPage { shell, tab: "/rates", head, form: cx.form.clone(), rates })
}

/// What he pays other than the rest.
pub(super) async fn rates(cx: &mut Cx) -> Answer {
    let page = rates_page(cx).await?;
    cx.page(&page)
}

/// A rate of his own.
pub(super) async fn set_rate(cx: &mut Cx) -> Answer {
    let head = head(cx).await?;
    let service = ServiceId(cx.form.id("service", "Write the number of a service"));
    let rate = cx.form.rate("rate");
    if cx.form.is_sound() {
        let command = SetUserRate { actor: cx.actor()?, user: head.user.id, service, rate };
        if cx.try_write(command).await?.is_some() {
            let said = format!("{} has a rate of his own for service {service}", head.user.name);
            return cx.go(&path(head.user.id, "/rates"), Toast::said(said));
        }
    }
    let page = rates_page(cx).await?;
    cx.refused_page(&page)
}

/// The rate for all again.
pub(super) async fn drop_rate(cx: &mut Cx) -> Answer {
    let (head, service) = (head(cx).await?, ServiceId(cx.path_id("service")?));
    let found = cx.read(move |db| services::find(db, service)).await?;
    let listed = found.ok_or(OrderRefusal::ServiceNotFound)?.listing.rate;
    let (actor, user) = (cx.actor()?, head.user.id);
    cx.write(SetUserRate { actor, user, service, rate: None }).await?;
    let said = format!("{} pays the listed {listed} for service {service}", head.user.name);
    cx.go(&path(user, "/rates"), Toast::said(said))
}

// ------------------------------------------------------------------------------------------ note

#[derive(Template)]
#[template(path = "admin/user_note.html")]
struct NotePage {
    shell: Shell,
    tab: &'static str,
    head: Head,
    form: Form,
}

/// What is written down about him.
pub(super) async fn note(cx: &mut Cx) -> Answer {
    let head = head(cx).await?;
    let shell = cx.shell(&head.user.name, Nav::Users);
    let form = Form::filled([("note", head.note.clone())]);
    cx.page(&NotePage { shell, tab: "/note", head, form })
}

/// Writes it down.
pub(super) async fn set_note(cx: &mut Cx) -> Answer {
    let head = head(cx).await?;
    let note = cx.form.raw("note").replace("\r\n", "\n");
    let (actor, user) = (cx.actor()?, head.user.id);
    if cx.try_write(SetUserNote { actor, user, note }).await?.is_some() {
        return cx.go(&path(user, "/note"), Toast::said("The note is saved"));
    }
    let shell = cx.shell(&head.user.name, Nav::Users);
    let page = NotePage { shell, tab: "/note", head, form: cx.form.clone() };
    cx.refused_page(&page)
}
