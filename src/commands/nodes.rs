//! What the nodes of a panel on a server have to agree on.

use crate::secret::Sealer;
use crate::store::{Command, Result, Tx, nodes};

/// The id of a key file, which tells nothing of the key.
pub fn key_id(sealer: &Sealer) -> String {
    sealer.id_of("the key file")
}

/// Says which key file a node has, by its [`key_id`].
pub struct ClaimKey {
    pub id: String,
}

impl Command for ClaimKey {
    /// Whether it is the one that all nodes have.
    type Reply = bool;

    fn run(&self, tx: &Tx<'_>) -> Result<bool> {
        nodes::claim_key(tx, &self.id)
    }
}

/// A node begins, and knows of others that they are gone.
pub struct BeginNode {
    pub gone: Vec<i64>,
}

impl Command for BeginNode {
    /// Its number; none where the panel is a file.
    type Reply = Option<i64>;

    fn run(&self, tx: &Tx<'_>) -> Result<Option<i64>> {
        for node in &self.gone {
            nodes::forget(tx, *node)?;
        }
        Ok(nodes::own(tx))
    }
}
