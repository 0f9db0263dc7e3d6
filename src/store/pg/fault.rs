//! What the server's errors mean to us, and what of them may be read in a log.

use std::error::Error as _;
use std::io;

use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::store::Error;
use crate::store::error::FaultKind;

/// The same as one of our errors.
pub(super) fn of(error: &tokio_postgres::Error) -> Error {
    let Some(told) = error.as_db_error() else {
        let is_lost = error.is_closed() || error.source().is_some_and(|it| it.is::<io::Error>());
        let kind = if is_lost { FaultKind::Lost } else { FaultKind::Plain };
        return Error::of_kind(kind, &with_source(error));
    };
    let code = told.code();
    if ends_connection(told) {
        return Error::of_kind(FaultKind::Lost, &text(told));
    }
    if *code == SqlState::LOCK_NOT_AVAILABLE {
        return Error::Busy;
    }
    if *code == SqlState::DISK_FULL {
        return Error::DiskFull;
    }
    let kind = if is_for_another_try(told) { FaultKind::Again } else { FaultKind::Plain };
    Error::of_kind(kind, &text(told))
}

/// Whether statements that were prepared before have lost their meaning.
pub(super) fn is_stale_statement(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(is_stale)
}

fn is_stale(told: &DbError) -> bool {
    let has_changed = *told.code() == SqlState::FEATURE_NOT_SUPPORTED
        && told.message().contains("cached plan must not change result type");
    has_changed || *told.code() == SqlState::INVALID_SQL_STATEMENT_NAME
}

/// A node that was the first among its likes and is no longer takes no writes.
fn ends_connection(told: &DbError) -> bool {
    let code = told.code();
    let is_ended = matches!(told.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
    is_ended
        || code.code().starts_with("08")
        || code.code().starts_with("57P")
        || *code == SqlState::READ_ONLY_SQL_TRANSACTION
        || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
}

fn is_for_another_try(told: &DbError) -> bool {
    *told.code() == SqlState::T_R_SERIALIZATION_FAILURE
        || *told.code() == SqlState::T_R_DEADLOCK_DETECTED
        || is_stale(told)
}

/// Not its detail, which shows what rows hold.
fn text(told: &DbError) -> String {
    format!("{} ({})", told.message(), told.code().code())
}

fn with_source(error: &tokio_postgres::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
