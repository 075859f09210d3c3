//! Bringing the cells of storage to memory by one pass over it.
//!
//! A cell that is found by its key costs as much as some in a pass. So a fold that is about
//! to ask for many is better off with a pass over all.
//!
//! Q1. What is in memory stays as it is, since it may be newer.
//! Q2. A stored cell that cannot be decoded stays in storage, and whoever asks for it is
//!     told. So a pass fails where storage cannot be read, and nowhere else.
//! Q3. Only cells that the budget has room for are brought, and only from among little
//!     else: a pass that meets more bytes of other things than of cells is given up.

use std::sync::atomic::{AtomicBool, Ordering};

use tidal_types::{EntityId, EntityKind, SignalTypeId};

use super::SignalLedger;
use super::cell::Cell;
use super::shards::{Place, SHARDS};
use super::slot::STORED;
use crate::Result;

/// How many cells a pass brings in the time in which one is found by its key and brought.
/// Measured with fjall and a million cells: 1.1 and 8 microseconds of a processor.
const BROUGHT_PER_LOAD: u64 = 7;

/// What a stored cell takes in memory, its share of the index and what is kept free
/// included, in bytes; busy ones take more.
const CELL_BYTES: u64 = 120;

/// Other things that a pass may meet for each stored cell, in bytes.
const OTHER_BYTES_PER_CELL: u64 = 64;

impl SignalLedger {
    /// Whether one pass over storage costs less than finding so many cells by their keys,
    /// and memory has room for all of them.
    pub(crate) fn preload_pays(&self, loads: u64) -> bool {
        let stored = self.stored_counts().total();
        let bytes = self.resident_bytes().saturating_add(stored.saturating_mul(CELL_BYTES));
        // The fold brings new cells too.
        let has_room = self.usage.budget.is_none_or(|budget| bytes <= budget / 2);
        has_room && loads.saturating_mul(BROUGHT_PER_LOAD) > stored
    }

    /// Brings every stored cell to memory, as far as Q2 and Q3 allow. For the thread that
    /// folds, while nobody writes to storage.
    ///
    /// # Errors
    /// What storage says. Some cells may be in memory then, which changes nothing.
    pub(crate) fn preload(&self) -> Result<()> {
        let Some(store) = &self.store else {
            return Ok(());
        };
        for kind in EntityKind::ALL {
            let stored = self.stored_counts();
            let of_kind = self.signals.iter().filter(|kept| kept.kind == kind);
            let signals: Vec<_> =
                of_kind.map(|kept| kept.id).filter(|signal| stored.of(*signal) > 0).collect();
            let cells: u64 = signals.iter().map(|signal| stored.of(*signal)).sum();
            if cells == 0 {
                continue;
            }
            let all_decoded = AtomicBool::new(true);
            let bring = |id, signal: SignalTypeId, bytes: &[u8]| {
                let is_known = usize::from(signal.get()) < self.signals.len();
                match is_known.then(|| self.decode(signal, id, bytes)) {
                    Some(Ok(cell)) => self.bring(signal, id, cell),
                    _ => all_decoded.store(false, Ordering::Relaxed),
                }
                Ok(())
            };
            let others = cells.saturating_mul(OTHER_BYTES_PER_CELL);
            let is_whole = store.scan_by_threads(kind, others, &bring)?;
            if is_whole && all_decoded.into_inner() && !self.usage.is_over() {
                for shard in 0..SHARDS {
                    let mut shard = self.shards.write(shard);
                    signals.iter().for_each(|signal| shard.table_mut(*signal).is_complete_now());
                }
            }
        }
        Ok(())
    }

    /// Puts a cell that storage has into memory, unless one is there.
    fn bring(&self, signal: SignalTypeId, id: EntityId, cell: Cell) {
        let place = Place::of(id);
        let mut shard = self.shards.write(place.shard());
        let table = shard.table(signal);
        if table.find(place.hash, id).is_none() {
            let before = table.bytes();
            let number = shard.insert(signal, place, STORED);
            let table = shard.table_mut(signal);
            table.put(number, cell);
            self.usage.resize(before, table.bytes());
        }
    }
}
