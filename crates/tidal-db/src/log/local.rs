//! The log in the database's own directory.

use std::path::Path;

use tidal_types::{Position, Seq, Timestamp};
use tidal_wal::{Batch, LogCopy, Redaction, Ticket, Wal, WalOptions, WalStats};

use super::{Appending, Listener, RecordLog, Visitor};
use crate::Result;
use crate::redaction::{Judge, Redacted};

/// A log of tidal-wal.
#[derive(Debug)]
pub(crate) struct LocalLog {
    pub(super) wal: Wal,
}

impl LocalLog {
    pub(crate) fn open(dir: &Path, options: WalOptions) -> Result<Self> {
        Ok(Self { wal: Wal::open(dir, options)? })
    }
}

impl RecordLog for LocalLog {
    fn append(&self, batch: &Batch) -> Result<Appending> {
        Ok(answered_by(self.wal.append(batch)?))
    }

    fn append_at(&self, batch: &Batch, expected: Seq) -> Result<Appending> {
        Ok(answered_by(self.wal.append_at(batch, expected)?))
    }

    fn try_append(&self, batch: &Batch, expected: Option<Seq>) -> Result<Appending> {
        let ticket = match expected {
            Some(expected) => self.wal.try_append_at(batch, expected)?,
            None => self.wal.try_append(batch)?,
        };
        Ok(answered_by(ticket))
    }

    fn read_through(&self, from: Seq, through: Seq, visit: Visitor<'_>) -> Result<()> {
        let mut reader = self.wal.reader(from);
        let mut next = from;
        while next <= through
            && let Some(record) = reader.next_record()?
        {
            next = record.seq.next();
            visit(&record)?;
        }
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        Ok(self.wal.sync()?)
    }

    fn checkpoint(&self, through: Seq) -> Result<()> {
        // The owner's state is in storage.
        if self.wal.checkpointed() != Some(through) {
            self.wal.checkpoint(through, &[])?;
        }
        Ok(())
    }

    fn truncate_before(&self, seq: Seq) -> Result<()> {
        self.wal.truncate_before(seq)?;
        Ok(())
    }

    fn cut(&self, time: Timestamp, seq: Seq) -> Seq {
        self.wal.truncation_point(self.wal.written_by(time).min(seq))
    }

    fn written_by(&self, time: Timestamp) -> Seq {
        self.wal.written_by(time)
    }

    fn seal_one(&self, from: Seq, seq: Seq) -> Result<bool> {
        Ok(self.wal.seal_within(from..seq, 1)?.segments > 0)
    }

    fn head(&self) -> Position {
        self.wal.head().position
    }

    fn first_seq(&self) -> Seq {
        self.wal.first_seq()
    }

    fn stats(&self) -> WalStats {
        self.wal.stats()
    }

    fn on_failure(&self, tell: Listener) {
        self.wal.on_failure(tell);
    }

    fn copy_to(
        &self,
        to: &Path,
        begin: &mut dyn FnMut() -> Result<Seq>,
    ) -> Result<Option<LogCopy>> {
        let hold = self.wal.hold()?;
        let from = begin()?;
        Ok(Some(self.wal.copy_to(&hold, from, to)?))
    }

    fn redact(&self, through: Seq, judge: Judge<'_>) -> Result<Option<Redacted>> {
        let mut failure = None;
        let redacted = self.wal.redact(through, &mut |record| match judge(record) {
            Ok(redaction) => redaction,
            Err(error) => {
                failure.get_or_insert(error);
                Redaction::Keep
            }
        })?;
        // What could not be judged is still there.
        match failure {
            Some(error) => Err(error),
            None => Ok(Some(Redacted {
                tombstones: redacted.tombstones,
                replaced: redacted.replaced,
                segments: redacted.segments as u64,
            })),
        }
    }

    fn close(&self) -> Result<()> {
        Ok(self.wal.close()?)
    }
}

fn answered_by(ticket: Ticket) -> Appending {
    let appended = ticket.appended().clone();
    Appending::answered_by(&appended, || {
        ticket.wait()?;
        Ok(())
    })
}
