//! All services, in the order of the shop: found, edited in their rows, moved, many at once.

use askama::Template;

use crate::admin::frame::answer::{Answer, see_other};
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::figure::{Decimals, grouped};
use crate::admin::frame::form::Form;
use crate::admin::frame::list::{Address, List, Size, Tab};
use crate::admin::frame::shell::{Nav, Shell, Toast, Undo};
use crate::commands::services::{EditService, EditedRow, ShiftService};
use crate::domain::money::Per;
use crate::domain::service::{Listing, Service, Way};
use crate::domain::{CategoryId, ServiceId};
use crate::store::categories::{self, Category};
use crate::store::service_list::{self, Filter, Which};
use crate::store::services::Headed;
use crate::store::{Read, services};

const PATH: &str = "/admin/services";
/// The longest text that is looked for.
const TEXT_LENGTH_MAX: usize = 255;

/// The fields of an edited row, in their order; and of the row that an undo takes back.
const ROW: [&str; 4] = ["name", "rate", "min", "max"];
const UNDONE: [&str; 4] = ["now_name", "now_rate", "now_min", "now_max"];

/// The tabs: the word in the address, what it says, which services it shows.
const TABS: [(&str, &str, Which); 3] = [
    ("", "All", Which::All),
    ("enabled", "Enabled", Which::Enabled),
    ("disabled", "Disabled", Which::Disabled),
];

/// Which page of the list is meant, in the words of its address. Forms on it carry the same.
pub(super) struct Asked {
    state: &'static str,
    filter: Filter,
    size: Size,
}

impl Asked {
    /// As the form says it.
    pub(super) fn read(cx: &Cx) -> Self {
        let asked = TABS.into_iter().find(|(word, ..)| *word == cx.form.get("state"));
        let (state, _, which) = asked.unwrap_or(TABS[0]);
        let category = cx.form.get("category").parse().ok().map(CategoryId);
        let (text, size) = (cx.form.text("q", TEXT_LENGTH_MAX), cx.size());
        let filter = Filter { which, category, text, cursor: cx.cursor(), size: size.rows };
        Self { state, filter, size }
    }

    fn tabs(&self) -> Vec<Tab> {
        let tab = |(word, label, _)| {
            Tab::new(Address::new(PATH).with("state", word), label, word == self.state)
        };
        TABS.into_iter().map(tab).collect()
    }

    /// Whether neighbors in the list are neighbors in the shop.
    fn is_whole(&self) -> bool {
        self.filter.which == Which::All && self.filter.text.is_empty()
    }

    fn is_of(&self, category: &Category) -> bool {
        self.filter.category == Some(category.id)
    }

    /// The address of the list.
    fn address(&self) -> Address {
        let category = self.filter.category.map(|category| category.to_string());
        Address::new(PATH)
            .with("state", self.state)
            .with("category", category.unwrap_or_default())
            .with("q", &self.filter.text)
            .with("size", self.size.rows)
    }

    /// The address of this page of it.
    pub(super) fn here(&self) -> Address {
        self.address().at(self.filter.cursor)
    }
}

#[derive(Template)]
#[template(path = "admin/services/list.html", blocks = ["list"])]
pub(super) struct ServicesPage {
    shell: Shell,
    asked: Asked,
    /// The address of this page, which its forms carry.
    here: Address,
    categories: Vec<Category>,
    list: List<Headed>,
    /// Whether nothing is sold at all.
    is_new: bool,
    /// The row that is being edited.
    edited: Option<ServiceId>,
    /// The row that was worked on just now and what of it, to go on from there.
    left: Option<(ServiceId, &'static str)>,
    /// Those that stay selected, because what was asked for them was refused.
    pub(super) selected: Vec<ServiceId>,
    /// What was sent, or what the edited row holds.
    form: Form,
}

impl ServicesPage {
    /// The rows by category.
    fn groups(&self) -> impl Iterator<Item = &[Headed]> {
        let category = |row: &Headed| row.service.listing.category;
        self.list.rows.chunk_by(move |one, next| category(one) == category(next))
    }

    fn is_edited(&self, service: &Service) -> bool {
        self.edited == Some(service.id)
    }

    fn is_selected(&self, service: &Service) -> bool {
        self.selected.contains(&service.id)
    }

    fn is_left(&self, service: &Service, at: &str) -> bool {
        self.left.is_some_and(|(left, part)| left == service.id && part == at)
    }

    /// The field of the edited row to begin in: the first that is wrong, or else the rate.
    fn begins(&self) -> &'static str {
        let wrong = ROW.into_iter().find(|name| self.form.error(name).is_some());
        wrong.unwrap_or("rate")
    }

    fn rates(&self) -> Decimals {
        Decimals::of(self.list.rows.iter().map(|row| row.service.listing.rate.micros()))
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

/// The list, with the row that is being edited.
pub(super) async fn services_page(
    cx: &mut Cx,
    edited: Option<ServiceId>,
) -> Result<ServicesPage, PageError> {
    let asked = Asked::read(cx);
    let filter = asked.filter.clone();
    let read = move |db: &Read<'_>| {
        let page = service_list::page(db, &filter)?;
        Ok((page, categories::list(db)?, services::is_empty(db)?))
    };
    let (page, categories, is_new) = cx.read(read).await?;
    Ok(ServicesPage {
        shell: cx.shell("Services", Nav::Services),
        list: List::new(page, asked.address(), |row| row.service.id.0),
        here: asked.here(),
        asked,
        categories,
        is_new,
        edited,
        left: cx.form.get("left").parse().ok().map(|left| (ServiceId(left), "edit")),
        selected: Vec::new(),
        form: cx.form.clone(),
    })
}

/// The list, with one row open where that is asked for.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let edited = cx.form.get("edit").parse().ok().map(ServiceId);
    let mut page = services_page(cx, edited).await?;
    page.form = Form::default();
    let row = page.list.rows.iter().find(|row| page.is_edited(&row.service));
    if let Some(Headed { service, .. }) = row {
        page.form = Form::filled(fields(ROW, &EditedRow::of(&service.listing)));
    }
    cx.list(&page, &page.as_list())
}

/// A row as the fields of a form, called so.
fn fields(names: [&'static str; 4], row: &EditedRow) -> [(&'static str, String); 4] {
    let EditedRow { name, rate, quantity_min, quantity_max } = row;
    let [at_name, at_rate, at_min, at_max] = names;
    let (min, max) = (quantity_min.to_string(), quantity_max.to_string());
    [(at_name, name.clone()), (at_rate, rate.to_string()), (at_min, min), (at_max, max)]
}

/// A row as a form says it in the fields called so, or complaints about it.
fn row(form: &mut Form, [name, rate, min, max]: [&str; 4]) -> Option<EditedRow> {
    let name = form.required(name, "Enter a name");
    let rate = form.rate(rate);
    let (quantity_min, quantity_max) = (form.limit(min), form.limit(max));
    let rate = rate.filter(|_| form.is_sound())?;
    Some(EditedRow { name, rate, quantity_min, quantity_max })
}

/// Saves the row that was open, or takes that back.
pub(crate) async fn edit(cx: &mut Cx) -> Answer {
    let service = ServiceId(cx.path_id("id")?);
    let is_undo = cx.form.has(UNDONE[0]);
    let undone = if is_undo { row(&mut cx.form, UNDONE) } else { None };
    if let Some(row) = row(&mut cx.form, ROW) {
        let edit = EditService { actor: cx.actor()?, service, row: row.clone(), undone };
        let toast = match cx.write(edit).await {
            Ok(None) => Some(Toast::new("Nothing changed")),
            Ok(Some(_)) if is_undo => Some(Toast::new(format!("Service {service} changed back"))),
            Ok(Some(before)) => Some(saved(cx, service, &before, &row)),
            Err(PageError::Refused(refusal)) if is_undo => Some(Toast::new(refusal.to_string())),
            Err(PageError::Refused(refusal)) => {
                cx.form.refuse_by(&refusal);
                None
            }
            Err(error) => return Err(error),
        };
        if toast.is_some() {
            cx.toast = toast;
            return after(cx, service, "edit").await;
        }
    }
    let page = services_page(cx, Some(service)).await?;
    cx.refused_list(&page, &page.as_list())
}

/// An undoing that leads back to the page of the list from which the form was sent, if one was.
pub(super) fn from_here(cx: &Cx, undo: Undo) -> Undo {
    if !cx.form.has("size") {
        return undo;
    }
    undo.with_each(Asked::read(cx).here().pairs())
}

/// Says that a row was saved; the toast takes that back, unless it is changed again meanwhile.
fn saved(cx: &Cx, service: ServiceId, before: &EditedRow, row: &EditedRow) -> Toast {
    let undo = from_here(cx, Undo::post(format!("{PATH}/{service}/row")));
    let undo = undo.with_each(&fields(ROW, before)).with_each(&fields(UNDONE, row));
    Toast::with_undo(format!("Service {service} saved"), undo)
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
pub(crate) async fn up(cx: &mut Cx) -> Answer {
    shift(cx, Way::Up).await
}

/// One place down in its category.
pub(crate) async fn down(cx: &mut Cx) -> Answer {
    shift(cx, Way::Down).await
}

async fn shift(cx: &mut Cx, way: Way) -> Answer {
    let service = ServiceId(cx.path_id("id")?);
    cx.write(ShiftService { actor: cx.actor()?, service, way }).await?;
    let part = if way == Way::Up { "up" } else { "down" };
    after(cx, service, part).await
}
