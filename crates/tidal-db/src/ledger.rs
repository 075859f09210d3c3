//! The ledger: every cell, the fold that changes them, and the reads.
//!
//! L1. [`SignalLedger::apply`] is the only way to change a cell, live and in
//!     replay.
//! L2. The fold reads no clock and no randomness, and takes its `exp` from
//!     `libm`; so the same records in the same order give the same bits on every
//!     machine.
//! L3. Applying a seq again changes nothing: each cell knows the seq it has
//!     applied.
//! L4. A read at a time that is not before the newest event in the database is
//!     exact or within the bounds that it states. No input makes NaN or infinity.

mod cell;
mod dirty;
mod extend;
mod grid;
mod persistence;
mod rank_key;
mod ranking;
mod reads;
mod shape;
mod shards;
mod source;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tidal_types::{
    AcceptedEvent, EntityId, EntityKind, Schema, Seq, SignalTypeDefinition, SignalTypeId, Timestamp,
};

pub use self::cell::Cell;
pub(crate) use self::dirty::{DirtyChunk, Which};
pub use self::ranking::{By, Ranked};
pub(crate) use self::shape::Slot;
pub(crate) use self::source::{CellStore, CellVisitor, StoredCounts};

use self::cell::RawEvent;
use self::dirty::Stored;
use self::shape::Shape;
use self::shards::Shards;

/// All cells of a database.
///
/// One thread applies events, in the order of the log; any number of threads
/// read at the same time.
#[derive(Debug)]
pub struct SignalLedger {
    schema: Arc<Schema>,
    /// In the order of the signal types' ids.
    signals: Box<[SignalCells]>,
    cell_count: AtomicU64,
    newest: AtomicU64,
    stored: Stored,
    store: Option<Arc<dyn CellStore>>,
}

#[derive(Debug)]
struct SignalCells {
    shape: Shape,
    cells: Shards,
}

impl SignalCells {
    fn of(signal: &SignalTypeDefinition) -> Self {
        Self { shape: Shape::of(signal), cells: Shards::default() }
    }
}

impl SignalLedger {
    /// An empty ledger. Its schema is fixed for its life.
    #[must_use]
    pub fn new(schema: Arc<Schema>) -> Self {
        let signals = schema.signals().iter().map(SignalCells::of).collect();
        Self {
            schema,
            signals,
            cell_count: AtomicU64::new(0),
            newest: AtomicU64::new(0),
            stored: Stored::default(),
            store: None,
        }
    }

    /// An empty ledger whose cells may be in a store, which has so many of them.
    pub(crate) fn over(
        schema: Arc<Schema>,
        store: Arc<dyn CellStore>,
        _memory_budget: Option<u64>,
        stored: StoredCounts,
    ) -> Self {
        Self { stored: Stored::new(stored), store: Some(store), ..Self::new(schema) }
    }

    /// The schema.
    #[must_use]
    pub const fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Folds the event of the record `seq` into its cell (L1). Nothing happens
    /// when the cell has applied that seq already (L3), nor for [`Seq::ZERO`],
    /// which no record has.
    ///
    /// # Panics
    /// When the event was accepted by another schema.
    pub fn apply(&self, seq: Seq, event: &AcceptedEvent) {
        if seq == Seq::ZERO {
            return;
        }
        // Before the cell: who reads at the newest time then sees no cell ahead
        // of it.
        self.restore_newest(event.timestamp());
        let signal = self.cells(event.signal());
        if signal.cells.apply(&signal.shape, seq, event.entity(), RawEvent::of(event)) {
            self.cell_count.fetch_add(1, Ordering::Release);
        }
    }

    /// The time of the newest event, of whatever signal type; `None` before the
    /// first event.
    #[must_use]
    pub fn newest_event(&self) -> Option<Timestamp> {
        let any = self.cell_count.load(Ordering::Acquire) > 0;
        any.then(|| Timestamp::from_nanos(self.newest.load(Ordering::Acquire)))
    }

    /// The entities of a kind that have an event of any signal type, in order.
    #[must_use]
    pub fn entities(&self, kind: EntityKind) -> Vec<EntityId> {
        let mut ids = Vec::new();
        for (definition, signal) in self.schema.signals().iter().zip(&self.signals) {
            if definition.kind() == kind {
                signal.cells.ids(&mut ids);
            }
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// How many cells there are.
    #[must_use]
    pub fn cell_count(&self) -> u64 {
        self.cell_count.load(Ordering::Acquire)
    }

    /// An estimate of the bytes that the cells take. It looks at every cell.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.signals.iter().map(|signal| signal.cells.memory_bytes() as u64).sum()
    }

    fn cells(&self, signal: SignalTypeId) -> &SignalCells {
        let cells = self.signals.get(usize::from(signal.get()));
        cells.expect("the signal type is one of the ledger's own schema")
    }
}

#[cfg(test)]
mod tests;
