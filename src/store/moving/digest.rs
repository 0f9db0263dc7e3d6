//! What a table holds, as one number that is the same on both engines.
//!
//! SHA-256 over the table's name, its columns' names in the schema's order, and its rows in the
//! order of the key, value by value. Each value begins with a byte for its kind; names, texts and
//! bytes are led by their length. Derived columns are left out.

use sha2::{Digest as _, Sha256};

use super::tables::Table;
use crate::store::value::Value;

const NULL: u8 = 0;
const INT: u8 = 1;
const TEXT: u8 = 2;
const BLOB: u8 = 3;

/// The number of a table, as far as its rows have been seen.
pub(super) struct Digest {
    hash: Sha256,
    /// Kept from row to row.
    buffer: Vec<u8>,
}

impl Digest {
    /// That of a table without rows.
    pub(super) fn of(table: &Table) -> Self {
        let mut buffer = Vec::new();
        let columns = table.columns.iter().map(|column| column.name.as_str());
        for name in std::iter::once(table.name.as_str()).chain(columns) {
            push(&mut buffer, TEXT, name.as_bytes());
        }
        Self { hash: Sha256::new_with_prefix(&buffer), buffer }
    }

    /// Takes the next row into account.
    pub(super) fn add(&mut self, row: &[Value<'_>]) {
        self.buffer.clear();
        for value in row {
            match *value {
                Value::Null(_) => self.buffer.push(NULL),
                Value::Int(number) => {
                    self.buffer.push(INT);
                    self.buffer.extend(number.to_be_bytes());
                }
                Value::Text(text) => push(&mut self.buffer, TEXT, text.as_bytes()),
                Value::Blob(bytes) => push(&mut self.buffer, BLOB, bytes),
                Value::Many(_) => {} // no row holds one
            }
        }
        self.hash.update(&self.buffer);
    }

    /// The number.
    pub(super) fn end(self) -> [u8; 32] {
        self.hash.finalize().into()
    }
}

/// One number for those of all tables.
pub(super) fn of_all<'a>(tables: impl Iterator<Item = &'a [u8; 32]>) -> [u8; 32] {
    let mut hash = Sha256::new();
    tables.for_each(|digest| hash.update(digest));
    hash.finalize().into()
}

fn push(buffer: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    buffer.push(kind);
    buffer.extend((bytes.len() as u64).to_be_bytes());
    buffer.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::super::tables;
    use super::*;
    use crate::store::value::Kind;

    #[test]
    fn what_is_not_the_same_has_another_number() {
        let tables = tables::all().unwrap();
        let digest = |table: usize, rows: &[&[Value<'_>]]| {
            let mut digest = Digest::of(&tables[table]);
            rows.iter().for_each(|row| digest.add(row));
            digest.end()
        };
        let (null, one) = (Value::Null(Kind::Text), Value::Int(1));
        let all = [
            digest(0, &[]),
            digest(1, &[]),
            digest(0, &[&[null]]),
            digest(0, &[&[one]]),
            digest(0, &[&[Value::Int(256)]]),
            digest(0, &[&[Value::Text("1")]]),
            digest(0, &[&[Value::Blob(b"1")]]),
            digest(0, &[&[Value::Text("")]]),
            digest(0, &[&[Value::Text("a"), Value::Text("b")]]),
            digest(0, &[&[Value::Text("ab"), Value::Text("")]]),
            digest(0, &[&[one], &[null]]),
            digest(0, &[&[null], &[one]]),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        // Whatever a missing value would have been, it is missing.
        assert_eq!(digest(0, &[&[Value::Null(Kind::Int)]]), all[2]);
    }
}
