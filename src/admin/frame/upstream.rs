//! What pages ask of providers: each is a call, made on a thread that may wait, with its answer or
//! the reason why there is none. And what the lanes know of them.

use std::sync::Arc;

use actix_web::web::block;

use super::cx::Cx;
use super::error::PageError;
use super::figure::{grouped, money};
use crate::delivery::calls::{Call, Calls, Figures};
use crate::delivery::client::{CallError, Client, Said};
use crate::delivery::lane::Held;
use crate::delivery::sync::{self, Look};
use crate::delivery::{self, Looked};
use crate::domain::errand::{Errand, ErrandStage};
use crate::domain::provider::Provider;
use crate::domain::{OrderId, ProviderId};
use crate::secret::Secret;
use crate::store::{self, providers};

/// An answer, or the reason why there is none, in a sentence.
pub(crate) type Reached<T> = Result<T, String>;

/// Whether somebody could buy at a provider that may not be kept yet: the balance and the first
/// services.
///
/// # Errors
/// Where nothing may be asked just now.
pub(crate) async fn test(
    cx: &Cx,
    provider: Provider,
    key: Secret,
) -> Result<Reached<Look>, PageError> {
    cx.admit_change()?;
    let endpoint = delivery::endpoint(&provider, key);
    // Nobody looks into the book of one that is not kept.
    let book = Calls::new(cx.admin.clock.clone()).book(provider.id);
    let look = move || sync::look(&Client::new(&endpoint, book));
    Ok(ask(look).await?.map_err(|error| error.told()))
}

/// What a provider says of an order of its own, by its number, in words for a question.
///
/// # Errors
/// Where the provider is not there.
pub(crate) async fn status(
    cx: &Cx,
    provider: ProviderId,
    their_id: &str,
) -> Result<Reached<String>, PageError> {
    let found = cx.read(move |db| providers::get(db, provider)).await?;
    let (currency, id) = (found.terms.currency.clone(), their_id.to_owned());
    let client = match cx.admin.delivery.client(&found) {
        Ok(client) => client,
        Err(refusal) => return Ok(Err(refusal.to_string())),
    };
    let said = ask(move || client.status(&id)).await?.map_err(|error| error.to_string());
    Ok(said.and_then(|said| said).map(|said| in_words(&said, &currency)))
}

fn in_words(said: &Said, currency: &str) -> String {
    let mut parts = vec![said.word.clone()];
    let quantity = said.quantity.as_ref().map(|quantity| format!("quantity {quantity}"));
    let link = said.link.clone();
    let remains = said.remains.map(|remains| format!("{} remain", grouped(remains)));
    let start = said.start_count.map(|count| format!("start count {}", grouped(count)));
    let currency = said.currency.as_deref().unwrap_or(currency);
    let charge = said.charge.map(|charge| format!("charge {} {currency}", money(charge)));
    parts.extend([quantity, link, remains, start, charge].into_iter().flatten());
    parts.join(", ")
}

/// Looks for an order nobody knows the end of at its provider.
///
/// # Errors
/// Where nothing may be asked just now.
pub(crate) async fn look_for(cx: &Cx, order: OrderId) -> Result<Looked, PageError> {
    cx.admit_change()?;
    let delivery = Arc::clone(&cx.admin.delivery);
    match block(move || delivery.neighbours(order)).await {
        Ok(looked) => Ok(looked?),
        Err(_) => Err(store::Error::Busy.into()), // the server is stopping
    }
}

/// Makes a call on a thread that may wait.
async fn ask<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, CallError> + Send + 'static,
) -> Result<Result<T, CallError>, PageError> {
    match block(call).await {
        Ok(answer) => Ok(answer),
        Err(_) => Err(store::Error::Busy.into()), // the server is stopping
    }
}

/// Has a provider asked for our balance at once, which ends what keeps it from orders.
///
/// # Errors
/// Where nothing may be asked just now.
pub(crate) fn probe(cx: &Cx, provider: ProviderId) -> Result<(), PageError> {
    cx.admit_change()?;
    cx.admin.delivery.probe(provider);
    Ok(())
}

/// The last calls to a provider, newest first.
pub(crate) fn calls(cx: &Cx, provider: ProviderId) -> Vec<Call> {
    cx.admin.delivery.calls().list(provider)
}

/// How the last calls to a provider went.
pub(crate) fn figures(cx: &Cx, provider: ProviderId) -> Figures {
    cx.admin.delivery.calls().figures(provider)
}

/// What keeps a provider from orders just now, as far as its lane knows.
pub(crate) fn held(cx: &Cx, provider: ProviderId) -> Option<Held> {
    cx.admin.delivery.held(provider)
}

/// What came of asking a provider for a cancel or a refill, in words.
pub(crate) fn told(errand: &Errand) -> String {
    match (errand.stage, &errand.their_id, errand.answer.as_str()) {
        (ErrandStage::Ask, _, "") => "not asked yet".to_owned(),
        (ErrandStage::Asked, Some(their_id), _) => format!("asked for, {their_id} there"),
        (ErrandStage::Asked, None, _) => "asked for".to_owned(),
        (ErrandStage::Held, _, "") => "nothing clear was said".to_owned(),
        (ErrandStage::Ask | ErrandStage::Held, _, answer) => answer.to_owned(),
    }
}
