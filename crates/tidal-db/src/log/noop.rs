//! A log that gives out numbers and keeps nothing: for databases in memory and
//! for tests of the ledger.

use std::sync::Arc;

use tidal_types::{LogId, Position, Seq, SystemClock};
use tidal_wal::{Batch, DedupOptions, Numbering, WalStats};

use super::{Appending, Listener, RecordLog, Visitor, stats_without_files};
use crate::Result;
use crate::redaction::{Judge, Redacted};

/// A log that keeps nothing.
#[derive(Debug)]
pub(crate) struct NoopLog {
    numbering: Numbering,
}

impl NoopLog {
    pub(crate) fn new() -> Self {
        let numbering = Numbering::new(Arc::new(SystemClock), DedupOptions::default());
        Self { numbering }
    }
}

impl RecordLog for NoopLog {
    fn append(&self, batch: &Batch) -> Result<Appending> {
        Ok(Appending::done(&self.numbering.append(batch)?))
    }

    /// What is appended stays, so every place is the expected one.
    fn append_at(&self, batch: &Batch, _expected: Seq) -> Result<Appending> {
        self.append(batch)
    }

    /// There is always room.
    fn try_append(&self, batch: &Batch, expected: Option<Seq>) -> Result<Appending> {
        match expected {
            Some(expected) => self.append_at(batch, expected),
            None => self.append(batch),
        }
    }

    fn read_through(&self, _from: Seq, _through: Seq, _visit: Visitor<'_>) -> Result<()> {
        Ok(())
    }

    fn keeps_records(&self) -> bool {
        false
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn checkpoint(&self, _through: Seq) -> Result<()> {
        Ok(())
    }

    fn truncate_before(&self, _seq: Seq) -> Result<()> {
        Ok(())
    }

    fn head(&self) -> Position {
        let seq = self.numbering.next_seq().previous();
        Position { log_id: LogId::from_bytes([0; 16]), seq }
    }

    fn first_seq(&self) -> Seq {
        Seq::FIRST
    }

    fn stats(&self) -> WalStats {
        stats_without_files(self.head())
    }

    /// It never fails.
    fn on_failure(&self, _tell: Listener) {}

    /// It keeps nothing.
    fn redact(&self, _through: Seq, _judge: Judge<'_>) -> Result<Option<Redacted>> {
        Ok(Some(Redacted::default()))
    }

    fn close(&self) -> Result<()> {
        Ok(())
    }
}
