//! What the operator sets while the panel runs.

use super::record;
use crate::domain::Actor;
use crate::domain::refusal::Refusal;
use crate::domain::setting::Setting;
use crate::store::{Command, Result, Tx, ledger, settings};

/// Sets one setting.
pub struct SetSetting {
    /// Who sets it.
    pub actor: Actor,
    /// Which.
    pub setting: Setting,
    /// To what.
    pub value: String,
}

impl Command for SetSetting {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        self.setting.check(&self.value)?;
        let before = settings::get(tx, self.setting)?;
        match self.setting {
            Setting::Currency if before != self.value && !ledger::is_empty(tx)? => {
                return Err(Refusal::CurrencyIsFixed.into());
            }
            Setting::TimeZone if jiff::tz::TimeZone::get(&self.value).is_err() => {
                return Err(Refusal::BadSetting.into());
            }
            Setting::Name
            | Setting::Currency
            | Setting::TimeZone
            | Setting::KeyRate
            | Setting::KeyBurst
            | Setting::WrongKeyRate
            | Setting::Connections => {}
        }

        settings::set(tx, self.setting, &self.value)?;
        let change = format!("{before} → {}", self.value);
        record(tx, &self.actor, "setting.set", self.setting, change)
    }
}
