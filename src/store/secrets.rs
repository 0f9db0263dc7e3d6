//! Secrets of the panel's own that it has to read again: passwords and tokens, sealed.

use super::value::params;
use super::{Read, Result, Tx};
use crate::domain::alert::SecretName;

/// What a secret is sealed for.
pub fn seal_place(name: SecretName) -> String {
    format!("secrets/sealed/{}", name.as_str())
}

/// A secret as it is kept, if there is one.
pub fn find(db: &Read<'_>, name: SecretName) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT sealed FROM secrets WHERE name = $1";
    db.find(sql, params![name.as_str()], |row| row.get(0))
}

/// Keeps a secret in place of the one before.
pub fn set(tx: &Tx<'_>, name: SecretName, sealed: &[u8]) -> Result<()> {
    tx.execute(
        "INSERT INTO secrets (name, sealed) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed",
        params![name.as_str(), sealed],
    )?;
    Ok(())
}

/// Forgets a secret.
pub fn delete(tx: &Tx<'_>, name: SecretName) -> Result<()> {
    tx.execute("DELETE FROM secrets WHERE name = $1", params![name.as_str()])?;
    Ok(())
}
