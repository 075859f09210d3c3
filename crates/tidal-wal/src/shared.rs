//! What the handle, the writer and the readers of an open log share.
//!
//! O1. Locks are taken in this order, and any may be left out:
//!     rewrites, checkpoints, runner, cursor file, segments, floor, queue, progress.
//!     The last three are held for no other lock.
//! O2. Nobody waits for the writer with the runner's lock, but who closes the log; nor
//!     with any lock that the writer takes: cursor file, segments, floor, queue, progress.

use std::sync::Arc;

use tidal_types::{LogId, Seq, WalError};

use crate::checkpoints::Checkpoints;
use crate::cursor_file::CursorFile;
use crate::disk::Disk;
use crate::floor_file::FloorFile;
use crate::format::Digest;
use crate::key::ContentHasher;
use crate::progress::Progress;
use crate::queue::Queue;
use crate::segments::Segments;
use crate::sync::{Mutex, MutexGuard};
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
    pub(crate) hasher: ContentHasher,
    pub(crate) progress: Progress,
    /// Held while segments are removed.
    cursor_file: Mutex<CursorFile>,
    segments: Mutex<Segments>,
    floor: Mutex<FloorFile>,
    /// Held by who writes one or cuts the log.
    checkpoints: Mutex<Checkpoints>,
    /// Held by who writes segments anew.
    rewrites: Mutex<()>,
}

/// The files of an open log, and what is known of them.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) segments: Segments,
    pub(crate) floor: FloorFile,
    pub(crate) cursors: CursorFile,
    pub(crate) checkpoints: Checkpoints,
}

const UNPOISONED: &str = "no thread panics while it holds the log's state";

impl Shared {
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        (log_id, root): (LogId, LogId),
        queue: Queue,
        durable: Durable,
        files: Files,
    ) -> Self {
        let Files { segments, floor, cursors, checkpoints } = files;
        Self {
            disk,
            log_id,
            queue,
            hasher: ContentHasher::new(root),
            progress: Progress::new(durable, cursors.places()),
            cursor_file: Mutex::new(cursors),
            segments: Mutex::new(segments),
            floor: Mutex::new(floor),
            checkpoints: Mutex::new(checkpoints),
            rewrites: Mutex::new(()),
        }
    }

    pub(crate) fn durable(&self) -> Durable {
        self.progress.lock().durable
    }

    pub(crate) fn set_durable(&self, durable: Durable) {
        self.progress.set_durable(durable);
    }

    pub(crate) fn segments(&self) -> MutexGuard<'_, Segments> {
        self.segments.lock().expect(UNPOISONED)
    }

    pub(crate) fn cursor_file(&self) -> MutexGuard<'_, CursorFile> {
        self.cursor_file.lock().expect(UNPOISONED)
    }

    /// Lets no cursor move any more and nobody wait: the files are about to be someone
    /// else's.
    pub(crate) fn close(&self) {
        let file = self.cursor_file();
        self.progress.close(WalError::Closed { path: self.disk.path("") });
        drop(file);
    }

    pub(crate) fn floor(&self) -> MutexGuard<'_, FloorFile> {
        self.floor.lock().expect(UNPOISONED)
    }

    pub(crate) fn rewrites(&self) -> MutexGuard<'_, ()> {
        self.rewrites.lock().expect(UNPOISONED)
    }

    pub(crate) fn checkpoints(&self) -> MutexGuard<'_, Checkpoints> {
        self.checkpoints.lock().expect(UNPOISONED)
    }
}
