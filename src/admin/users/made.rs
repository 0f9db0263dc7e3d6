//! A new key: the one page that ever shows it, with what to try it with, and whether it was used.

use actix_web::HttpResponse;
use askama::Template;

use super::path;
use crate::admin::frame::answer::Answer;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::figure::{grouped, money};
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::commands::accounts::{CreateKey, CreateKeyOnce, KeyMade};
use crate::domain::money::{Money, Per};
use crate::domain::refusal::OperatorRefusal;
use crate::domain::service::ServiceKind;
use crate::domain::user::User;
use crate::domain::{KeyId, OrderId, ServiceId};
use crate::secret::{self, KeyHash, Secret};
use crate::store::keys::{self, ApiKey};
use crate::store::orders::{By, Filter};
use crate::store::{self, Read, orders, services};

/// For so long after a key was made its page asks by itself whether it was used.
const WATCHED_SECONDS: i64 = 5 * 60;
/// So many services are looked at to find one for the example.
const LOOKED_AT_MAX: i64 = 200;

/// A key that was made just now.
pub(super) struct New {
    pub(super) id: KeyId,
    pub(super) key: Secret,
    pub(super) label: String,
    /// The first characters of the key in whose place this one is.
    pub(super) replaced: Option<String>,
}

/// An order that the new key can place.
struct Example {
    service: ServiceId,
    name: String,
    quantity: i64,
    link: &'static str,
    /// What it costs the user; `None` where that is too much to say.
    charge: Option<Money>,
}

#[derive(Template)]
#[template(path = "admin/users/made.html")]
struct MadePage {
    shell: Shell,
    user: User,
    id: KeyId,
    label: String,
    key: String,
    /// The first characters of the key in whose place this one is.
    replaced: Option<String>,
    /// Where the API is.
    address: String,
    /// What can be ordered; nothing in a shop that sells nothing yet.
    example: Option<Example>,
    /// Where to go on.
    back: String,
}

impl MadePage {
    /// Whether the user has to get money before the example can be ordered.
    fn is_short_of_funds(&self, example: &Example) -> bool {
        example.charge.is_none_or(|charge| !self.user.can_pay(charge))
    }

    /// How the link of an example stands in a command.
    fn quoted(link: &str) -> String {
        format!("'link={link}'")
    }
}

/// Makes a key under the label of the form and shows it this once; nothing where the label was
/// refused, which the form then says. The same form again makes no other key.
pub(super) async fn issue(
    cx: &mut Cx,
    user: User,
    back: &str,
) -> Result<Option<HttpResponse>, PageError> {
    let key = secret::new_api_key();
    let label = cx.form.get("label").to_owned();
    let create = CreateKey {
        actor: cx.actor()?,
        user: user.id,
        hash: KeyHash::of(key.expose()),
        prefix: secret::shown_prefix(&key).to_owned(),
        label: label.clone(),
    };
    let last = cx.form.get("last_key").parse().ok();
    let made = match last {
        None => cx.try_write(create).await?.map(KeyMade::Now),
        Some(last) => {
            let last = Some(last).filter(|last| *last > 0).map(KeyId);
            cx.try_write(CreateKeyOnce { create, last }).await?
        }
    };
    match made {
        None => Ok(None),
        Some(KeyMade::Before(key)) => before(cx, user, key, back).map(Some),
        Some(KeyMade::Now(id)) => {
            page(cx, user, New { id, key, label, replaced: None }, back).await.map(Some)
        }
    }
}

/// The one page that ever shows a key.
pub(super) async fn page(cx: &mut Cx, user: User, new: New, back: &str) -> Answer {
    let reader = user.clone();
    let example = cx.read(move |db| example(db, &reader)).await?;
    let New { id, key, label, replaced } = new;
    let (shell, address) = (cx.shell("The new key", Nav::Keys), cx.api_address());
    let (key, back) = (key.expose().to_owned(), back.to_owned());
    cx.page(&MadePage { shell, user, id, label, key, replaced, address, example, back })
}

/// The first service on sale that takes no more than a link and a quantity.
fn example(db: &Read<'_>, user: &User) -> store::Result<Option<Example>> {
    for (id, _) in services::list_on_sale(db, LOOKED_AT_MAX)? {
        let Some(offer) = services::find_on_sale(db, Some(user.id), id)? else { continue };
        let listing = offer.service.listing;
        if listing.kind != ServiceKind::Default {
            continue;
        }
        let rate = user.rate(listing.rate, offer.custom_rate);
        return Ok(Some(Example {
            service: id,
            quantity: listing.quantity_min,
            link: link_for(&listing.name),
            charge: rate.charge(listing.quantity_min, Per::Thousand),
            name: listing.name,
        }));
    }
    Ok(None)
}

/// A link of the kind that a service of that name is ordered for.
fn link_for(name: &str) -> &'static str {
    let name = name.to_lowercase();
    let known = [
        ("youtube", "https://www.youtube.com/watch?v=aqz-KE-bpKQ"),
        ("tiktok", "https://www.tiktok.com/@example/video/7300000000000000001"),
        ("telegram", "https://t.me/example/1"),
        ("facebook", "https://www.facebook.com/example/posts/1"),
        ("twitter", "https://x.com/example/status/1700000000000000001"),
        ("spotify", "https://open.spotify.com/track/11dFghVXANMlKmJXsNCbNl"),
    ];
    let found = known.into_iter().find(|(word, _)| name.contains(word));
    found.map_or("https://www.instagram.com/p/CxExample01/", |(_, link)| link)
}

#[derive(Template)]
#[template(path = "admin/users/made_before.html")]
struct MadeBeforePage {
    shell: Shell,
    user: User,
    key: ApiKey,
    back: String,
}

/// The answer to a form that was sent again: its key was made, and is not shown twice.
pub(super) fn before(cx: &mut Cx, user: User, key: ApiKey, back: &str) -> Answer {
    let shell = cx.shell("This key was created already", Nav::Keys);
    cx.page(&MadeBeforePage { shell, user, key, back: back.to_owned() })
}

#[derive(Template)]
#[template(path = "admin/users/made_used.html", blocks = ["status"])]
struct UsedPage {
    shell: Shell,
    key: ApiKey,
    /// The newest order of the key's user.
    order: Option<OrderId>,
}

impl UsedPage {
    /// Whether the page is to ask again by itself: until an order has come, too.
    fn is_watched(&self) -> bool {
        (self.key.last_used_at.is_none() || self.order.is_none())
            && self.key.revoked_at.is_none()
            && self.shell.now.0 - self.key.created_at.0 < WATCHED_SECONDS
    }

    /// Whether the use that is known may still be the first.
    fn is_first(&self) -> bool {
        self.shell.now.0 - self.key.created_at.0 < WATCHED_SECONDS
    }

    /// How long ago the key was used, to the second where it was within the last minute.
    fn used(&self) -> Option<String> {
        let at = self.key.last_used_at?;
        Some(match self.shell.now.0 - at.0 {
            seconds @ 1..60 => format!("{seconds} s ago"),
            _ => self.shell.ago(&at),
        })
    }

    fn keys(&self) -> String {
        path(self.key.user, "/keys")
    }
}

/// Whether requests with a key have arrived.
pub(crate) async fn used(cx: &mut Cx) -> Answer {
    let id = KeyId(cx.path_id("id")?);
    let read = move |db: &Read<'_>| {
        let Some(key) = keys::find(db, id)? else { return Ok(None) };
        let newest = Filter { by: By::User(key.user), limit: 1, ..Filter::default() };
        let order = orders::list(db, &newest)?.first().map(|order| order.id);
        Ok(Some((key, order)))
    };
    let (key, order) = cx.read(read).await?.ok_or(OperatorRefusal::KeyNotFound)?;
    if cx.wants_part() && key.last_used_at.is_some() && !cx.form.has("known") {
        cx.toast = Some(Toast::new("First request arrived"));
    }
    let shell = cx.shell(&format!("Key {}…", key.prefix), Nav::Keys);
    let page = UsedPage { shell, key, order };
    cx.list(&page, &page.as_status())
}

#[cfg(test)]
mod tests {
    use super::link_for;

    #[test]
    fn an_example_has_a_link_of_its_kind() {
        assert!(link_for("YouTube Views [30 days]").contains("youtube.com/watch"));
        assert!(link_for("Instagram Likes").contains("instagram.com/p/"));
        assert!(link_for("Likes").contains("instagram.com/p/"));
    }
}
