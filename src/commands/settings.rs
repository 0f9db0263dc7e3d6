//! What the operator sets while the panel runs.

use super::record;
use crate::domain::Actor;
use crate::domain::refusal::OperatorRefusal;
use crate::domain::setting::Setting;
use crate::store::{Command, Result, Tx, ledger, settings};

/// Sets one setting.
pub struct SetSetting {
    pub actor: Actor,
    pub setting: Setting,
    pub value: String,
}

impl Command for SetSetting {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        judge(tx, self.setting, &self.value)?;

        save(tx, &self.actor, self.setting, &self.value)
    }
}

/// Sets settings, all of them or none. Those that have the value already stay untouched.
pub struct SetSettings {
    pub actor: Actor,
    pub values: Vec<(Setting, String)>,
}

impl Command for SetSettings {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let mut changed = Vec::new();
        for (setting, value) in &self.values {
            judge(tx, *setting, value)?;
            if settings::get(tx, *setting)? != *value {
                changed.push((*setting, value));
            }
        }

        for (setting, value) in changed {
            save(tx, &self.actor, setting, value)?;
        }
        Ok(())
    }
}

/// Decides whether a setting can have the value now.
pub(super) fn judge(tx: &Tx<'_>, setting: Setting, value: &str) -> Result<()> {
    setting.check(value)?;
    let is_fixed = || -> Result<bool> {
        Ok(settings::get(tx, Setting::Currency)? != value && !ledger::is_empty(tx)?)
    };
    match setting {
        Setting::Currency if is_fixed()? => Err(OperatorRefusal::CurrencyIsFixed.into()),
        Setting::TimeZone if jiff::tz::TimeZone::get(value).is_err() => {
            Err(OperatorRefusal::BadSetting.into())
        }
        Setting::Name
        | Setting::Currency
        | Setting::TimeZone
        | Setting::ConfirmAbove
        | Setting::KeyRate
        | Setting::KeyBurst
        | Setting::WrongKeyRate
        | Setting::Connections
        | Setting::MailHost
        | Setting::MailPort
        | Setting::MailTls
        | Setting::MailUser
        | Setting::MailFrom
        | Setting::MailTo
        | Setting::TelegramChat
        | Setting::BackedUpAt => Ok(()),
    }
}

/// Writes a value that was decided on.
pub(super) fn save(tx: &Tx<'_>, actor: &Actor, setting: Setting, value: &str) -> Result<()> {
    let before = settings::get(tx, setting)?;
    settings::set(tx, setting, value)?;
    record(tx, actor, "setting.set", setting, format!("{before} → {value}"))
}
