//! All orders: what is found, by what, page by page. The address says all of it.

use actix_web::http::header;
use askama::Template;

use super::form::Form;
use super::gate::Cx;
use super::link::Link;
use super::reply::{Answer, encoded};
use super::shell::{Nav, Shell, grouped};
use crate::domain::order::{Order, PublicStatus};
use crate::domain::{OrderId, ServiceId, UserId};
use crate::store::order_list::{self, Listed};
use crate::store::orders::{self, By, Filter};
use crate::store::page::{Cursor, Page};
use crate::store::{self, Read, services, users};

/// Rows on a page, unless the reader wants another number.
const SIZES: [i64; 3] = [50, 100, 200];
/// Numbers that are looked up at once.
const IDS_MAX: usize = 1000;
/// Wishes to cancel are counted up to here.
const CANCEL_REQUESTS_MAX: i64 = 100;
/// What is read of a field of the filter.
const TEXT_LENGTH_MAX: usize = 2048;
/// What is read of the box for numbers: a thousand of them, each with its comma.
const BOX_LENGTH_MAX: usize = 16 * IDS_MAX;

/// Which orders a tab shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tab {
    All,
    Of(PublicStatus),
    /// Those whose customer asks to cancel.
    CancelRequests,
}

impl Tab {
    const ALL: [Self; 8] = [
        Self::All,
        Self::Of(PublicStatus::Pending),
        Self::Of(PublicStatus::InProgress),
        Self::Of(PublicStatus::Processing),
        Self::Of(PublicStatus::Completed),
        Self::Of(PublicStatus::Partial),
        Self::Of(PublicStatus::Canceled),
        Self::CancelRequests,
    ];

    /// The word in the address.
    const fn word(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Of(status) => status.as_str(),
            Self::CancelRequests => "cancel-requests",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Of(status) => status.label(),
            Self::CancelRequests => "Cancel wishes",
        }
    }
}

/// The tone of a status: what waits for a person, what goes on, what has ended and how.
pub(super) const fn tone(status: PublicStatus) -> &'static str {
    match status {
        PublicStatus::Pending | PublicStatus::Partial => "attention",
        PublicStatus::Processing | PublicStatus::InProgress => "waiting",
        PublicStatus::Completed => "good",
        PublicStatus::Canceled => "quiet",
    }
}

/// What the reader asked for, as it stands in the address.
#[derive(Clone, Debug)]
struct Asked {
    tab: Tab,
    /// Order numbers with anything between them, or else a link.
    q: String,
    /// A user, by name or number.
    user: String,
    service: String,
    link: String,
    /// The reseller's own name for an order.
    own: String,
    size: i64,
}

impl Asked {
    fn read(cx: &Cx) -> Self {
        let text = |name: &str| cx.form.get(name).chars().take(TEXT_LENGTH_MAX).collect();
        let word = cx.form.get("state");
        let tab = Tab::ALL.into_iter().find(|tab| tab.word() == word).unwrap_or(Tab::All);
        let size = cx.size(&SIZES);
        if tab == Tab::CancelRequests {
            let none = String::new;
            let [q, user, service, link, own] = [none(), none(), none(), none(), none()];
            return Self { tab, q, user, service, link, own, size };
        }
        Self {
            tab,
            q: cx.form.get("q").chars().take(BOX_LENGTH_MAX).collect(),
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
    fn address(&self, tab: Tab) -> String {
        let mut address = format!("/admin/orders?state={}", tab.word());
        let fields = [
            ("q", &self.q),
            ("user", &self.user),
            ("service", &self.service),
            ("link", &self.link),
            ("own", &self.own),
        ];
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
            if tab != Tab::CancelRequests {
                address.push_str(&format!("&{name}={}", encoded(value)));
            }
        }
        if self.size != SIZES[0] {
            address.push_str(&format!("&size={}", self.size));
        }
        address
    }
}

/// What a complaint is about, and what it says.
type Complaint = (&'static str, &'static str);

/// What was found.
struct Found {
    page: Page<Listed>,
    counts: Vec<(PublicStatus, i64)>,
    cancel_requests: i64,
    /// The user asked for, by his name.
    user: Option<String>,
    complaint: Option<Complaint>,
}

impl Found {
    fn read(db: &Read<'_>, asked: &Asked, cursor: Cursor) -> store::Result<Self> {
        let (counts, cancel_requests) =
            (orders::counts(db)?, order_list::count_cancel_requests(db, CANCEL_REQUESTS_MAX)?);
        let empty = Page { rows: Vec::new(), has_newer: false, has_older: false };
        let user = users::find_called(db, &asked.user)?;
        let name = user.as_ref().map(|user| user.name.clone());
        let found = Self { page: empty, counts, cancel_requests, user: name, complaint: None };
        let ids = asked.ids();
        let by = match by(db, asked, user.map(|user| user.id))? {
            Ok(by) => by,
            Err(complaint) => return Ok(Self { complaint: Some(complaint), ..found }),
        };
        let status = match asked.tab {
            Tab::Of(status) => Some(status),
            Tab::All | Tab::CancelRequests => None,
        };
        let filter = Filter { status, by, ..Filter::default() };
        let page = match ids {
            Some(ids) => order_list::page_of(db, &ids, &filter, cursor, asked.size)?,
            None => order_list::page(db, filter, cursor, asked.size)?,
        };
        Ok(Self { page, ..found })
    }

    fn count(&self, tab: Tab) -> i64 {
        let of = |status| self.counts.iter().filter(move |(known, _)| *known == status);
        match tab {
            Tab::All => self.counts.iter().map(|(_, count)| count).sum(),
            Tab::Of(status) => of(status).map(|(_, count)| count).sum(),
            Tab::CancelRequests => self.cancel_requests,
        }
    }
}

/// What the list is about, or why there is no such list: every one has an index of its own.
fn by(db: &Read<'_>, asked: &Asked, user: Option<UserId>) -> store::Result<Result<By, Complaint>> {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let is_link = asked.ids().is_none() && !asked.q.is_empty();
    let link = some(if is_link && asked.link.is_empty() { &asked.q } else { &asked.link });
    let own = some(&asked.own);
    if asked.tab == Tab::CancelRequests {
        return Ok(Ok(By::CancelRequest));
    }
    if !asked.user.is_empty() && user.is_none() {
        return Ok(Err(("user", "There is no user with this name or number")));
    }
    if !asked.service.is_empty() {
        if user.is_some() || link.is_some() || own.is_some() {
            return Ok(Err(("service", "Filter by the service alone, or leave it empty")));
        }
        let id = asked.service.trim_start_matches('#').parse().map(ServiceId);
        return match id.ok().map(|id| services::find(db, id)).transpose()?.flatten() {
            Some(service) => Ok(Ok(By::Service(service.id))),
            None => Ok(Err(("service", "There is no service with this number"))),
        };
    }
    Ok(match (user, link, own) {
        (Some(user), None, None) => Ok(By::User(user)),
        (Some(user), link, custom_id) => Ok(By::Own { user, link, custom_id }),
        (None, _, Some(_)) => Err(("user", "Whose? A reseller's own IDs are only his")),
        (None, Some(link), None) => Ok(By::Link(link)),
        (None, None, None) => Ok(By::Nothing),
    })
}

/// A tab as it is drawn.
struct Drawn {
    href: String,
    label: &'static str,
    /// How many there are; not said of what is filtered.
    count: Option<String>,
    is_this: bool,
}

#[derive(Template)]
#[template(path = "admin/orders.html")]
struct OrdersPage {
    shell: Shell,
    form: Form,
    asked: Asked,
    found: Found,
    /// How the API is called, for who has no order yet.
    example: String,
}

impl OrdersPage {
    fn tabs(&self) -> Vec<Drawn> {
        let draw = |tab: Tab| {
            let count = match tab == Tab::CancelRequests
                && self.found.cancel_requests >= CANCEL_REQUESTS_MAX
            {
                true => format!("{}+", CANCEL_REQUESTS_MAX - 1),
                false => grouped(self.found.count(tab)),
            };
            let is_counted = !self.asked.is_filtered() || tab == Tab::CancelRequests;
            Drawn {
                href: self.asked.address(tab),
                label: tab.label(),
                count: is_counted.then_some(count),
                is_this: tab == self.asked.tab,
            }
        };
        Tab::ALL.into_iter().map(draw).collect()
    }

    /// Whether there has never been an order.
    fn is_new(&self) -> bool {
        self.found.count(Tab::All) == 0
    }

    fn is_cancel_requests(&self) -> bool {
        self.asked.tab == Tab::CancelRequests
    }

    /// The state of the tab in the middle of a sentence.
    fn state(&self) -> String {
        self.asked.tab.label().to_lowercase()
    }

    fn tab(&self) -> &'static str {
        self.asked.tab.word()
    }

    fn older(&self) -> Option<String> {
        let last = self.found.page.rows.last().filter(|_| self.found.page.has_older)?;
        Some(format!("{}&older={}", self.asked.address(self.asked.tab), last.order.id))
    }

    fn newer(&self) -> Option<String> {
        let first = self.found.page.rows.first().filter(|_| self.found.page.has_newer)?;
        Some(format!("{}&newer={}", self.asked.address(self.asked.tab), first.order.id))
    }

    /// Whether the customer waits for an answer to the request to cancel.
    fn is_cancel_request(&self, order: &Order) -> bool {
        By::CancelRequest.holds(order)
    }
}

/// The list.
pub(super) async fn list(cx: &mut Cx) -> Answer {
    let (asked, cursor) = (Asked::read(cx), cx.cursor());
    let reading = asked.clone();
    let found = cx.read(move |db| Found::read(db, &reading, cursor)).await?;
    if let Some((name, text)) = found.complaint {
        cx.form.refuse(name, text);
    }
    let example = example(cx);
    let shell = cx.shell("Orders", Nav::Orders);
    let page = OrdersPage { shell, form: cx.form.clone(), asked, found, example };
    match page.form.is_sound() {
        true => cx.page(&page),
        false => cx.refused_page(&page),
    }
}

/// A request that places an order, as somebody would type it here.
fn example(cx: &Cx) -> String {
    let host = cx.request.headers().get(header::HOST);
    let host = host.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let public = cx.admin.public_url.as_ref().map(|url| url.origin().to_owned());
    let origin = public.unwrap_or_else(|| format!("http://{host}"));
    format!(
        "curl {origin}/api/v2 -d key=YOUR_KEY -d action=add -d service=1 \\\n     \
         -d link=https://example.com/post -d quantity=1000"
    )
}
