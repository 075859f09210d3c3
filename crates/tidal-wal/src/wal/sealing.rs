//! Sealing segments that take no more groups, and taking records out of them.
//!
//! Y1. A segment is written anew under a temporary name, synced, and renamed over the
//!     old one: a crash leaves the old file or the new one, and what was unfinished is
//!     removed by the next opening.
//! Y2. While it is compressed no lock is held that a writer, a reader or truncation
//!     takes. Once the log is closed, nothing gets a name any more.
//! Y3. Whatever fails before the rename leaves the log as it was. A rename or a sync of
//!     the directory that fails is a failure of the log.

use std::ops::Range;
use std::sync::Arc;

use tidal_types::{Seq, WalError};

use super::Wal;
use crate::Redaction;
use crate::disk::failed;
use crate::format::{SEGMENT_HEADER_BYTES, SegmentHeader};
use crate::names;
use crate::runner::Runner;
use crate::seal::{Judge, write_sealed};
use crate::sync::MutexGuard;
use crate::writer::fail_all;

/// What [`Wal::seal_before`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sealed {
    /// How many segments were sealed.
    pub segments: usize,
    /// How many bytes they took on disk before.
    pub bytes_before: u64,
    /// How many bytes they take now.
    pub bytes_after: u64,
}

impl Wal {
    /// Seals the segments that hold only records before `seq`: each is written anew,
    /// compressed, and takes the place of the old file. The last segment is never sealed;
    /// nor is one that is sealed already. Nothing of what they hold changes, and they are
    /// read, verified, copied and truncated as before.
    ///
    /// Appends, readers, checkpoints and truncation go on meanwhile. A segment at a time
    /// is compressed, on this thread, and the disk needs room for both of its files. A
    /// crash leaves each segment as it was or sealed.
    ///
    /// # Errors
    /// [`WalError::Damaged`] when a segment no longer is what was written: it stays as
    /// it is. [`WalError::NoSpace`], and [`WalError::Io`] before a segment is replaced:
    /// the segments before it are sealed. After any other error the log takes no more
    /// records. [`WalError::Closed`]; [`WalError::Poisoned`].
    pub fn seal_before(&self, seq: Seq) -> Result<Sealed, WalError> {
        self.seal_within(Seq::ZERO..seq, usize::MAX)
    }

    /// Seals like [`Wal::seal_before`], but of the segments that hold only `records`, and
    /// at most so many: the oldest that are not sealed yet. So whoever has other things to
    /// do seals a long log bit by bit.
    ///
    /// # Errors
    /// Those of [`Wal::seal_before`].
    pub fn seal_within(
        &self,
        records: Range<Seq>,
        segments_max: usize,
    ) -> Result<Sealed, WalError> {
        let _alone = self.shared.rewrites();
        let mut sealed = Sealed::default();
        drop(self.lock_open()?);
        let segments = self.shared.segments().pairs_before(records.end);
        let within = segments
            .into_iter()
            .filter(|(header, _)| header.first_seq >= records.start && header.seal.is_none());
        for (header, next) in within.take(segments_max) {
            if let Some(new) = self.rewrite(&header, &next, &mut |_| Ok(Redaction::Keep))? {
                sealed.segments += 1;
                sealed.bytes_before += header.stored_bytes();
                sealed.bytes_after += new.stored_bytes();
            }
        }
        Ok(sealed)
    }

    /// Puts a segment that is written anew in its place. Returns its header; `None` when
    /// it was truncated meanwhile.
    pub(super) fn rewrite(
        &self,
        header: &SegmentHeader,
        next: &SegmentHeader,
        judge: Judge<'_>,
    ) -> Result<Option<SegmentHeader>, WalError> {
        let disk = &*self.shared.disk;
        let name = names::segment(header.number);
        let temporary = names::temporary(&name);
        let path = || disk.path(&temporary);
        let open = self.lock_open()?;
        let file = disk.create(&temporary, SEGMENT_HEADER_BYTES as u64);
        let file = file.map_err(failed("create", path()));
        drop(open);
        let written =
            file.and_then(|file| write_sealed(disk, file, &temporary, (header, next), judge));
        let open = self.lock_open()?;
        let is_there = self.shared.segments().holds(header.number);
        let new = match written {
            Ok(new) if is_there => new,
            other => {
                self.discard(&temporary);
                // What was truncated could not be read, and need not be.
                return if is_there { other.map(|_| None) } else { Ok(None) };
            }
        };
        let renamed = disk
            .rename(&temporary, &name)
            .map_err(failed("rename", path()))
            .and_then(|()| disk.sync_dir().map_err(failed("sync", disk.path(""))));
        renamed.inspect_err(|error| {
            fail_all(&self.shared, Arc::new(error.clone()), Vec::new());
        })?;
        self.shared.segments().replace(new.clone());
        drop(open);
        Ok(Some(new))
    }

    /// Removes a file that was not finished. If it cannot be removed now, the next
    /// opening does.
    fn discard(&self, temporary: &str) {
        if let Err(problem) = self.shared.disk.remove(temporary) {
            tracing::warn!(%problem, "an unfinished segment stays for now");
        }
    }

    /// The log, open as long as this is held.
    pub(super) fn lock_open(&self) -> Result<MutexGuard<'_, Option<Runner>>, WalError> {
        let runner = self.lock_runner();
        if runner.is_none() {
            return Err(WalError::Closed { path: self.shared.disk.path("") });
        }
        if let Some(cause) = self.shared.queue.failure() {
            return Err(WalError::Poisoned { cause });
        }
        Ok(runner)
    }
}
