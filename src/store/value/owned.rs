//! Values that outlive what they were taken from: of rows that wait to be written, and of keys by
//! which something is remembered.

use std::borrow::Cow;
use std::fmt;

use super::{Kind, List, Param, Value};

/// A value without an owner elsewhere. Shown, it is its kind.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(in crate::store) enum Owned {
    Null(Kind),
    Int(i64),
    Text(Box<str>),
    Blob(Box<[u8]>),
    Many(Column),
}

impl Owned {
    /// The same value, kept.
    pub(in crate::store) fn of(value: Value<'_>) -> Self {
        match value {
            Value::Null(kind) => Self::Null(kind),
            Value::Int(number) => Self::Int(number),
            Value::Text(text) => Self::Text(text.into()),
            Value::Blob(bytes) => Self::Blob(bytes.into()),
            Value::Many(column) => Self::Many(column.clone()),
        }
    }

    /// All of a list, kept.
    pub(in crate::store) fn all(params: List<'_>) -> Vec<Self> {
        params.iter().map(|param| Self::of(param.value())).collect()
    }
}

impl Param for Owned {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Null(kind) => Value::Null(*kind),
            Self::Int(number) => Value::Int(*number),
            Self::Text(text) => Value::Text(text),
            Self::Blob(bytes) => Value::Blob(bytes),
            Self::Many(column) => Value::Many(column),
        }
    }
}

impl fmt::Debug for Owned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}

/// Values of one kind, one for each of many rows: what a server takes as one parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::store) struct Column {
    pub(super) of: Kind,
    pub(super) values: Vec<Owned>,
}

impl Column {
    /// An empty one for values of that kind.
    pub(in crate::store) const fn new(of: Kind) -> Self {
        Self { of, values: Vec::new() }
    }

    /// Puts a value behind the others.
    pub(in crate::store) fn push(&mut self, value: Owned) {
        self.values.push(value);
    }

    pub(in crate::store) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// What the whole of it is.
    pub(super) const fn kind(&self) -> Kind {
        match self.of {
            Kind::Int | Kind::Ints => Kind::Ints,
            Kind::Text | Kind::Texts => Kind::Texts,
            Kind::Blob | Kind::Blobs => Kind::Blobs,
        }
    }
}

/// A statement with its parameters, to be sent later.
#[derive(Debug)]
pub(in crate::store) struct Due {
    pub(in crate::store) sql: Cow<'static, str>,
    pub(in crate::store) values: Vec<Owned>,
}

impl Due {
    /// Its parameters, as a [`List`] has them.
    pub(in crate::store) fn params(&self) -> Vec<&dyn Param> {
        self.values.iter().map(|value| value as &dyn Param).collect()
    }
}
