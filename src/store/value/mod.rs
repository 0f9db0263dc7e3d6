//! What goes into a statement and comes out of a row: the one place that knows how our types are
//! stored, whatever the engine.
//!
//! Three kinds of values are stored: whole numbers, text and bytes. `Option` is `NULL` of the kind
//! of what it lacks, so that an engine that prepares statements by type always has one.

mod owned;

use std::error::Error as StdError;
use std::fmt;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{self as pg, IsNull, Type};

use crate::domain::condition::ConditionKind;
use crate::domain::delivery::{Ending, Hand, Stage, State};
use crate::domain::errand::ErrandStage;
use crate::domain::event::{EventKind, EventState};
use crate::domain::input::Input;
use crate::domain::ledger::{AccountKind, PostingKind};
use crate::domain::money::{Discount, Money, Rate};
use crate::domain::order::{OrderStatus, PublicStatus, Shown};
use crate::domain::provider::{Dialect, Exchange};
use crate::domain::refill::RefillStatus;
use crate::domain::service::ServiceKind;
use crate::domain::{
    AccountId, AdminId, CategoryId, ConditionId, ErrandId, EventId, KeyId, OrderId, PostingId,
    ProviderId, RefillId, ServiceId, SessionId, SubmissionId, Timestamp, UserId,
};
use crate::secret::KeyHash;
pub(super) use owned::{Column, Due, Owned};

/// What a column holds; the last three are columns of such for many rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Int,
    Text,
    Blob,
    Ints,
    Texts,
    Blobs,
}

/// A stored value, borrowed from its owner or its row. Shown, it is its kind: what is logged holds
/// nothing that is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Null(Kind),
    Int(i64),
    Text(&'a str),
    Blob(&'a [u8]),
    /// One for each of many rows, for a server.
    Many(&'a Column),
}

impl Value<'_> {
    /// What a column would have to be to hold it.
    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Null(kind) => kind,
            Self::Int(_) => Kind::Int,
            Self::Text(_) => Kind::Text,
            Self::Blob(_) => Kind::Blob,
            Self::Many(column) => column.kind(),
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().fmt(f)
    }
}

/// A type that can be stored, and as what.
pub(super) trait ToValue {
    const KIND: Kind;

    fn to_value(&self) -> Value<'_>;
}

/// A parameter of a statement: [`ToValue`] without its type, for lists of them.
pub(super) trait Param {
    fn value(&self) -> Value<'_>;
}

impl<T: ToValue + ?Sized> Param for T {
    fn value(&self) -> Value<'_> {
        self.to_value()
    }
}

/// The parameters of a statement, `$1` first.
pub(super) type List<'a> = &'a [&'a dyn Param];

/// What a statement takes as its parameters: `params![…]`, a [`List`], or `[]` for none.
pub(super) trait Params {
    fn list(&self) -> List<'_>;
}

impl Params for [&dyn Param; 0] {
    fn list(&self) -> List<'_> {
        &[]
    }
}

impl Params for List<'_> {
    fn list(&self) -> List<'_> {
        self
    }
}

impl<const N: usize> Params for &[&dyn Param; N] {
    fn list(&self) -> List<'_> {
        *self
    }
}

/// Borrows each expression as a parameter.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$(&$value as &dyn $crate::store::value::Param),*]
    };
}
pub(super) use params;

/// A type that can be read from a column. `None` where what is stored there is none.
pub(super) trait FromValue: Sized {
    fn from_value(value: Value<'_>) -> Option<Self>;
}

/// One row of an answer.
pub(super) enum Row<'a> {
    Lite(&'a rusqlite::Row<'a>),
    Pg(&'a tokio_postgres::Row),
}

/// Why a column could not be read.
#[derive(Debug)]
pub(super) enum RowError {
    Lite(rusqlite::Error),
    /// What a column holds is not of the type that was asked for: its name, and what it holds.
    Column(String),
}

/// What a function makes of a row.
pub(super) type RowResult<T> = Result<T, RowError>;

impl Row<'_> {
    /// The column of that number, from 0.
    pub(super) fn get<T: FromValue>(&self, at: usize) -> RowResult<T> {
        match self {
            Self::Lite(row) => {
                let stored = row.get_ref(at).map_err(RowError::Lite)?;
                known(stored).and_then(T::from_value).ok_or_else(|| unfit(row, at, stored))
            }
            Self::Pg(row) => {
                let value = row.try_get(at).ok().map(|Received(value)| value);
                value.and_then(T::from_value).ok_or_else(|| unfit_there(row, at))
            }
        }
    }

    /// What that column holds, whatever it is.
    pub(super) fn value(&self, at: usize) -> RowResult<Value<'_>> {
        match self {
            Self::Lite(row) => {
                let stored = row.get_ref(at).map_err(RowError::Lite)?;
                known(stored).ok_or_else(|| unfit(row, at, stored))
            }
            Self::Pg(row) => {
                let value = row.try_get(at).map(|Received(value)| value);
                value.map_err(|_| unfit_there(row, at))
            }
        }
    }
}

/// What a file holds as one of our values, if it is one.
#[inline]
fn known(stored: ValueRef<'_>) -> Option<Value<'_>> {
    match stored {
        ValueRef::Null => Some(Value::Null(Kind::Int)),
        ValueRef::Integer(number) => Some(Value::Int(number)),
        ValueRef::Text(text) => std::str::from_utf8(text).ok().map(Value::Text),
        ValueRef::Blob(bytes) => Some(Value::Blob(bytes)),
        ValueRef::Real(_) => None,
    }
}

/// Nothing of the content: it may be what nobody may read in a log.
#[cold]
fn unfit(row: &rusqlite::Row<'_>, at: usize, stored: ValueRef<'_>) -> RowError {
    let name = row.as_ref().column_name(at).unwrap_or("?");
    RowError::Column(format!("column {at} ({name}) holds an unfit {}", stored.data_type()))
}

#[cold]
fn unfit_there(row: &tokio_postgres::Row, at: usize) -> RowError {
    RowError::Column(match row.columns().get(at) {
        Some(column) => {
            format!("column {at} ({}) holds an unfit {}", column.name(), column.type_())
        }
        None => format!("there is no column {at}"),
    })
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null(_) => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
            Self::Many(_) => return Err(rusqlite::Error::InvalidQuery),
        }))
    }
}

/// What the other driver answers when it codes a value.
type Coded<T> = Result<T, Box<dyn StdError + Sync + Send>>;

/// A value as a parameter on the wire. The driver logs what it is given.
#[derive(Debug)]
pub(super) struct Bound<'a>(pub Value<'a>);

impl pg::ToSql for Bound<'_> {
    /// PostgreSQL knows no NUL in a text.
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Coded<IsNull> {
        match self.0 {
            Value::Null(_) => Ok(IsNull::Yes),
            Value::Int(number) => pg::ToSql::to_sql(&number, ty, out),
            Value::Text(text) if text.contains('\0') => {
                pg::ToSql::to_sql(&text.replace('\0', "\u{FFFD}"), ty, out)
            }
            Value::Text(text) => pg::ToSql::to_sql(&text, ty, out),
            Value::Blob(bytes) => pg::ToSql::to_sql(&bytes, ty, out),
            Value::Many(column) => {
                let all: Vec<Bound<'_>> =
                    column.values.iter().map(|it| Bound(it.value())).collect();
                pg::ToSql::to_sql(&all, ty, out)
            }
        }
    }

    /// Statements are prepared for the kinds of their parameters.
    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Coded<IsNull> {
        pg::ToSql::to_sql(self, ty, out)
    }
}

/// A value of a row that came over the wire.
struct Received<'a>(pub Value<'a>);

impl<'a> pg::FromSql<'a> for Received<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Coded<Self> {
        Ok(Self(match *ty {
            Type::INT8 => Value::Int(<i64 as pg::FromSql>::from_sql(ty, raw)?),
            Type::INT4 => Value::Int(<i32 as pg::FromSql>::from_sql(ty, raw)?.into()),
            Type::BOOL => Value::Int(<bool as pg::FromSql>::from_sql(ty, raw)?.into()),
            Type::BYTEA => Value::Blob(raw),
            _ => Value::Text(<&str as pg::FromSql>::from_sql(ty, raw)?),
        }))
    }

    fn from_sql_null(_: &Type) -> Coded<Self> {
        Ok(Self(Value::Null(Kind::Int)))
    }

    fn accepts(ty: &Type) -> bool {
        let is_whole = matches!(*ty, Type::INT8 | Type::INT4 | Type::BOOL);
        is_whole || *ty == Type::BYTEA || <&str as pg::FromSql>::accepts(ty)
    }
}

impl<T: ToValue> ToValue for Option<T> {
    const KIND: Kind = T::KIND;

    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null(T::KIND), T::to_value)
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    const KIND: Kind = T::KIND;

    fn to_value(&self) -> Value<'_> {
        T::to_value(self)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null(_) => Some(None),
            Value::Int(_) | Value::Text(_) | Value::Blob(_) | Value::Many(_) => {
                T::from_value(value).map(Some)
            }
        }
    }
}

impl ToValue for i64 {
    const KIND: Kind = Kind::Int;

    fn to_value(&self) -> Value<'_> {
        Value::Int(*self)
    }
}

impl FromValue for i64 {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Int(number) => Some(number),
            Value::Null(_) | Value::Text(_) | Value::Blob(_) | Value::Many(_) => None,
        }
    }
}

impl ToValue for bool {
    const KIND: Kind = Kind::Int;

    fn to_value(&self) -> Value<'_> {
        Value::Int(i64::from(*self))
    }
}

impl FromValue for bool {
    fn from_value(value: Value<'_>) -> Option<Self> {
        i64::from_value(value).map(|number| number != 0)
    }
}

impl ToValue for str {
    const KIND: Kind = Kind::Text;

    fn to_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl ToValue for String {
    const KIND: Kind = Kind::Text;

    fn to_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl FromValue for String {
    fn from_value(value: Value<'_>) -> Option<Self> {
        text(value).map(str::to_owned)
    }
}

impl ToValue for [u8] {
    const KIND: Kind = Kind::Blob;

    fn to_value(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Blob(bytes) => Some(bytes.to_owned()),
            Value::Null(_) | Value::Int(_) | Value::Text(_) | Value::Many(_) => None,
        }
    }
}

impl ToValue for KeyHash {
    const KIND: Kind = Kind::Blob;

    fn to_value(&self) -> Value<'_> {
        Value::Blob(&self.0)
    }
}

fn text(value: Value<'_>) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        Value::Null(_) | Value::Int(_) | Value::Blob(_) | Value::Many(_) => None,
    }
}

/// Wrappers around one whole number.
macro_rules! integer_columns {
    ($($name:ident: $from:expr, $to:expr;)*) => {$(
        impl ToValue for $name {
            const KIND: Kind = Kind::Int;

            fn to_value(&self) -> Value<'_> {
                let to: fn(&$name) -> i64 = $to;
                Value::Int(to(self))
            }
        }

        impl FromValue for $name {
            fn from_value(value: Value<'_>) -> Option<Self> {
                let from: fn(i64) -> Option<$name> = $from;
                from(i64::from_value(value)?)
            }
        }
    )*};
}

integer_columns! {
    AccountId: |id| Some(AccountId(id)), |id| id.0;
    AdminId: |id| Some(AdminId(id)), |id| id.0;
    CategoryId: |id| Some(CategoryId(id)), |id| id.0;
    ConditionId: |id| Some(ConditionId(id)), |id| id.0;
    ErrandId: |id| Some(ErrandId(id)), |id| id.0;
    EventId: |id| Some(EventId(id)), |id| id.0;
    KeyId: |id| Some(KeyId(id)), |id| id.0;
    OrderId: |id| Some(OrderId(id)), |id| id.0;
    PostingId: |id| Some(PostingId(id)), |id| id.0;
    ProviderId: |id| Some(ProviderId(id)), |id| id.0;
    RefillId: |id| Some(RefillId(id)), |id| id.0;
    ServiceId: |id| Some(ServiceId(id)), |id| id.0;
    SessionId: |id| Some(SessionId(id)), |id| id.0;
    SubmissionId: |id| Some(SubmissionId(id)), |id| id.0;
    UserId: |id| Some(UserId(id)), |id| id.0;
    Timestamp: |seconds| Some(Timestamp(seconds)), |at| at.0;
    Money: |micros| Some(Money::from_micros(micros)), |money| money.micros();
    Rate: |micros| Some(Rate::from_micros(micros)), |rate| rate.micros();
    Exchange: Exchange::from_nanos, |exchange| exchange.nanos();
    Discount: Discount::from_basis_points, |discount| discount.basis_points();
}

/// Enums stored as a word.
macro_rules! word_columns {
    ($($name:ident)*) => {$(
        impl ToValue for $name {
            const KIND: Kind = Kind::Text;

            fn to_value(&self) -> Value<'_> {
                Value::Text(self.as_str())
            }
        }

        impl FromValue for $name {
            fn from_value(value: Value<'_>) -> Option<Self> {
                $name::from_stored(text(value)?)
            }
        }
    )*};
}

word_columns! {
    AccountKind ConditionKind Dialect Ending ErrandStage EventKind EventState Hand Input
    OrderStatus PostingKind PublicStatus RefillStatus ServiceKind Shown Stage State
}
