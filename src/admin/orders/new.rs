//! An order that the operator places for a user: first whose and of what, then the fields that the
//! service's type asks for, then what it costs.

use std::ops::RangeInclusive;

use askama::Template;

use super::one::label;
use crate::admin::frame::answer::{Answer, see_other};
use crate::admin::frame::ask::Ask;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::figure::{grouped, money, rate};
use crate::admin::frame::form::Form;
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::admin::frame::terms::Terms;
use crate::commands::orders::PlaceOrder;
use crate::domain::ServiceId;
use crate::domain::input::Input;
use crate::domain::money::{Money, Rate};
use crate::domain::placing::{Details, NewOrder, Quote};
use crate::domain::refusal::{OperatorRefusal, OrderRefusal, Refusal};
use crate::domain::service::{Counting, Listing, Service};
use crate::domain::user::User;
use crate::store::orders::Origin;
use crate::store::requests::RequestId;
use crate::store::services::OnSale;
use crate::store::{self, Read, services, users};

/// Names that are suggested while somebody types.
const SUGGESTED: i64 = 200;

/// Whose order, and of what.
struct Choice {
    user: User,
    service: Service,
    /// What the user pays for it.
    rate: Rate,
}

impl Choice {
    /// The fields an order must bring, then those it may.
    fn fields(&self) -> Vec<Field> {
        let listing = &self.service.listing;
        let required = listing.kind.required().iter().map(|input| (*input, true));
        let optional = listing.kind.optional().iter().map(|input| (*input, false));
        let drip: &[Input] = match listing.is_dripfeed {
            true => &[Input::Runs, Input::Interval],
            false => &[],
        };
        let drip = drip.iter().map(|input| (*input, false));
        let all = required.chain(optional).chain(drip);
        all.map(|(input, is_required)| Field { input, is_required }).collect()
    }

    /// What is to be known about a field before it is filled in.
    fn hint(&self, input: Input) -> String {
        let Listing { kind, quantity_min, quantity_max, .. } = &self.service.listing;
        let limits = format!("{quantity_min} to {quantity_max}");
        #[expect(clippy::wildcard_enum_match_arm, reason = "the others say it by their names")]
        match input {
            Input::Quantity => match self.service.listing.is_dripfeed {
                true => format!("{limits}, for each run"),
                false => limits,
            },
            input if kind.counting() == Counting::Lines(input) => {
                format!("One per line, {limits} lines")
            }
            input if input.is_list() => "One per line".to_owned(),
            Input::Min | Input::Max => format!("Units for each new post, {limits}"),
            Input::Runs => "Leave it empty to deliver at once".to_owned(),
            Input::Interval => "Minutes between two runs".to_owned(),
            Input::Delay => {
                let (least, most) = input.range().map_or((0, 0), RangeInclusive::into_inner);
                format!("Minutes after a new post, {least} to {most}")
            }
            Input::Posts => "How many new posts; leave it empty for no limit".to_owned(),
            Input::OldPosts => "How many existing posts".to_owned(),
            Input::Expiry => {
                "The last day, such as 31/12/2026; leave it empty for no end".to_owned()
            }
            Input::Country => "Such as US, or WW for anywhere".to_owned(),
            _ => String::new(),
        }
    }
}

/// One field of the form.
struct Field {
    input: Input,
    is_required: bool,
}

#[derive(Template)]
#[template(path = "admin/orders/new.html")]
struct NewOrderPage {
    shell: Shell,
    form: Form,
    choice: Option<Choice>,
    /// Names of users and of services to choose from.
    users: Vec<User>,
    services: Vec<(ServiceId, String)>,
}

/// What was found for whose order and of what.
#[derive(Default)]
struct Chosen {
    user: Option<User>,
    service: Option<OnSale>,
}

impl Chosen {
    fn read(db: &Read<'_>, user: &str, service: &str) -> store::Result<Self> {
        let user = users::find_called(db, user)?;
        let id = service.trim_start_matches('#').parse().ok().map(ServiceId);
        let reader = user.as_ref().map(|user| user.id);
        let service = match id {
            Some(id) => services::find_on_sale(db, reader, id)?,
            None => None,
        };
        Ok(Self { user, service })
    }
}

/// Reads whose order it is and of what; complains about what is named and not there.
async fn choice(cx: &mut Cx) -> Result<Option<Choice>, PageError> {
    let (user, service) = (cx.form.get("user").to_owned(), cx.form.get("service").to_owned());
    let (has_user, has_service) = (!user.is_empty(), !service.is_empty());
    let Chosen { user, service } = cx.read(move |db| Chosen::read(db, &user, &service)).await?;
    if has_user && user.is_none() {
        cx.form.refuse("user", "There is no user with this name or ID");
    }
    if has_service && service.is_none() {
        cx.form.refuse("service", "No enabled service has this ID");
    }
    Ok(user.zip(service).map(|(user, offer)| {
        let rate = user.rate(offer.service.listing.rate, offer.custom_rate);
        Choice { user, service: offer.service, rate }
    }))
}

async fn page(cx: &mut Cx, choice: Option<Choice>) -> Answer {
    let is_first = choice.is_none();
    let (users, services) = cx
        .read(move |db| {
            if !is_first {
                return Ok((Vec::new(), Vec::new()));
            }
            let users = users::list(db, None, SUGGESTED)?;
            Ok((users, services::list_on_sale(db, SUGGESTED)?))
        })
        .await?;
    let shell = cx.shell("New order", Nav::Orders);
    let page = NewOrderPage { shell, form: cx.form.clone(), choice, users, services };
    match page.form.is_sound() {
        true => cx.page(&page),
        false => cx.refused_page(&page),
    }
}

/// The form: whose and of what, or then all the rest.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let choice = choice(cx).await?;
    page(cx, choice).await
}

/// Places the order, after showing what it takes from the user's balance.
pub(crate) async fn create(cx: &mut Cx) -> Answer {
    let Some(choice) = choice(cx).await? else {
        cx.form.required("user", "Choose a user");
        cx.form.required("service", "Choose a service");
        return page(cx, None).await;
    };
    let details = read_details(&mut cx.form, &choice);
    if !cx.form.is_sound() {
        return page(cx, Some(choice)).await;
    }
    let (user, service) = (choice.user.id, Some(choice.service.id));
    let origin =
        Origin { actor: cx.actor()?, request: request(cx, &choice, &details), custom_id: None };
    let place = PlaceOrder { user, service, details, origin };
    let (asked, now) = (place.clone(), cx.now());
    let quote = cx.read(move |db| Ok((asked.quote(db, now), Terms::read(db)?))).await;
    let (quote, terms) = quote?;
    match quote {
        Ok(Quote::New(order)) => cx.confirm(ask(&choice, &order, &terms))?,
        Ok(Quote::Bought(id)) => return Ok(see_other(&format!("/admin/orders/{id}"))),
        Err(store::Error::Refused(refusal)) => return refused(cx, choice, &refusal).await,
        Err(error) => return Err(error.into()),
    }
    match cx.write(place).await {
        Ok(id) => {
            let toast = format!("Order {id} placed for {}", choice.user.name);
            cx.go(&format!("/admin/orders/{id}"), Toast::new(toast))
        }
        Err(PageError::Refused(refusal)) => refused(cx, choice, &refusal).await,
        Err(error) => Err(error),
    }
}

/// The fields of the type, each as it was typed; complains beside those that cannot be so.
fn read_details(form: &mut Form, choice: &Choice) -> Details {
    let mut details = Details::default();
    for Field { input, is_required } in choice.fields() {
        let name = input.as_str();
        let text = match input.is_list() {
            true => form.raw(name).replace("\r\n", "\n").trim().to_owned(),
            false => form.get(name).to_owned(),
        };
        if text.is_empty() {
            if is_required {
                form.refuse(name, "Enter a value");
            }
        } else if !input.is_list() && text.chars().any(char::is_control) {
            form.refuse(name, "Enter this on one line");
        } else if details.add(input, text).is_err() {
            form.refuse(name, "Enter a whole number");
        }
    }
    details
}

/// The name of this one form, under which it buys only once.
fn request(cx: &Cx, choice: &Choice, details: &Details) -> Option<RequestId> {
    let idem = Some(cx.form.get("idem")).filter(|idem| !idem.is_empty())?;
    // No client can send a blank in its own request ids, so none of them is ever this one.
    Some(RequestId::of(format!("form {idem}"), Some(choice.service.id), None, details))
}

async fn refused(cx: &mut Cx, choice: Choice, refusal: &Refusal) -> Answer {
    let field = field_of(refusal, &choice.service.listing);
    if *refusal == OrderRefusal::InsufficientFunds.into() {
        let User { name, balance, credit_limit, .. } = &choice.user;
        let most = balance.checked_add(*credit_limit).unwrap_or(*balance);
        cx.form.refuse(field, format!("{refusal}: {name} has {} available", money(most)));
    } else if *refusal == OrderRefusal::Invalid(Input::Min).into() {
        cx.form.refuse(field, OperatorRefusal::MinAboveMax);
    } else {
        cx.form.refuse(field, refusal);
    }
    page(cx, Some(choice)).await
}

/// The field that a refusal is about; empty where it is about none.
fn field_of(refusal: &Refusal, listing: &Listing) -> &'static str {
    match refusal {
        Refusal::Order(refusal) => refusal.input(listing.kind).map_or("", Input::as_str),
        Refusal::Operator(_) => "",
    }
}

/// The question before it is placed: what it takes, and from how much.
fn ask(choice: &Choice, order: &NewOrder, terms: &Terms) -> Ask {
    let Choice { user, service, .. } = choice;
    let after = user.balance.checked_sub(order.charge).unwrap_or(user.balance);
    let shown = |amount: Money| format!("{} {}", money(amount), terms.currency);
    let units = match order.wanted.drip_feed {
        Some(drip) => format!("{} in {} runs", grouped(order.wanted.units), drip.runs),
        None => grouped(order.wanted.units),
    };
    let whom = match service.listing.kind.counting() {
        Counting::Posts => "User name",
        Counting::Quantity | Counting::Lines(_) | Counting::Piece => "Link",
    };
    let charge = shown(order.charge);
    Ask {
        title: format!("Place this order and charge {} {charge}?", user.name),
        facts: vec![
            ("Service".to_owned(), format!("#{} {}", service.id, service.listing.name)),
            (whom.to_owned(), order.wanted.link.clone()),
            ("Quantity".to_owned(), units),
            ("Balance".to_owned(), shown(user.balance)),
            ("Balance after".to_owned(), shown(after)),
        ],
        verb: format!("Place order for {charge}"),
        typed: terms.typed(order.charge),
        is_danger: false,
        ..Ask::default()
    }
}
