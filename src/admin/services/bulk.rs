//! Many services at once: put on and off sale, with other rates, in another category.

use super::list::{Asked, from_here, services_page};
use crate::admin::frame::answer::Answer;
use crate::admin::frame::ask::Ask;
use crate::admin::frame::bulk;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::figure;
use crate::admin::frame::shell::{Toast, Undo};
use crate::commands::services::{ChangeRates, MoveServices, RestoreRates, SetServicesEnabled};
use crate::domain::money::{Change, Rate};
use crate::domain::refusal::OperatorRefusal;
use crate::domain::service::Service;
use crate::domain::{CategoryId, ServiceId};
use crate::store::{Read, categories, services};

/// The services that a question shows.
const NAMED_MAX: usize = 5;
/// Cookies hold 4 KiB, and so much of them may be the address that takes a change back.
const UNDO_LENGTH_MAX: usize = 2000;

/// A number of services, as people say it.
pub(super) fn counted(count: usize) -> String {
    bulk::counted(count, "service")
}

/// The services that are selected, by number.
fn selected(cx: &Cx) -> Vec<ServiceId> {
    let mut ids = cx.form.selected("id");
    ids.sort_unstable();
    ids.into_iter().map(ServiceId).collect()
}

/// Back to the page of the list from which the form was sent.
pub(super) fn back(cx: &mut Cx, toast: Toast) -> Answer {
    let here = Asked::read(cx).here().to_string();
    cx.go(&here, toast)
}

/// The answer where nothing is selected.
fn none_selected(cx: &mut Cx) -> Answer {
    back(cx, Toast::new(bulk::none_selected("service")))
}

/// The services of those numbers.
async fn loaded(cx: &Cx, ids: &[ServiceId]) -> Result<Vec<Service>, PageError> {
    let ids = ids.to_vec();
    let find = move |db: &Read<'_>| ids.iter().map(|id| services::find(db, *id)).collect();
    let found: Vec<Option<Service>> = cx.read(find).await?;
    Ok(found.into_iter().flatten().collect())
}

/// Puts those that are selected on sale.
pub(crate) async fn enable(cx: &mut Cx) -> Answer {
    set_enabled(cx, true).await
}

/// Takes those that are selected off sale.
pub(crate) async fn disable(cx: &mut Cx) -> Answer {
    set_enabled(cx, false).await
}

async fn set_enabled(cx: &mut Cx, is_enabled: bool) -> Answer {
    let ids = selected(cx);
    if ids.is_empty() {
        return none_selected(cx);
    }
    let toast = switch(cx, &ids, is_enabled).await?;
    back(cx, toast)
}

/// Puts services on or off sale; the toast takes it back, for exactly those that changed.
pub(super) async fn switch(
    cx: &Cx,
    services: &[ServiceId],
    is_enabled: bool,
) -> Result<Toast, PageError> {
    let command =
        SetServicesEnabled { actor: cx.actor()?, services: services.to_vec(), is_enabled };
    let changed = cx.write(command).await?;
    let (word, undo) = if is_enabled { ("enabled", "disable") } else { ("disabled", "enable") };
    if changed.is_empty() {
        return Ok(Toast::new(format!("Nothing changed: already {word}")));
    }
    let text = match changed.len() {
        1 => format!("Service {} {word}", changed[0]),
        count => format!("{} {word}", counted(count)),
    };
    let ids: Vec<String> = changed.iter().map(ServiceId::to_string).collect();
    let path = format!("/admin/services/{}/{undo}", ids.join("."));
    Ok(match path.len() > UNDO_LENGTH_MAX {
        true => Toast::new(text),
        false => Toast::with_undo(text, from_here(cx, Undo::post(path))),
    })
}

/// Raises or lowers the rates of those that are selected, after showing what becomes of them.
pub(crate) async fn rates(cx: &mut Cx) -> Answer {
    let ids = selected(cx);
    if ids.is_empty() {
        return none_selected(cx);
    }
    let Some(by) = cx.form.change("percent") else { return refused(cx).await };
    let services = loaded(cx, &ids).await?;
    let mut facts = Vec::new();
    for Service { id, listing } in services.iter().take(NAMED_MAX) {
        let Some(rate) = listing.rate.changed(by) else { continue };
        let change = format!("{} → {}", figure::rate(listing.rate), figure::rate(rate));
        facts.push((format!("{id} {}", listing.name), change));
    }
    if services.len() > NAMED_MAX {
        let more = services.len() - NAMED_MAX;
        facts.push(("And".to_owned(), format!("{} more", counted(more))));
    }
    let sum = services.iter().map(|service| service.listing.rate.micros());
    let sum = sum.fold(0_i64, i64::saturating_add);
    let shown = cx.form.get("shown").parse().ok();
    if shown.is_none() {
        cx.form.put("shown", sum);
    }
    let count = counted(services.len());
    cx.confirm(Ask {
        title: format!("Change the rates of {count} by {by}?"),
        facts,
        verb: format!("Change {count} by {by}"),
        typed: bulk::typed(services.len()),
        is_danger: false,
        ..Ask::default()
    })?;
    let services = services.into_iter().map(|service| service.id).collect();
    let change = ChangeRates { actor: cx.actor()?, services, by, shown };
    match cx.try_write(change).await? {
        Some(changed) => {
            let text = format!("Rates of {} changed by {by}", counted(changed.len()));
            let rates = changed.iter().map(|(id, before, _)| format!("{id}:{before}"));
            let rates = rates.collect::<Vec<_>>().join(" ");
            let toast = match rates.is_empty() || rates.len() > UNDO_LENGTH_MAX {
                true => Toast::new(text),
                false => {
                    let undo = Undo::post("/admin/services/rates/undo").with("rates", rates);
                    Toast::with_undo(text, from_here(cx, undo.with("percent", by)))
                }
            };
            back(cx, toast)
        }
        None => refused(cx).await,
    }
}

/// Gives services the rates back that they had, if nobody has changed them since.
pub(crate) async fn undo(cx: &mut Cx) -> Answer {
    let by = Change::parse(cx.form.get("percent"));
    let changed = cx.form.get("rates").split(' ').map(|text| {
        let (id, before) = text.split_once(':')?;
        let before = Rate::parse(before)?;
        Some((ServiceId(id.parse().ok()?), before, before.changed(by?)?))
    });
    let Some(changed) = changed.collect::<Option<Vec<_>>>() else {
        return back(cx, Toast::new("Not undone: this could not be read"));
    };
    let count = counted(changed.len());
    let text = match cx.write(RestoreRates { actor: cx.actor()?, changed }).await {
        Ok(()) => format!("Rates of {count} changed back"),
        Err(PageError::Refused(refusal)) => refusal.to_string(),
        Err(error) => return Err(error),
    };
    back(cx, Toast::new(text))
}

/// Puts those that are selected into a category.
pub(crate) async fn move_to(cx: &mut Cx) -> Answer {
    let ids = selected(cx);
    if ids.is_empty() {
        return none_selected(cx);
    }
    let to = CategoryId(cx.form.id("to", "Choose a category"));
    let found = cx.read(move |db| categories::find(db, to)).await?;
    let Some(category) = found else {
        cx.form.refuse_by(&OperatorRefusal::CategoryNotFound.into());
        return refused(cx).await;
    };
    let services = loaded(cx, &ids).await?;
    let count = counted(services.len());
    let named = bulk::named(services.iter().map(|it| &it.listing.name), NAMED_MAX);
    cx.confirm(Ask {
        title: format!("Move {count} to {}?", category.name),
        facts: vec![
            ("Services".to_owned(), named),
            ("Position".to_owned(), "after the services already there".to_owned()),
        ],
        verb: format!("Move {count}"),
        typed: bulk::typed(services.len()),
        is_danger: false,
        ..Ask::default()
    })?;
    let services = services.into_iter().map(|service| service.id).collect();
    let moved = cx.write(MoveServices { actor: cx.actor()?, services, category: to }).await?;
    let toast = format!("{} moved to {}", counted(moved), category.name);
    back(cx, Toast::new(toast))
}

/// The list with what is wrong about the form.
async fn refused(cx: &mut Cx) -> Answer {
    let mut page = services_page(cx, None).await?;
    page.selected = selected(cx);
    cx.refused_page(&page)
}
