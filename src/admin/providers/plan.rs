//! What an import would do: the rule that makes rates of costs, the categories, and every line of
//! it. It is done exactly as shown, or shown again.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use askama::Template;

use super::import::chosen;
use super::one::known;
use crate::admin::frame::answer::Answer;
use crate::admin::frame::ask::Ask;
use crate::admin::frame::bulk;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::figure::{rate, signed};
use crate::admin::frame::form::Form;
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::commands::importing::{self, Choice, Headings, Line, Plan};
use crate::domain::pricing::Rule;
use crate::domain::provider::Provider;
use crate::store::{Read, offers, settings};

/// Lines of a plan that a page shows.
const LINES_MAX: usize = 200;
const SKIPPED_MAX: usize = 50;
/// Between a category of theirs and ours.
const ARROW: char = '=';

/// What was chosen, and what that would do.
struct Planned {
    names: HashSet<String>,
    /// Their categories among what was chosen.
    categories: BTreeSet<String>,
    plan: Result<Plan, String>,
    /// What it was planned from.
    seen: String,
}

/// Where the services go, as the form says it.
fn headings(form: &mut Form) -> Headings {
    match form.get("into") {
        "one" => Headings::One(form.required("one", "Enter the category for all of them")),
        "map" => {
            let lines = form.raw("map").lines().filter(|line| !line.trim().is_empty());
            let pairs: Option<BTreeMap<String, String>> = lines
                .map(|line| {
                    let (theirs, ours) = line.rsplit_once(ARROW)?;
                    Some((theirs.trim().to_owned(), ours.trim().to_owned()))
                })
                .collect();
            if pairs.is_none() {
                form.refuse("map", "Write a line for each category, such as: IG Likes = Likes");
            }
            Headings::Mapped(pairs.unwrap_or_default())
        }
        _ => Headings::Theirs,
    }
}

async fn planned(cx: &mut Cx, provider: &Provider) -> Result<Planned, PageError> {
    let (rule, headings) = (cx.form.rule(), headings(&mut cx.form));
    let (id, form) = (provider.id, cx.form.clone());
    let is_followed = form.flag("followed");
    cx.read(move |db: &Read<'_>| {
        let all = offers::list(db, id)?;
        let names = chosen(&form, &all);
        let is_chosen = |name: &String| names.contains(name);
        let categories = all.iter().filter(|offer| is_chosen(&offer.provider_service));
        let categories = categories.map(|offer| offer.category.clone()).collect();
        let (services, categories_named) = (Some(names.clone()), HashSet::new());
        let choice = Choice {
            provider: id,
            services,
            categories: categories_named,
            headings,
            rule,
            is_followed,
        };
        let plan = match importing::plan(db, &choice) {
            Ok(plan) => Ok(plan),
            Err(crate::store::Error::Refused(refusal)) => Err(refusal.to_string()),
            Err(error) => return Err(error),
        };
        let version = settings::catalogue_version(db)?;
        let synced_at = crate::store::providers::get(db, id)?.synced_at.map_or(0, |at| at.0);
        Ok(Planned { names, categories, plan, seen: format!("{version} {synced_at}") })
    })
    .await
}

#[derive(Template)]
#[template(path = "admin/providers/plan.html")]
struct PlanPage {
    shell: Shell,
    form: Form,
    provider: Provider,
    planned: Planned,
}

impl PlanPage {
    fn lines(&self, plan: &Plan) -> Vec<Line> {
        plan.lines.iter().take(LINES_MAX).cloned().collect()
    }

    /// Lines that the page has no room for.
    fn more(&self, plan: &Plan) -> usize {
        plan.lines.len().saturating_sub(LINES_MAX)
    }

    /// What is left as it is, some of it, in words.
    fn skipped(&self, plan: &Plan) -> Vec<String> {
        let skipped = plan.skipped.iter().take(SKIPPED_MAX);
        skipped.map(|it| format!("{} {}: {}", it.provider_service, it.name, it.why)).collect()
    }

    fn is_into(&self, into: &str) -> bool {
        self.form.get("into") == into
    }

    /// The mapping as it was typed, or one to begin with.
    fn map(&self) -> String {
        if self.form.has("map") {
            return self.form.raw("map").to_owned();
        }
        let lines = self.planned.categories.iter();
        lines.map(|theirs| format!("{theirs} {ARROW} {theirs}\n")).collect()
    }

    fn can_import(&self) -> bool {
        let is_any = self.planned.plan.as_ref().is_ok_and(|plan| !plan.lines.is_empty());
        is_any && self.form.is_sound()
    }

    /// The rule by which a percentage alone would sell.
    fn example(&self) -> String {
        Rule { percent_bp: 3000, ..Rule::default() }.to_string()
    }
}

async fn plan_page(cx: &mut Cx) -> Result<PlanPage, PageError> {
    let provider = known(cx).await?;
    if !cx.form.has("percent") {
        cx.form.put("percent", "30");
        cx.form.put("step", "0.01");
        cx.form.put("followed", "1");
    }
    let planned = planned(cx, &provider).await?;
    let title = format!("Import from {}", provider.terms.name);
    Ok(PlanPage {
        shell: cx.shell(&title, Nav::Providers),
        form: cx.form.clone(),
        provider,
        planned,
    })
}

fn none_chosen(cx: &mut Cx, provider: &Provider) -> Answer {
    let path = format!("/admin/providers/{}/import", provider.id);
    cx.go(&path, Toast::new(bulk::none_selected("service")))
}

/// The dry run.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let page = plan_page(cx).await?;
    if page.planned.names.is_empty() {
        return none_chosen(cx, &page.provider);
    }
    match page.form.is_sound() && page.planned.plan.is_ok() {
        true => cx.page(&page),
        false => cx.refused_page(&page),
    }
}

/// Begins the import, after a question. Where the catalogue or the list has changed since the dry
/// run, that is shown again.
pub(crate) async fn apply(cx: &mut Cx) -> Answer {
    let page = plan_page(cx).await?;
    if page.planned.names.is_empty() {
        return none_chosen(cx, &page.provider);
    }
    let (seen, provider) = (cx.form.get("seen").to_owned(), page.provider.clone());
    let is_as_seen = seen.is_empty() || seen == page.planned.seen;
    if !page.can_import() || !is_as_seen {
        if !is_as_seen {
            cx.form.refuse("", "The catalogue has changed since: look again");
            let page = plan_page(cx).await?;
            return cx.refused_page(&page);
        }
        return cx.refused_page(&page);
    }
    let Planned { plan: Ok(plan), seen, .. } = page.planned else { return show(cx).await };
    cx.form.put("seen", seen);
    cx.confirm(question(&plan, &provider))?;

    cx.admit_change()?;
    match cx.admin.delivery.import(cx.actor()?, plan) {
        Ok(()) => Ok(crate::admin::frame::answer::see_other(&super::run::path(provider.id))),
        Err(refusal) => cx.go(&super::run::path(provider.id), Toast::new(refusal.to_string())),
    }
}

fn question(plan: &Plan, provider: &Provider) -> Ask {
    let (new, count) = (plan.new_lines(), plan.lines.len());
    let losses = plan.lines.iter().filter(|line| line.margin().is_negative()).count();
    let losses = if losses == 0 { String::new() } else { bulk::counted(losses, "service") };
    Ask {
        title: format!("Import {} from {}?", bulk::counted(count, "service"), provider.terms.name),
        facts: vec![
            ("New".to_owned(), new.to_string()),
            ("Changed".to_owned(), (count - new).to_string()),
            ("Skipped".to_owned(), plan.skipped.len().to_string()),
            ("Sold below cost".to_owned(), losses),
        ],
        verb: format!("Import {}", bulk::counted(count, "service")),
        typed: bulk::typed(count - new),
        ..Ask::default()
    }
}
