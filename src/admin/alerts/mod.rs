//! Alerts: what is the matter with providers, services and orders. What is open stands first; what
//! is over is kept for a while.

pub(super) mod channels;

use askama::Template;

use crate::admin::frame::answer::Answer;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::admin::frame::tone;
use crate::admin::frame::verb;
use crate::commands::conditions::{MuteCondition, name_of};
use crate::delivery::alerts::{Try, channels as outward};
use crate::domain::alert::ChannelKind;
use crate::domain::condition::{Condition, ConditionKind};
use crate::domain::{ConditionId, ServiceId, Timestamp};
use crate::store::{Read, conditions, together};

/// Open alerts, and alerts that are over, that the page shows.
const OPEN_MAX: i64 = 500;
const OVER_MAX: i64 = 100;
/// For how many days an alert can be muted.
const MUTED_DAYS: [i64; 2] = [1, 7];

/// An alert, and what it is about.
struct Line {
    condition: Condition,
    /// What it is about, as people call it, and where that is.
    about: Option<(String, String)>,
}

impl Line {
    fn read(db: &Read<'_>, condition: Condition) -> crate::store::Result<Self> {
        let (noun, id) = condition.subject.split_once(' ').unwrap_or_default();
        let name = match condition.subject.as_str() {
            "books" => Some("The books".to_owned()),
            subject => name_of(db, subject)?,
        };
        let path = match (condition.kind, noun) {
            (ConditionKind::Hand, "provider") => {
                Some(format!("/admin/orders?tab=hand&provider={id}"))
            }
            (ConditionKind::Webhook, "user") => Some(format!("/admin/users/{id}/webhook")),
            _ => verb::path(&condition.subject),
        };
        Ok(Self { about: name.zip(path), condition })
    }

    /// The service whose rate can be set by its rule to end this.
    fn by_rule(&self) -> Option<ServiceId> {
        let service = self.condition.subject.strip_prefix("service ")?.parse().ok()?;
        (self.condition.kind == ConditionKind::PriceJump).then_some(ServiceId(service))
    }

    fn read_all(db: &Read<'_>, all: Vec<Condition>) -> crate::store::Result<Vec<Self>> {
        db.each(&all, |db, condition| Self::read(db, condition.clone()))
    }
}

#[derive(Template)]
#[template(path = "admin/alerts/mod.html")]
struct AlertsPage {
    shell: Shell,
    open: Vec<Line>,
    muted: Vec<Line>,
    over: Vec<Line>,
    /// The channels by which alerts are told.
    ready: Vec<ChannelKind>,
    /// Those that did not take the last message.
    failed: Vec<Try>,
}

impl AlertsPage {
    /// Who is told besides this page, in a sentence.
    fn told(&self) -> &'static str {
        match self.ready.as_slice() {
            [] => "Nobody is told of alerts but here.",
            [ChannelKind::Mail] => "Alerts are told by mail.",
            [ChannelKind::Telegram] => "Alerts are told by Telegram.",
            _ => "Alerts are told by mail and by Telegram.",
        }
    }
}

/// The page.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let now = cx.now();
    let sealer = cx.admin.sealer.clone();
    let read = move |db: &Read<'_>| {
        let (open, over, ready) = together!(
            db: Line::read_all(db, conditions::list_open(db, OPEN_MAX)?),
            Line::read_all(db, conditions::list_cleared(db, OVER_MAX)?),
            outward::read(db, &sealer),
        );
        Ok((open, over, ready.iter().map(|channel| channel.kind()).collect()))
    };
    let (mut open, over, ready): (_, _, Vec<ChannelKind>) = cx.read(read).await?;
    let mut failed = cx.admin.delivery.tries();
    failed.retain(|tried| tried.flaw.is_some() && ready.contains(&tried.channel));
    open.sort_by_key(|line| std::cmp::Reverse((line.condition.raised_at, line.condition.id)));
    let (muted, open) = open.into_iter().partition(|line| line.condition.is_muted(now));
    let shell = cx.shell("Alerts", Nav::Alerts);
    cx.page(&AlertsPage { shell, open, muted, over, ready, failed })
}

/// Puts an alert out of sight for a day or a week, or shows it again.
pub(crate) async fn mute(cx: &mut Cx) -> Answer {
    let condition = ConditionId(cx.path_id("id")?);
    let days = cx.form.get("days").parse().ok().filter(|days| MUTED_DAYS.contains(days));
    let until = days.map(|days| Timestamp(cx.now().0 + days * 86_400));
    cx.write(MuteCondition { actor: cx.actor()?, condition, until }).await?;
    let toast = match days {
        Some(1) => "Alert muted for a day",
        Some(_) => "Alert muted for a week",
        None => "Alert shown again",
    };
    cx.go("/admin/alerts", Toast::new(toast))
}
