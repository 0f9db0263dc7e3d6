//! `alert`: what is the matter, and whether somebody would be told.

use clap::Subcommand;

use super::{Failure, Files, Result, open_existing};
use crate::clock::Clock;
use crate::commands::conditions::name_of;
use crate::delivery::alerts::channels::{self, World};
use crate::delivery::alerts::message::Message;
use crate::domain::condition::Condition;
use crate::store::place::Place;
use crate::store::{self, conditions};

#[derive(Subcommand)]
pub(super) enum AlertCommand {
    /// Show what is the matter
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Send a message by each channel that is set up on the pages, to see whether it arrives
    Test,
}

pub(super) fn run(files: &Files, command: AlertCommand) -> Result {
    match command {
        AlertCommand::List { json } => list(&files.db, json),
        AlertCommand::Test => test(files),
    }
}

/// Open alerts, at most.
const OPEN_MAX: i64 = 1000;

fn list(db: &Place, json: bool) -> Result {
    let now = Clock::System.now();
    let found = open_existing(db)?.page(|db| {
        let named = |condition: Condition| {
            let name = name_of(db, &condition.subject)?;
            Ok((condition, name))
        };
        let open = conditions::list_open(db, OPEN_MAX)?.into_iter();
        open.map(named).collect::<store::Result<Vec<_>>>()
    })?;
    if json {
        let object = |(condition, name): &(Condition, Option<String>)| {
            serde_json::json!({
                "id": condition.id.0,
                "kind": condition.kind.as_str(),
                "subject": condition.subject,
                "name": name,
                "text": condition.text,
                "since": condition.raised_at.0,
                "muted_until": condition.muted_until.filter(|until| *until > now).map(|at| at.0),
            })
        };
        let list: Vec<_> = found.iter().map(object).collect();
        return say!("{}", serde_json::Value::from(list));
    }
    for (condition, name) in found {
        let name = name.unwrap_or(condition.subject);
        say!("{}\t{}\t{name}\t{}", condition.id, condition.kind, condition.text)?;
    }
    Ok(())
}

fn test(files: &Files) -> Result {
    let store = open_existing(&files.db)?;
    let opener = files.opener(&store)?;
    let (channels, message) = store
        .page(|db| Ok((channels::read(db, &opener)?, Message::test(db, Clock::System.now())?)))?;
    if channels.is_empty() {
        let text = "no channel is set up: see Alerts on the pages";
        return Err(Failure::Unsound(text.to_owned()));
    }
    let mut flaws = Vec::new();
    for channel in channels {
        match channel.tell(&message, &World::default()) {
            Ok(()) => say!("{}: sent", channel.kind())?,
            Err(flaw) => flaws.push(format!("{}: {flaw}", channel.kind())),
        }
    }
    if flaws.is_empty() { Ok(()) } else { Err(Failure::Unsound(flaws.join("\n"))) }
}
