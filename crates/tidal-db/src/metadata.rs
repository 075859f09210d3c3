//! The metadata of items: the part that storage does not have yet.
//!
//! Writes and deletions stay here, on top of storage, until a checkpoint has put
//! them there.

use std::collections::HashMap;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tidal_types::EntityId;

/// The longest metadata of an item, in bytes.
pub const METADATA_BYTES_MAX: usize = 1 << 20;

/// What was written; `None` where it was deleted.
type Written = Option<Arc<[u8]>>;

/// Metadata that storage does not have yet.
#[derive(Debug, Default)]
pub(crate) struct MetadataOverlay {
    items: RwLock<HashMap<EntityId, Written>>,
}

const UNPOISONED: &str = "no thread panics while it holds the metadata";

impl MetadataOverlay {
    fn read(&self) -> RwLockReadGuard<'_, HashMap<EntityId, Written>> {
        self.items.read().expect(UNPOISONED)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<EntityId, Written>> {
        self.items.write().expect(UNPOISONED)
    }

    pub(crate) fn put(&self, id: EntityId, metadata: &[u8]) {
        self.write().insert(id, Some(metadata.into()));
    }

    pub(crate) fn delete(&self, id: EntityId) {
        self.write().insert(id, None);
    }

    /// What was written about an item since the last checkpoint, if anything
    /// was.
    pub(crate) fn get(&self, id: EntityId) -> Option<Written> {
        self.read().get(&id).cloned()
    }

    /// Everything, by id.
    pub(crate) fn sorted(&self) -> Vec<(EntityId, Written)> {
        let mut items: Vec<_> =
            self.read().iter().map(|(&id, written)| (id, written.clone())).collect();
        items.sort_unstable_by_key(|&(id, _)| id);
        items
    }

    pub(crate) fn clear(&self) {
        self.write().clear();
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        // An entry of the map and one allocation with its two counters.
        const PER_ITEM: u64 = 32 + 16;
        let length =
            |written: &Written| written.as_ref().map_or(0, |metadata| metadata.len() as u64);
        self.read().values().map(|written| PER_ITEM + length(written)).sum()
    }
}
