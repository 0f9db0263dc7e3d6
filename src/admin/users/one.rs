//! One user: balance, terms, and the ledger of the account.

use askama::Template;

use super::{Head, head, id, not_found, path};
use crate::admin::frame::answer::{Answer, see_other};
use crate::admin::frame::ask::Ask;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::figure::{Decimals, money};
use crate::admin::frame::form::Form;
use crate::admin::frame::list::{Address, List};
use crate::admin::frame::shell::{Nav, Shell, Toast, Undo};
use crate::admin::frame::terms::Terms;
use crate::commands::accounts::{Adjust, Deposit, SetUser};
use crate::domain::ledger::Account;
use crate::domain::money::Money;
use crate::domain::refusal::{OperatorRefusal, Refusal};
use crate::domain::user::User;
use crate::store::ledger::{self, Booked};

#[derive(Template)]
#[template(path = "admin/users/one.html", blocks = ["list"])]
struct UserPage {
    shell: Shell,
    tab: &'static str,
    head: Head,
    form: Form,
    list: List<Booked>,
}

impl UserPage {
    fn amounts(&self) -> Decimals {
        Decimals::of(self.list.rows.iter().map(|row| row.amount.micros()))
    }

    fn balances(&self) -> Decimals {
        Decimals::of(self.list.rows.iter().map(|row| row.balance.micros()))
    }
}

async fn user_page(cx: &mut Cx) -> Result<UserPage, PageError> {
    let id = id(cx)?;
    let (cursor, size) = (cx.cursor(), cx.size().rows);
    let (head, page) = cx
        .read(move |db| {
            let head = Head::read(db, id)?;
            let account = Account { user: id, id: head.user.account };
            Ok((head, ledger::page_of(db, account, cursor, size)?))
        })
        .await
        .map_err(not_found(id))?;
    let address = Address::new(path(id, "")).with("size", size);
    let list = List::new(page, address, |row| row.id.0);
    let shell = cx.shell(&head.user.name, Nav::Users);
    Ok(UserPage { shell, tab: "", head, form: cx.form.clone(), list })
}

/// Balance, terms and ledger.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let page = user_page(cx).await?;
    cx.list(&page, &page.as_list())
}

/// A change of the balance that somebody asked for, as it was read from the form.
struct Booking {
    /// What goes into the account; less than nothing goes out.
    amount: Money,
    is_deposit: bool,
    note: String,
}

impl Booking {
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
    fn ask(&self, user: &User, after: Money, terms: &Terms) -> Ask {
        let currency = &terms.currency;
        let (name, sum) = (&user.name, money(self.amount.magnitude()));
        let (title, verb) = match (self.is_deposit, self.amount.is_negative()) {
            (true, _) => (format!("Add {sum} {currency} to {name}?"), "Add"),
            (false, false) => {
                (format!("Adjust the balance of {name} up by {sum} {currency}?"), "Adjust up by")
            }
            (false, true) => (format!("Deduct {sum} {currency} from {name}?"), "Deduct"),
        };
        Ask {
            title,
            facts: vec![
                ("Balance now".to_owned(), format!("{} {currency}", money(user.balance))),
                ("New balance".to_owned(), format!("{} {currency}", money(after))),
                ("Note".to_owned(), self.note.clone()),
            ],
            verb: format!("{verb} {sum} {currency}"),
            typed: terms.typed(self.amount.magnitude()),
            is_danger: self.amount.is_negative(),
            ..Ask::default()
        }
    }
}

/// Books money that came in, or corrects the balance, after showing what becomes of it.
pub(crate) async fn funds(cx: &mut Cx) -> Answer {
    let head = head(cx).await?;
    let user = &head.user;
    let booking = Booking::read(&mut cx.form);
    let after = user.balance.checked_add(booking.amount);
    let after =
        after.filter(|_| !booking.amount.is_negative() || user.can_pay(booking.amount.magnitude()));
    let Some(after) = after.filter(|_| cx.form.is_sound()) else {
        if cx.form.is_sound() {
            let most = money(user.available());
            cx.form.refuse("amount", format!("Only {most} is available to deduct"));
        }
        let page = user_page(cx).await?;
        return cx.refused_page(&page);
    };
    let terms = cx.read(Terms::read).await?;
    cx.confirm(booking.ask(user, after, &terms))?;

    let (actor, id) = (cx.actor()?, user.id);
    let reference = Some(cx.form.get("idem")).filter(|idem| !idem.is_empty());
    let reference = reference.map(|idem| format!("form {idem}"));
    let Booking { amount, is_deposit, note } = booking;
    let booked = match is_deposit {
        true => cx.write(Deposit { actor, user: id, amount, note, reference }).await,
        false => cx.write(Adjust { actor, user: id, amount, note, reference }).await,
    };
    match booked {
        Ok(balance) => {
            let (name, currency) = (&user.name, &terms.currency);
            let balance = money(balance);
            let toast = format!("The balance of {name} is now {balance} {currency}");
            cx.go(&path(id, ""), Toast::new(toast))
        }
        // The same form, sent twice: the first time counted.
        Err(PageError::Refused(Refusal::Operator(OperatorRefusal::ReferenceTaken))) => {
            Ok(see_other(&path(id, "")))
        }
        Err(PageError::Refused(refusal)) => {
            cx.form.refuse_by(&refusal);
            let page = user_page(cx).await?;
            cx.refused_page(&page)
        }
        Err(error) => Err(error),
    }
}

/// Discount and credit limit.
pub(crate) async fn set_terms(cx: &mut Cx) -> Answer {
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
            let toast = Toast::new(format!("Terms of {} saved", user.name));
            return cx.go(&path(user.id, ""), toast);
        }
    }
    let page = user_page(cx).await?;
    cx.refused_page(&page)
}

/// Refuses the user's keys from now on.
pub(crate) async fn suspend(cx: &mut Cx) -> Answer {
    set_suspended(cx, true).await
}

/// Accepts the user's keys again.
pub(crate) async fn resume(cx: &mut Cx) -> Answer {
    set_suspended(cx, false).await
}

async fn set_suspended(cx: &mut Cx, is_suspended: bool) -> Answer {
    let user = head(cx).await?.user;
    let (actor, id, suspended) = (cx.actor()?, user.id, Some(is_suspended));
    let command = SetUser { actor, user: id, discount: None, credit_limit: None, suspended };
    cx.write(command).await?;
    let (word, undo) = match is_suspended {
        true => ("suspended", "/resume"),
        false => ("active again", "/suspend"),
    };
    cx.go(
        &path(id, ""),
        Toast::with_undo(format!("{} is {word}", user.name), Undo::post(path(id, undo))),
    )
}
