//! What the handle, the writer and the readers of an open log share.

use std::sync::{Arc, Mutex, MutexGuard};

use tidal_types::{LogId, Seq};

use crate::disk::Disk;
use crate::floor_file::FloorFile;
use crate::format::Digest;
use crate::queue::Queue;
use crate::segments::Segments;
use crate::tail::Tail;

/// How far the log is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Durable {
    pub(crate) next_seq: Seq,
    /// In the log, not in a file.
    pub(crate) offset: u64,
    pub(crate) digest: Digest,
}

impl Durable {
    /// What the tail can vouch for; only asked for when all of it is synced.
    pub(crate) const fn of(tail: &Tail) -> Self {
        let standing = tail.standing();
        Self { next_seq: standing.next_seq, offset: tail.synced_offset(), digest: standing.digest }
    }
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) log_id: LogId,
    pub(crate) queue: Queue,
    durable: Mutex<Durable>,

    segments: Mutex<Segments>,
    floor: Mutex<FloorFile>,
}

const UNPOISONED: &str = "no thread panics while it holds the log's state";

impl Shared {
    pub(crate) const fn new(
        disk: Arc<dyn Disk>,
        log_id: LogId,
        queue: Queue,
        durable: Durable,
        segments: Segments,
        floor: FloorFile,
    ) -> Self {
        Self {
            disk,
            log_id,
            queue,
            durable: Mutex::new(durable),

            segments: Mutex::new(segments),
            floor: Mutex::new(floor),
        }
    }

    pub(crate) fn durable(&self) -> Durable {
        *self.durable.lock().expect(UNPOISONED)
    }

    pub(crate) fn set_durable(&self, durable: Durable) {
        *self.durable.lock().expect(UNPOISONED) = durable;
    }

    pub(crate) fn segments(&self) -> MutexGuard<'_, Segments> {
        self.segments.lock().expect(UNPOISONED)
    }

    pub(crate) fn floor(&self) -> MutexGuard<'_, FloorFile> {
        self.floor.lock().expect(UNPOISONED)
    }
}
