//! The mark of a storage that is being restored into (K5).
//!
//! It is an entry of `items`, which every storage has. Its key and its value are
//! reserved together: no other storage than one being restored into has both.

use tidal_types::StorageError;

use crate::{AtomicBatch, Durability, KeyspaceName, Result, Storage};

pub(super) const KEYSPACE: KeyspaceName<'static> = KeyspaceName::ITEMS;
pub(super) const KEY: &[u8] = b"\xff\xff\xff\xff\xff\xff\xff\xff\xfftidal restore";
const VALUE: &[u8] = b"a restore into this storage has not finished; version 1";

/// Marks a storage, durably, before anything else is written to it.
pub(super) fn set(target: &dyn Storage) -> Result<()> {
    let mut batch = AtomicBatch::new();
    batch.put(KEYSPACE, KEY, VALUE);
    target.commit(batch, Durability::Sync)
}

/// Makes everything durable and removes the mark: no crash takes a write and
/// leaves a later one.
pub(super) fn clear(target: &dyn Storage) -> Result<()> {
    target.flush_all()?;
    let mut batch = AtomicBatch::new();
    batch.delete(KEYSPACE, KEY);
    target.commit(batch, Durability::Sync)
}

/// Refuses a storage that is marked. `items` reads from it.
pub(crate) fn is_unfinished(
    read_item: impl FnOnce(&[u8]) -> Result<Option<Vec<u8>>>,
) -> Result<bool> {
    Ok(read_item(KEY)?.as_deref() == Some(VALUE))
}

/// Whether an entry of a backup is the mark, which none can have.
pub(super) fn is_mark(keyspace: &str, key: &[u8], value: &[u8]) -> bool {
    (keyspace, key, value) == (KEYSPACE.as_str(), KEY, VALUE)
}

/// What a storage with the mark is refused with.
pub(super) fn refused(storage: &dyn Storage) -> StorageError {
    StorageError::RestoreUnfinished { path: storage.name().into() }
}
