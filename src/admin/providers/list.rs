//! All providers: balance, what waits and runs there, how well they answer.

use askama::Template;

use super::trend::Trend;
use super::{Standing, counted, theirs};
use crate::admin::frame::answer::Answer;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::shell::{Nav, Shell};
use crate::admin::frame::upstream;
use crate::delivery::calls::Figures;
use crate::domain::Timestamp;
use crate::domain::provider::Provider;
use crate::store::provider_list;

/// For how many seconds back the balance is drawn.
const TREND_SECONDS: i64 = 7 * 86_400;

/// A provider as the list shows it.
struct Line {
    provider: Provider,
    standing: Standing,
    balance: Option<String>,
    trend: Option<Trend>,
    waiting: String,
    open: String,
    figures: Figures,
}

#[derive(Template)]
#[template(path = "admin/providers/list.html")]
struct ProvidersPage {
    shell: Shell,
    lines: Vec<Line>,
}

/// The list.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let now = cx.now();
    let since = Timestamp(now.0 - TREND_SECONDS);
    let found = cx.read(move |db| provider_list::list(db, since)).await?;
    let line = |listed: provider_list::Listed| {
        let provider = listed.provider;
        let held = upstream::held(cx, provider.id);
        Line {
            standing: Standing::of(&provider, held, now),
            balance: provider.balance.map(|balance| theirs(balance, &provider)),
            trend: Trend::new(&listed.readings, |amount| theirs(amount, &provider)),
            waiting: counted(listed.waiting),
            open: counted(listed.open),
            figures: upstream::figures(cx, provider.id),
            provider,
        }
    };
    let lines = found.into_iter().map(line).collect();
    let shell = cx.shell("Providers", Nav::Providers);
    cx.page(&ProvidersPage { shell, lines })
}
