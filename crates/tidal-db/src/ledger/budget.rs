//! How much memory the cells take, how much they may, and who waits for whom.
//!
//! M1. The bytes in use are those of slots, busy cells and indexes, with what is kept
//!     free in them; the changes of a shard are counted before its lock is released.
//! M2. Who folds waits for a walk that is under way, never for one that may never begin:
//!     without a walk it goes on over budget. It waits for one chunk at a time, between
//!     commits. So a walk that ends, also by failing, holds nobody up.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};

use super::SignalLedger;

/// Write-back is due once this share of the budget is dirty, in eighths.
const DIRTY_EIGHTHS_MAX: u64 = 4;

/// The fold waits for write-back above this share of the budget, in quarters.
const RESIDENT_QUARTERS_MAX: u64 = 5;

/// Counters of memory.
#[derive(Debug, Default)]
pub(super) struct Usage {
    /// `None` for as much as there is.
    pub(super) budget: Option<u64>,
    resident: AtomicU64,
    dirty: AtomicU64,
    pub(super) evictions: AtomicU64,
    pub(super) loads: AtomicU64,
    walks: Mutex<Walks>,
    settled: Condvar,
    has_gone_over: AtomicBool,
}

/// Who writes back.
#[derive(Debug, Default)]
struct Walks {
    under_way: usize,
    /// How often a chunk was settled or a walk ended.
    steps: u64,
}

impl Usage {
    pub(super) fn with_budget(budget: Option<u64>) -> Self {
        Self { budget, ..Self::default() }
    }

    pub(super) fn resident(&self) -> u64 {
        self.resident.load(Ordering::Relaxed)
    }

    pub(super) fn dirty(&self) -> u64 {
        self.dirty.load(Ordering::Relaxed)
    }

    /// Counts bytes that were `before` and are `after`.
    pub(super) fn resize(&self, before: usize, after: usize) {
        change(&self.resident, before, after);
    }

    /// The same, of dirty bytes.
    pub(super) fn resize_dirty(&self, before: usize, after: usize) {
        change(&self.dirty, before, after);
    }

    pub(super) fn is_over(&self) -> bool {
        self.budget.is_some_and(|budget| self.resident() > budget)
    }

    fn is_far_over(&self) -> bool {
        let max = |budget: u64| budget.saturating_mul(RESIDENT_QUARTERS_MAX) / 4;
        self.budget.is_some_and(|budget| self.resident() > max(budget))
    }

    pub(super) fn begin_walk(&self) {
        self.walks().under_way += 1;
    }

    pub(super) fn end_walk(&self) {
        let mut walks = self.walks();
        walks.under_way -= 1;
        walks.steps += 1;
        drop(walks);
        self.settled.notify_all();
    }

    pub(super) fn chunk_settled(&self) {
        self.walks().steps += 1;
        self.settled.notify_all();
    }

    /// Tells, once, that nothing can be evicted since nothing is written.
    pub(super) fn write_back_failed(&self) {
        if self.is_over() && !self.has_gone_over.swap(true, Ordering::Relaxed) {
            let (resident, budget) = (self.resident(), self.budget.unwrap_or_default());
            tracing::warn!(
                resident,
                budget,
                "changed cells cannot be written to storage, so memory goes over its budget"
            );
        }
    }

    fn wait(&self) {
        let walks = self.walks();
        let steps = walks.steps;
        let is_to_wait =
            |walks: &mut Walks| walks.under_way > 0 && walks.steps == steps && self.is_far_over();
        drop(self.settled.wait_while(walks, is_to_wait).expect(UNPOISONED));
    }

    fn walks(&self) -> MutexGuard<'_, Walks> {
        self.walks.lock().expect(UNPOISONED)
    }
}

const UNPOISONED: &str = "no thread panics while it counts";

fn change(counter: &AtomicU64, before: usize, after: usize) {
    if after > before {
        counter.fetch_add((after - before) as u64, Ordering::Relaxed);
    } else if after < before {
        counter.fetch_sub((before - after) as u64, Ordering::Relaxed);
    }
}

impl SignalLedger {
    /// The bytes of memory that cells take: slots, busy cells, indexes.
    #[must_use]
    pub fn resident_bytes(&self) -> u64 {
        self.usage.resident()
    }

    /// The bytes of resident cells that storage does not have as they are, and that no
    /// walk has taken.
    #[must_use]
    pub fn dirty_bytes(&self) -> u64 {
        self.usage.dirty()
    }

    /// How many bytes cells may take before clean ones leave memory; `None` for as many
    /// as there are.
    #[must_use]
    pub const fn memory_budget(&self) -> Option<u64> {
        self.usage.budget
    }

    /// Whether so much is dirty that soon nothing could be evicted: then the cold cells
    /// had better be written, by a walk, until this is false.
    #[must_use]
    pub fn needs_write_back(&self) -> bool {
        let max = |budget: u64| budget.saturating_mul(DIRTY_EIGHTHS_MAX) / 8;
        self.usage.budget.is_some_and(|budget| self.usage.dirty() > max(budget))
    }

    /// M2: waits until the walk that is under way has settled a chunk, if cells take far
    /// more than they may. For who folds, between two commits; whoever holds a walk must
    /// not wait for that.
    pub(crate) fn wait_for_write_back(&self) {
        if self.usage.is_far_over() {
            self.usage.wait();
        }
    }

    /// How many cells have left memory for want of it.
    #[must_use]
    pub fn evictions(&self) -> u64 {
        self.usage.evictions.load(Ordering::Relaxed)
    }

    /// How many cells were read from storage, by reads and by the fold.
    #[must_use]
    pub fn loads(&self) -> u64 {
        self.usage.loads.load(Ordering::Relaxed)
    }
}
