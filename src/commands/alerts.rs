//! Where alerts are told, what was told, and what the panel finds out about itself.

use std::collections::BTreeMap;

use super::conditions::about_service;
use super::record;
use super::settings::{judge, save};
use crate::domain::alert::SecretName;
use crate::domain::condition::ConditionKind;
use crate::domain::setting::Setting;
use crate::domain::{Actor, ConditionId, ServiceId, Timestamp};
use crate::store::{Command, Read, Result, Tx, audit, conditions, secrets, settings};

/// Sets where alerts are told by one channel, all of it or nothing.
pub struct SetChannel {
    pub actor: Actor,
    pub values: Vec<(Setting, String)>,
    pub secret: SecretName,
    pub change: SecretChange,
}

/// What becomes of a secret.
pub enum SecretChange {
    /// It stays what it is, or none.
    Keep,
    /// Another one, sealed for its place.
    Replace(Vec<u8>),
    Remove,
}

impl Command for SetChannel {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let mut changed = Vec::new();
        for (setting, value) in &self.values {
            judge(tx, *setting, value)?;
            if settings::get(tx, *setting)? != *value {
                changed.push((*setting, value));
            }
        }
        let has_secret = secrets::find(tx, self.secret)?.is_some();

        for (setting, value) in changed {
            save(tx, &self.actor, setting, value)?;
        }
        let change = match &self.change {
            SecretChange::Replace(sealed) => {
                secrets::set(tx, self.secret, sealed)?;
                "Replaced"
            }
            SecretChange::Remove if has_secret => {
                secrets::delete(tx, self.secret)?;
                "Removed"
            }
            SecretChange::Keep | SecretChange::Remove => return Ok(()),
        };
        record(tx, &self.actor, "secret.set", self.secret, change.to_owned())
    }
}

/// Writes down that somebody was told of all this in one message.
pub struct RecordTold {
    /// What was raised.
    pub raised: Vec<ConditionId>,
    /// What is over.
    pub cleared: Vec<ConditionId>,
}

impl Command for RecordTold {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        for id in &self.raised {
            conditions::update_told(tx, *id)?;
        }
        for id in &self.cleared {
            conditions::update_told_clear(tx, *id)?;
        }
        Ok(())
    }
}

/// Which services have orders that do not move. Those that are not named have none any more.
pub struct RecordSlow {
    /// With what there is to say of each.
    pub found: BTreeMap<ServiceId, String>,
}

impl Command for RecordSlow {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let slow = ConditionKind::Slow;
        let open = conditions::list_of_kind(tx, slow)?;

        let about: BTreeMap<String, &String> =
            self.found.iter().map(|(service, text)| (about_service(*service), text)).collect();
        for condition in open.iter().filter(|open| !about.contains_key(&open.subject)) {
            conditions::clear(tx, slow, &condition.subject)?;
        }
        for (subject, text) in about {
            conditions::tell(tx, slow, &subject, text)?;
        }
        Ok(())
    }
}

/// What conditions of the panel as a whole are about.
pub const PANEL: &str = "panel";

/// Writes down that the panel was backed up just now.
pub struct RecordBackup {
    pub actor: Actor,
}

impl Command for RecordBackup {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        settings::set(tx, Setting::BackedUpAt, &tx.now.0.to_string())?;
        conditions::clear(tx, ConditionKind::Backup, PANEL)?;
        record(tx, &self.actor, "backup.create", PANEL, String::new())
    }
}

/// Since when nobody has backed the panel up: since the last time, or else since its first day.
/// `None` where nothing has happened in it.
pub fn unsaved_since(db: &Read<'_>) -> Result<Option<Timestamp>> {
    let at: i64 = settings::get(db, Setting::BackedUpAt)?.parse().unwrap_or_default();
    if at > 0 {
        return Ok(Some(Timestamp(at)));
    }
    audit::first_at(db)
}
