//! The first page: what needs a hand, how the money stands, what was done last.

use askama::Template;

use super::gate::Cx;
use super::reply::Answer;
use super::shell::{Nav, Shell, Short};
use crate::domain::UserId;
use crate::domain::ledger::{ESCROW, EXTERNAL, REVENUE};
use crate::domain::money::Money;
use crate::store::audit::{self, Written};
use crate::store::{self, Read, keys, ledger, orders, services, users};

const LAST_WRITTEN: i64 = 10;

/// One step of the way to the first order.
struct Step {
    is_done: bool,
    text: &'static str,
    hint: &'static str,
    /// Where it is done; nothing where no page does it.
    path: String,
}

/// What the page shows.
struct Figures {
    steps: Vec<Step>,
    /// Orders that are not final.
    open: i64,
    /// What users have with us.
    purses: Money,
    /// What was paid for open orders.
    escrow: Money,
    /// What was earned, ever.
    revenue: Money,
    written: Vec<Written>,
}

impl Figures {
    fn read(db: &Read<'_>) -> store::Result<Self> {
        let (external, escrow) = (ledger::balance(db, EXTERNAL)?, ledger::balance(db, ESCROW)?);
        let revenue = ledger::balance(db, REVENUE)?;
        // The sum of all balances is nothing, so what is not the house's is the users'.
        let purses = -(external.micros() + escrow.micros() + revenue.micros());
        Ok(Self {
            steps: steps(db)?,
            open: orders::count_open(db)?,
            purses: Money::from_micros(purses),
            escrow,
            revenue,
            written: audit::list(db, i64::MAX, LAST_WRITTEN)?,
        })
    }
}

/// What a new panel still lacks, in the order in which one does it.
fn steps(db: &Read<'_>) -> store::Result<Vec<Step>> {
    let first = users::list(db, UserId(0), 1)?.into_iter().next();
    Ok(vec![
        Step {
            is_done: !services::is_empty(db)?,
            text: "Add services",
            hint: "What you sell, and at which rate",
            path: "/admin/services".to_owned(),
        },
        Step {
            is_done: first.is_some(),
            text: "Add a user",
            hint: "A reseller who orders through the API",
            path: "/admin/users/new".to_owned(),
        },
        Step {
            is_done: !keys::is_empty(db)?,
            text: "Create an API key",
            hint: "Shown once; the user sends it with every request",
            path: first
                .as_ref()
                .map_or_else(String::new, |user| format!("/admin/users/{}/keys", user.id)),
        },
        Step {
            is_done: !orders::is_empty(db)?,
            text: "Place a test order",
            hint: "POST /api/v2 with action=add",
            path: String::new(),
        },
    ])
}

#[derive(Template)]
#[template(path = "admin/dashboard.html")]
struct DashboardPage {
    shell: Shell,
    figures: Figures,
}

impl DashboardPage {
    fn is_new(&self) -> bool {
        self.figures.steps.iter().any(|step| !step.is_done)
    }

    fn done(&self) -> usize {
        self.figures.steps.iter().filter(|step| step.is_done).count()
    }

    fn open(&self) -> String {
        match self.figures.open {
            orders::COUNTED_MAX.. => format!("{}+", orders::COUNTED_MAX),
            count => count.to_string(),
        }
    }
}

/// The page.
pub(super) async fn show(cx: &mut Cx) -> Answer {
    let figures = cx.read(Figures::read).await?;
    let page = DashboardPage { shell: cx.shell("Dashboard", Nav::Dashboard), figures };
    cx.page(&page)
}
