//! `order` and `refill`: fulfilment by hand.

use clap::Subcommand;

use super::{Result, open_existing};
use crate::commands::deciding::{DecideOrders, Decision};
use crate::commands::orders::{SetOrder, SetRefill};
use crate::domain::delivery::{Delivery, Hand};
use crate::domain::order::{ByHand, PublicStatus};
use crate::domain::refill::RefillStatus;
use crate::domain::{Actor, OrderId, RefillId};
use crate::store::place::Place;
use crate::store::{self, deliveries, providers, submissions};

#[derive(Subcommand)]
pub(super) enum OrderCommand {
    /// Move an order
    Set {
        id: i64,
        /// Processing, In progress, Completed, Partial or Canceled
        #[arg(long, value_parser = public_status)]
        status: PublicStatus,
        /// The counter seen when delivery began
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
        start_count: Option<i64>,
        /// Units not delivered
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
        remains: Option<i64>,
    },
    /// Orders at providers that wait for a decision
    Hand {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Decide about an order that waits for one; look at the provider first
    Decide {
        id: i64,
        #[command(flatten)]
        decision: DecisionArgs,
    },
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct DecisionArgs {
    /// The provider has it, under this number
    #[arg(long, value_name = "NUMBER")]
    placed_as: Option<String>,
    /// It is not there: send it there again
    #[arg(long)]
    send_again: bool,
    /// It is not there: send it to another provider
    #[arg(long)]
    elsewhere: bool,
    /// It is not there: refund it
    #[arg(long)]
    refund: bool,
    /// It is not there: deliver it by hand
    #[arg(long)]
    by_hand: bool,
}

impl DecisionArgs {
    fn decision(self) -> Decision {
        match (self.placed_as, self.send_again, self.elsewhere, self.refund) {
            (Some(their_id), ..) => Decision::PlacedAs(their_id),
            (None, true, ..) => Decision::SendAgain,
            (None, false, true, _) => Decision::Elsewhere,
            (None, false, false, true) => Decision::Refund,
            (None, false, false, false) => Decision::ByHand,
        }
    }
}

#[derive(Subcommand)]
pub(super) enum RefillCommand {
    /// Move a refill
    Set {
        id: i64,
        /// In progress, Completed, Rejected or Error
        #[arg(long, value_parser = refill_status)]
        status: RefillStatus,
    },
}

fn public_status(text: &str) -> std::result::Result<PublicStatus, &'static str> {
    PublicStatus::from_label(text).ok_or("not a status")
}

fn refill_status(text: &str) -> std::result::Result<RefillStatus, &'static str> {
    RefillStatus::from_label(text).ok_or("not a status of a refill")
}

pub(super) fn run_order(db: &Place, command: OrderCommand) -> Result {
    let (id, status, start_count, remains) = match command {
        OrderCommand::Set { id, status, start_count, remains } => {
            (id, status, start_count, remains)
        }
        OrderCommand::Hand { json } => return list_hand(db, json),
        OrderCommand::Decide { id, decision } => return decide(db, id, decision.decision()),
    };
    let by_hand = ByHand { status, start_count, remains };
    let order = SetOrder { actor: Actor::CommandLine, order: OrderId(id), by_hand };
    let refunded = open_existing(db)?.write_blocking(order)?;
    say!("order {id}: {status}, refunded {refunded}")?;
    Ok(())
}

fn decide(db: &Place, id: i64, decision: Decision) -> Result {
    let (actor, orders) = (Actor::CommandLine, [OrderId(id)].into());
    let done = match &decision {
        Decision::PlacedAs(their_id) => format!("placed as {their_id}"),
        Decision::SendAgain => "waits to be sent again".to_owned(),
        Decision::Elsewhere => "waits to be sent elsewhere".to_owned(),
        Decision::Refund => "refunded".to_owned(),
        Decision::ByHand => "yours to deliver".to_owned(),
    };
    open_existing(db)?.write_blocking(DecideOrders { actor, orders, decision })?;
    say!("order {id}: {done}")?;
    Ok(())
}

/// Orders that wait for a decision, at most.
const HAND_MAX: i64 = 1000;

fn list_hand(db: &Place, json: bool) -> Result {
    let found = open_existing(db)?.point(|db| {
        let waiting = deliveries::list_hand(db, HAND_MAX)?;
        let describe = |delivery: &Delivery| {
            let attempts = submissions::list_of(db, delivery.order)?;
            let answer = attempts.into_iter().next_back().map(|attempt| attempt.answer);
            let provider = providers::get(db, delivery.provider)?.terms.name;
            Ok((delivery.clone(), provider, answer.unwrap_or_default()))
        };
        waiting.iter().map(describe).collect::<store::Result<Vec<_>>>()
    })?;
    if json {
        let object = |(delivery, provider, answer): &(Delivery, String, String)| {
            serde_json::json!({
                "order": delivery.order.0,
                "hand": delivery.hand.map(Hand::as_str),
                "provider": provider,
                "answer": answer,
                "since": delivery.moved_at.0,
            })
        };
        let list: Vec<_> = found.iter().map(object).collect();
        return say!("{}", serde_json::Value::from(list));
    }
    for (delivery, provider, answer) in found {
        let hand = delivery.hand.map_or("", Hand::why);
        say!("{}\t{hand}\t{provider}\t{answer}", delivery.order)?;
    }
    Ok(())
}

pub(super) fn run_refill(db: &Place, command: RefillCommand) -> Result {
    let RefillCommand::Set { id, status } = command;
    let refill = SetRefill { actor: Actor::CommandLine, refill: RefillId(id), status };
    open_existing(db)?.write_blocking(refill)?;
    say!("refill {id}: {status}")?;
    Ok(())
}
