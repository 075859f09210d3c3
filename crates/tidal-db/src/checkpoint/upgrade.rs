//! Storage of version 1 becomes one of version 2: the cells are counted, and every name
//! gets a key by which it is found.
//!
//! U1. Everything that is added is a function of what is there, and the new version comes
//!     last. Cut short anywhere, storage is of version 1 still, and opening does it again.

use std::ops::Bound;
use std::sync::Arc;

use tidal_keys::prefix_range;
use tidal_storage::{AtomicBatch, Direction, Durability, KeyRange, KeyspaceName, Storage};
use tidal_types::EntityKind;

use super::layout::{
    HEAD_VERSION, HEAD_VERSION_1, Head, NAME, cells_key, encode_cells, encode_named_id, head_key,
    named_id_key,
};
use super::load::named_id;
use super::write::COMMIT_BYTES;
use crate::Result;
use crate::checkpoint::cells::StoredCells;
use crate::ledger::{CellStore as _, StoredCounts};

/// Brings storage to the version of this program, and returns its head then.
pub(crate) fn upgrade(storage: &Arc<dyn Storage>, head: Head) -> Result<Head> {
    if head.version == HEAD_VERSION_1 { upgrade_by(storage, head, COMMIT_BYTES) } else { Ok(head) }
}

/// The same from version 1, by commits of this size.
fn upgrade_by(storage: &Arc<dyn Storage>, head: Head, commit_bytes: usize) -> Result<Head> {
    let mut counts = StoredCounts::default();
    for kind in EntityKind::ALL {
        let cells = StoredCells::of(Arc::clone(storage));
        cells.scan(kind, &mut |_, signal, _| {
            counts.add_one(signal);
            Ok(())
        })?;
    }
    let mut last = index_names(&**storage, commit_bytes)?;
    let upgraded = Head { version: HEAD_VERSION, ..head };
    last.put(KeyspaceName::SYSTEM, cells_key()?, encode_cells(&counts));
    last.put(KeyspaceName::SYSTEM, head_key()?, upgraded.encode());
    storage.commit(last, Durability::Sync)?;
    tracing::info!("storage was brought to version {HEAD_VERSION}");
    Ok(upgraded)
}

/// Commits the keys by which names are found, but for the last ones, which it returns.
fn index_names(storage: &dyn Storage, commit_bytes: usize) -> Result<AtomicBatch> {
    let snapshot = storage.snapshot()?;
    let (start, end) = prefix_range(&[NAME])?;
    let range = KeyRange::new(Bound::Included(start), Bound::Excluded(end));
    let (mut batch, mut bytes) = (AtomicBatch::new(), 0);
    for entry in snapshot.scan_range(KeyspaceName::SYSTEM, range, Direction::Forward)? {
        let (key, name) = entry?;
        let (kind, id) = named_id(&key)?;
        bytes += key.len() + name.len();
        batch.put(KeyspaceName::SYSTEM, named_id_key(kind, &name)?, encode_named_id(id));
        if bytes >= commit_bytes {
            storage.commit(std::mem::take(&mut batch), Durability::Buffer)?;
            bytes = 0;
        }
    }
    Ok(batch)
}

#[cfg(test)]
mod tests;
