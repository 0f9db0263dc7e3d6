//! Admins: the first one, passwords, logging in and out, codes.
//!
//! Passwords are hashed and compared by the caller, before or between commands: a command never
//! takes that long. A try to log in is counted by [`StartLogin`] before anybody looks at the
//! password, and forgiven when it succeeds.

use super::record;
use super::settings as setting_rules;
use crate::domain::refusal::OperatorRefusal;
use crate::domain::setting::Setting;
use crate::domain::user::check_name;
use crate::domain::{Actor, AdminId, SessionId};
use crate::secret::KeyHash;
use crate::store::admins::Admin;
use crate::store::sessions::{NewSession, Session};
use crate::store::{Command, Result, Tx, admins, sessions, settings};

/// Makes an account for the pages.
pub struct CreateAdmin {
    pub actor: Actor,
    /// The name to log in with, unique.
    pub name: String,
    /// The password, hashed.
    pub password_hash: String,
}

impl Command for CreateAdmin {
    type Reply = AdminId;

    fn run(&self, tx: &Tx<'_>) -> Result<AdminId> {
        check_name(&self.name)?;
        if admins::find_named(tx, &self.name)?.is_some() {
            return Err(OperatorRefusal::NameTaken.into());
        }

        let id = admins::insert(tx, &self.name, &self.password_hash)?;
        record(tx, &self.actor, "admin.create", format!("admin {id}"), self.name.clone())?;
        Ok(id)
    }
}

/// Makes the first admin, names the panel, and logs the admin in.
pub struct SetUpPanel {
    pub name: String,
    /// The password, hashed.
    pub password_hash: String,
    /// What else is set: the panel's name, its currency, its time zone.
    pub settings: Vec<(Setting, String)>,
    /// The first session.
    pub session: NewSession,
}

impl Command for SetUpPanel {
    type Reply = AdminId;

    fn run(&self, tx: &Tx<'_>) -> Result<AdminId> {
        if !admins::is_empty(tx)? {
            return Err(OperatorRefusal::SetupIsOver.into());
        }
        check_name(&self.name)?;
        for (setting, value) in &self.settings {
            setting_rules::judge(tx, *setting, value)?;
        }

        let id = admins::insert(tx, &self.name, &self.password_hash)?;
        let actor = Actor::Admin(id);
        for (setting, value) in &self.settings {
            if settings::get(tx, *setting)? != *value {
                setting_rules::save(tx, &actor, *setting, value)?;
            }
        }
        let change = format!("{}, by the setup link", self.name);
        record(tx, &actor, "admin.create", format!("admin {id}"), change)?;
        sessions::insert(tx, id, &self.session, false)?;
        Ok(id)
    }
}

/// Counts a try to log in, or refuses it, and says whose password to compare with.
pub struct StartLogin {
    /// The name that was typed.
    pub name: String,
    pub address: String,
}

/// A try that may go on.
pub struct Started {
    /// The admin of that name, if there is one.
    pub admin: Option<Admin>,
    /// By how many seconds the answer is to be held back.
    pub delay_seconds: u64,
}

impl Command for StartLogin {
    type Reply = Started;

    fn run(&self, tx: &Tx<'_>) -> Result<Started> {
        let name_hash = KeyHash::of(&self.name);
        let tries = admins::tries(tx, &name_hash, &self.address, tx.now)?;
        let delay_seconds = tries.allow(tx.now)?;
        let admin = admins::find_named(tx, &self.name)?;

        admins::insert_failure(tx, &name_hash, &self.address)?;
        Ok(Started { admin, delay_seconds })
    }
}

/// Logs in whoever gave the right password; who has an app still owes its code.
pub struct FinishLogin {
    pub admin: AdminId,
    pub session: NewSession,
    /// A new hash of the password, where the old one was made at another cost.
    pub renewed: Option<String>,
}

impl Command for FinishLogin {
    /// Whether the code is still owed.
    type Reply = bool;

    fn run(&self, tx: &Tx<'_>) -> Result<bool> {
        let admin = admins::get(tx, self.admin)?;

        if let Some(hash) = &self.renewed {
            admins::update_password(tx, admin.id, hash)?;
        }
        let owes_code = admin.totp_seed.is_some();
        let session = sessions::insert(tx, admin.id, &self.session, owes_code)?;
        let actor = Actor::Admin(admin.id);
        if owes_code {
            record(tx, &actor, "session.half", format!("session {session}"), admin.name)?;
        } else {
            admins::delete_failures(tx, &KeyHash::of(&admin.name), &self.session.address)?;
            record(tx, &actor, "session.start", format!("session {session}"), admin.name)?;
        }
        Ok(owes_code)
    }
}

/// What stands for the second step of a log-in.
#[derive(Clone, Copy, Debug)]
pub enum Code {
    /// A code of the app, by its step.
    Step(i64),
    Recovery(KeyHash),
}

/// Ends the second step of a log-in. Neither a step nor a recovery code counts twice.
pub struct FinishCode {
    /// The session that owes the code.
    pub half: Session,
    pub code: Code,
    /// The session to begin in its place.
    pub session: NewSession,
}

impl Command for FinishCode {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let admin = admins::get(tx, self.half.admin)?;
        if sessions::find_by_id(tx, self.half.id)?.is_none() {
            return Err(OperatorRefusal::SessionNotFound.into());
        }
        let is_right = match &self.code {
            Code::Step(step) => *step > admin.totp_step_last,
            Code::Recovery(code) => admins::has_recovery_code(tx, admin.id, code)?,
        };
        if !is_right {
            return Err(OperatorRefusal::WrongCode.into());
        }

        let by = match &self.code {
            Code::Step(step) => {
                admins::update_totp_step(tx, admin.id, *step)?;
                "code"
            }
            Code::Recovery(code) => {
                admins::delete_recovery_code(tx, admin.id, code)?;
                "recovery code"
            }
        };
        sessions::delete(tx, self.half.id)?;
        let session = sessions::insert(tx, admin.id, &self.session, false)?;
        admins::delete_failures(tx, &KeyHash::of(&admin.name), &self.session.address)?;
        let change = format!("{}, by {by}", admin.name);
        record(tx, &Actor::Admin(admin.id), "session.start", format!("session {session}"), change)
    }
}

/// Notes that the password was given again.
pub struct ProvePassword {
    pub session: Session,
    pub address: String,
}

impl Command for ProvePassword {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        sessions::update_proved(tx, self.session.id)?;
        admins::delete_failures(tx, &KeyHash::of(&self.session.name), &self.address)
    }
}

/// Notes that a session is in use.
pub struct RecordSessionUse {
    pub session: SessionId,
}

impl RecordSessionUse {
    /// How old the last note may be, in seconds, before there is a new one.
    pub const EVERY_SECONDS: i64 = 60;
}

impl Command for RecordSessionUse {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        sessions::update_seen(tx, self.session)
    }
}

/// Ends a session of one's own: this one, or one in another browser.
pub struct EndSession {
    pub admin: AdminId,
    pub session: SessionId,
}

impl Command for EndSession {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let session = sessions::find_by_id(tx, self.session)?;
        let session = session.filter(|session| session.admin == self.admin);
        let session = session.ok_or(OperatorRefusal::SessionNotFound)?;

        sessions::delete(tx, session.id)?;
        let object = format!("session {}", session.id);
        record(tx, &Actor::Admin(self.admin), "session.end", object, session.name)
    }
}

/// Ends all of one's sessions but this one.
pub struct EndOtherSessions {
    pub admin: AdminId,
    /// The one that stays.
    pub kept: SessionId,
}

impl Command for EndOtherSessions {
    /// How many ended.
    type Reply = usize;

    fn run(&self, tx: &Tx<'_>) -> Result<usize> {
        let ended = sessions::delete_others(tx, self.admin, Some(self.kept))?;
        let change = format!("{ended} ended");
        let object = format!("admin {}", self.admin);
        record(tx, &Actor::Admin(self.admin), "session.end_others", object, change)?;
        Ok(ended)
    }
}

/// Changes a password. Whoever was logged in with the old one no longer is.
pub struct SetPassword {
    pub actor: Actor,
    pub admin: AdminId,
    /// The password, hashed.
    pub password_hash: String,
    /// The session that stays: the one it was changed in.
    pub kept: Option<SessionId>,
}

impl Command for SetPassword {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let admin = admins::get(tx, self.admin)?;

        admins::update_password(tx, admin.id, &self.password_hash)?;
        sessions::delete_others(tx, admin.id, self.kept)?;
        record(tx, &self.actor, "admin.password", format!("admin {}", admin.id), admin.name)
    }
}

/// Asks for codes from now on, or no longer.
pub struct SetTotp {
    pub actor: Actor,
    pub admin: AdminId,
    /// The sealed seed, the step that proved that the app has it, and the recovery codes.
    pub totp: Option<NewTotp>,
}

/// What is kept of a new app.
pub struct NewTotp {
    pub seed: Vec<u8>,
    /// The step whose code was given.
    pub step: i64,
    /// The hashes of the recovery codes.
    pub recovery: Vec<KeyHash>,
}

impl Command for SetTotp {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let admin = admins::get(tx, self.admin)?;

        let object = format!("admin {}", admin.id);
        let Some(totp) = &self.totp else {
            admins::update_totp(tx, admin.id, None, 0)?;
            admins::replace_recovery_codes(tx, admin.id, &[])?;
            return record(tx, &self.actor, "admin.totp_off", object, admin.name);
        };
        admins::update_totp(tx, admin.id, Some(&totp.seed), totp.step)?;
        admins::replace_recovery_codes(tx, admin.id, &totp.recovery)?;
        record(tx, &self.actor, "admin.totp_on", object, admin.name)
    }
}

/// Replaces the recovery codes; the old ones no longer count.
pub struct SetRecoveryCodes {
    pub admin: AdminId,
    /// Their hashes.
    pub codes: Vec<KeyHash>,
}

impl Command for SetRecoveryCodes {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let admin = admins::get(tx, self.admin)?;

        admins::replace_recovery_codes(tx, admin.id, &self.codes)?;
        let object = format!("admin {}", admin.id);
        let change = format!("{} new codes", self.codes.len());
        record(tx, &Actor::Admin(admin.id), "admin.recovery_codes", object, change)
    }
}
