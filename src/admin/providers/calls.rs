//! The last calls to a provider: what was sent, what came, how long it took. Keys are cut out.

use askama::Template;

use super::one::known;
use crate::admin::frame::answer::Answer;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::shell::{Nav, Shell};
use crate::admin::frame::upstream;
use crate::delivery::calls::Call;
use crate::domain::provider::Provider;

#[derive(Template)]
#[template(path = "admin/providers/calls.html")]
struct CallsPage {
    shell: Shell,
    provider: Provider,
    calls: Vec<Call>,
}

/// The tone of a call's outcome.
fn tone(call: &Call) -> &'static str {
    match (call.is_answered, call.outcome) {
        (true, "ok" | "accepted") => "good dot",
        (true, _) => "attention ring",
        (false, _) => "bad square",
    }
}

/// The page.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let provider = known(cx).await?;
    let calls = upstream::calls(cx, provider.id);
    let shell = cx.shell(&format!("Calls to {}", provider.terms.name), Nav::Providers);
    cx.page(&CallsPage { shell, provider, calls })
}
