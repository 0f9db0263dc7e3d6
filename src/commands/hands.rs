//! What waits for a person at a provider, and that somebody should know.

use super::conditions::about_provider;
use crate::domain::condition::ConditionKind;
use crate::domain::delivery::{Delivery, Hand};
use crate::domain::errand::Errand;
use crate::domain::{OrderId, ProviderId};
use crate::store::{Read, Result, Tx, conditions, deliveries, errands, providers, together};

const COUNTED_MAX: i64 = 1000;
/// What the condition is about that tells of an older file.
pub(super) const RESTORED: &str = "panel";

/// Says how much waits for a person at a provider, as it stands now. Only needed where a hand was
/// set or has gone: it walks all that wait.
pub(super) fn follow(tx: &Tx<'_>, provider: ProviderId) -> Result<()> {
    let is_restored = conditions::is_open(tx, ConditionKind::Restored, RESTORED)?;
    if is_restored && deliveries::list_held(tx, Hand::Restored, OrderId(0), 1)?.is_empty() {
        conditions::clear(tx, ConditionKind::Restored, RESTORED)?;
    }
    let subject = about_provider(provider);
    let waiting = deliveries::count_hands(tx, provider, COUNTED_MAX)?
        + errands::count_hands(tx, provider, COUNTED_MAX)?;
    if waiting == 0 {
        return conditions::clear(tx, ConditionKind::Hand, &subject);
    }
    let name = providers::get(tx, provider)?.terms.name;
    let text = match waiting {
        1 => format!("1 order at {name} needs a hand"),
        many if many < COUNTED_MAX => format!("{many} orders at {name} need a hand"),
        _ => format!("More than {COUNTED_MAX} orders at {name} need a hand"),
    };
    conditions::tell(tx, ConditionKind::Hand, &subject, &text)
}

/// What is still to be done about an order at its provider.
pub(super) struct Upstream {
    delivery: Option<Delivery>,
    /// That they are asked to cancel it.
    cancel: Option<Errand>,
}

impl Upstream {
    pub(super) fn find(db: &Read<'_>, order: OrderId) -> Result<Self> {
        let (delivery, cancel) =
            together!(db: deliveries::find(db, order), errands::find_cancel(db, order));
        Ok(Self { delivery, cancel })
    }
}

/// Nothing more is to be done about an order at its provider: it has ended, or a person has taken
/// it up.
pub(super) fn leave(tx: &Tx<'_>, Upstream { delivery, cancel }: Upstream) -> Result<()> {
    let Some(delivery) = delivery else { return Ok(()) };
    deliveries::delete(tx, delivery.order)?;
    if delivery.hand.is_some() {
        follow(tx, delivery.provider)?;
    }
    drop_errand(tx, cancel.as_ref())
}

/// The provider no longer has to be asked to cancel an order.
pub(super) fn drop_cancel(tx: &Tx<'_>, order: OrderId) -> Result<()> {
    drop_errand(tx, errands::find_cancel(tx, order)?.as_ref())
}

/// The provider no longer has to be asked for that, if it had.
pub(super) fn drop_errand(tx: &Tx<'_>, errand: Option<&Errand>) -> Result<()> {
    let Some(errand) = errand else { return Ok(()) };
    errands::delete(tx, errand.id)?;
    match errand.hand {
        Some(_) => follow(tx, errand.provider),
        None => Ok(()),
    }
}
