//! The metadata of items: the part that storage does not have yet.
//!
//! Writes and deletions stay here, on top of storage, until a checkpoint has put
//! them there.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
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
    /// About how many bytes it takes; changed under the lock only.
    bytes: AtomicU64,
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
        self.insert(id, Some(metadata.into()));
    }

    pub(crate) fn delete(&self, id: EntityId) {
        self.insert(id, None);
    }

    fn insert(&self, id: EntityId, written: Written) {
        let added = cost(&written);
        let mut items = self.write();
        let removed = items.insert(id, written).as_ref().map_or(0, cost);
        let bytes = self.bytes.load(Ordering::Relaxed) + added - removed;
        self.bytes.store(bytes, Ordering::Relaxed);
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
        let mut items = self.write();
        items.clear();
        self.bytes.store(0, Ordering::Relaxed);
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

fn cost(written: &Written) -> u64 {
    // An entry of the map and one allocation with its two counters.
    const PER_ITEM: u64 = 32 + 16;
    PER_ITEM + written.as_ref().map_or(0, |metadata| metadata.len() as u64)
}
