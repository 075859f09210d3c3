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

use tidal_types::{Position, Seq};
use tidal_wal::{Batch, LogRecord, WalStats};

use crate::Result;

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
    /// Appends a batch, all or nothing. Numbers are dense and given out in the
    /// order of the calls.
    fn append(&self, batch: &Batch) -> Result<Appending>;
    /// Appends like [`RecordLog::append`], if the first record gets this number;
    /// else nothing is appended, and the error is
    /// [`OutOfPlace`](tidal_types::WalError::OutOfPlace).
    fn append_at(&self, batch: &Batch, expected: Seq) -> Result<Appending>;
    /// Appends like [`RecordLog::append`], at this number if one is given, but never
    /// waits for room: when there is none nothing is appended, and the error is
    /// [`WouldBlock`](tidal_types::WalError::WouldBlock).
    fn try_append(&self, batch: &Batch, expected: Option<Seq>) -> Result<Appending>;
    /// Shows every durable record from `from` on, in order, until one is
    /// refused.
    fn read_from(&self, from: Seq, visit: Visitor<'_>) -> Result<()>;
    /// Makes everything appended before durable.
    fn sync(&self) -> Result<()>;
    /// Forgets whole stretches of records before `seq`, which the caller can do
    /// without.
    fn truncate_before(&self, seq: Seq) -> Result<()>;
    /// The last durable record.
    fn head(&self) -> Position;
    /// The first record there is, or will be.
    fn first_seq(&self) -> Seq;
    fn stats(&self) -> WalStats;
    fn close(&self) -> Result<()>;
}

/// An append that was given its numbers.
pub(crate) struct Appending {
    /// The number of the first record.
    pub(crate) first: Seq,
    /// What waits until the records are as durable as was asked for; `None` when
    /// they are already.
    answer: Option<Answer>,
}

type Answer = Box<dyn FnOnce() -> Result<()> + Send>;

impl Appending {
    /// An append whose records are as durable as was asked for.
    fn done(first: Seq) -> Self {
        Self { first, answer: None }
    }

    /// An append whose records are as durable as was asked for once `answer` has
    /// returned.
    fn answered_by(first: Seq, answer: impl FnOnce() -> Result<()> + Send + 'static) -> Self {
        Self { first, answer: Some(Box::new(answer)) }
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
