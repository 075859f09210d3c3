//! The log as the database sees it.
//!
//! Everything that changes state goes through a log, and the database reaches
//! it through [`RecordLog`] only, so that a replicated log can take the place of
//! the local one: the fold stays the same.

mod local;
mod noop;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod simulated;

use std::fmt::{self, Debug};
use std::path::Path;

use tidal_types::{Position, Seq, Timestamp, WalError};
use tidal_wal::{Appended, Batch, LogCopy, LogRecord, WalStats};

use crate::Result;
use crate::redaction::{Judge, Redacted};

pub(crate) use local::LocalLog;
pub(crate) use noop::NoopLog;
#[cfg(test)]
pub(crate) use scripted::ScriptedLog;
#[cfg(test)]
pub(crate) use simulated::SimulatedLog;

/// What sees the records that a log is read for.
pub(crate) type Visitor<'a> = &'a mut dyn FnMut(&LogRecord<'_>) -> Result<()>;

/// A log of opaque records.
pub(crate) trait RecordLog: Debug + Send + Sync {
    /// Appends a batch, all or nothing, but for the records whose keys are known: those
    /// are repeats. Numbers are dense and given out in the order of the calls.
    fn append(&self, batch: &Batch) -> Result<Appending>;
    /// Appends like [`RecordLog::append`], if the first new record gets this number;
    /// else nothing is appended, and the error is
    /// [`OutOfPlace`](tidal_types::WalError::OutOfPlace).
    fn append_at(&self, batch: &Batch, expected: Seq) -> Result<Appending>;
    /// Appends like [`RecordLog::append`], at this number if one is given, but never
    /// waits for room: when there is none nothing is appended, and the error is
    /// [`WouldBlock`](tidal_types::WalError::WouldBlock).
    fn try_append(&self, batch: &Batch, expected: Option<Seq>) -> Result<Appending>;
    /// Shows every durable record from `from` on, in order, until one is
    /// refused.
    fn read_from(&self, from: Seq, visit: Visitor<'_>) -> Result<()> {
        self.read_through(from, Seq::new(u64::MAX), visit)
    }
    /// Shows every record from `from` to `through` like [`RecordLog::read_from`], and
    /// reads no further.
    fn read_through(&self, from: Seq, through: Seq, visit: Visitor<'_>) -> Result<()>;
    /// Whether it keeps its records, so that they can be read.
    fn keeps_records(&self) -> bool {
        true
    }
    /// Makes everything appended before durable.
    fn sync(&self) -> Result<()>;
    /// The same, and says how far the log is durable then, at least.
    fn sync_to_head(&self) -> Result<Seq> {
        self.sync()?;
        Ok(self.head().seq)
    }
    /// Keeps what the log knows beside its records, now that its owner has kept what
    /// the records up to `through` come to.
    fn checkpoint(&self, through: Seq) -> Result<()>;
    /// Forgets whole stretches of records before `seq`, which the caller can do
    /// without.
    fn truncate_before(&self, seq: Seq) -> Result<()>;
    /// The first record that [`RecordLog::truncate_before`] would leave, if everything
    /// may go that was written by `time` and is before `seq`. A log that does not know
    /// leaves everything.
    fn cut(&self, _time: Timestamp, _seq: Seq) -> Seq {
        self.first_seq()
    }
    /// The first record of the newest stretch that was begun at `time` or before: all
    /// before it was written by then.
    fn written_by(&self, _time: Timestamp) -> Seq {
        self.first_seq()
    }
    /// Makes the first whole stretch of records from `from` on and before `seq` smaller
    /// that is not yet, and says whether there was one. The records stay as they are.
    fn seal_one(&self, _from: Seq, _seq: Seq) -> Result<bool> {
        Ok(false)
    }
    /// The last durable record.
    fn head(&self) -> Position;
    /// The first record there is, or will be.
    fn first_seq(&self) -> Seq;
    fn stats(&self) -> WalStats;
    /// Tells of the failure of the log, should there be one, also while nobody appends.
    fn on_failure(&self, tell: Listener);
    /// Copies the log into a new or empty directory, as far as it is durable once
    /// `begin` has said from which record on. From the call of `begin` to the end
    /// truncation waits. `None` for a log that is not in files.
    fn copy_to(
        &self,
        _to: &Path,
        _begin: &mut dyn FnMut() -> Result<Seq>,
    ) -> Result<Option<LogCopy>> {
        Ok(None)
    }
    /// Takes out of the records up to `through` what `judge` says, and leaves the rest as
    /// it is; afterwards no file of the log has it. `None` for a log that cannot.
    fn redact(&self, _through: Seq, _judge: Judge<'_>) -> Result<Option<Redacted>> {
        Ok(None)
    }
    fn close(&self) -> Result<()>;
}

/// The figures of a log that is in no files.
fn stats_without_files(head: Position) -> WalStats {
    WalStats {
        first_seq: Seq::FIRST,
        head,
        segments: 0,
        bytes_on_disk: 0,
        sealed_segments: 0,
        sealed_bytes: 0,
        original_bytes: 0,
        used_bytes: 0,
        queued_bytes: 0,
        cursors: Vec::new(),
        held_by: None,
    }
}

/// An append that was given its numbers.
pub(crate) struct Appending {
    /// The number of the first new record, or of the next one when none is new.
    pub(crate) first: Seq,
    /// How many records are new.
    pub(crate) new_count: u64,
    /// The places in the batch of records that are in the log already, and their
    /// numbers.
    duplicates: Vec<(usize, Seq)>,
    /// What waits until the records are as durable as was asked for; `None` when
    /// they are already.
    answer: Option<Answer>,
}

/// Who is told of a failure.
pub(crate) type Listener = Box<dyn FnOnce(&WalError) + Send>;

type Answer = Box<dyn FnOnce() -> Result<()> + Send>;

impl Appending {
    /// An append whose records are as durable as was asked for.
    fn done(appended: &Appended) -> Self {
        let duplicates = appended.duplicates().collect();
        Self { first: appended.first, new_count: appended.new_count(), duplicates, answer: None }
    }

    /// An append whose records are as durable as was asked for once `answer` has
    /// returned.
    fn answered_by(
        appended: &Appended,
        answer: impl FnOnce() -> Result<()> + Send + 'static,
    ) -> Self {
        Self { answer: Some(Box::new(answer)), ..Self::done(appended) }
    }

    /// The places of the records that are in the log already, and their numbers.
    pub(crate) fn take_duplicates(&mut self) -> Vec<(usize, Seq)> {
        std::mem::take(&mut self.duplicates)
    }

    /// Waits until the records are as durable as was asked for.
    pub(crate) fn wait(self) -> Result<()> {
        self.answer.map_or(Ok(()), |answer| answer())
    }
}

impl Debug for Appending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Appending").field("first", &self.first).finish_non_exhaustive()
    }
}
