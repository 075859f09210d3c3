//! How dirty cells are handed out, while others are being changed.
//!
//! H1. A walk hands out every cell that is dirty when it begins, at least once, each as
//!     of one moment after that.
//! H2. A cell that changes after it was handed out is dirty again.
//! H3. One walk goes on at a time, and one of its chunks is on its way to storage.

use std::sync::{Mutex, MutexGuard};

use tidal_types::{EntityId, SignalTypeId};

use super::SignalLedger;
use super::source::StoredCounts;

/// Which dirty cells a walk hands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// All of them.
    All,
    /// Those that nobody has asked for lately.
    Cold,
}

/// Dirty cells that go to storage in one atomic commit.
#[derive(Debug)]
pub(crate) struct DirtyChunk {
    pub(crate) cells: Vec<DirtyCell>,
    pub(crate) bytes: usize,
    /// How many cells storage has once this chunk is committed.
    pub(crate) stored: StoredCounts,
}

/// A cell that storage does not have as it is.
#[derive(Debug)]
pub(crate) struct DirtyCell {
    pub(crate) signal: SignalTypeId,
    pub(crate) id: EntityId,
    /// Its bytes; `None` when it is to be deleted.
    pub(crate) value: Option<Vec<u8>>,
}

/// Hands out the dirty cells of a ledger.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    ledger: &'a SignalLedger,
    signal: usize,
    shard: usize,
    /// Dirty cells of the shard that were not handed out yet.
    ids: Vec<EntityId>,
}

/// How many cells are stored.
#[derive(Debug, Default)]
pub(super) struct Stored(Mutex<StoredCounts>);

impl Stored {
    pub(super) fn new(counts: StoredCounts) -> Self {
        Self(Mutex::new(counts))
    }

    fn lock(&self) -> MutexGuard<'_, StoredCounts> {
        self.0.lock().expect("no thread panics while it counts cells")
    }
}

impl SignalLedger {
    /// Every cell that is dirty now. Writers go on.
    pub(crate) const fn walk_dirty(&self, _which: Which) -> Walk<'_> {
        Walk { ledger: self, signal: 0, shard: 0, ids: Vec::new() }
    }

    /// The commit of a chunk succeeded.
    pub(crate) fn written(&self, chunk: DirtyChunk) {
        for cell in &chunk.cells {
            self.cells(cell.signal).cells.mark_stored(cell.id);
        }
        *self.stored.lock() = chunk.stored;
    }

    /// The commit of a chunk failed: its cells are dirty again.
    pub(crate) fn not_written(&self, chunk: &DirtyChunk) {
        for cell in &chunk.cells {
            self.cells(cell.signal).cells.mark_dirty(cell.id);
        }
    }

    /// Whether dirty cells have to be written before clean ones can leave memory.
    #[expect(clippy::unused_self, reason = "every cell stays in memory")]
    pub(crate) const fn needs_write_back(&self) -> bool {
        false
    }
}

impl Walk<'_> {
    /// The next dirty cells, about as many bytes as asked for; `None` at the end.
    pub(crate) fn next(&mut self, bytes_max: usize) -> Option<DirtyChunk> {
        let stored = self.ledger.stored.lock().clone();
        let mut chunk = DirtyChunk { cells: Vec::new(), bytes: 0, stored };
        while chunk.bytes < bytes_max
            && let Some(signal) = self.ledger.signals.get(self.signal)
        {
            let Some(id) = self.ids.pop() else {
                if let Some(ids) = signal.cells.take_dirty(self.shard) {
                    self.ids = ids;
                    self.shard += 1;
                } else {
                    (self.signal, self.shard) = (self.signal + 1, 0);
                }
                continue;
            };
            let Some((value, is_stored)) = signal.cells.take_value(id) else {
                continue;
            };
            let definition = self.ledger.schema.signals().get(self.signal);
            let signal = definition.expect("each signal type has its cells").id();
            if !is_stored {
                chunk.stored.add_one(signal);
            }
            chunk.bytes += value.len();
            chunk.cells.push(DirtyCell { signal, id, value: Some(value) });
        }
        (!chunk.cells.is_empty()).then_some(chunk)
    }
}

impl Drop for Walk<'_> {
    fn drop(&mut self) {
        if let Some(signal) = self.ledger.signals.get(self.signal) {
            signal.cells.give_back_dirty(std::mem::take(&mut self.ids));
        }
    }
}
