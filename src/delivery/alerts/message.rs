//! What there is to tell, and how it is said: one message for all that waits.

use std::fmt::Write as _;

use super::super::mask::excerpt;
use crate::commands::conditions::name_of;
use crate::domain::alert::{NEWS_SECONDS, PATIENCE_SECONDS};
use crate::domain::condition::Condition;
use crate::domain::setting::Setting;
use crate::domain::{ConditionId, Timestamp};
use crate::store::{Read, Result, conditions, settings};

/// What one message is about, at most. More waits for the next one.
const WAITING_MAX: i64 = 1000;
/// So many lines of each sort are written out.
const LINES_MAX: usize = 30;
const TEXT_LENGTH_MAX: usize = 200;

/// A message to the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// On one line.
    pub subject: String,
    pub text: String,
    pub at: Timestamp,
}

impl Message {
    /// One that says only that it arrives.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn test(db: &Read<'_>, at: Timestamp) -> Result<Self> {
        let panel = panel(db)?;
        let text = format!("Alerts of {panel} arrive here.\n");
        Ok(Self { subject: format!("[{panel}] Test"), text, at })
    }
}

fn panel(db: &Read<'_>) -> Result<String> {
    Ok(excerpt(&settings::get(db, Setting::Name)?, 64))
}

/// Conditions that nobody was told of yet.
pub(super) struct Waiting {
    raised: Vec<Condition>,
    cleared: Vec<Condition>,
    /// Messages of the last hour.
    pub(super) told_lately: i64,
    now: Timestamp,
}

impl Waiting {
    pub(super) fn read(db: &Read<'_>, now: Timestamp) -> Result<Self> {
        let since = Timestamp(now.0 - PATIENCE_SECONDS);
        let raised = conditions::list_untold(db, (since, now), WAITING_MAX)?;
        let since = Timestamp(now.0 - NEWS_SECONDS);
        let cleared = conditions::list_untold_clears(db, since, WAITING_MAX)?;
        let told_lately = match raised.is_empty() && cleared.is_empty() {
            true => 0,
            false => conditions::count_tellings(db, Timestamp(now.0 - 3600))?,
        };
        Ok(Self { raised, cleared, told_lately, now })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.raised.is_empty() && self.cleared.is_empty()
    }

    /// What was raised, and what is over.
    pub(super) fn ids(&self) -> (Vec<ConditionId>, Vec<ConditionId>) {
        let ids = |all: &[Condition]| all.iter().map(|condition| condition.id).collect();
        (ids(&self.raised), ids(&self.cleared))
    }

    /// All of it in one message. `is_summary` where it had to wait for the hour to end.
    pub(super) fn message(&self, db: &Read<'_>, is_summary: bool) -> Result<Message> {
        let zone = settings::get(db, Setting::TimeZone)?;
        let zone = jiff::tz::TimeZone::get(&zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let mut text = String::new();
        if is_summary {
            text.push_str("There was much to tell within an hour. This sums up the rest.\n\n");
        }
        for (heading, all) in [("Raised:", &self.raised), ("Over:", &self.cleared)] {
            if !all.is_empty() {
                let _ = writeln!(text, "{heading}");
            }
            for condition in all.iter().take(LINES_MAX) {
                let since = stamp(condition.raised_at, &zone);
                let _ = writeln!(text, "- {}, since {since}", said(db, condition)?);
            }
            if let more @ 1.. = all.len().saturating_sub(LINES_MAX) {
                let _ = writeln!(text, "- and {more} more");
            }
            if !all.is_empty() {
                text.push('\n');
            }
        }
        text.push_str("The page Alerts of the panel shows everything.\n");
        let subject = format!("[{}] {}", panel(db)?, self.subject(db, is_summary)?);
        Ok(Message { subject, text, at: self.now })
    }

    fn subject(&self, db: &Read<'_>, is_summary: bool) -> Result<String> {
        let one = |condition: &Condition| -> Result<String> {
            let name = name_of(db, &condition.subject)?.map(|name| format!(": {name}"));
            Ok(excerpt(&format!("{}{}", condition.kind, name.unwrap_or_default()), 100))
        };
        let head = if is_summary { "Summary: " } else { "" };
        Ok(match (self.raised.as_slice(), self.cleared.as_slice()) {
            ([raised], []) => format!("{head}{}", one(raised)?),
            ([], [cleared]) => format!("{head}Over: {}", one(cleared)?),
            ([], cleared) => format!("{head}{} alerts over", cleared.len()),
            ([_], cleared) => format!("{head}1 alert, {} over", cleared.len()),
            (raised, []) => format!("{head}{} alerts", raised.len()),
            (raised, cleared) => format!("{head}{} alerts, {} over", raised.len(), cleared.len()),
        })
    }
}

/// A condition on a line: what it is, what it is about, what was said.
fn said(db: &Read<'_>, condition: &Condition) -> Result<String> {
    let name = name_of(db, &condition.subject)?.map(|name| format!(", {name}"));
    let (kind, name) = (condition.kind, excerpt(&name.unwrap_or_default(), 100));
    Ok(format!("{kind}{name}: {}", excerpt(&condition.text, TEXT_LENGTH_MAX)))
}

fn stamp(at: Timestamp, zone: &jiff::tz::TimeZone) -> String {
    let at = jiff::Timestamp::from_second(at.0).unwrap_or_default();
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}
