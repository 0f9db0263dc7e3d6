//! What delivery does among the commands of a batch: orders are claimed, sent and heard of.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use panelite::commands::places::Unwell;
use panelite::commands::sending::{ClaimOrder, RecordSubmission};
use panelite::commands::watching::{Answer, LOOKS_MAX, LeaseStatuses, RecordStatuses};
use panelite::domain::money::Money;
use panelite::domain::outcome::{Family, Outcome};
use panelite::domain::report::Report;
use panelite::domain::{OrderId, ProviderId, SubmissionId};
use panelite::secret::Sealer;
use panelite::store::{Command, Result, Tx};

use crate::desk::{Asked, Shop};
use crate::ledger::Dice;

const PROVIDER: ProviderId = ProviderId(1);
const WORDS: [&str; 7] =
    ["Pending", "In progress", "Completed", "Completed", "Partial", "Canceled", "On strike"];
const FAMILIES: [Family; 3] = [Family::Quantity, Family::Link, Family::Other];

/// Makes the same ids of ours wherever the commands go.
static SEALER: LazyLock<Sealer> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    Sealer::open(&folder.path().join("key")).unwrap()
});

/// One random command of delivery's.
#[derive(Debug)]
pub(crate) enum Step {
    Claim,
    Record { submission: SubmissionId, outcome: Outcome },
    Lease,
    Hear { answers: Vec<(OrderId, Answer)> },
}

impl Step {
    /// About the newest submissions and orders, the last of which have those numbers.
    pub(crate) fn any(dice: &mut Dice, last_submission: i64, last_order: i64) -> Self {
        match dice.roll(12) {
            0..=3 => Self::Claim,
            4..=7 => {
                let submission = SubmissionId((last_submission - dice.up_to(4)).max(1));
                Self::Record { submission, outcome: outcome(dice, submission) }
            }
            8 => Self::Lease,
            _ => {
                let mut order = || OrderId((last_order - dice.up_to(200)).max(1));
                let orders: Vec<OrderId> = (0..60).map(|_| order()).collect();
                let heard: BTreeMap<OrderId, Answer> =
                    orders.into_iter().map(|order| (order, answer(dice))).collect();
                Self::Hear { answers: heard.into_iter().collect() }
            }
        }
    }

    /// Sends it on its way.
    pub(crate) fn take<'s>(&self, shop: &'s Shop) -> Asked<'s> {
        match self {
            Self::Claim => {
                let (after, unwell, sealer) = (OrderId(0), Unwell::new(), SEALER.clone());
                shop.send(ClaimOrder { provider: PROVIDER, after, unwell, sealer })
            }
            Self::Record { submission, outcome } => {
                let (submission, outcome) = (*submission, outcome.clone());
                shop.send(RecordSubmission { submission, outcome, unwell: Unwell::new() })
            }
            Self::Lease => shop.send(Lease),
            Self::Hear { answers } => {
                shop.send(RecordStatuses { provider: PROVIDER, answers: answers.clone() })
            }
        }
    }
}

/// Takes all orders that are due. Which is first of those that are due in the same second is each
/// engine's own.
struct Lease;

impl Command for Lease {
    type Reply = Vec<(OrderId, String)>;

    fn run(&self, tx: &Tx<'_>) -> Result<Self::Reply> {
        let mut leased = LeaseStatuses { provider: PROVIDER, limit: LOOKS_MAX }.run(tx)?;
        leased.sort_unstable();
        Ok(leased)
    }
}

/// No two orders are to be sent again in the same second.
fn outcome(dice: &mut Dice, submission: SubmissionId) -> Outcome {
    let (answer, retry_after) = ("no".to_owned(), Some(1 + submission.0 % 59));
    match dice.roll(10) {
        0 => Outcome::Refused { family: dice.pick(&FAMILIES), answer },
        1 | 2 => Outcome::Busy { retry_after, is_only_said: false, answer },
        3 => Outcome::Unknown { answer },
        // Now and then a number that another order has.
        _ => Outcome::Accepted { their_id: format!("T{}", dice.up_to(2000)) },
    }
}

fn answer(dice: &mut Dice) -> Answer {
    if dice.roll(12) == 0 {
        return Err("Incorrect order ID".to_owned());
    }
    let charge = (dice.roll(2) == 0).then(|| Money::from_micros(dice.up_to(3_000_000)));
    Ok(Report {
        word: dice.pick(&WORDS).to_owned(),
        remains: (dice.roll(3) > 0).then(|| dice.up_to(2000)),
        start_count: (dice.roll(2) == 0).then(|| dice.up_to(50)),
        charge,
        currency: charge.map(|_| "USD".to_owned()),
    })
}
