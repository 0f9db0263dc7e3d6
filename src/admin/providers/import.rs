//! Choosing what to sell of a provider's list: found by name or category, those that are sold
//! already in gray.

use std::collections::{BTreeMap, HashMap, HashSet};

use askama::Template;

use super::one::known;
use crate::admin::frame::answer::Answer;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::figure::{grouped, rate};
use crate::admin::frame::form::Form;
use crate::admin::frame::list::Address;
use crate::admin::frame::shell::{Nav, Shell};
use crate::domain::ServiceId;
use crate::domain::pricing::Offer;
use crate::domain::provider::Provider;
use crate::store::{Read, offers, services};

/// Lines of the list that a page shows.
const ROWS: usize = 100;
/// The longest text that is looked for.
const TEXT_LENGTH_MAX: usize = 255;

/// Which of a provider's services are meant.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) q: String,
    pub(super) category: String,
}

impl Wanted {
    /// As the form says it.
    pub(super) fn read(form: &Form) -> Self {
        let text = |name: &str| form.text(name, TEXT_LENGTH_MAX);
        Self { q: text("q"), category: text("category") }
    }

    /// Whether an offer is one of them: its name holds every word, or it is the number.
    pub(super) fn holds(&self, offer: &Offer) -> bool {
        let name = offer.name.to_lowercase();
        let has = |word: &str| name.contains(&word.to_lowercase());
        let is_found = self.q == offer.provider_service || self.q.split_whitespace().all(has);
        is_found && (self.category.is_empty() || self.category == offer.category)
    }

    fn is_filtered(&self) -> bool {
        !self.q.is_empty() || !self.category.is_empty()
    }
}

#[derive(Template)]
#[template(path = "admin/providers/import.html")]
struct ImportPage {
    shell: Shell,
    provider: Provider,
    wanted: Wanted,
    /// The categories of the list, with how many services stand in each.
    categories: BTreeMap<String, usize>,
    /// This page's part of what was found.
    offers: Vec<Offer>,
    known: HashMap<String, ServiceId>,
    found: usize,
    page: usize,
    /// Whether there is a list at all.
    is_fetched: bool,
}

impl ImportPage {
    fn address(&self, page: usize) -> String {
        let path = format!("/admin/providers/{}/import", self.provider.id);
        let address = Address::new(path).with_some("q", &self.wanted.q);
        address.with_some("category", &self.wanted.category).with("page", page).to_string()
    }

    fn previous(&self) -> Option<String> {
        self.page.checked_sub(1).map(|page| self.address(page))
    }

    fn next(&self) -> Option<String> {
        ((self.page + 1) * ROWS < self.found).then(|| self.address(self.page + 1))
    }

    fn ours(&self, offer: &Offer) -> Option<ServiceId> {
        self.known.get(&offer.provider_service).copied()
    }

    fn limits(&self, offer: &Offer) -> String {
        format!("{} – {}", grouped(offer.quantity_min), grouped(offer.quantity_max))
    }

    fn is_of(&self, category: &str) -> bool {
        self.wanted.category == category
    }

    fn found(&self) -> String {
        grouped(i64::try_from(self.found).unwrap_or(i64::MAX))
    }
}

/// The list.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let (provider, wanted) = (known(cx).await?, Wanted::read(&cx.form));
    let page: usize = cx.form.get("page").parse().unwrap_or_default();
    let id = provider.id;
    let read = move |db: &Read<'_>| Ok((offers::list(db, id)?, services::list_known(db, id)?));
    let (all, known) = cx.read(read).await?;
    let mut categories = BTreeMap::new();
    for offer in &all {
        *categories.entry(offer.category.clone()).or_insert(0) += 1;
    }
    let is_fetched = !all.is_empty();
    let found: Vec<Offer> = all.into_iter().filter(|offer| wanted.holds(offer)).collect();
    let count = found.len();
    let offers = found.into_iter().skip(page.saturating_mul(ROWS)).take(ROWS).collect();
    let title = format!("Import from {}", provider.terms.name);
    let shell = cx.shell(&title, Nav::Providers);
    cx.page(&ImportPage {
        shell,
        provider,
        wanted,
        categories,
        offers,
        known,
        found: count,
        page,
        is_fetched,
    })
}

/// The provider's own names of what the form selects: the checked ones, or all that it was filtered
/// by.
pub(super) fn chosen(form: &Form, all: &[Offer]) -> HashSet<String> {
    if form.flag("all") {
        let wanted = Wanted::read(form);
        let found = all.iter().filter(|offer| wanted.holds(offer));
        return found.map(|offer| offer.provider_service.clone()).collect();
    }
    form.each("service").map(str::to_owned).collect()
}
