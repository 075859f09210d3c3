//! The metadata of items: the part that storage does not have yet.
//!
//! Writes and deletions stay here, on top of storage, until a checkpoint has put
//! them there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tidal_types::EntityId;

use crate::layered::{Frozen, Layered};

/// The longest metadata of an item, in bytes.
pub const METADATA_BYTES_MAX: usize = 1 << 20;

/// What was written; `None` where it was deleted.
pub(crate) type Written = Option<Arc<[u8]>>;

/// Metadata that a checkpoint writes.
pub(crate) type FrozenMetadata = Frozen<EntityId, Written>;

/// Metadata that storage does not have yet.
#[derive(Debug, Default)]
pub(crate) struct MetadataOverlay {
    items: RwLock<Layered<EntityId, Written>>,
    /// About how many bytes the fresh layer takes; changed under the lock only.
    fresh_bytes: AtomicU64,
    /// The same of the frozen one.
    frozen_bytes: AtomicU64,
}

const UNPOISONED: &str = "no thread panics while it holds the metadata";

impl MetadataOverlay {
    fn read(&self) -> RwLockReadGuard<'_, Layered<EntityId, Written>> {
        self.items.read().expect(UNPOISONED)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Layered<EntityId, Written>> {
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
        let bytes = self.fresh_bytes.load(Ordering::Relaxed) + added - removed;
        self.fresh_bytes.store(bytes, Ordering::Relaxed);
    }

    /// What was written about an item since the last checkpoint, if anything was. When
    /// nothing was, storage knows the item, and has to be asked after this.
    pub(crate) fn get(&self, id: EntityId) -> Option<Written> {
        self.read().get(&id).cloned()
    }

    /// Everything, by id.
    pub(crate) fn sorted(&self) -> BTreeMap<EntityId, Written> {
        self.read().entries().map(|(&id, written)| (id, written.clone())).collect()
    }

    /// What a checkpoint has to write.
    pub(crate) fn freeze(&self) -> FrozenMetadata {
        let mut items = self.write();
        let bytes = self.fresh_bytes.swap(0, Ordering::Relaxed);
        self.frozen_bytes.fetch_add(bytes, Ordering::Relaxed);
        items.freeze()
    }

    /// Storage has what was frozen.
    pub(crate) fn settle(&self) {
        let mut items = self.write();
        self.frozen_bytes.store(0, Ordering::Relaxed);
        let frozen = items.settle();
        drop(items);
        drop(frozen);
    }

    /// Storage does not have what was frozen.
    pub(crate) fn thaw(&self) {
        let mut items = self.write();
        items.thaw();
        let bytes = items.entries().map(|(_, written)| cost(written)).sum();
        self.fresh_bytes.store(bytes, Ordering::Relaxed);
        self.frozen_bytes.store(0, Ordering::Relaxed);
    }

    /// About how much memory is taken by what no checkpoint is writing, in bytes.
    pub(crate) fn fresh_bytes(&self) -> u64 {
        self.fresh_bytes.load(Ordering::Relaxed)
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.fresh_bytes() + self.frozen_bytes.load(Ordering::Relaxed)
    }
}

fn cost(written: &Written) -> u64 {
    // An entry of the map and one allocation with its two counters.
    const PER_ITEM: u64 = 32 + 16;
    PER_ITEM + written.as_ref().map_or(0, |metadata| metadata.len() as u64)
}
