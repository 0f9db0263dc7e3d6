//! A new provider: where it is, what opens it, what its money is worth. It can be tested before it
//! is kept.

use askama::Template;
use url::Url;

use super::{access, take_key, terms, url};
use crate::admin::frame::answer::Answer;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::figure::{money, rate};
use crate::admin::frame::form::Form;
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::admin::frame::upstream;
use crate::commands::providers::AddProvider;
use crate::delivery::sync::Look;
use crate::domain::provider::{Dialect, Provider, Terms};
use crate::domain::{ProviderId, Timestamp};
use crate::secret::Secret;

#[derive(Template)]
#[template(path = "admin/providers/new.html")]
struct NewPage {
    shell: Shell,
    form: Form,
    /// What the test has brought, if one was made.
    tested: Option<Result<Look, String>>,
}

impl NewPage {
    fn dialects(&self) -> &'static [Dialect] {
        Dialect::ALL
    }

    /// Whether a key waits sealed in the form.
    fn has_key(&self) -> bool {
        !self.form.get(super::SEALED).is_empty()
    }

    /// Whether the provider calls its currency otherwise than the form does.
    fn differs(&self, tested: &Look) -> bool {
        let entered = self.form.get("currency");
        tested.balance.currency.as_ref().is_some_and(|theirs| !theirs.eq_ignore_ascii_case(entered))
    }
}

fn page(cx: &mut Cx, tested: Option<Result<Look, String>>) -> NewPage {
    NewPage { shell: cx.shell("Add provider", Nav::Providers), form: cx.form.clone(), tested }
}

/// The empty form.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let mut page = page(cx, None);
    page.form = Form::filled([
        ("dialect", Dialect::Form.as_str().to_owned()),
        ("currency", page.shell.currency.clone()),
        ("exchange", "1".to_owned()),
        ("timeout", "30".to_owned()),
        ("sends_ids", "1".to_owned()),
    ]);
    cx.page(&page)
}

/// What the form says, or complaints about it.
fn read(cx: &mut Cx) -> Option<(Terms, Url, Secret)> {
    let key = take_key(cx);
    if key.is_none() {
        cx.form.refuse("key", "Enter the key that the provider gave you");
    }
    let terms = terms(&mut cx.form);
    let url = url(cx, cx.form.flag("insecure"));
    terms.zip(url).zip(key).map(|((terms, url), key)| (terms, url, key))
}

/// Asks the provider for the balance and its services, and keeps nothing.
pub(crate) async fn test(cx: &mut Cx) -> Answer {
    let Some((terms, url, key)) = read(cx) else { return refused(cx) };
    let tested = upstream::test(cx, unkept(terms, url.to_string()), key).await?;
    let page = page(cx, Some(tested));
    cx.page(&page)
}

/// A provider as it would be kept.
fn unkept(terms: Terms, url: String) -> Provider {
    Provider {
        id: ProviderId(0),
        url,
        terms,
        is_enabled: false,
        trouble: None,
        answer: String::new(),
        paused_until: None,
        balance: None,
        balance_at: None,
        synced_at: None,
        sync_due_at: Timestamp(0),
        last_order: None,
        created_at: Timestamp(0),
    }
}

/// Keeps the provider.
pub(crate) async fn create(cx: &mut Cx) -> Answer {
    let Some((terms, url, key)) = read(cx) else { return refused(cx) };
    let Some(access) = access(cx, &url, &key) else { return refused(cx) };
    let name = terms.name.clone();
    let add = AddProvider { actor: cx.actor()?, terms, access };
    match cx.write(add).await {
        Ok(id) => cx.go(&format!("/admin/providers/{id}"), Toast::new(format!("{name} added"))),
        Err(PageError::Refused(refusal)) => {
            cx.form.refuse_by(&refusal);
            refused(cx)
        }
        Err(error) => Err(error),
    }
}

fn refused(cx: &mut Cx) -> Answer {
    let page = page(cx, None);
    cx.refused_page(&page)
}
