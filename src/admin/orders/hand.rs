//! Orders that need a person, because nobody knows what a provider has of them or a provider says
//! what cannot be acted on; and the cancels and refills that a provider refuses.

use std::collections::HashMap;

use askama::Template;

use super::tabs::{Counts, HAND_PATH, Tab};
use crate::admin::frame::answer::Answer;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::figure::grouped;
use crate::admin::frame::link::Link;
use crate::admin::frame::list::{self, Address, List, Size};
use crate::admin::frame::shell::{Nav, Shell};
use crate::admin::frame::upstream;
use crate::domain::ProviderId;
use crate::domain::delivery::Hand;
use crate::domain::errand::Errand;
use crate::store::delivery_list::{self, Needing};
use crate::store::{Read, together};

/// Cancels and refills of each kind that the page shows.
const ERRANDS_MAX: i64 = 100;

/// What the reader asked for.
#[derive(Clone, Copy)]
struct Asked {
    hand: Option<Hand>,
    provider: Option<ProviderId>,
    size: Size,
}

impl Asked {
    fn read(cx: &Cx) -> Self {
        let provider = cx.form.get("provider").parse().ok().map(ProviderId);
        Self { hand: Hand::from_stored(cx.form.get("hand")), provider, size: cx.size() }
    }

    fn address(self) -> Address {
        let provider = self.provider.map(|provider| provider.to_string()).unwrap_or_default();
        Address::new("/admin/orders")
            .with("tab", "hand")
            .with_some("hand", self.hand.map_or("", Hand::as_str))
            .with_some("provider", &provider)
            .with("size", self.size.rows)
    }

    const fn is_filtered(self) -> bool {
        self.hand.is_some() || self.provider.is_some()
    }
}

#[derive(Template)]
#[template(path = "admin/orders/hand.html")]
struct HandPage {
    shell: Shell,
    asked: Asked,
    tabs: Vec<list::Tab>,
    list: List<Needing>,
    errands: Vec<Errand>,
    /// All providers by number and name, in the order of their names.
    providers: Vec<(ProviderId, String)>,
}

impl HandPage {
    fn hands(&self) -> impl Iterator<Item = &'static Hand> {
        let is_order = |hand: &&Hand| !matches!(hand, Hand::CancelRefused | Hand::Refill);
        Hand::ALL.iter().filter(is_order)
    }

    fn provider(&self, errand: &Errand) -> &str {
        let found = self.providers.iter().find(|(id, _)| *id == errand.provider);
        found.map_or("", |(_, name)| name)
    }

    fn is_of(&self, hand: &Hand) -> bool {
        self.asked.hand == Some(*hand)
    }

    fn is_at(&self, provider: &ProviderId) -> bool {
        self.asked.provider == Some(*provider)
    }

    /// For how long it waits.
    fn age(&self, row: &Needing) -> String {
        let delivery = row.upstream.delivery.as_ref();
        let since = delivery.map_or(row.listed.order.created_at, |delivery| delivery.moved_at);
        self.shell.ago(&since).trim_end_matches(" ago").to_owned()
    }
}

/// The list.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let (asked, cursor) = (Asked::read(cx), cx.cursor());
    let read = move |db: &Read<'_>| {
        let of = (asked.hand, asked.provider);
        Ok(together!(
            db: Counts::read(db),
            delivery_list::page(db, of, cursor, asked.size.rows),
            delivery_list::list_errands_needing(db, ERRANDS_MAX),
            delivery_list::names(db),
        ))
    };
    let (counts, page, errands, names) = cx.read(read).await?;
    let list = List::new(page, asked.address(), |row| row.listed.order.id.0);
    let orders = |tab: Tab| Address::new("/admin/orders").with("state", tab.word());
    let tabs = counts.tabs(Tab::Hand, orders);
    let errands = if asked.is_filtered() { Vec::new() } else { errands };
    let shell = cx.shell("Orders that need a decision", Nav::Orders);
    cx.page(&HandPage { shell, asked, tabs, list, errands, providers: by_name(names) })
}

fn by_name(names: HashMap<ProviderId, String>) -> Vec<(ProviderId, String)> {
    let mut named: Vec<_> = names.into_iter().collect();
    named.sort_by(|(_, one), (_, other)| one.cmp(other));
    named
}
