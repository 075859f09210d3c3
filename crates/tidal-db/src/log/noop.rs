//! A log that gives out numbers and keeps nothing: for databases in memory and
//! for tests of the ledger.

use std::sync::Mutex;

use tidal_types::{LogId, Position, Seq};
use tidal_wal::{Batch, WalStats};

use super::{Appending, RecordLog, Visitor};
use crate::Result;

/// A log that keeps nothing.
#[derive(Debug)]
pub(crate) struct NoopLog {
    next: Mutex<Seq>,
}

impl NoopLog {
    pub(crate) const fn new() -> Self {
        Self { next: Mutex::new(Seq::FIRST) }
    }

    fn advance(&self, count: u64) -> Seq {
        let mut next = self.next.lock().expect("no thread panics while it counts");
        let first = *next;
        *next = first.plus(count);
        first
    }
}

impl RecordLog for NoopLog {
    fn append(&self, batch: &Batch) -> Result<Appending> {
        Ok(Appending::done(self.advance(batch.len() as u64)))
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

    fn read_from(&self, _from: Seq, _visit: Visitor<'_>) -> Result<()> {
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn truncate_before(&self, _seq: Seq) -> Result<()> {
        Ok(())
    }

    fn head(&self) -> Position {
        Position { log_id: LogId::from_bytes([0; 16]), seq: self.advance(0).previous() }
    }

    fn first_seq(&self) -> Seq {
        Seq::FIRST
    }

    fn stats(&self) -> WalStats {
        WalStats {
            first_seq: Seq::FIRST,
            head: self.head(),
            segments: 0,
            bytes_on_disk: 0,
            queued_bytes: 0,
            cursors: Vec::new(),
            held_by: None,
        }
    }

    fn close(&self) -> Result<()> {
        Ok(())
    }
}
