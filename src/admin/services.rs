//! All services, in the order of the shop: found, edited in their rows, moved, many at once.

use askama::Template;

use super::error::PageError;
use super::form::Form;
use super::gate::Cx;
use super::reply::{Answer, Ask, encoded, see_other};
use super::shell::{Nav, Shell, Toast, grouped};
use crate::commands::services::{
    ChangeRates, EditService, MoveServices, SetServicesEnabled, ShiftService,
};
use crate::domain::money::Per;
use crate::domain::refusal::OperatorRefusal;
use crate::domain::service::{Listing, Service, Way};
use crate::domain::{CategoryId, ServiceId};
use crate::store::categories::{self, Category};
use crate::store::page::{Cursor, Page};
use crate::store::service_list::{self, Filter, Which};
use crate::store::services::Headed;
use crate::store::{Read, services};

/// Rows on a page, unless the reader wants another number.
const SIZES: [i64; 3] = [50, 100, 200];
/// The longest text that is looked for.
const TEXT_MAX: usize = 255;
/// More ticked rows than that have to be confirmed by typing their number.
const TYPED_ABOVE: usize = 50;
/// The changes that a question shows.
const EXAMPLES_MAX: usize = 5;

/// Which page of the list is meant, in the words of its address. Forms on it carry the same.
struct Asked(Filter);

impl Asked {
    fn read(cx: &Cx) -> Self {
        let which = match cx.form.get("state") {
            "enabled" => Which::Enabled,
            "disabled" => Which::Disabled,
            _ => Which::All,
        };
        let category = cx.form.get("category").parse().ok().map(CategoryId);
        let text = cx.form.get("q").chars().take(TEXT_MAX).collect();
        Self(Filter { which, category, text, cursor: cx.cursor(), size: cx.size(&SIZES) })
    }

    /// The tabs: the word in the address, what it says, and whether it is this one.
    fn tabs(&self) -> [(&'static str, &'static str, bool); 3] {
        let which = self.0.which;
        [
            ("", "All", which == Which::All),
            ("enabled", "Enabled", which == Which::Enabled),
            ("disabled", "Disabled", which == Which::Disabled),
        ]
    }

    fn state(&self) -> &'static str {
        self.tabs().into_iter().find(|(.., is_this)| *is_this).map_or("", |(word, ..)| word)
    }

    fn is_filtered(&self) -> bool {
        self.0.which != Which::All || self.0.category.is_some() || !self.0.text.is_empty()
    }

    /// Whether neighbors in the list are neighbors in the shop.
    fn is_whole(&self) -> bool {
        self.0.which == Which::All && self.0.text.is_empty()
    }

    fn is_of(&self, category: &Category) -> bool {
        self.0.category == Some(category.id)
    }

    /// The fields by which the page is found again.
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let category = self.0.category.map(|category| category.to_string()).unwrap_or_default();
        let mut pairs = vec![
            ("state", self.state().to_owned()),
            ("category", category),
            ("q", self.0.text.clone()),
            ("size", self.0.size.to_string()),
        ];
        match self.0.cursor {
            Cursor::Newest => {}
            Cursor::Older(id) => pairs.push(("older", id.to_string())),
            Cursor::Newer(id) => pairs.push(("newer", id.to_string())),
        }
        pairs
    }

    /// The address of this page.
    fn here(&self) -> String {
        let pairs = self.pairs().into_iter();
        let pairs = pairs.map(|(name, value)| format!("{name}={}", encoded(&value)));
        format!("/admin/services?{}", pairs.collect::<Vec<_>>().join("&"))
    }

    /// The address of the page that begins elsewhere.
    fn at(&self, cursor: Cursor) -> String {
        Self(Filter { cursor, ..self.0.clone() }).here()
    }
}

#[derive(Template)]
#[template(path = "admin/services.html", blocks = ["list"])]
struct ServicesPage {
    shell: Shell,
    asked: Asked,
    categories: Vec<Category>,
    page: Page<Headed>,
    /// Whether nothing is sold at all.
    is_new: bool,
    /// The row that is being edited.
    edited: Option<ServiceId>,
    /// The row that was worked on just now and what of it, to go on from there.
    left: Option<(ServiceId, &'static str)>,
    /// Those that stay ticked, because what was asked for them was refused.
    ticked: Vec<ServiceId>,
    /// What was sent, or what the edited row holds.
    form: Form,
}

impl ServicesPage {
    /// The rows by category.
    fn groups(&self) -> impl Iterator<Item = &[Headed]> {
        let category = |row: &Headed| row.service.listing.category;
        self.page.rows.chunk_by(move |one, next| category(one) == category(next))
    }

    fn previous(&self) -> Option<String> {
        let first = self.page.rows.first().filter(|_| self.page.has_newer)?;
        Some(self.asked.at(Cursor::Newer(first.service.id.0)))
    }

    fn next(&self) -> Option<String> {
        let last = self.page.rows.last().filter(|_| self.page.has_older)?;
        Some(self.asked.at(Cursor::Older(last.service.id.0)))
    }

    fn is_edited(&self, service: &Service) -> bool {
        self.edited == Some(service.id)
    }

    fn is_ticked(&self, service: &Service) -> bool {
        self.ticked.contains(&service.id)
    }

    fn is_left(&self, service: &Service, at: &str) -> bool {
        self.left.is_some_and(|(left, part)| left == service.id && part == at)
    }

    /// What kind it is, and what customers may do with an order of it.
    fn about(&self, listing: &Listing) -> String {
        let refill = match (listing.is_refill, listing.refill_days) {
            (false, _) => None,
            (true, None) => Some("refill".to_owned()),
            (true, Some(days)) => Some(format!("refill {days} d")),
        };
        let cancel = listing.is_cancel.then(|| "cancel".to_owned());
        let dripfeed = listing.is_dripfeed.then(|| "drip-feed".to_owned());
        let kind = Some(listing.kind.label().to_owned());
        [kind, refill, cancel, dripfeed].into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    fn is_by_piece(&self, listing: &Listing) -> bool {
        listing.kind.per() == Per::One
    }

    fn limits(&self, listing: &Listing) -> String {
        match (listing.quantity_min, listing.quantity_max) {
            (min, max) if min == max => grouped(min),
            (min, max) => format!("{} – {}", grouped(min), grouped(max)),
        }
    }
}

async fn services_page(cx: &mut Cx, edited: Option<ServiceId>) -> Result<ServicesPage, PageError> {
    let asked = Asked::read(cx);
    let filter = asked.0.clone();
    let read = move |db: &Read<'_>| {
        let page = service_list::page(db, &filter)?;
        Ok((page, categories::list(db)?, services::is_empty(db)?))
    };
    let (page, categories, is_new) = cx.read(read).await?;
    let left = cx.form.get("left").parse().ok().map(|left| (ServiceId(left), "edit"));
    let (shell, form) = (cx.shell("Services", Nav::Services), cx.form.clone());
    let ticked = Vec::new();
    Ok(ServicesPage { shell, asked, categories, page, is_new, edited, left, ticked, form })
}

/// The list, with one row open where that is asked for.
pub(super) async fn list(cx: &mut Cx) -> Answer {
    let edited = cx.form.get("edit").parse().ok().map(ServiceId);
    let mut page = services_page(cx, edited).await?;
    page.form = Form::default();
    let row = page.page.rows.iter().find(|row| page.is_edited(&row.service));
    if let Some(Headed { service: Service { listing, .. }, .. }) = row {
        page.form = Form::filled([
            ("name", listing.name.clone()),
            ("rate", listing.rate.to_string()),
            ("min", listing.quantity_min.to_string()),
            ("max", listing.quantity_max.to_string()),
        ]);
    }
    cx.list(&page, &page.as_list())
}

/// Saves the row that was open.
pub(super) async fn edit(cx: &mut Cx) -> Answer {
    let service = ServiceId(cx.path_id("id")?);
    let name = cx.form.required("name", "A service needs a name");
    let rate = cx.form.rate("rate");
    let (quantity_min, quantity_max) = (cx.form.limit("min"), cx.form.limit("max"));
    if let Some(rate) = rate.filter(|_| cx.form.is_sound()) {
        let actor = cx.actor()?;
        let edit = EditService { actor, service, name, rate, quantity_min, quantity_max };
        if cx.try_write(edit).await?.is_some() {
            return after(cx, service, "edit").await;
        }
    }
    let page = services_page(cx, Some(service)).await?;
    cx.refused_list(&page, &page.as_list())
}

/// The list as it is now: the part of it that htmx waits for, or the way to the row.
async fn after(cx: &mut Cx, service: ServiceId, part: &'static str) -> Answer {
    if !cx.wants_part() {
        return Ok(see_other(&format!("{}#s-{service}", Asked::read(cx).here())));
    }
    let mut page = services_page(cx, None).await?;
    page.left = Some((service, part));
    cx.list(&page, &page.as_list())
}

/// One place up in its category.
pub(super) async fn up(cx: &mut Cx) -> Answer {
    shift(cx, Way::Up).await
}

/// One place down in its category.
pub(super) async fn down(cx: &mut Cx) -> Answer {
    shift(cx, Way::Down).await
}

async fn shift(cx: &mut Cx, way: Way) -> Answer {
    let service = ServiceId(cx.path_id("id")?);
    cx.write(ShiftService { actor: cx.actor()?, service, way }).await?;
    let part = if way == Way::Up { "up" } else { "down" };
    after(cx, service, part).await
}

// --------------------------------------------------------------------------------- many at once

/// A number of services, as people say it.
pub(super) fn counted(count: usize) -> String {
    if count == 1 { "1 service".to_owned() } else { format!("{count} services") }
}

/// The services that were ticked, each once.
fn ticked(cx: &Cx) -> Vec<ServiceId> {
    let mut ids = cx.form.ids("id");
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().map(ServiceId).collect()
}

/// The answer where nothing was ticked.
fn nothing_ticked(cx: &mut Cx) -> Answer {
    let here = Asked::read(cx).here();
    cx.go(&here, Toast::said("No service was ticked, nothing was done"))
}

/// The services of those numbers.
async fn loaded(cx: &Cx, ids: &[ServiceId]) -> Result<Vec<Service>, PageError> {
    let ids = ids.to_vec();
    let find = move |db: &Read<'_>| ids.iter().map(|id| services::find(db, *id)).collect();
    let found: Vec<Option<Service>> = cx.read(find).await?;
    Ok(found.into_iter().flatten().collect())
}

/// Puts those that are ticked on sale.
pub(super) async fn enable(cx: &mut Cx) -> Answer {
    set_enabled(cx, true).await
}

/// Takes those that are ticked off sale.
pub(super) async fn disable(cx: &mut Cx) -> Answer {
    set_enabled(cx, false).await
}

async fn set_enabled(cx: &mut Cx, is_enabled: bool) -> Answer {
    let ids = ticked(cx);
    if ids.is_empty() {
        return nothing_ticked(cx);
    }
    let here = Asked::read(cx).here();
    let toast = switch(cx, ids, is_enabled).await?;
    cx.go(&here, toast)
}

/// Puts services on or off sale; the toast takes it back.
pub(super) async fn switch(
    cx: &Cx,
    services: Vec<ServiceId>,
    is_enabled: bool,
) -> Result<Toast, PageError> {
    let command = SetServicesEnabled { actor: cx.actor()?, services, is_enabled };
    let changed = cx.write(command).await?;
    let (said, undo) = if is_enabled { ("enabled", "disable") } else { ("disabled", "enable") };
    let text = format!("{} {said}", counted(changed.len()));
    if changed.is_empty() {
        return Ok(Toast::said(format!("Nothing to do: already {said}")));
    }
    let ids: Vec<String> = changed.iter().map(ServiceId::to_string).collect();
    let undo = format!("/admin/services/{}/{undo}", ids.join("."));
    // Cookies hold 4 KiB, and so much has to be left for what is around this.
    Ok(if undo.len() > 2000 { Toast::said(text) } else { Toast::with_undo(text, undo) })
}

/// Raises or lowers the rates of those that are ticked, after showing what becomes of them.
pub(super) async fn rates(cx: &mut Cx) -> Answer {
    let ids = ticked(cx);
    if ids.is_empty() {
        return nothing_ticked(cx);
    }
    let Some(by) = cx.form.change("percent") else { return refused(cx).await };
    let services = loaded(cx, &ids).await?;
    let mut facts = Vec::new();
    for Service { id, listing } in services.iter().take(EXAMPLES_MAX) {
        let Some(rate) = listing.rate.changed(by) else { continue };
        facts.push((format!("{id} {}", listing.name), format!("{} → {rate}", listing.rate)));
    }
    if services.len() > EXAMPLES_MAX {
        let more = services.len() - EXAMPLES_MAX;
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
        typed: (services.len() > TYPED_ABOVE).then(|| services.len().to_string()),
        is_danger: false,
    })?;
    let services = services.into_iter().map(|service| service.id).collect();
    let change = ChangeRates { actor: cx.actor()?, services, by, shown };
    match cx.try_write(change).await? {
        Some(changed) => {
            let here = Asked::read(cx).here();
            cx.go(&here, Toast::said(format!("{}: rates changed by {by}", counted(changed))))
        }
        None => refused(cx).await,
    }
}

/// Puts those that are ticked into a category.
pub(super) async fn move_to(cx: &mut Cx) -> Answer {
    let ids = ticked(cx);
    if ids.is_empty() {
        return nothing_ticked(cx);
    }
    let to = CategoryId(cx.form.id("to", "Choose a category"));
    let found = cx.read(move |db| categories::find(db, to)).await?;
    let Some(category) = found else {
        cx.form.refuse_by(&OperatorRefusal::CategoryNotFound.into());
        return refused(cx).await;
    };
    let services = loaded(cx, &ids).await?;
    let count = counted(services.len());
    let named = services.iter().take(EXAMPLES_MAX);
    let named: Vec<&str> = named.map(|service| service.listing.name.as_str()).collect();
    let more = if services.len() > EXAMPLES_MAX { " …" } else { "" };
    cx.confirm(Ask {
        title: format!("Move {count} to {}?", category.name),
        facts: vec![
            ("Services".to_owned(), format!("{}{more}", named.join(", "))),
            ("Their place there".to_owned(), "after those that are there".to_owned()),
        ],
        verb: format!("Move {count}"),
        typed: (services.len() > TYPED_ABOVE).then(|| services.len().to_string()),
        is_danger: false,
    })?;
    let services = services.into_iter().map(|service| service.id).collect();
    let moved = cx.write(MoveServices { actor: cx.actor()?, services, category: to }).await?;
    let here = Asked::read(cx).here();
    cx.go(&here, Toast::said(format!("{} moved to {}", counted(moved), category.name)))
}

/// The list with what is wrong about the form.
async fn refused(cx: &mut Cx) -> Answer {
    let mut page = services_page(cx, None).await?;
    page.ticked = ticked(cx);
    cx.refused_page(&page)
}
