//! The ledger: every cell, the fold that changes them, and the reads.
//!
//! Cells are in memory or in storage. Memory has those that changed since they were
//! written, and of the others as many as its budget allows; an absent one is read from
//! storage when it is asked for or changed.
//!
//! L1. The fold ([`SignalLedger::apply`], [`SignalLedger::remove`]) is the only way to
//!     change a cell, live and in replay.
//! L2. The fold reads no clock and no randomness, and takes its `exp` from
//!     `libm`; so the same records in the same order give the same bits on every
//!     machine, whatever is in memory.
//! L3. Applying a seq again changes nothing: each cell knows the seq it has
//!     applied.
//! L4. A read at a time that is not before the newest event in the database is
//!     exact or within the bounds that it states. No input makes NaN or infinity.

mod budget;
mod cell;
mod chunks;
mod clock;
mod dirty;
mod explain;
mod extend;
mod fold;
mod grid;
mod index;
mod lookup;
mod measure;
mod parallel;
mod persistence;
mod preload;
mod rank_key;
mod ranking;
mod reading;
mod reads;
mod scan;
mod shape;
mod shards;
mod slot;
mod source;
mod steps;
mod table;
mod together;
mod top;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use tidal_types::{EntityKind, Schema, SignalTypeDefinition, SignalTypeId, Timestamp};

pub use self::cell::Cell;
pub(crate) use self::cell::{Decayed, RawEvent};
pub(crate) use self::dirty::{DirtyChunk, Which};
pub use self::explain::{DividedBucket, Explanation, Grouped, Part, PartKind, WindowPart};
pub(crate) use self::grid::{Grid, nanos};
pub(crate) use self::index::{Ends, Held};
pub(crate) use self::measure::{Measure, What};
pub(crate) use self::rank_key::RankKey;
pub(crate) use self::ranking::Best;
pub use self::ranking::{By, Ranked};
pub use self::reading::Reading;
pub(crate) use self::shape::Slot;
pub(crate) use self::source::{CellStore, CellVisitor, SharedCellVisitor, StoredCounts};
pub(crate) use self::table::mix;

use self::budget::Usage;
pub(crate) use self::explain::CellParts;
use self::index::{Index, Limits};
pub(crate) use self::shape::{Decay, Shape};
use self::shards::{SHARDS, Shards};

/// All cells of a database.
///
/// One thread feeds it, in the order of the log; any number of threads read at the same
/// time.
#[derive(Debug)]
pub struct SignalLedger {
    schema: Arc<Schema>,
    /// In the order of the signal types' ids.
    signals: Box<[Kept]>,
    shards: Shards,
    /// Where the cells are that are not in memory; `None` when all are.
    store: Option<Arc<dyn CellStore>>,
    /// How many cells storage has.
    stored: Mutex<StoredCounts>,
    usage: Usage,
    cell_count: AtomicU64,
    newest: AtomicU64,
    has_events: AtomicBool,
    /// The last record that any cell can have applied; `u64::MAX` where nobody said.
    end: AtomicU64,
    index_limits: Limits,
}

/// What is kept of a signal type.
#[derive(Debug)]
struct Kept {
    id: SignalTypeId,
    kind: EntityKind,
    shape: Shape,
    /// Made by the first query that needs one.
    index: OnceLock<Box<Index>>,
}

impl Kept {
    fn all(schema: &Schema) -> Box<[Self]> {
        schema.signals().iter().map(Self::of).collect()
    }

    fn of(signal: &SignalTypeDefinition) -> Self {
        let (id, kind, shape) = (signal.id(), signal.kind(), Shape::of(signal));
        Self { id, kind, shape, index: OnceLock::new() }
    }
}

impl SignalLedger {
    /// An empty ledger, whose cells are all in memory. Its schema is fixed for its life.
    #[must_use]
    pub fn new(schema: Arc<Schema>) -> Self {
        Self::with(schema, None, None, StoredCounts::default())
    }

    /// The ledger of the cells that `store` has, which are so many of each signal type.
    /// None is read yet. Over `budget` bytes of memory, clean cells leave it.
    pub(crate) fn over(
        schema: Arc<Schema>,
        store: Arc<dyn CellStore>,
        budget: Option<u64>,
        stored: StoredCounts,
    ) -> Self {
        Self::with(schema, Some(store), budget, stored)
    }

    fn with(
        schema: Arc<Schema>,
        store: Option<Arc<dyn CellStore>>,
        budget: Option<u64>,
        stored: StoredCounts,
    ) -> Self {
        let signals = Kept::all(&schema);
        let complete: Vec<bool> = signals.iter().map(|kept| stored.of(kept.id) == 0).collect();
        Self {
            schema,
            signals,
            shards: Shards::new(&complete),
            store,
            cell_count: AtomicU64::new(stored.total()),
            stored: Mutex::new(stored),
            usage: Usage::with_budget(budget),
            newest: AtomicU64::new(0),
            has_events: AtomicBool::new(false),
            end: AtomicU64::new(u64::MAX),
            index_limits: Limits::DEFAULT,
        }
    }

    /// The schema.
    #[must_use]
    pub const fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The time of the newest event, of whatever signal type; `None` before the
    /// first event.
    #[must_use]
    pub fn newest_event(&self) -> Option<Timestamp> {
        let any = self.has_events.load(Ordering::Acquire);
        any.then(|| Timestamp::from_nanos(self.newest.load(Ordering::Acquire)))
    }

    /// How many cells there are, in memory or in storage.
    #[must_use]
    pub fn cell_count(&self) -> u64 {
        self.cell_count.load(Ordering::Acquire)
    }

    /// How many cells are in memory.
    #[must_use]
    pub fn resident_cells(&self) -> u64 {
        let cells = (0..SHARDS).map(|shard| self.shards.read(shard).slots());
        cells.sum::<usize>() as u64
    }

    /// The bytes that the cells take in memory, and what they are kept in, and about those
    /// of their indexes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.resident_bytes() + self.shards.bytes() as u64 + self.index_size().1
    }

    fn kept(&self, signal: SignalTypeId) -> &Kept {
        let kept = self.signals.get(usize::from(signal.get()));
        kept.expect("the signal type is one of the ledger's own schema")
    }
}

#[cfg(test)]
mod tests;
