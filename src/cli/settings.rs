//! `setting`.

use clap::Subcommand;

use super::{Result, open, open_existing};
use crate::commands::settings::SetSetting;
use crate::domain::Actor;
use crate::domain::refusal::OperatorRefusal;
use crate::domain::setting::Setting;
use crate::store::place::Place;
use crate::store::{self, settings};

#[derive(Subcommand)]
pub(super) enum SettingCommand {
    /// Show all settings
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Change a setting
    Set { key: String, value: String },
}

pub(super) fn run(db: &Place, command: SettingCommand) -> Result {
    match command {
        SettingCommand::List { json } => list(db, json),
        SettingCommand::Set { key, value } => {
            let setting = Setting::from_stored(&key).ok_or(OperatorRefusal::SettingNotFound);
            let setting = setting.map_err(store::Error::from)?;
            let actor = Actor::CommandLine;
            Ok(open(db)?.write_blocking(SetSetting { actor, setting, value })?)
        }
    }
}

fn list(db: &Place, json: bool) -> Result {
    let store = open_existing(db)?;
    let mut object = serde_json::Map::new();
    for &setting in Setting::ALL {
        let value = store.page(|db| settings::get(db, setting))?;
        if !json {
            say!("{setting}\t{value}")?;
        }
        object.insert(setting.as_str().to_owned(), value.into());
    }
    if json {
        say!("{}", serde_json::Value::Object(object))?;
    }
    Ok(())
}
