//! Providers: the list, a new one, one of them, its last calls, importing what it sells.

pub(super) mod calls;
pub(super) mod import;
pub(super) mod list;
pub(super) mod new;
pub(super) mod one;
pub(super) mod plan;
pub(super) mod run;
mod trend;

use url::Url;

use crate::admin::frame::cx::Cx;
use crate::admin::frame::figure::{grouped, money};
use crate::admin::frame::form::Form;
use crate::commands::providers;
use crate::delivery::lane::Held;
use crate::delivery::url::check_url;
use crate::domain::Timestamp;
use crate::domain::money::Money;
use crate::domain::provider::{Dialect, Exchange, Provider, Terms, Trouble};
use crate::domain::refusal::ProviderRefusal;
use crate::secret::Secret;
use crate::store::provider_list::COUNTED_MAX;
use crate::store::providers::Access;

/// How a provider is, as people say it: the tone of its mark, the word, and why.
struct Standing {
    tone: &'static str,
    word: &'static str,
    /// In a sentence; nothing where all is well.
    why: String,
    /// Whether asking for the balance can end it.
    is_tried: bool,
}

impl Standing {
    /// What keeps a provider from orders, or would be good to know.
    fn of(provider: &Provider, held: Option<Held>, now: Timestamp) -> Self {
        let new =
            |tone, word, why: &str, is_tried| Self { tone, word, why: why.to_owned(), is_tried };
        if !provider.is_enabled {
            let why = "It gets no orders. What is there is watched all the same.";
            return new("quiet bar", "Paused", why, false);
        }
        if provider.trouble == Some(Trouble::Key) {
            return new("bad square", "Key refused", "It does not accept our key.", true);
        }
        match held {
            Some(Held::Failing) => {
                let why = "It does not answer. Nothing is sent until it answers with our balance.";
                return new("bad square", "Not answering", why, true);
            }
            Some(Held::Refusing) => {
                let why = "It refuses one order after another. Nothing is sent until it answers \
                           with our balance.";
                return new("bad square", "Refusing", why, true);
            }
            Some(Held::Unproven) => {
                let why =
                    "An answer was unclear. Nothing is sent until it answers with our balance.";
                return new("bad square", "No clear answer", why, true);
            }
            Some(Held::Paused) => {
                let why = "More than one answer was unclear, so sending is paused for a while.";
                return new("attention part", "Waiting", why, true);
            }
            Some(Held::Busy) => {
                return new("waiting half", "Busy", "It asked us to come back later.", false);
            }
            None => {}
        }
        if provider.trouble == Some(Trouble::Funds) {
            let why = "Our balance there does not pay for the next order.";
            return new("attention ring", "No funds", why, true);
        }
        if provider.paused_until.is_some_and(|until| until > now) {
            return new("attention part", "Waiting", "Sending is paused for a while.", true);
        }
        match provider.is_low() {
            true => new("attention ring", "Low balance", "", false),
            false => new("good dot", "Working", "", false),
        }
    }
}

/// The fields of a provider's settings as they are.
fn fields(terms: &Terms) -> Form {
    let flag = |is_set: bool| if is_set { "1" } else { "" }.to_owned();
    Form::filled([
        ("name", terms.name.clone()),
        ("dialect", terms.dialect.as_str().to_owned()),
        ("currency", terms.currency.clone()),
        ("exchange", terms.exchange.to_string()),
        ("timeout", terms.timeout_seconds.to_string()),
        ("low", terms.low.map(|low| low.to_string()).unwrap_or_default()),
        ("insecure", flag(terms.is_insecure)),
        ("sends_ids", flag(terms.sends_ids)),
    ])
}

/// What the form says of a provider's settings, or complaints about it.
fn terms(form: &mut Form) -> Option<Terms> {
    let name = form.required("name", "Enter a name");
    let currency = form.required("currency", "Enter a currency, such as USD").to_uppercase();
    let exchange = Exchange::parse(&form.get("exchange").replace(',', "."));
    if exchange.is_none() {
        form.refuse("exchange", ProviderRefusal::BadExchange);
    }
    let timeout_seconds = form.number("timeout").unwrap_or_default();
    let low = if form.get("low").is_empty() { None } else { Some(form.amount("low")) };
    let terms = Terms {
        name,
        dialect: Dialect::from_stored(form.get("dialect")).unwrap_or(Dialect::Form),
        currency,
        exchange: exchange.unwrap_or(Exchange::ONE),
        is_insecure: form.flag("insecure"),
        sends_ids: form.flag("sends_ids"),
        timeout_seconds,
        low,
    };
    if form.is_sound()
        && let Err(refusal) = terms.check()
    {
        form.refuse_by(&refusal.into());
    }
    form.is_sound().then_some(terms)
}

/// Where a key waits that came with a form, so that it need not be typed again and is never shown.
const SEALED: &str = "sealed";

/// The key of the form, which from now on travels sealed.
fn take_key(cx: &mut Cx) -> Option<Secret> {
    cx.take_secret("key")
}

/// The address of the form, if it may be called.
fn url(cx: &mut Cx, is_insecure: bool) -> Option<Url> {
    let own = cx.admin.public_url.as_ref().map(|url| url.origin().to_owned());
    match check_url(cx.form.get("url"), is_insecure, own.as_deref()) {
        Ok(url) => Some(url),
        Err(refusal) => {
            cx.form.refuse("url", refusal);
            None
        }
    }
}

/// Where a provider is and what opens it, its key sealed; or a complaint about the key.
fn access(cx: &mut Cx, url: &Url, key: &Secret) -> Option<Access> {
    match providers::seal(&cx.admin.sealer, url, key) {
        Ok(access) => Some(access),
        Err(refusal) => {
            cx.form.refuse("key", refusal);
            None
        }
    }
}

/// A sum in a provider's currency.
fn theirs(amount: Money, provider: &Provider) -> String {
    format!("{} {}", money(amount), provider.terms.currency)
}

/// A count of orders, which ends somewhere.
fn counted(count: i64) -> String {
    match count {
        COUNTED_MAX.. => format!("{}+", grouped(COUNTED_MAX)),
        count => grouped(count),
    }
}
