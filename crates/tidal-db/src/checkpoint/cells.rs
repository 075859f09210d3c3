//! The cells that storage has.

use std::num::NonZeroUsize;
use std::ops::{Bound, RangeInclusive};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use tidal_keys::{entity_prefix, parse_key};
use tidal_storage::{Direction, KeyRange, Storage};
use tidal_types::{EntityId, EntityKind, SignalTypeId};

use super::layout::{cell_key, keyspace, parse_cell_key};
use crate::Result;
use crate::ledger::{CellStore, CellVisitor, SharedCellVisitor};

/// More threads than this mostly wait for memory.
const SCAN_THREADS_MAX: usize = 4;

/// Reads the cells that storage has.
#[derive(Debug)]
pub(crate) struct StoredCells {
    storage: Arc<dyn Storage>,
}

impl StoredCells {
    pub(crate) fn of(storage: Arc<dyn Storage>) -> Self {
        Self { storage }
    }

    /// The first and the last entity of a kind that anything is stored of.
    fn ids(&self, kind: EntityKind) -> Result<Option<RangeInclusive<u64>>> {
        let snapshot = self.storage.snapshot()?;
        let end = |direction| -> Result<Option<u64>> {
            let mut entries = snapshot.scan_range(keyspace(kind), KeyRange::all(), direction)?;
            let entry = entries.next().transpose()?;
            Ok(entry.and_then(|(key, _)| Some(parse_key(&key).ok()?.id.get())))
        };
        let (first, last) = (end(Direction::Forward)?, end(Direction::Backward)?);
        Ok(first.zip(last).map(|(first, last)| first..=last))
    }

    /// Shows the cells of the entities in a range as long as there is room for the bytes
    /// of what else is met.
    fn scan_ids(
        &self,
        kind: EntityKind,
        ids: &RangeInclusive<u64>,
        other_bytes_left: &AtomicU64,
        visit: SharedCellVisitor<'_>,
    ) -> Result<bool> {
        let start = Bound::Included(entity_prefix(EntityId::new(*ids.start())).to_vec());
        let end = ids.end().checked_add(1).map_or(Bound::Unbounded, |end| {
            Bound::Excluded(entity_prefix(EntityId::new(end)).to_vec())
        });
        let snapshot = self.storage.snapshot()?;
        let range = KeyRange::new(start, end);
        for entry in snapshot.scan_range(keyspace(kind), range, Direction::Forward)? {
            let (key, value) = entry?;
            if let Some((id, signal)) = parse_cell_key(&key) {
                visit(id, signal, &value)?;
                continue;
            }
            let bytes = (key.len() + value.len()) as u64;
            let take = |left: u64| left.checked_sub(bytes);
            if other_bytes_left.try_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// So many ranges of equal length that are together this one.
fn split(ids: &RangeInclusive<u64>, parts: u64) -> Vec<RangeInclusive<u64>> {
    let length = (ids.end() - ids.start()) / parts;
    let begins = (0..parts).map(|part| ids.start() + part * length);
    let ends = (1..parts).map(|part| ids.start() + part * length - 1).chain([*ids.end()]);
    if length == 0 { vec![ids.clone()] } else { begins.zip(ends).map(|(a, b)| a..=b).collect() }
}

impl CellStore for StoredCells {
    fn get(&self, kind: EntityKind, id: EntityId, signal: SignalTypeId) -> Result<Option<Vec<u8>>> {
        Ok(self.storage.backend(kind).get(&cell_key(id, signal)?)?)
    }

    fn scan(&self, kind: EntityKind, visit: CellVisitor<'_>) -> Result<()> {
        let snapshot = self.storage.snapshot()?;
        for entry in snapshot.scan_prefix(keyspace(kind), &[])? {
            let (key, value) = entry?;
            if let Some((id, signal)) = parse_cell_key(&key) {
                visit(id, signal, &value)?;
            }
        }
        Ok(())
    }

    fn scan_by_threads(
        &self,
        kind: EntityKind,
        other_bytes_max: u64,
        visit: SharedCellVisitor<'_>,
    ) -> Result<bool> {
        let Some(ids) = self.ids(kind)? else {
            return Ok(true);
        };
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let parts = split(&ids, threads.min(SCAN_THREADS_MAX) as u64);
        let left = AtomicU64::new(other_bytes_max);
        let scan = |part: &RangeInclusive<u64>| self.scan_ids(kind, part, &left, visit);
        thread::scope(|scope| {
            let scans: Vec<_> = parts.iter().map(|part| scope.spawn(|| scan(part))).collect();
            let scans = scans.into_iter().map(|scan| scan.join().expect("a scan does not panic"));
            scans.collect::<Result<Vec<bool>>>()
        })
        .map(|whole| !whole.contains(&false))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use tidal_storage::{AtomicBatch, Durability, MemoryStorage};

    use super::super::layout::metadata_key;
    use super::*;

    #[test]
    fn parts_are_together_the_whole() {
        for (first, last) in [(0, 0), (5, 6), (1, 1_000_000), (0, u64::MAX), (7, 10)] {
            for parts in 1..=4 {
                let split = split(&(first..=last), parts);
                assert_eq!((*split[0].start(), *split.last().unwrap().end()), (first, last));
                assert!(split.windows(2).all(|pair| pair[0].end() + 1 == *pair[1].start()));
            }
        }
    }

    #[test]
    fn threads_show_every_cell_once_and_give_up_among_other_things() {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let cells = StoredCells::of(Arc::clone(&storage));
        let nothing = |_, _, _: &[u8]| -> Result<()> { unreachable!("there is no cell") };
        assert!(cells.scan_by_threads(EntityKind::Item, 0, &nothing).unwrap());
        let ids = [0, 1, 2, 77, 1 << 40, u64::MAX];
        let mut batch = AtomicBatch::new();
        for id in ids.map(EntityId::new) {
            batch.put(keyspace(EntityKind::Item), metadata_key(id).unwrap(), vec![0; 90]);
            for signal in [0, 3].map(SignalTypeId::new) {
                let key = cell_key(id, signal).unwrap();
                batch.put(keyspace(EntityKind::Item), key, id.get().to_le_bytes());
            }
        }
        storage.commit(batch, Durability::Buffer).unwrap();
        let seen = Mutex::new(BTreeSet::new());
        let see = |id: EntityId, signal: SignalTypeId, bytes: &[u8]| {
            assert_eq!(bytes, id.get().to_le_bytes());
            assert!(seen.lock().unwrap().insert((id, signal)));
            Ok(())
        };
        assert!(cells.scan_by_threads(EntityKind::Item, 600, &see).unwrap());
        assert_eq!(seen.lock().unwrap().len(), 2 * ids.len());
        seen.lock().unwrap().clear();
        assert!(!cells.scan_by_threads(EntityKind::Item, 599, &see).unwrap());
    }
}
