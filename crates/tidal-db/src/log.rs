//! The log as the database sees it.
//!
//! Everything that changes state goes through a log, and the database reaches
//! it through [`RecordLog`] only, so that a replicated log can take the place of
//! the local one: the fold stays the same.

mod local;
mod noop;

use std::fmt::Debug;

use tidal_types::{Position, Seq};
use tidal_wal::{Batch, LogRecord, Ticket};

use crate::Result;

pub(crate) use local::LocalLog;
pub(crate) use noop::NoopLog;

/// What sees the records that a log is read for.
pub(crate) type Visitor<'a> = &'a mut dyn FnMut(&LogRecord<'_>) -> Result<()>;

/// A log of opaque records.
pub(crate) trait RecordLog: Debug + Send + Sync {
    /// Appends a batch, all or nothing. Numbers are dense and given out in the
    /// order of the calls.
    fn append(&self, batch: &Batch) -> Result<Appending>;
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
    fn bytes_on_disk(&self) -> u64;
    fn close(&self) -> Result<()>;
}

/// An append that was given its numbers.
#[derive(Debug)]
pub(crate) struct Appending {
    /// The number of the first record.
    pub(crate) first: Seq,
    /// What answers once the records are as durable as was asked for; `None`
    /// when they are already.
    ticket: Option<Ticket>,
}

impl Appending {
    /// Waits until the records are as durable as was asked for.
    pub(crate) fn wait(self) -> Result<()> {
        if let Some(ticket) = self.ticket {
            ticket.wait()?;
        }
        Ok(())
    }
}
