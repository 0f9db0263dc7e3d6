//! One provider: how it is, what the operator has set, where it is and what opens it.
//!
//! Settings and pausing ask for no password. Where it is and its key do: with them goes the money
//! that we have there, and open orders would be looked for at another account.

use askama::Template;

use super::trend::Trend;
use super::{Standing, access, counted, fields, take_key, terms, theirs, url};
use crate::admin::frame::answer::Answer;
use crate::admin::frame::ask::Ask;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::figure::{Short, grouped, money};
use crate::admin::frame::form::Form;
use crate::admin::frame::shell::{Nav, Shell, Toast, Undo};
use crate::admin::frame::upstream;
use crate::commands::providers::{
    PauseProvider, RemoveProvider, ReplaceAccess, ResumeProvider, SyncSoon, UpdateProvider,
};
use crate::delivery::calls::Figures;
use crate::domain::provider::{Dialect, Provider};
use crate::domain::refusal::ProviderRefusal;
use crate::domain::{ProviderId, Timestamp};
use crate::store::provider_list::{self, Listed};
use crate::store::{self, Read, providers, together};

/// For how many seconds back the balance is drawn.
const TREND_SECONDS: i64 = 30 * 86_400;
/// Services of the provider are counted up to here.
const SERVICES_MAX: i64 = 1000;

#[derive(Template)]
#[template(path = "admin/providers/one.html")]
struct ProviderPage {
    shell: Shell,
    form: Form,
    listed: Listed,
    /// Services whose own provider it is.
    services: usize,
    standing: Standing,
    trend: Option<Trend>,
    figures: Figures,
}

impl ProviderPage {
    fn provider(&self) -> &Provider {
        &self.listed.provider
    }

    fn dialects(&self) -> &'static [Dialect] {
        Dialect::ALL
    }

    fn waiting(&self) -> String {
        counted(self.listed.waiting)
    }

    fn open(&self) -> String {
        counted(self.listed.open)
    }

    fn has_open(&self) -> bool {
        self.listed.open > 0
    }

    fn has_key(&self) -> bool {
        !self.form.get(super::SEALED).is_empty()
    }

    /// Whether what was typed belongs to where it is and its key.
    fn is_about_access(&self) -> bool {
        self.form.has("url")
    }

    /// The address in the form, or else the one that is kept.
    fn url(&self) -> &str {
        if self.is_about_access() { self.form.get("url") } else { &self.provider().url }
    }

    fn services(&self) -> String {
        grouped(i64::try_from(self.services).unwrap_or(SERVICES_MAX))
    }
}

fn id(cx: &Cx) -> Result<ProviderId, PageError> {
    cx.path_id("id").map(ProviderId)
}

fn path(provider: ProviderId) -> String {
    format!("/admin/providers/{provider}")
}

/// A provider that somebody named.
pub(super) async fn known(cx: &Cx) -> Result<Provider, PageError> {
    let id = id(cx)?;
    let found = cx.read(move |db| providers::find(db, id)).await?;
    found.ok_or_else(|| PageError::NotFound(format!("There is no provider {id}.")))
}

async fn page(cx: &mut Cx, form: Option<Form>) -> Result<ProviderPage, PageError> {
    let (provider, now) = (known(cx).await?, cx.now());
    let read = move |db: &Read<'_>| -> store::Result<(Listed, usize)> {
        let since = Timestamp(now.0 - TREND_SECONDS);
        let (listed, services) = together!(
            db: provider_list::listed(db, provider.clone(), since),
            provider_list::list_services(db, provider.id, SERVICES_MAX),
        );
        Ok((listed, services.len()))
    };
    let (listed, services) = cx.read(read).await?;
    let provider = &listed.provider;
    Ok(ProviderPage {
        shell: cx.shell(&provider.terms.name, Nav::Providers),
        form: form.unwrap_or_else(|| fields(&provider.terms)),
        standing: Standing::of(provider, upstream::held(cx, provider.id), now),
        trend: Trend::new(&listed.readings, |amount| theirs(amount, provider)),
        figures: upstream::figures(cx, provider.id),
        services,
        listed,
    })
}

/// The page.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let page = page(cx, None).await?;
    cx.page(&page)
}

async fn refused(cx: &mut Cx) -> Answer {
    let page = page(cx, Some(cx.form.clone())).await?;
    cx.refused_page(&page)
}

/// Saves what the operator sets.
pub(crate) async fn update(cx: &mut Cx) -> Answer {
    let provider = id(cx)?;
    if let Some(terms) = terms(&mut cx.form) {
        let name = terms.name.clone();
        let update = UpdateProvider { actor: cx.actor()?, provider, terms };
        if cx.try_write(update).await?.is_some() {
            return cx.go(&path(provider), Toast::new(format!("{name} saved")));
        }
    }
    refused(cx).await
}

/// Sends it no more orders.
pub(crate) async fn pause(cx: &mut Cx) -> Answer {
    let Provider { id: provider, terms, .. } = known(cx).await?;
    cx.write(PauseProvider { actor: cx.actor()?, provider }).await?;
    let undo = Undo::post(format!("{}/resume", path(provider)));
    cx.go(&path(provider), Toast::with_undo(format!("{} paused", terms.name), undo))
}

/// Sends it orders again.
pub(crate) async fn resume(cx: &mut Cx) -> Answer {
    let Provider { id: provider, terms, .. } = known(cx).await?;
    cx.write(ResumeProvider { actor: cx.actor()?, provider }).await?;
    let undo = Undo::post(format!("{}/pause", path(provider)));
    cx.go(&path(provider), Toast::with_undo(format!("{} gets orders again", terms.name), undo))
}

/// Has it asked for our balance, which ends what keeps it from orders.
pub(crate) async fn probe(cx: &mut Cx) -> Answer {
    let Provider { id: provider, terms, .. } = known(cx).await?;
    upstream::probe(cx, provider)?;
    let toast = format!("Asking {} for our balance: look again in a moment", terms.name);
    cx.go(&path(provider), Toast::new(toast))
}

/// Has its list fetched.
pub(crate) async fn sync(cx: &mut Cx) -> Answer {
    let Provider { id: provider, terms, .. } = known(cx).await?;
    cx.write(SyncSoon { actor: cx.actor()?, provider }).await?;
    let toast = format!("Fetching the list of {}: look again in a moment", terms.name);
    cx.go(&path(provider), Toast::new(toast))
}

/// Replaces where it is and what opens it.
pub(crate) async fn reconnect(cx: &mut Cx) -> Answer {
    let known = known(cx).await?;
    let key = take_key(cx);
    if key.is_none() {
        cx.form.refuse("key", "Enter the key that belongs to this address");
    }
    let url = url(cx, known.terms.is_insecure);
    let Some((url, key)) = url.zip(key) else { return refused(cx).await };
    let (provider, same_account) = (known.id, cx.form.flag("same_account"));
    let Some(access) = access(cx, &url, &key) else { return refused(cx).await };
    let replace = ReplaceAccess { actor: cx.actor()?, provider, access, same_account };
    match cx.write(replace).await {
        Ok(()) => {
            let toast = format!("Address and key of {} replaced", known.terms.name);
            cx.go(&path(provider), Toast::new(toast))
        }
        Err(PageError::Refused(refusal)) => {
            let is_open = refusal == ProviderRefusal::HasOpenOrders.into();
            cx.form.refuse(if is_open { "same_account" } else { "url" }, &refusal);
            refused(cx).await
        }
        Err(error) => Err(error),
    }
}

/// Removes one that nothing names.
pub(crate) async fn remove(cx: &mut Cx) -> Answer {
    let Provider { id: provider, terms, .. } = known(cx).await?;
    cx.confirm(Ask {
        title: format!("Remove {}?", terms.name),
        facts: vec![("Its key".to_owned(), "is forgotten".to_owned())],
        verb: "Remove provider".to_owned(),
        is_danger: true,
        ..Ask::default()
    })?;
    match cx.write(RemoveProvider { actor: cx.actor()?, provider }).await {
        Ok(()) => cx.go("/admin/providers", Toast::new(format!("{} removed", terms.name))),
        Err(PageError::Refused(refusal)) => cx.go(&path(provider), Toast::new(refusal.to_string())),
        Err(error) => Err(error),
    }
}
