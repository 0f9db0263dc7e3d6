//! What the operator sets while the panel runs: cards that are saved each alone. What guards money
//! and keys wants the password again.

use askama::Template;

use crate::admin::frame::answer::Answer;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::form::Form;
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::commands::settings::SetSettings;
use crate::domain::setting::Setting;
use crate::store::{Read, ledger, settings, together};

/// One setting in its card.
struct Field {
    setting: Setting,
    label: &'static str,
    hint: &'static str,
    /// What is said about a value it cannot have.
    complaint: &'static str,
}

/// Settings that are saved together.
struct Card {
    /// Its word in the address.
    word: &'static str,
    title: &'static str,
    fields: &'static [Field],
}

const NUMBER: &str = "Enter a whole number up to 1000000, or 0 for no limit";

const GENERAL: Card = Card {
    word: "general",
    title: "General",
    fields: &[
        Field {
            setting: Setting::Name,
            label: "Panel name",
            hint: "Shown at the top of every page.",
            complaint: "A name is 1 to 64 printable characters",
        },
        Field {
            setting: Setting::Currency,
            label: "Currency",
            hint: "Three letters, such as USD. Fixed after the first deposit.",
            complaint: "Enter three capital letters, such as USD",
        },
        Field {
            setting: Setting::TimeZone,
            label: "Time zone",
            hint: "Times are shown in this zone, such as Europe/Berlin.",
            complaint: "Enter a time zone, such as Europe/Berlin or UTC",
        },
    ],
};

const MONEY: Card = Card {
    word: "money",
    title: "Money",
    fields: &[Field {
        setting: Setting::ConfirmAbove,
        label: "Ask to retype amounts over",
        hint: "A larger amount has to be typed again before it moves.",
        complaint: "Enter an amount, such as 100 or 2.50",
    }],
};

const LIMITS: Card = Card {
    word: "limits",
    title: "API limits",
    fields: &[
        Field {
            setting: Setting::KeyRate,
            label: "Requests per second, per key",
            hint: "0 for no limit.",
            complaint: NUMBER,
        },
        Field {
            setting: Setting::KeyBurst,
            label: "Burst per key",
            hint: "Requests at once after a pause. 0 for no limit.",
            complaint: NUMBER,
        },
        Field {
            setting: Setting::WrongKeyRate,
            label: "Wrong keys per minute, per IP address",
            hint: "0 for no limit.",
            complaint: NUMBER,
        },
        Field {
            setting: Setting::Connections,
            label: "Connections at the same time",
            hint: "0 for no limit. Applies after a restart.",
            complaint: NUMBER,
        },
    ],
};

#[derive(Template)]
#[template(path = "admin/settings.html")]
struct SettingsPage {
    shell: Shell,
    form: Form,
    is_currency_fixed: bool,
}

impl SettingsPage {
    fn cards(&self) -> [Card; 3] {
        [GENERAL, MONEY, LIMITS]
    }

    fn is_fixed(&self, field: &Field) -> bool {
        field.setting == Setting::Currency && self.is_currency_fixed
    }

    fn hint(&self, field: &Field) -> &'static str {
        if self.is_fixed(field) { "Fixed since the first deposit." } else { field.hint }
    }

    fn attributes(&self, field: &Field) -> String {
        let readonly = if self.is_fixed(field) { " readonly" } else { "" };
        format!("autocomplete=\"off\" maxlength=\"64\" required{readonly}")
    }
}

/// The page: what was sent, and beside it what is set.
async fn settings_page(cx: &mut Cx) -> Result<SettingsPage, PageError> {
    let read = |db: &Read<'_>| {
        let (values, is_empty) = together!(
            db: db.each(Setting::ALL, |db, setting| settings::get(db, *setting)),
            ledger::is_empty(db),
        );
        Ok((Setting::ALL.iter().copied().zip(values).collect::<Vec<_>>(), !is_empty))
    };
    let (values, is_currency_fixed) = cx.read(read).await?;
    let mut form = cx.form.clone();
    for (setting, value) in values {
        if !form.has(setting.as_str()) {
            form.put(setting.as_str(), value);
        }
    }
    let shell = cx.shell("Settings", Nav::Settings);
    Ok(SettingsPage { shell, form, is_currency_fixed })
}

/// All of them.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    cx.form = Form::default();
    let page = settings_page(cx).await?;
    cx.page(&page)
}

/// The panel's name, currency and zone.
pub(crate) async fn general(cx: &mut Cx) -> Answer {
    save(cx, &GENERAL).await
}

/// What guards money.
pub(crate) async fn money(cx: &mut Cx) -> Answer {
    save(cx, &MONEY).await
}

/// What clients may do.
pub(crate) async fn limits(cx: &mut Cx) -> Answer {
    save(cx, &LIMITS).await
}

async fn save(cx: &mut Cx, card: &Card) -> Answer {
    let mut values = Vec::new();
    for Field { setting, complaint, .. } in card.fields {
        let value = cx.form.get(setting.as_str()).to_owned();
        let is_zone = || jiff::tz::TimeZone::get(&value).is_ok();
        if setting.check(&value).is_err() || *setting == Setting::TimeZone && !is_zone() {
            cx.form.refuse(setting.as_str(), complaint);
        }
        values.push((*setting, value));
    }
    if cx.form.is_sound()
        && cx.try_write(SetSettings { actor: cx.actor()?, values }).await?.is_some()
    {
        return cx.go("/admin/settings", Toast::new(format!("{} saved", card.title)));
    }
    let page = settings_page(cx).await?;
    cx.refused_page(&page)
}
