//! The counters behind [`EngineStats`](crate::EngineStats), the same for every
//! engine.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::BatchOp;

/// What was done in one keyspace since it was opened.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    reads: AtomicU64,
    writes: AtomicU64,
    deletes: AtomicU64,
}

impl Counters {
    pub(crate) fn add_reads(&self, reads: u64) {
        self.reads.fetch_add(reads, Ordering::Relaxed);
    }

    pub(crate) fn add_writes(&self, tally: Tally) {
        self.writes.fetch_add(tally.writes, Ordering::Relaxed);
        self.deletes.fetch_add(tally.deletes, Ordering::Relaxed);
    }

    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    pub(crate) fn deletes(&self) -> u64 {
        self.deletes.load(Ordering::Relaxed)
    }
}

/// What a batch will have done in one keyspace once it is committed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    writes: u64,
    deletes: u64,
}

impl Tally {
    pub(crate) fn of(ops: &[BatchOp]) -> Self {
        ops.iter().fold(Self::default(), |tally, op| match op {
            BatchOp::Put { .. } => Self { writes: tally.writes + 1, ..tally },
            BatchOp::Delete { .. } => Self { deletes: tally.deletes + 1, ..tally },
        })
    }
}
