//! All orders: what is found, by what, page by page. The address says all of it.

use std::collections::HashMap;

use askama::Template;

use super::hand;
use super::tabs::{Counts, Tab};
use crate::admin::frame::answer::Answer;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::figure::{Decimals, grouped, money, signed};
use crate::admin::frame::form::Form;
use crate::admin::frame::link::Link;
use crate::admin::frame::list::{self, Address, List, Size, no_page};
use crate::admin::frame::shell::{Nav, Shell};
use crate::admin::frame::tone;
use crate::domain::money::Money;
use crate::domain::order::Order;
use crate::domain::{OrderId, ServiceId, UserId};
use crate::store::delivery_list::{self, Upstream};
use crate::store::links::ByLink;
use crate::store::order_list::{self, Listed};
use crate::store::orders::{By, Filter};
use crate::store::page::{Cursor, Page};
use crate::store::{self, Read, services, together, users};

const PATH: &str = "/admin/orders";
/// Numbers that are looked up at once.
const IDS_MAX: usize = 1000;
/// What is read of a field of the filter.
const TEXT_LENGTH_MAX: usize = 2048;
/// What is read of the box for numbers: a thousand of them, each with its comma.
const BOX_LENGTH_MAX: usize = 16 * IDS_MAX;

/// What the reader asked for, as it stands in the address.
#[derive(Clone, Debug)]
struct Asked {
    tab: Tab,
    /// Order numbers with anything between them, or else a link.
    q: String,
    /// A user, by name or ID.
    user: String,
    service: String,
    link: String,
    /// The reseller's own name for an order.
    own: String,
    size: Size,
}

impl Asked {
    fn read(form: &Form, size: Size) -> Self {
        let text = |name: &str| form.text(name, TEXT_LENGTH_MAX);
        Self {
            tab: Tab::named(form.get("state")),
            q: form.text("q", BOX_LENGTH_MAX),
            user: text("user"),
            service: text("service"),
            link: text("link"),
            own: text("own"),
            size,
        }
    }

    fn is_filtered(&self) -> bool {
        self.has_more() || !self.q.is_empty()
    }

    /// Whether one of the filters is set that are folded away.
    fn has_more(&self) -> bool {
        [&self.user, &self.service, &self.link, &self.own].iter().any(|text| !text.is_empty())
    }

    /// The numbers in the box. What has a letter in it is a link instead.
    fn ids(&self) -> Option<Vec<OrderId>> {
        if self.q.is_empty() || self.q.chars().any(char::is_alphabetic) {
            return None;
        }
        let numbers = self.q.split(|c: char| !c.is_ascii_digit());
        let ids = numbers.filter_map(|digits| digits.parse().ok().map(OrderId));
        Some(ids.take(IDS_MAX).collect())
    }

    /// The address of the list, with another tab.
    fn address(&self, tab: Tab) -> Address {
        let address = Address::new(PATH)
            .with("state", tab.word())
            .with_some("q", &self.q)
            .with_some("user", &self.user)
            .with_some("service", &self.service)
            .with_some("link", &self.link)
            .with_some("own", &self.own);
        match self.size.is_usual() {
            true => address,
            false => address.with("size", self.size.rows),
        }
    }
}

/// What a complaint is about, and what it says.
type Complaint = (&'static str, &'static str);

/// What was found.
struct Found {
    page: Page<Listed>,
    /// Where each of them stands at a provider.
    upstream: HashMap<OrderId, Upstream>,
    has_providers: bool,
    counts: Counts,
    /// The user asked for, by name.
    user: Option<String>,
    /// The user who has the name in the box.
    called: Option<String>,
    complaint: Option<Complaint>,
}

impl Found {
    fn read(db: &Read<'_>, asked: &Asked, cursor: Cursor) -> store::Result<Self> {
        let name = |db: &Read<'_>, text: &str| -> store::Result<Option<String>> {
            Ok(users::find_called(db, text)?.map(|user| user.name))
        };
        let called = |db: &Read<'_>| match asked.ids() {
            None => name(db, &asked.q),
            Some(_) => Ok(None),
        };
        let (called, counts, user, found, names) = together!(
            db: called(db),
            Counts::read(db),
            name(db, &asked.user),
            asked.rows(db, cursor),
            delivery_list::names(db),
        );
        let complaint = found.as_ref().err().copied();
        let rows = found.unwrap_or_else(|_| no_page());
        let ids: Vec<OrderId> = rows.rows.iter().map(|order| order.id).collect();
        let (page, upstream) = together!(
            db: order_list::named(db, rows.clone()),
            delivery_list::find_each(db, &ids),
        );
        let upstream = ids.into_iter().zip(upstream).collect();
        let has_providers = !names.is_empty();
        Ok(Self { page, upstream, has_providers, counts, user, called, complaint })
    }
}

impl Asked {
    /// The orders asked for, or why there is no such list.
    fn rows(&self, db: &Read<'_>, cursor: Cursor) -> store::Result<Result<Page<Order>, Complaint>> {
        let user = match self.user.as_str() {
            "" => None,
            user => users::find_called(db, user)?,
        };
        let by = match by(db, self, user.map(|user| user.id))? {
            Ok(by) => by,
            Err(complaint) => return Ok(Err(complaint)),
        };
        let status = match self.tab {
            Tab::Of(status) => Some(status),
            Tab::All | Tab::CancelRequests | Tab::Hand => None,
        };
        let filter = Filter { status, by, ..Filter::default() };
        Ok(Ok(match self.ids() {
            Some(ids) => order_list::rows_of(db, &ids, &filter, cursor, self.size.rows)?,
            None => order_list::rows(db, filter, cursor, self.size.rows)?,
        }))
    }
}

/// The newest orders of a list, at most so many, by the query in its address: those up to `until`,
/// or all. None where the query is refused.
pub(crate) fn matching(
    db: &Read<'_>,
    query: &str,
    until: Option<OrderId>,
    most: i64,
) -> store::Result<Vec<OrderId>> {
    let size = Size { rows: most, offered: [most; 3] };
    let asked = Asked::read(&Form::parse(query.as_bytes()), size);
    let cursor = until.map_or(Cursor::Newest, |until| Cursor::Older(until.0 + 1));
    let page = asked.rows(db, cursor)?.unwrap_or_else(|_| no_page());
    Ok(page.rows.into_iter().map(|order| order.id).collect())
}

/// What the list is about, or why there is no such list: every one has an index of its own.
fn by(db: &Read<'_>, asked: &Asked, user: Option<UserId>) -> store::Result<Result<By, Complaint>> {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let start = some(&asked.q).filter(|_| asked.ids().is_none()).map(ByLink::Starting);
    let link = some(&asked.link).map(ByLink::Same).or(start);
    let own = some(&asked.own);
    if !asked.user.is_empty() && user.is_none() {
        return Ok(Err(("user", "There is no user with this name or ID")));
    }
    if !asked.service.is_empty() {
        if user.is_some() || link.is_some() || own.is_some() {
            return Ok(Err(("service", "Filter by the service alone, or leave it empty")));
        }
        let id = asked.service.trim_start_matches('#').parse().map(ServiceId);
        return match id.ok().map(|id| services::find(db, id)).transpose()?.flatten() {
            Some(service) => Ok(Ok(By::Service(service.id))),
            None => Ok(Err(("service", "There is no service with this ID"))),
        };
    }
    Ok(match (user, link, own) {
        (Some(user), None, None) => Ok(By::User(user)),
        (Some(user), link, custom_id) => Ok(By::Own { user, link, custom_id }),
        (None, _, Some(_)) => Err(("user", "Enter the user whose own order ID this is")),
        (None, Some(link), None) => Ok(By::Link(link)),
        (None, None, None) => Ok(By::Nothing),
    })
}

#[derive(Template)]
#[template(path = "admin/orders/list.html")]
struct OrdersPage {
    shell: Shell,
    form: Form,
    asked: Asked,
    tabs: Vec<list::Tab>,
    /// The user asked for, by name.
    user: Option<String>,
    /// The user who has the name in the box.
    called: Option<String>,
    list: List<Listed>,
    upstream: HashMap<OrderId, Upstream>,
    /// Whether the panel has providers.
    has_providers: bool,
    /// Whether there has never been an order.
    is_new: bool,
    /// How the API is called, for a panel that has no order yet.
    example: String,
}

impl OrdersPage {
    /// The state of the tab in the middle of a sentence.
    fn state(&self) -> String {
        self.asked.tab.label().to_lowercase()
    }

    fn tab(&self) -> &'static str {
        self.asked.tab.word()
    }

    fn charges(&self) -> Decimals {
        Decimals::of(self.list.rows.iter().map(|row| row.order.charge.micros()))
    }

    /// Where an order stands at a provider, if it is sold through one.
    fn upstream(&self, order: &Order) -> Option<&Upstream> {
        self.upstream.get(&order.id).filter(|upstream| upstream.is_automatic())
    }

    /// What is earned by an order as things stand, less what it costs.
    fn profit(&self, order: &Order) -> Option<Money> {
        order.net_charge().checked_sub(self.upstream(order)?.cost?)
    }

    fn cost(&self, order: &Order) -> String {
        self.upstream(order).and_then(|upstream| upstream.cost).map(money).unwrap_or_default()
    }

    fn orders_of(&self, user: &str) -> Address {
        Address::new(PATH).with("user", user)
    }

    /// Whether the customer waits for an answer to the request to cancel.
    fn is_cancel_request(&self, order: &Order) -> bool {
        By::CancelRequest.holds(order)
    }
}

/// The list, or the part of it that needs decisions.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    if cx.form.get("tab") == "hand" {
        return hand::show(cx).await;
    }
    let (asked, cursor) = (Asked::read(&cx.form, cx.size()), cx.cursor());
    let reading = asked.clone();
    let mut found = cx.read(move |db| Found::read(db, &reading, cursor)).await?;
    if let Some((name, text)) = found.complaint {
        cx.form.refuse(name, text);
    }
    let tabs = found.counts.tabs(asked.tab, |tab| asked.address(tab));
    let is_new = found.counts.of(Tab::All) == 0;
    let rows = std::mem::replace(&mut found.page, no_page());
    let list = List::new(rows, asked.address(asked.tab), |row| row.order.id.0);
    let (shell, example) = (cx.shell("Orders", Nav::Orders), example(&cx.api_address()));
    let form = cx.form.clone();
    let Found { user, called, upstream, has_providers, .. } = found;
    let page = OrdersPage {
        shell,
        form,
        asked,
        tabs,
        user,
        called,
        list,
        upstream,
        has_providers,
        is_new,
        example,
    };
    match page.form.is_sound() {
        true => cx.page(&page),
        false => cx.refused_page(&page),
    }
}

/// A request that places an order, as somebody would type it here.
fn example(address: &str) -> String {
    format!(
        "curl {address} -d key=YOUR_KEY -d action=add -d service=1 \\\n     \
         -d link=https://example.com/post -d quantity=1000"
    )
}
