//! What a user pays other than the listed rates.

use askama::Template;

use super::{Head, head, id, not_found, path};
use crate::admin::frame::answer::Answer;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::figure::{self, Decimals};
use crate::admin::frame::form::Form;
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::commands::accounts::SetUserRate;
use crate::domain::ServiceId;
use crate::domain::refusal::OrderRefusal;
use crate::store::users::{self, CustomRate};
use crate::store::{Read, services};

#[derive(Template)]
#[template(path = "admin/users/rates.html")]
struct RatesPage {
    shell: Shell,
    tab: &'static str,
    head: Head,
    form: Form,
    rates: Vec<CustomRate>,
}

impl RatesPage {
    fn listed(&self) -> Decimals {
        Decimals::of(self.rates.iter().map(|rate| rate.listed.micros()))
    }

    fn custom(&self) -> Decimals {
        Decimals::of(self.rates.iter().map(|rate| rate.own.micros()))
    }
}

async fn rates_page(cx: &mut Cx) -> Result<RatesPage, PageError> {
    let id = id(cx)?;
    let read = move |db: &Read<'_>| Ok((Head::read(db, id)?, users::list_rates(db, id)?));
    let (head, rates) = cx.read(read).await.map_err(not_found(id))?;
    let shell = cx.shell(&head.user.name, Nav::Users);
    Ok(RatesPage { shell, tab: "/rates", head, form: cx.form.clone(), rates })
}

/// The custom rates of a user.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let page = rates_page(cx).await?;
    cx.page(&page)
}

/// Sets a custom rate.
pub(crate) async fn set(cx: &mut Cx) -> Answer {
    let head = head(cx).await?;
    let service = ServiceId(cx.form.id("service", "Enter the ID of a service"));
    let rate = cx.form.rate("rate");
    if cx.form.is_sound() {
        let command = SetUserRate { actor: cx.actor()?, user: head.user.id, service, rate };
        if cx.try_write(command).await?.is_some() {
            let toast = format!("Custom rate of {} for service {service} saved", head.user.name);
            return cx.go(&path(head.user.id, "/rates"), Toast::new(toast));
        }
    }
    let page = rates_page(cx).await?;
    cx.refused_page(&page)
}

/// Takes a custom rate away: the listed one counts again.
pub(crate) async fn drop(cx: &mut Cx) -> Answer {
    let (head, service) = (head(cx).await?, ServiceId(cx.path_id("service")?));
    let found = cx.read(move |db| services::find(db, service)).await?;
    let listed = found.ok_or(OrderRefusal::ServiceNotFound)?.listing.rate;
    let (actor, user) = (cx.actor()?, head.user.id);
    cx.write(SetUserRate { actor, user, service, rate: None }).await?;
    let listed = figure::rate(listed);
    let toast = format!("{} pays the listed rate {listed} for service {service}", head.user.name);
    cx.go(&path(user, "/rates"), Toast::new(toast))
}
