//! How changed cells come to storage: in chunks, while writers go on.
//!
//! A walk hands out every cell that is dirty when it begins, each as of a moment of its
//! own. A cell is in one of these states; `written` and `not_written` settle a chunk:
//!
//! | state         | a change     | the walk takes it | `written`           | `not_written` |
//! |---------------|--------------|-------------------|---------------------|---------------|
//! | clean         | dirty        |                   |                     |               |
//! | dirty         | dirty        | writing           |                     |               |
//! | writing       | writing, dirty |                 | clean               | dirty         |
//! | writing, dirty | the same    | not taken         | dirty               | dirty         |
//!
//! D1. Only a clean cell may leave memory, so what is read from storage is never older
//!     than what was in memory.
//! D2. A removed cell is a dirty one without a value; its mark leaves memory when it is
//!     clean.
//! D3. The counts of a chunk are those of storage once it is committed, if every chunk
//!     before it is settled. So a chunk is settled before the next one is taken.

use tidal_types::{EntityId, EntityKind, Seq, SignalTypeId};

use super::SignalLedger;
use super::shards::{Place, SHARDS};
use super::slot::{DIRTY, REFERENCED, STORED, Slot, TRIED, WRITING};
use super::source::StoredCounts;

/// How many clean cells a walk steps over before it lets go of the shard's lock.
const LOOKS: usize = 256;

/// Which dirty cells a walk takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Each of them.
    All,
    /// Those that were neither read nor changed since the clock's hand, or another walk
    /// of this kind, came by last.
    Cold,
}

/// Cells to be committed at once, with the counts beside them.
#[derive(Debug)]
pub(crate) struct DirtyChunk {
    pub(crate) cells: Vec<DirtyCell>,
    /// The bytes of all values.
    pub(crate) bytes: usize,
    /// The last record that any of these cells has applied.
    pub(crate) reach: Seq,
    /// How many cells storage has of each signal type once this is committed.
    pub(crate) stored: StoredCounts,
}

/// A cell as it was when it was taken.
#[derive(Debug)]
pub(crate) struct DirtyCell {
    pub(crate) kind: EntityKind,
    pub(crate) signal: SignalTypeId,
    pub(crate) id: EntityId,
    /// `None` to delete it.
    pub(crate) value: Option<Vec<u8>>,
    applied: Seq,
    was_stored: bool,
}

/// A pass over the dirty cells. While there is one, a fold that is far over budget waits
/// for its chunks; so whoever holds it must not wait for the fold.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    ledger: &'a SignalLedger,
    which: Which,
    shard: usize,
    table: usize,
    /// The slots of the table that are still ahead: those with lower numbers (T1).
    ahead: usize,
}

impl SignalLedger {
    /// A walk over the cells that are dirty now. One at a time.
    pub(crate) fn walk_dirty(&self, which: Which) -> Walk<'_> {
        self.usage.begin_walk();
        Walk { ledger: self, which, shard: 0, table: 0, ahead: usize::MAX }
    }

    /// Notes that a chunk is committed: who reads storage finds its cells.
    pub(crate) fn written(&self, chunk: DirtyChunk) {
        *self.stored.lock().expect(UNPOISONED) = chunk.stored;
        for cell in chunk.cells {
            let place = Place::of(cell.id);
            let is_left = {
                let shard = self.shards.read(place.shard());
                let table = shard.table(cell.signal);
                table.find(place.hash, cell.id).is_some_and(|number| {
                    let slot = table.slot(number);
                    if cell.value.is_some() {
                        slot.set(STORED)
                    } else {
                        slot.clear(STORED)
                    };
                    slot.clear(WRITING | TRIED);
                    slot.is_gone() && !slot.is(DIRTY | STORED)
                })
            };
            if is_left {
                self.drop_gone(cell.signal, place);
            }
        }
        self.usage.chunk_settled();
    }

    /// Notes that the commit of a chunk failed: its cells are dirty again. Storage may have
    /// them, so one that is removed now is deleted there.
    pub(crate) fn not_written(&self, chunk: &DirtyChunk) {
        for cell in &chunk.cells {
            let place = Place::of(cell.id);
            let shard = self.shards.read(place.shard());
            let table = shard.table(cell.signal);
            if let Some(number) = table.find(place.hash, cell.id) {
                let slot = table.slot(number);
                slot.clear(WRITING);
                slot.set(TRIED);
                if slot.set(DIRTY) & DIRTY == 0 {
                    self.usage.resize_dirty(0, table.bytes_of(number));
                }
            }
        }
        self.usage.write_back_failed();
        self.usage.chunk_settled();
    }

    /// How many cells storage has, as far as chunks are settled.
    pub(crate) fn stored_counts(&self) -> StoredCounts {
        self.stored.lock().expect(UNPOISONED).clone()
    }

    /// Drops the mark of a cell that storage no longer has, unless it changed meanwhile.
    fn drop_gone(&self, signal: SignalTypeId, place: Place) {
        let mut shard = self.shards.write(place.shard());
        let table = shard.table(signal);
        let Some(number) = table.find(place.hash, place.id) else {
            return;
        };
        let slot = table.slot(number);
        if slot.is_gone() && !slot.is(DIRTY | WRITING | STORED) {
            let before = table.bytes();
            shard.remove(signal, number);
            self.usage.resize(before, shard.table(signal).bytes());
        }
    }
}

pub(super) const UNPOISONED: &str = "no thread panics while it counts cells";

impl Walk<'_> {
    /// The next cells: at least one, and no further one once their values have
    /// `bytes_max` bytes. `None` when the walk is over. The lock of a shard is held for
    /// one cell at a time.
    pub(crate) fn next(&mut self, bytes_max: usize) -> Option<DirtyChunk> {
        let mut chunk = DirtyChunk {
            cells: Vec::new(),
            bytes: 0,
            reach: Seq::ZERO,
            stored: self.ledger.stored_counts(),
        };
        while self.shard < SHARDS && (chunk.cells.is_empty() || chunk.bytes < bytes_max) {
            let Some(cell) = self.take() else {
                continue;
            };
            // A deletion takes room in a commit too.
            chunk.bytes += cell.value.as_ref().map_or(size_of::<DirtyCell>(), Vec::len);
            chunk.reach = chunk.reach.max(cell.applied);
            match (cell.was_stored, &cell.value) {
                (false, Some(_)) => chunk.stored.add_one(cell.signal),
                (true, None) => chunk.stored.take_one(cell.signal),
                _ => {}
            }
            chunk.cells.push(cell);
        }
        (!chunk.cells.is_empty()).then_some(chunk)
    }

    /// Takes a cell, or goes on by a bounded number of slots.
    fn take(&mut self) -> Option<DirtyCell> {
        let shard = self.ledger.shards.read(self.shard);
        let (table, kept) =
            match (shard.tables().get(self.table), self.ledger.signals.get(self.table)) {
                (Some(table), Some(kept)) => (table, kept),
                _ => {
                    (self.shard, self.table, self.ahead) = (self.shard + 1, 0, usize::MAX);
                    return None;
                }
            };
        let ahead = self.ahead.min(table.len());
        let nearest = ahead.saturating_sub(LOOKS);
        let found = (nearest..ahead).rev().find(|&number| self.wants(table.slot(number)));
        self.ahead = found.unwrap_or(nearest);
        if self.ahead == 0 {
            (self.table, self.ahead) = (self.table + 1, usize::MAX);
        }
        let number = found?;
        let slot = table.slot(number);
        // Marked before the lock is let go, so no change slips between.
        slot.set(WRITING);
        slot.clear(DIRTY);
        self.ledger.usage.resize_dirty(table.bytes_of(number), 0);
        let value = table.cell(number).map(|cell| {
            let mut bytes = Vec::new();
            cell.encode(&mut bytes);
            bytes
        });
        Some(DirtyCell {
            kind: kept.kind,
            signal: kept.id,
            id: slot.id(),
            value,
            applied: table.applied(number),
            was_stored: slot.is(STORED),
        })
    }

    fn wants(&self, slot: &Slot) -> bool {
        if !slot.is(DIRTY) || slot.is(WRITING) {
            return false;
        }
        // This look takes the mark away, so the next walk takes the cell.
        self.which == Which::All || slot.clear(REFERENCED) & REFERENCED == 0
    }
}

impl Drop for Walk<'_> {
    fn drop(&mut self) {
        self.ledger.usage.end_walk();
    }
}
