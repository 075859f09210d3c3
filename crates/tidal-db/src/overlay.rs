//! Rows by key, over storage: what changed since the last checkpoint, and a cache of the
//! rest.
//!
//! Whatever is folded from the log beside cells and names, and is read by a key, is such
//! a set of rows: the attributes of an entity, what a user did.
//!
//! V1. What is not in the layers is in the cache as storage has it, or is in storage. No
//!     lock is held while storage is read.
//! V2. The cache holds what storage has. A checkpoint first moves on to another
//!     generation, so that nobody adds what was read before, then brings the cache up to
//!     date, and only then drops the layer that hides it.
//! V3. One thread changes rows, in the order of the log. What a checkpoint writes of them
//!     is frozen with the names, as of one record; its commits may come to storage before
//!     the head that names that record. So folding records again over rows that have them
//!     must come to the same rows in the end: rows say what is, or know what they have
//!     applied.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tidal_storage::Storage;
use tidal_types::{EntityKind, StorageError, TidalError};

use crate::Result;
use crate::cache::Cache;
use crate::layered::{Frozen, Layered};

/// A kind of row.
pub(crate) trait Rows: Debug + Sized {
    /// What a row is found by.
    type Key: Copy + Eq + Hash + Ord + Debug + Send + Sync;
    /// What is kept.
    type Row: Clone + Debug + Send + Sync;

    /// How many rows each sixteenth of the cache has, at least, unless they are large.
    const CACHED: usize;

    /// The keyspace and the key of a row in storage.
    fn place(key: &Self::Key) -> Result<(EntityKind, Vec<u8>)>;

    /// The bytes of a row in storage.
    fn encode(row: &Self::Row) -> Vec<u8>;

    /// The row of these bytes.
    ///
    /// # Errors
    /// [`TidalError::Damaged`] for bytes that [`Rows::encode`] does not write.
    fn decode(key: &Self::Key, bytes: &[u8]) -> Result<Self::Row>;

    /// About how many bytes of memory a row takes.
    fn bytes(row: &Self::Row) -> usize;
}

/// How many bytes of rows each sixteenth of the cache has, at most twice, but for one row,
/// which may be longer than that.
const CACHED_BYTES: usize = 1 << 20;

/// A row, or nothing where there is none.
pub(crate) type Entry<R> = Option<Arc<<R as Rows>::Row>>;

/// Rows that a checkpoint writes; nothing where one was removed.
pub(crate) type FrozenRows<R> = Frozen<<R as Rows>::Key, Entry<R>>;

/// Rows over storage.
#[derive(Debug)]
pub(crate) struct Overlay<R: Rows> {
    layers: RwLock<Layers<R>>,
    cached: Cache<R::Key, Entry<R>>,
    storage: Arc<dyn Storage>,
    /// About how many bytes the fresh layer takes.
    fresh_bytes: AtomicU64,
    /// The same of the frozen one.
    frozen_bytes: AtomicU64,
}

#[derive(Debug)]
struct Layers<R: Rows> {
    rows: Layered<R::Key, Entry<R>>,
    /// Grows when storage is about to have what it had not (V2).
    generation: u64,
}

const UNPOISONED: &str = "no thread panics while it changes rows";

impl<R: Rows> Overlay<R> {
    /// The rows that storage has.
    pub(crate) fn over(storage: Arc<dyn Storage>) -> Self {
        Self {
            layers: RwLock::new(Layers { rows: Layered::default(), generation: 0 }),
            cached: Cache::weighing(R::CACHED, CACHED_BYTES, cached_bytes::<R>),
            storage,
            fresh_bytes: AtomicU64::new(0),
            frozen_bytes: AtomicU64::new(0),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Layers<R>> {
        self.layers.read().expect(UNPOISONED)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Layers<R>> {
        self.layers.write().expect(UNPOISONED)
    }

    /// The row of a key.
    ///
    /// # Errors
    /// What storage says; [`TidalError::Damaged`].
    pub(crate) fn get(&self, key: R::Key) -> Result<Entry<R>> {
        let generation = {
            let layers = self.read();
            if let Some(row) = layers.rows.get(&key) {
                return Ok(row.clone());
            }
            layers.generation
        };
        if let Some(row) = self.cached.get(&key) {
            return Ok(row);
        }
        let row = self.load(key)?;
        let layers = self.read();
        if layers.generation == generation {
            self.cached.insert(key, row.clone());
        }
        Ok(row)
    }

    fn load(&self, key: R::Key) -> Result<Entry<R>> {
        let (kind, place) = R::place(&key)?;
        let bytes = self.storage.backend(kind).get(&place).map_err(|error| match error {
            // A read that races a shutdown.
            StorageError::Closed { .. } => TidalError::Closed,
            other => other.into(),
        })?;
        bytes.map(|bytes| R::decode(&key, &bytes).map(Arc::new)).transpose()
    }

    /// Changes the row of a key; `None` removes it. One thread changes rows (V3). What a
    /// checkpoint is writing is copied first.
    ///
    /// # Errors
    /// Those of [`Overlay::get`]; nothing has changed then.
    pub(crate) fn change<T>(
        &self,
        key: R::Key,
        change: impl FnOnce(&mut Entry<R>) -> T,
    ) -> Result<T> {
        if let Some(row) = self.write().rows.fresh_mut(&key) {
            let before = cost::<R>(row);
            return Ok(self.changed(before, row, change));
        }
        // Nobody else changes it between this and the lock.
        let below = self.get(key)?;
        let mut layers = self.write();
        let row = layers.rows.fresh_or(key, || below);
        Ok(self.changed(0, row, change))
    }

    /// Changes a row of the fresh layer, which took so many bytes there.
    fn changed<T>(
        &self,
        before: u64,
        row: &mut Entry<R>,
        change: impl FnOnce(&mut Entry<R>) -> T,
    ) -> T {
        let done = change(row);
        let bytes = self.fresh_bytes.load(Ordering::Relaxed) + cost::<R>(row) - before;
        self.fresh_bytes.store(bytes, Ordering::Relaxed);
        done
    }

    /// What a checkpoint has to write.
    pub(crate) fn freeze(&self) -> FrozenRows<R> {
        let mut layers = self.write();
        let bytes = self.fresh_bytes.swap(0, Ordering::Relaxed);
        self.frozen_bytes.fetch_add(bytes, Ordering::Relaxed);
        layers.rows.freeze()
    }

    /// Storage has what was frozen (V2).
    pub(crate) fn settle(&self, frozen: &FrozenRows<R>) {
        self.write().generation += 1;
        for (key, row) in frozen.iter() {
            self.cached.insert(*key, row.clone());
        }
        let mut layers = self.write();
        self.frozen_bytes.store(0, Ordering::Relaxed);
        let settled = layers.rows.settle();
        drop(layers);
        drop(settled);
    }

    /// Storage does not have what was frozen.
    pub(crate) fn thaw(&self) {
        let mut layers = self.write();
        layers.rows.thaw();
        let bytes = layers.rows.entries().map(|(_, row)| cost::<R>(row)).sum();
        self.fresh_bytes.store(bytes, Ordering::Relaxed);
        self.frozen_bytes.store(0, Ordering::Relaxed);
    }

    /// What no checkpoint has yet, by key. All rows are these over those in a snapshot of
    /// storage that is taken afterwards.
    pub(crate) fn unsettled(&self) -> BTreeMap<R::Key, Entry<R>> {
        self.read().rows.entries().map(|(key, row)| (*key, row.clone())).collect()
    }

    /// About how much memory is taken by what no checkpoint is writing, in bytes.
    pub(crate) fn fresh_bytes(&self) -> u64 {
        self.fresh_bytes.load(Ordering::Relaxed)
    }

    /// About how much memory it takes, in bytes, without the cache.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.fresh_bytes() + self.frozen_bytes.load(Ordering::Relaxed)
    }
}

fn cached_bytes<R: Rows>(row: &Entry<R>) -> usize {
    row.as_ref().map_or(0, |row| R::bytes(row))
}

fn cost<R: Rows>(row: &Entry<R>) -> u64 {
    // An entry of the map and one allocation with its two counters.
    const PER_ROW: usize = 32 + 16;
    (PER_ROW + cached_bytes::<R>(row)) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tidal_storage::{AtomicBatch, Durability, MemoryStorage};

    use super::*;
    use crate::checkpoint::keyspace;

    #[derive(Debug)]
    struct Words;

    impl Rows for Words {
        type Key = u8;
        type Row = Vec<u8>;
        const CACHED: usize = 2;

        fn place(key: &u8) -> Result<(EntityKind, Vec<u8>)> {
            Ok((EntityKind::Item, vec![*key]))
        }

        fn encode(row: &Vec<u8>) -> Vec<u8> {
            row.clone()
        }

        fn decode(_: &u8, bytes: &[u8]) -> Result<Vec<u8>> {
            Ok(bytes.to_vec())
        }

        fn bytes(row: &Vec<u8>) -> usize {
            row.len()
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Push(u8, u8),
        Remove(u8),
        Freeze,
        Settle,
        Thaw,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            5 => (0..9_u8, any::<u8>()).prop_map(|(key, value)| Step::Push(key, value)),
            1 => (0..9_u8).prop_map(Step::Remove),
            2 => Just(Step::Freeze),
            1 => Just(Step::Settle),
            1 => Just(Step::Thaw),
        ]
    }

    fn write(storage: &dyn Storage, frozen: &FrozenRows<Words>) {
        let mut batch = AtomicBatch::new();
        for (key, row) in frozen.iter() {
            match row {
                Some(row) => batch.put(keyspace(EntityKind::Item), vec![*key], Words::encode(row)),
                None => batch.delete(keyspace(EntityKind::Item), vec![*key]),
            };
        }
        storage.commit(batch, Durability::Buffer).unwrap();
    }

    proptest! {
        #[test]
        fn rows_over_storage_read_as_one_map_v1_v2(
            steps in proptest::collection::vec(step(), 0..60),
        ) {
            let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
            let rows = Overlay::<Words>::over(Arc::clone(&storage));
            let mut model = BTreeMap::new();
            let mut writing = None;
            for step in steps {
                match step {
                    Step::Push(key, value) => {
                        rows.change(key, |row| Arc::make_mut(row.get_or_insert_default()).push(value))
                            .unwrap();
                        model.entry(key).or_insert_with(Vec::new).push(value);
                    }
                    Step::Remove(key) => {
                        rows.change(key, |row| *row = None).unwrap();
                        model.remove(&key);
                    }
                    Step::Freeze => writing = Some(rows.freeze()),
                    Step::Settle => {
                        if let Some(frozen) = writing.take() {
                            write(&*storage, &frozen);
                            rows.settle(&frozen);
                        }
                    }
                    Step::Thaw => {
                        writing = None;
                        rows.thaw();
                    }
                }
                for key in 0..9 {
                    let row = rows.get(key).unwrap();
                    prop_assert_eq!(row.as_deref(), model.get(&key));
                }
            }
            writing = Some(rows.freeze());
            let frozen = writing.take().unwrap();
            write(&*storage, &frozen);
            rows.settle(&frozen);
            prop_assert_eq!(rows.memory_bytes(), 0);
            prop_assert!(rows.unsettled().is_empty());
        }
    }
}
