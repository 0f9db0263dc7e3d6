//! `order` and `refill`: fulfilment by hand.

use std::path::Path;

use clap::Subcommand;

use super::{Result, open_existing};
use crate::commands::orders::{SetOrder, SetRefill};
use crate::domain::order::{ByHand, PublicStatus};
use crate::domain::refill::RefillStatus;
use crate::domain::{Actor, OrderId, RefillId};

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

pub(super) fn run_order(db: &Path, command: OrderCommand) -> Result {
    let OrderCommand::Set { id, status, start_count, remains } = command;
    let by_hand = ByHand { status, start_count, remains };
    let order = SetOrder { actor: Actor::CommandLine, order: OrderId(id), by_hand };
    let refunded = open_existing(db)?.write_blocking(order)?;
    say!("order {id}: {status}, refunded {refunded}")?;
    Ok(())
}

pub(super) fn run_refill(db: &Path, command: RefillCommand) -> Result {
    let RefillCommand::Set { id, status } = command;
    let refill = SetRefill { actor: Actor::CommandLine, refill: RefillId(id), status };
    open_existing(db)?.write_blocking(refill)?;
    say!("refill {id}: {status}")?;
    Ok(())
}
