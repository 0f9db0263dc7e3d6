//! One service: all that an operator decides about it, in one form, for all kinds.

use askama::Template;

use super::bulk::{back, switch};
use super::supply::{self, Supply};
use crate::admin::frame::answer::{Answer, encoded};
use crate::admin::frame::ask::Ask;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::figure::{self, rate, signed};
use crate::admin::frame::form::Form;
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::commands::services::{CreateService, DeleteService, UpdateService};
use crate::commands::supply::SetRateByRule;
use crate::domain::money::Rate;
use crate::domain::refusal::{OperatorRefusal, OrderRefusal, Refusal};
use crate::domain::service::{self, Listing, Service, ServiceKind};
use crate::domain::{ProviderId, ServiceId};
use crate::store::categories::{self, Category};
use crate::store::{self, Read, orders, services, together, users};

/// A service that is there, and what the form has to know of it.
struct Known {
    service: Service,
    category: String,
    /// All there are.
    categories: Vec<Category>,
    has_orders: bool,
    supply: Supply,
}

impl Known {
    fn read(db: &Read<'_>, id: ServiceId) -> store::Result<Self> {
        let service = services::find(db, id)?.ok_or(OrderRefusal::ServiceNotFound)?;
        let (category, categories, supply, has_orders) = together!(
            db: categories::find(db, service.listing.category),
            categories::list(db),
            Supply::read(db, &service),
            orders::has_service(db, id),
        );
        let category = category.map(|category| category.name).unwrap_or_default();
        Ok(Self { service, category, categories, has_orders, supply })
    }

    /// The form as it is saved now.
    fn form(&self) -> Form {
        let listing = &self.service.listing;
        let flag = |is_set: bool| if is_set { "1" } else { "" }.to_owned();
        let days = listing.refill_days.map(|days| days.to_string());
        Form::filled([
            ("category", self.category.clone()),
            ("name", listing.name.clone()),
            ("kind", listing.kind.as_str().to_owned()),
            ("rate", listing.rate.to_string()),
            ("min", listing.quantity_min.to_string()),
            ("max", listing.quantity_max.to_string()),
            ("description", listing.description.clone()),
            ("dripfeed", flag(listing.is_dripfeed)),
            ("refill", flag(listing.is_refill)),
            ("refill_days", days.unwrap_or_default()),
            ("cancel", flag(listing.is_cancel)),
            ("deny_duplicates", flag(listing.denies_duplicates)),
            ("enabled", flag(listing.is_enabled)),
        ])
    }
}

fn id(cx: &Cx) -> Result<ServiceId, PageError> {
    cx.path_id("id").map(ServiceId)
}

async fn known(cx: &Cx, id: ServiceId) -> Result<Known, PageError> {
    cx.read(move |db| Known::read(db, id)).await.map_err(|error| {
        if matches!(error, PageError::Refused(Refusal::Order(OrderRefusal::ServiceNotFound))) {
            return PageError::NotFound(format!(
                "No service {id}. The number may have been typed wrong, or it was deleted."
            ));
        }
        error
    })
}

/// What the form says, or all complaints about it. The type of a service with orders is its own.
fn listing(form: &mut Form, known: Option<&Known>) -> Option<Listing<String>> {
    let name = form.required("name", "Enter a name");
    let category = form.required("category", "Choose a category, or enter the name of a new one");
    let fixed = known.filter(|known| known.has_orders).map(|known| known.service.listing.kind);
    let kind = fixed.or_else(|| ServiceKind::from_stored(form.get("kind")));
    if kind.is_none() {
        form.refuse("kind", "Choose a type");
    }
    let rate = form.rate("rate");
    let (quantity_min, quantity_max) = (form.limit("min"), form.limit("max"));
    let has_days = !form.get("refill_days").is_empty();
    let refill_days = has_days.then(|| form.limit("refill_days"));
    let listing = Listing {
        category,
        name,
        description: form.raw("description").trim().replace("\r\n", "\n"),
        kind: kind.unwrap_or(ServiceKind::Default),
        rate: rate.unwrap_or(Rate::MAX),
        quantity_min,
        quantity_max,
        is_dripfeed: form.flag("dripfeed"),
        is_refill: form.flag("refill"),
        refill_days,
        is_cancel: form.flag("cancel"),
        denies_duplicates: form.flag("deny_duplicates"),
        is_enabled: form.flag("enabled"),
        provider: None,
        provider_service: None,
    };
    for flaw in listing.flaws() {
        // A limit that cannot be read has been complained about where it stands.
        if flaw != OperatorRefusal::BadLimits {
            form.refuse_by(&flaw.into());
        }
    }
    if let Err(flaw) = service::check_category_name(&listing.category) {
        form.refuse_by(&flaw.into());
    }
    form.is_sound().then_some(listing)
}

#[derive(Template)]
#[template(path = "admin/services/one.html")]
struct ServicePage {
    shell: Shell,
    form: Form,
    /// The form about where it is bought.
    supply_form: Form,
    /// The service that is there; a new one is not.
    known: Option<Known>,
    categories: Vec<Category>,
}

impl ServicePage {
    fn kinds(&self) -> &'static [ServiceKind] {
        ServiceKind::ALL
    }

    /// The kind, where it cannot change any more.
    fn fixed(&self) -> Option<ServiceKind> {
        let known = self.known.as_ref().filter(|known| known.has_orders)?;
        Some(known.service.listing.kind)
    }

    /// Whether a row of the form about where it is bought names that provider.
    fn is_at(&self, provider: &ProviderId, field: &str) -> bool {
        self.supply_form.get(field) == provider.to_string()
    }

    /// Where the form goes.
    fn action(&self) -> String {
        match &self.known {
            Some(known) => format!("/admin/services/{}", known.service.id),
            None => "/admin/services".to_owned(),
        }
    }
}

async fn page(cx: &mut Cx, form: Form, known: Option<Known>) -> Result<ServicePage, PageError> {
    let categories = match &known {
        Some(known) => known.categories.clone(),
        None => cx.read(categories::list).await?,
    };
    let title = match &known {
        Some(known) => known.service.listing.name.clone(),
        None => "New service".to_owned(),
    };
    let supply_form = known.as_ref().map(|known| known.supply.form()).unwrap_or_default();
    let shell = cx.shell(&title, Nav::Services);
    Ok(ServicePage { shell, form, supply_form, known, categories })
}

/// The form for a new one, empty or filled like another.
pub(crate) async fn new(cx: &mut Cx) -> Answer {
    let copied = cx.form.get("copy").parse().ok().map(ServiceId);
    let form = match copied {
        Some(id) => known(cx, id).await?.form(),
        None => Form::filled([
            ("category", cx.form.get("category").to_owned()),
            ("kind", ServiceKind::Default.as_str().to_owned()),
            ("cancel", "1".to_owned()),
            ("enabled", "1".to_owned()),
        ]),
    };
    let page = page(cx, form, None).await?;
    cx.page(&page)
}

/// Adds a service.
pub(crate) async fn create(cx: &mut Cx) -> Answer {
    if let Some(listing) = listing(&mut cx.form, None) {
        let (category, name) = (listing.category.clone(), listing.name.clone());
        let create = CreateService { actor: cx.actor()?, listing };
        if let Some(id) = cx.try_write(create).await? {
            let toast = Toast::new(format!("{name} added as service {id}"));
            // In a shop without users the dashboard says what comes next.
            let is_begun = cx.read(users::is_empty).await? && cx.form.get("then").is_empty();
            let to = if is_begun { "/admin".to_owned() } else { next(cx, &category, id) };
            return cx.go(&to, toast);
        }
    }
    let page = page(cx, cx.form.clone(), None).await?;
    cx.refused_page(&page)
}

/// Where to go on: to the service, or to the form for one more of the category.
fn next(cx: &Cx, category: &str, id: ServiceId) -> String {
    let category = encoded(category);
    match cx.form.get("then") {
        "another" => format!("/admin/services/new?category={category}"),
        _ => format!("/admin/services/{id}"),
    }
}

/// The form of one that is there.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let known = known(cx, id(cx)?).await?;
    let page = page(cx, known.form(), Some(known)).await?;
    cx.page(&page)
}

/// Saves it.
pub(crate) async fn update(cx: &mut Cx) -> Answer {
    let known = known(cx, id(cx)?).await?;
    if let Some(listing) = listing(&mut cx.form, Some(&known)) {
        let (category, name) = (listing.category.clone(), listing.name.clone());
        let (actor, service) = (cx.actor()?, known.service.id);
        let update = UpdateService { actor, service, listing };
        if cx.try_write(update).await?.is_some() {
            return cx.go(&next(cx, &category, service), Toast::new(format!("{name} saved")));
        }
    }
    let page = page(cx, cx.form.clone(), Some(known)).await?;
    cx.refused_page(&page)
}

/// Sets where it is bought, and the rule of its rate.
pub(crate) async fn set_supply(cx: &mut Cx) -> Answer {
    let known = known(cx, id(cx)?).await?;
    let service = known.service.id;
    if let Some(command) = supply::command(cx, cx.actor()?, service)
        && cx.try_write(command).await?.is_some()
    {
        let toast = Toast::new(format!("{} saved", known.service.listing.name));
        return cx.go(&format!("/admin/services/{service}"), toast);
    }
    let mut page = page(cx, known.form(), Some(known)).await?;
    page.supply_form = cx.form.clone();
    cx.refused_page(&page)
}

/// Sets its rate by its rule.
pub(crate) async fn by_rule(cx: &mut Cx) -> Answer {
    let service = id(cx)?;
    let rate = cx.write(SetRateByRule { actor: cx.actor()?, service }).await?;
    let toast = Toast::new(format!("The rate is {} now", figure::rate(rate)));
    cx.go(&format!("/admin/services/{service}"), toast)
}

/// Puts it on sale; also the way back after many were taken off, named with dots between them.
pub(crate) async fn enable(cx: &mut Cx) -> Answer {
    set_enabled(cx, true).await
}

/// Takes it off sale; also the way back after many were put on.
pub(crate) async fn disable(cx: &mut Cx) -> Answer {
    set_enabled(cx, false).await
}

async fn set_enabled(cx: &mut Cx, is_enabled: bool) -> Answer {
    let named = cx.request.match_info().get("id").unwrap_or_default().split('.');
    let ids: Option<Vec<_>> = named.map(|id| id.parse().ok().map(ServiceId)).collect();
    let ids = ids.ok_or(OrderRefusal::ServiceNotFound)?;
    let toast = switch(cx, &ids, is_enabled).await?;
    match ids[..] {
        [id] if !cx.form.has("size") => cx.go(&format!("/admin/services/{id}"), toast),
        _ => back(cx, toast),
    }
}

/// Takes it away, where nobody has ordered it.
pub(crate) async fn delete(cx: &mut Cx) -> Answer {
    let Known { service, has_orders, .. } = known(cx, id(cx)?).await?;
    if has_orders {
        return Err(OperatorRefusal::ServiceHasOrders.into());
    }
    let name = service.listing.name;
    cx.confirm(Ask {
        title: format!("Delete {name}?"),
        facts: vec![
            ("Service".to_owned(), service.id.to_string()),
            ("Custom rates for it".to_owned(), "are deleted too".to_owned()),
        ],
        verb: "Delete service".to_owned(),
        typed: None,
        is_danger: true,
        ..Ask::default()
    })?;
    cx.write(DeleteService { actor: cx.actor()?, service: service.id }).await?;
    cx.go("/admin/services", Toast::new(format!("{name} deleted")))
}
