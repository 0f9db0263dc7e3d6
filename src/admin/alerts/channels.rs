//! Where alerts are told: by mail, by a Telegram bot, each set up and tried out alone. What opens
//! a channel can be entered and never be read.

use actix_web::web::block;
use askama::Template;

use crate::admin::frame::answer::Answer;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::form::Form;
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::commands::alerts::{SecretChange, SetChannel};
use crate::delivery::alerts::channels;
use crate::domain::alert::{ChannelKind, MailTls, SecretName};
use crate::domain::setting::Setting;
use crate::store::{self, Read, secrets, settings, together};

const PATH: &str = "/admin/alerts/channels";

const MAIL: &[Setting] = &[
    Setting::MailHost,
    Setting::MailPort,
    Setting::MailTls,
    Setting::MailUser,
    Setting::MailFrom,
    Setting::MailTo,
];
const TELEGRAM: &[Setting] = &[Setting::TelegramChat];

#[derive(Template)]
#[template(path = "admin/alerts/channels.html")]
struct ChannelsPage {
    shell: Shell,
    form: Form,
    /// What is kept of secrets.
    kept: Vec<SecretName>,
    /// The channels that are set up.
    ready: Vec<ChannelKind>,
    /// What came of a test, if one was made.
    tested: Option<(ChannelKind, Result<(), String>)>,
    /// Whose form was refused.
    refused: Option<ChannelKind>,
}

impl ChannelsPage {
    fn ways(&self) -> &'static [MailTls] {
        MailTls::ALL
    }

    fn is_ready(&self, kind: ChannelKind) -> bool {
        self.ready.contains(&kind)
    }

    /// What stands in the empty field of a secret.
    fn placeholder(&self, name: SecretName) -> &'static str {
        match self.kept.contains(&name) {
            true => "Kept; enter another one to replace it",
            false => "",
        }
    }

    fn is_refused(&self, kind: ChannelKind) -> bool {
        self.refused == Some(kind)
    }
}

/// The page: what was sent, and beside it what is set.
async fn page(cx: &mut Cx) -> Result<ChannelsPage, PageError> {
    let sealer = cx.admin.sealer.clone();
    let read = move |db: &Read<'_>| {
        let all: Vec<Setting> = MAIL.iter().chain(TELEGRAM).copied().collect();
        let (values, kept, ready) = together!(
            db: db.each(&all, |db, setting| settings::get(db, *setting)),
            db.each(SecretName::ALL, |db, name| secrets::find(db, *name)),
            channels::read(db, &sealer),
        );
        let values: Vec<_> = all.into_iter().zip(values).collect();
        let kept = SecretName::ALL.iter().zip(kept);
        let kept = kept.filter_map(|(name, sealed)| sealed.map(|_| *name)).collect();
        Ok((values, kept, ready.iter().map(|channel| channel.kind()).collect()))
    };
    let (values, kept, ready) = cx.read(read).await?;
    let mut form = cx.form.clone();
    for (setting, value) in values {
        if !form.has(setting.as_str()) {
            form.put(setting.as_str(), value);
        }
    }
    let shell = cx.shell("Where alerts are told", Nav::Alerts);
    Ok(ChannelsPage { shell, form, kept, ready, tested: None, refused: None })
}

/// Both channels.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    cx.form = Form::default();
    let page = page(cx).await?;
    cx.page(&page)
}

/// What is wrong with a value.
const fn complaint(setting: Setting) -> &'static str {
    match setting {
        Setting::MailHost => "Enter the name of a mail server, such as mail.example.com",
        Setting::MailPort => "Enter a port, such as 465 or 587",
        Setting::MailTls => "Select how the connection is secured",
        Setting::MailUser => "Enter a user name of at most 254 characters",
        Setting::MailFrom => "Enter an address, such as panel@example.com",
        Setting::MailTo => "Enter at most five addresses, separated by commas",
        Setting::TelegramChat => "Enter the number of a chat, such as -1001234567890, or @name",
        Setting::Name
        | Setting::Currency
        | Setting::TimeZone
        | Setting::ConfirmAbove
        | Setting::KeyRate
        | Setting::KeyBurst
        | Setting::WrongKeyRate
        | Setting::Connections
        | Setting::BackedUpAt => "",
    }
}

/// The settings of a channel as they were sent, with complaints about those that cannot be.
fn values(cx: &mut Cx, settings: &[Setting]) -> Vec<(Setting, String)> {
    let mut values = Vec::new();
    for setting in settings {
        let value = cx.form.get(setting.as_str()).to_owned();
        if setting.check(&value).is_err() {
            cx.form.refuse(setting.as_str(), complaint(*setting));
        }
        values.push((*setting, value));
    }
    values
}

/// What becomes of a secret: it goes where nothing needs it, and must be there where something
/// does.
async fn change(
    cx: &mut Cx,
    name: SecretName,
    needed_by: Setting,
) -> Result<SecretChange, PageError> {
    let typed = cx.take_secret(name.as_str());
    if cx.form.get(needed_by.as_str()).is_empty() {
        return Ok(SecretChange::Remove);
    }
    let complaint = match name {
        SecretName::MailPassword => "Enter the password of the user",
        SecretName::TelegramToken => "Enter the bot's token, such as 123456:ABC-DEF1234ghIkl",
    };
    let Some(typed) = typed else {
        let is_kept = cx.read(move |db| secrets::find(db, name)).await?.is_some();
        if !is_kept {
            cx.form.refuse(name.as_str(), complaint);
        }
        return Ok(SecretChange::Keep);
    };
    if !name.check(typed.expose()) {
        cx.form.refuse(name.as_str(), complaint);
        return Ok(SecretChange::Keep);
    }
    let place = secrets::seal_place(name);
    Ok(SecretChange::Replace(cx.admin.sealer.seal(&place, typed.expose().as_bytes())))
}

/// Sets where mail goes and through which server.
pub(crate) async fn set_mail(cx: &mut Cx) -> Answer {
    let values = values(cx, MAIL);
    if !cx.form.get(Setting::MailHost.as_str()).is_empty() {
        for setting in [Setting::MailFrom, Setting::MailTo] {
            cx.form.required(setting.as_str(), complaint(setting));
        }
    }
    let secret = SecretName::MailPassword;
    let change = change(cx, secret, Setting::MailUser).await?;
    save(cx, ChannelKind::Mail, SetChannel { actor: cx.actor()?, values, secret, change }).await
}

/// Sets which bot writes to which chat.
pub(crate) async fn set_telegram(cx: &mut Cx) -> Answer {
    let values = values(cx, TELEGRAM);
    let secret = SecretName::TelegramToken;
    let change = change(cx, secret, Setting::TelegramChat).await?;
    save(cx, ChannelKind::Telegram, SetChannel { actor: cx.actor()?, values, secret, change }).await
}

async fn save(cx: &mut Cx, kind: ChannelKind, set: SetChannel) -> Answer {
    if cx.form.is_sound() && cx.try_write(set).await?.is_some() {
        return cx.go(PATH, Toast::new(format!("{kind} saved")));
    }
    let mut page = page(cx).await?;
    page.refused = Some(kind);
    cx.refused_page(&page)
}

/// Sends a message by mail that says only that it arrives.
pub(crate) async fn test_mail(cx: &mut Cx) -> Answer {
    test(cx, ChannelKind::Mail).await
}

/// Sends one by the Telegram bot.
pub(crate) async fn test_telegram(cx: &mut Cx) -> Answer {
    test(cx, ChannelKind::Telegram).await
}

async fn test(cx: &mut Cx, kind: ChannelKind) -> Answer {
    cx.admit_change()?;
    let delivery = std::sync::Arc::clone(&cx.admin.delivery);
    let tested = match block(move || delivery.test_channel(kind)).await {
        Ok(tested) => tested?,
        Err(_) => return Err(store::Error::Busy.into()), // the server is stopping
    };
    cx.form = Form::default();
    let mut page = page(cx).await?;
    page.tested = Some((kind, tested));
    cx.page(&page)
}
