//! A user's webhook: where the user is told of orders, the secret that signs, and what was told.

use askama::Template;

use super::{Head, head, id, not_found, path};
use crate::admin::frame::answer::Answer;
use crate::admin::frame::ask::Ask;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::figure::{grouped, money};
use crate::admin::frame::form::Form;
use crate::admin::frame::list::{Address, List};
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::admin::frame::tone;
use crate::commands::webhooks::{Kept, RotateSecret, SendEventAgain, SetWebhook, StopWebhook};
use crate::delivery::url::check_url;
use crate::delivery::webhook::secret_text;
use crate::domain::event::{About, Event, EventState, Webhook};
use crate::domain::user::User;
use crate::domain::{EventId, Timestamp, UserId};
use crate::secret;
use crate::store::webhooks::{self, Place, SECRET_BYTES};
use crate::store::{Read, events, together};

#[derive(Template)]
#[template(path = "admin/users/webhook.html", blocks = ["list"])]
struct WebhookPage {
    shell: Shell,
    tab: &'static str,
    head: Head,
    form: Form,
    webhook: Option<Webhook>,
    list: List<Event>,
}

impl WebhookPage {
    /// The tone and the word of how telling goes, and the rest of the sentence.
    fn standing(&self) -> (&'static str, &'static str, String) {
        let Some(webhook) = &self.webhook else { return ("quiet bar", "None", String::new()) };
        let failed = match webhook.failures {
            0 => String::new(),
            1 => "The last call failed.".to_owned(),
            failures => format!("The last {} calls failed.", grouped(failures)),
        };
        match (webhook.is_enabled, self.paused_until().is_some()) {
            (false, _) => ("quiet bar", "Off", "Save it to turn it on.".to_owned()),
            (true, true) => ("attention part", "Paused", failed),
            (true, false) if webhook.failures > 0 => ("attention ring", "Failing", failed),
            (true, false) => ("good dot", "On", String::new()),
        }
    }

    /// When an endpoint that is paused is called again.
    fn paused_until(&self) -> Option<Timestamp> {
        let until = self.webhook.as_ref().and_then(|webhook| webhook.paused_until);
        until.filter(|until| *until > self.shell.now)
    }

    /// The same, where something waits to be told.
    fn called_again(&self) -> Option<Timestamp> {
        let is_waiting = self.webhook.as_ref().is_some_and(|webhook| webhook.due_at.is_some());
        self.paused_until().filter(|_| is_waiting)
    }

    fn dropped(&self) -> Option<String> {
        let dropped = self.webhook.as_ref().map(|webhook| webhook.dropped);
        dropped.filter(|dropped| *dropped > 0).map(grouped)
    }

    /// Until when the secret from before still counts.
    fn old_until(&self) -> Option<Timestamp> {
        let until = self.webhook.as_ref().and_then(|webhook| webhook.old_until);
        until.filter(|until| *until > self.shell.now)
    }

    /// The same as a form sends it back, whether it still counts or not.
    fn seen(&self) -> String {
        let until = self.webhook.as_ref().and_then(|webhook| webhook.old_until);
        until.map(|until| until.0.to_string()).unwrap_or_default()
    }

    /// Whether an event may be told once more.
    fn may_repeat(&self, event: &Event) -> bool {
        let is_on = self.webhook.as_ref().is_some_and(|webhook| webhook.is_enabled);
        is_on && event.state != EventState::Waiting
    }

    /// What an event is about: where that is to be seen, and its name.
    fn about(&self, event: &Event) -> (String, String) {
        match &event.about {
            About::Order { order, .. } => {
                (format!("/admin/orders/{order}"), format!("Order {order}"))
            }
            About::Refill { refill, order, .. } => {
                (format!("/admin/orders/{order}"), format!("Refill {refill}"))
            }
            About::Balance(balance) => (path(event.user, ""), money(*balance)),
        }
    }
}

/// The fields of the form as they are.
fn fields(webhook: &Webhook) -> Form {
    let insecure = if webhook.is_insecure { "1" } else { "" };
    Form::filled([
        ("url", webhook.url.clone()),
        ("low", webhook.low.map(|low| low.to_string()).unwrap_or_default()),
        ("insecure", insecure.to_owned()),
    ])
}

async fn webhook_page(cx: &mut Cx) -> Result<WebhookPage, PageError> {
    let id = id(cx)?;
    let (cursor, size) = (cx.cursor(), cx.size().rows);
    let read = move |db: &Read<'_>| {
        Ok(together!(
            db: Head::read(db, id),
            webhooks::find(db, id),
            events::page(db, id, cursor, size),
        ))
    };
    let (head, webhook, page) = cx.read(read).await.map_err(not_found(id))?;
    let address = Address::new(path(id, "/webhook")).with("size", size);
    let list = List::new(page, address, |row| row.id.0);
    let shell = cx.shell(&head.user.name, Nav::Users);
    let form = cx.form.clone();
    Ok(WebhookPage { shell, tab: "/webhook", head, form, webhook, list })
}

/// The webhook, and what was told.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let mut page = webhook_page(cx).await?;
    if let Some(webhook) = &page.webhook {
        page.form = fields(webhook);
    }
    cx.list(&page, &page.as_list())
}

/// Where the form says, or complaints about it.
fn read_place(cx: &mut Cx) -> Option<Place> {
    let is_insecure = cx.form.flag("insecure");
    let own = cx.admin.public_url.as_ref().map(|url| url.origin().to_owned());
    let url = match check_url(cx.form.get("url"), is_insecure, own.as_deref()) {
        Ok(url) => url.to_string(),
        Err(refusal) => {
            cx.form.refuse("url", refusal);
            String::new()
        }
    };
    let low = if cx.form.get("low").is_empty() { None } else { Some(cx.form.amount("low")) };
    cx.form.is_sound().then_some(Place { url, is_insecure, low })
}

/// Sets the webhook and turns it on. The secret of a first one is shown this once.
pub(crate) async fn set(cx: &mut Cx) -> Answer {
    let user = head(cx).await?.user;
    let Some(place) = read_place(cx) else {
        let page = webhook_page(cx).await?;
        return cx.refused_page(&page);
    };
    let (secret, secret_sealed) = new_secret(cx, user.id);
    let command = SetWebhook { actor: cx.actor()?, user: user.id, place, secret_sealed };
    match cx.write(command).await? {
        Kept::New => made(cx, user, &secret, Beside::Nothing),
        Kept::Before => {
            let toast = Toast::new(format!("Webhook of {} saved", user.name));
            cx.go(&path(user.id, "/webhook"), toast)
        }
    }
}

/// A secret, and the same sealed.
fn new_secret(cx: &Cx, user: UserId) -> (Vec<u8>, Vec<u8>) {
    let secret = secret::random_bytes(SECRET_BYTES);
    let sealed = cx.admin.sealer.seal(&webhooks::seal_place(user), &secret);
    (secret, sealed)
}

/// The one page that ever shows a secret.
#[derive(Template)]
#[template(path = "admin/users/webhook_made.html")]
struct WebhookMadePage {
    shell: Shell,
    user: User,
    secret: String,
    /// Whether another one still counts beside it.
    has_old: bool,
    back: String,
}

/// What counts beside a new secret.
#[derive(PartialEq, Eq)]
enum Beside {
    Nothing,
    Old,
}

fn made(cx: &mut Cx, user: User, secret: &[u8], beside: Beside) -> Answer {
    let shell = cx.shell("The secret", Nav::Users);
    let (secret, back) = (secret_text(secret).expose().to_owned(), path(user.id, "/webhook"));
    cx.page(&WebhookMadePage { shell, user, secret, has_old: beside == Beside::Old, back })
}

/// Puts a new secret in the place of the one there is, and shows it this once.
pub(crate) async fn rotate(cx: &mut Cx) -> Answer {
    let user = head(cx).await?.user;
    let seen = cx.form.get("seen").parse().ok().map(Timestamp);
    cx.confirm(Ask {
        title: format!("Replace the webhook secret of {}?", user.name),
        facts: vec![
            ("From now on".to_owned(), "calls are signed with the new secret".to_owned()),
            ("For 24 hours".to_owned(), "also with the secret of today".to_owned()),
        ],
        verb: "Replace secret".to_owned(),
        ..Ask::default()
    })?;
    let (secret, secret_sealed) = new_secret(cx, user.id);
    cx.write(RotateSecret { actor: cx.actor()?, user: user.id, secret_sealed, seen }).await?;
    made(cx, user, &secret, Beside::Old)
}

/// Tells nothing more.
pub(crate) async fn stop(cx: &mut Cx) -> Answer {
    let user = head(cx).await?.user;
    cx.write(StopWebhook { actor: cx.actor()?, user: user.id }).await?;
    let toast = Toast::new(format!("The webhook of {} is off", user.name));
    cx.go(&path(user.id, "/webhook"), toast)
}

/// Tells an event once more.
pub(crate) async fn again(cx: &mut Cx) -> Answer {
    let (user, event) = (id(cx)?, EventId(cx.path_id("event")?));
    cx.write(SendEventAgain { actor: cx.actor()?, user, event }).await?;
    cx.go(&path(user, "/webhook"), Toast::new(format!("Event {event} is sent again")))
}
