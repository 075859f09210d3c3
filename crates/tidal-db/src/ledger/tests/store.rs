//! A storage of cells for tests: a map, with failures and with something to do while it
//! is being read.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tidal_types::{StorageError, TidalError};

use super::*;
use crate::ledger::{CellStore, CellVisitor, DirtyChunk, SharedCellVisitor, StoredCounts};

type Key = (usize, EntityId, SignalTypeId);
type Meanwhile = Box<dyn FnOnce() + Send>;

#[derive(Default)]
pub(super) struct Store {
    cells: Mutex<BTreeMap<Key, Vec<u8>>>,
    counts: Mutex<StoredCounts>,
    gets: AtomicU64,
    fails_at: AtomicU64,
    scans: AtomicU64,
    scans_fail: AtomicBool,
    /// How much there is beside the cells, as far as a scan is told.
    other_bytes: AtomicU64,
    meanwhile: Mutex<Option<Meanwhile>>,
    during_scan: Mutex<Option<Meanwhile>>,
}

impl Store {
    /// Commits a chunk, and checks what it says of the counts.
    pub(super) fn commit(&self, chunk: &DirtyChunk) {
        let mut cells = self.cells.lock().unwrap();
        for cell in &chunk.cells {
            let key = (cell.kind.index(), cell.id, cell.signal);
            match &cell.value {
                Some(value) => {
                    cells.insert(key, value.clone());
                }
                // It may not be there: a cell can be removed while its first commit is
                // under way, which then fails.
                None => {
                    cells.remove(&key);
                }
            }
        }
        let mut counts = vec![0; chunk.stored.as_slice().len()];
        for (_, _, signal) in cells.keys() {
            counts[usize::from(signal.get())] += 1;
        }
        assert_eq!(chunk.stored, StoredCounts::new(counts));
        *self.counts.lock().unwrap() = chunk.stored.clone();
    }

    /// The counts that were committed with the last chunk.
    pub(super) fn counts(&self) -> StoredCounts {
        self.counts.lock().unwrap().clone()
    }

    /// Lets the read of the number `nth` from now on fail, and none before it.
    pub(super) fn fail_at(&self, nth: u64) {
        self.fails_at.store(self.gets.load(Ordering::Relaxed) + nth, Ordering::Relaxed);
    }

    pub(super) fn scans(&self) -> u64 {
        self.scans.load(Ordering::Relaxed)
    }

    /// Lets every scan from now on fail.
    pub(super) fn fail_scans(&self) {
        self.scans_fail.store(true, Ordering::Relaxed);
    }

    /// Makes bytes of the cells of an entity that no cell has.
    pub(super) fn damage(&self, kind: EntityKind, id: EntityId) {
        let mut cells = self.cells.lock().unwrap();
        let of_entity =
            cells.iter_mut().filter(|((of, entity, _), _)| (*of, *entity) == (kind.index(), id));
        of_entity.for_each(|(_, bytes)| *bytes = vec![0xff; 3]);
    }

    /// Says that there are so many bytes beside the cells.
    pub(super) fn has_others(&self, bytes: u64) {
        self.other_bytes.store(bytes, Ordering::Relaxed);
    }

    /// Runs once during the next read, after it has the value and before it returns it.
    pub(super) fn during_next_get(&self, meanwhile: impl FnOnce() + Send + 'static) {
        *self.meanwhile.lock().unwrap() = Some(Box::new(meanwhile));
    }

    /// Runs once during the next scan, after it has the cells and before it shows them.
    pub(super) fn during_next_scan(&self, meanwhile: impl FnOnce() + Send + 'static) {
        *self.during_scan.lock().unwrap() = Some(Box::new(meanwhile));
    }

    pub(super) fn gets(&self) -> u64 {
        self.gets.load(Ordering::Relaxed)
    }
}

impl CellStore for Store {
    fn get(
        &self,
        kind: EntityKind,
        id: EntityId,
        signal: SignalTypeId,
    ) -> crate::Result<Option<Vec<u8>>> {
        if self.gets.fetch_add(1, Ordering::Relaxed) + 1 == self.fails_at.load(Ordering::Relaxed) {
            return Err(TidalError::Storage(StorageError::Closed { path: "cells".into() }));
        }
        let value = self.cells.lock().unwrap().get(&(kind.index(), id, signal)).cloned();
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        Ok(value)
    }

    fn scan(&self, kind: EntityKind, visit: CellVisitor<'_>) -> crate::Result<()> {
        self.scans.fetch_add(1, Ordering::Relaxed);
        if self.scans_fail.load(Ordering::Relaxed) {
            return Err(TidalError::Storage(StorageError::Closed { path: "cells".into() }));
        }
        let cells = self.cells.lock().unwrap().clone();
        let meanwhile = self.during_scan.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        let mut of_kind = cells.iter().filter(|((of, ..), _)| *of == kind.index());
        of_kind.try_for_each(|((_, id, signal), value)| visit(*id, *signal, value))
    }

    fn scan_by_threads(
        &self,
        kind: EntityKind,
        other_bytes_max: u64,
        visit: SharedCellVisitor<'_>,
    ) -> crate::Result<bool> {
        if self.other_bytes.load(Ordering::Relaxed) > other_bytes_max {
            return Ok(false);
        }
        self.scan(kind, &mut |id, signal, bytes| visit(id, signal, bytes))?;
        Ok(true)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("gets", &self.gets).finish_non_exhaustive()
    }
}
