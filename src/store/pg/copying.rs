//! Rows in bulk: COPY in its binary form.

use std::pin::Pin;

use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;

use super::Wire;
use crate::store::Result;
use crate::store::value::{Bound, Kind, Value};

/// A table that rows are copied into. Unless it is ended, the server takes none of them.
pub(in crate::store) struct CopyIn<'w> {
    wire: &'w Wire,
    writer: Pin<Box<BinaryCopyInWriter>>,
}

impl Wire {
    /// Begins a `COPY … FROM STDIN (FORMAT binary)` of columns of those kinds. Nothing else can be
    /// asked before it ends.
    pub(in crate::store) fn copy_in(&self, sql: &str, kinds: &[Kind]) -> Result<CopyIn<'_>> {
        let types: Vec<Type> = kinds.iter().map(|kind| super::wire::type_of(*kind)).collect();
        let sink = self.answered(self.client.copy_in(sql))?;
        let writer = Box::pin(BinaryCopyInWriter::new(sink, &types));
        Ok(CopyIn { wire: self, writer })
    }
}

impl CopyIn<'_> {
    /// Sends a row, or keeps it until there is enough to send.
    pub(in crate::store) fn add(&mut self, row: &[Value<'_>]) -> Result<()> {
        let row = row.iter().map(|value| Bound(*value));
        self.wire.waited(self.writer.as_mut().write_raw(row))
    }

    /// Waits until the server has all of them; says how many it counted.
    pub(in crate::store) fn end(mut self) -> Result<u64> {
        self.wire.answered(self.writer.as_mut().finish())
    }
}
