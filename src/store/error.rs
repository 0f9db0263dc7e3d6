//! Why the store says no, or nothing.

use std::fmt;
use std::sync::Arc;

use crate::domain::refusal::{
    OperatorRefusal, OrderRefusal, ProviderRefusal, Refusal, WebhookRefusal,
};

/// Why a read or a command gave no result.
#[derive(Clone, Debug)]
pub enum Error {
    /// A business "no". Nothing was changed.
    Refused(Refusal),
    /// Too much to do, or another process holds the file. Nothing was changed.
    Busy,
    /// The disk is full. Nothing was changed.
    DiskFull,
    /// Something broke. A command's outcome is unknown.
    Storage(Fault),
}

/// What the database said when something broke. For the log, never for a customer.
#[derive(Clone, Debug)]
pub struct Fault {
    kind: FaultKind,
    text: Arc<str>,
}

/// What a fault means for what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// For this statement, nothing more.
    Plain,
    /// The file can no longer be trusted to keep what it is given.
    Fatal,
    /// The connection to the server has ended, with whatever was under way on it.
    Lost,
    /// The server rolled back what would succeed if it were tried again.
    Again,
}

impl Fault {
    /// What the database said.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// The result of everything in the store and above it.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Something that cannot be, unless there is a mistake in the program.
    pub(super) fn fault(text: &str) -> Self {
        Self::of_kind(FaultKind::Plain, text)
    }

    pub(super) fn of_kind(kind: FaultKind, text: &str) -> Self {
        Self::Storage(Fault { kind, text: text.into() })
    }

    /// The same, for a failure that leaves the outcome unknown.
    pub(super) fn into_fatal(self) -> Self {
        Self::of_kind(FaultKind::Fatal, &self.to_string())
    }

    /// The same, with where something broke.
    pub(super) fn at(self, place: &str) -> Self {
        match self {
            Self::Storage(Fault { kind, text }) => Self::of_kind(kind, &format!("{place}: {text}")),
            Self::Refused(_) | Self::Busy | Self::DiskFull => self,
        }
    }

    /// Whether the disk or the database failed, and this is no refusal.
    pub const fn is_storage(&self) -> bool {
        matches!(self, Self::DiskFull | Self::Storage(_))
    }

    /// Whether the database was away for so long that nobody knows what came of a command. It may
    /// be given again, with the same request id.
    pub const fn is_away(&self) -> bool {
        self.is_of_kind(FaultKind::Lost)
    }

    /// Whether nothing written from now on can be trusted.
    pub(super) const fn is_fatal(&self) -> bool {
        self.is_of_kind(FaultKind::Fatal)
    }

    /// Whether it is a fault of that kind.
    pub(super) const fn is_of_kind(&self, kind: FaultKind) -> bool {
        matches!(self, Self::Storage(fault) if fault.kind as u8 == kind as u8)
    }

    /// For a read: what a next try is likely to find mended is only "busy".
    pub(super) fn for_reader(self) -> Self {
        let is_passing = self.is_of_kind(FaultKind::Lost) || self.is_of_kind(FaultKind::Again);
        if is_passing { Self::Busy } else { self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Busy => f.write_str("database busy"),
            Self::DiskFull => f.write_str("the disk is full"),
            Self::Storage(fault) => write!(f, "storage failed: {}", fault.text),
        }
    }
}

impl std::error::Error for Error {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<OrderRefusal> for Error {
    fn from(refusal: OrderRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<ProviderRefusal> for Error {
    fn from(refusal: ProviderRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<WebhookRefusal> for Error {
    fn from(refusal: WebhookRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<OperatorRefusal> for Error {
    fn from(refusal: OperatorRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}
