//! The numbers that kvdb asks for.

use std::sync::{Mutex, MutexGuard, PoisonError};

use kvdb::{DBOp, IoStats, IoStatsKind};

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    transactions: u64,
    reads: u64,
    writes: u64,
    bytes_read: u64,
    bytes_written: u64,
}

/// Since the beginning, and since somebody last asked.
#[derive(Debug, Default)]
pub(crate) struct Statistics {
    counts: Mutex<[Counts; 2]>,
}

impl Statistics {
    fn lock(&self) -> MutexGuard<'_, [Counts; 2]> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add_read(&self, key: &[u8], value: Option<&[u8]>) {
        // A read of nothing counts its key.
        let bytes = key.len() + value.map_or(0, <[u8]>::len);
        for counts in self.lock().iter_mut() {
            counts.reads += 1;
            counts.bytes_read += u64::try_from(bytes).unwrap_or(u64::MAX);
        }
    }

    pub(crate) fn add_transaction(&self, ops: &[DBOp]) {
        for counts in self.lock().iter_mut() {
            counts.transactions += 1;
            for op in ops {
                let value = if let DBOp::Insert { value, .. } = op { value.len() } else { 0 };
                let bytes = op.key().len() + value;
                counts.writes += 1;
                counts.bytes_written += u64::try_from(bytes).unwrap_or(u64::MAX);
            }
        }
    }

    pub(crate) fn tell(&self, kind: IoStatsKind) -> IoStats {
        let [overall, since] = &mut *self.lock();
        let counts = match kind {
            IoStatsKind::Overall => *overall,
            IoStatsKind::SincePrevious => std::mem::take(since),
        };
        IoStats {
            transactions: counts.transactions,
            reads: counts.reads,
            writes: counts.writes,
            bytes_read: counts.bytes_read,
            bytes_written: counts.bytes_written,
            ..IoStats::empty()
        }
    }
}
