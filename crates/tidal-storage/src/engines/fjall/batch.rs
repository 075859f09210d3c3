//! fjall's side of a commit.

use ::fjall::{Database, Keyspace, OwnedWriteBatch, PersistMode};

use crate::{BatchOp, Durability};

/// An [`AtomicBatch`](crate::AtomicBatch) on its way into fjall: checked, each
/// key once. It becomes one record of fjall's journal, under one checksum and one
/// sequence number, which is what makes it atomic across keyspaces.
pub struct FjallAtomicBatch {
    batch: OwnedWriteBatch,
}

impl FjallAtomicBatch {
    pub(super) fn new(database: &Database, capacity: usize, durability: Durability) -> Self {
        let mode = match durability {
            Durability::Buffer => PersistMode::Buffer,
            Durability::Sync => PersistMode::SyncAll,
        };
        let batch =
            OwnedWriteBatch::with_capacity(database.clone(), capacity).durability(Some(mode));
        Self { batch }
    }

    /// Adds a write.
    pub(super) fn push(&mut self, keyspace: &Keyspace, op: BatchOp) {
        match op {
            BatchOp::Put { key, value } => self.batch.insert(keyspace, key, value),
            BatchOp::Delete { key } => self.batch.remove(keyspace, key),
        }
    }

    pub(super) fn commit(self) -> ::fjall::Result<()> {
        self.batch.commit()
    }
}
