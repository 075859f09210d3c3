//! A log of tidal-wal on a simulated disk, which a test steps.

use std::sync::atomic::{AtomicBool, Ordering};

use tidal_types::{Position, Seq, Timestamp};
use tidal_wal::sim::SimDisk;
use tidal_wal::{Batch, Head, Wal, WalOptions, WalStats};

use super::{Appending, Listener, LocalLog, RecordLog, Visitor};
use crate::Result;
use crate::redaction::{Judge, Redacted};

/// A log whose disk is simulated. All of its writing is done by the threads that
/// append, write checkpoints and step, so a test of one thread can be repeated.
#[derive(Debug)]
pub(crate) struct SimulatedLog {
    log: LocalLog,
    is_holding: AtomicBool,
}

impl SimulatedLog {
    pub(crate) fn open(disk: &SimDisk, options: WalOptions) -> Result<Self> {
        let log = LocalLog { wal: Wal::open_simulated(disk, options)? };
        Ok(Self { log, is_holding: AtomicBool::new(false) })
    }

    /// From now on what is appended waits for [`SimulatedLog::step`]. Before, it is
    /// written at once.
    pub(crate) fn hold(&self) {
        self.is_holding.store(true, Ordering::SeqCst);
    }

    /// Writes all that waits, and from now on what is appended at once again.
    pub(crate) fn release(&self) {
        self.is_holding.store(false, Ordering::SeqCst);
        self.step();
    }

    /// Writes all that waits as one group, as far as it fits.
    pub(crate) fn step(&self) {
        self.log.wal.step();
    }

    /// Makes the next segment ahead, if it is time for that.
    pub(crate) fn step_preallocator(&self) {
        self.log.wal.step_preallocator();
    }

    /// Where the log ends, and its digest.
    pub(crate) fn head(&self) -> Head {
        self.log.wal.head()
    }

    pub(crate) fn segment_count(&self) -> usize {
        self.log.wal.segment_count()
    }

    /// A cursor of the log.
    pub(crate) fn cursor(&self, name: &str) -> tidal_wal::Cursor {
        self.log.wal.cursor(name).unwrap()
    }

    fn stepped(&self, appending: Appending) -> Appending {
        if !self.is_holding.load(Ordering::SeqCst) {
            self.step();
        }
        appending
    }
}

impl RecordLog for SimulatedLog {
    fn append(&self, batch: &Batch) -> Result<Appending> {
        self.log.append(batch).map(|appending| self.stepped(appending))
    }

    fn append_at(&self, batch: &Batch, expected: Seq) -> Result<Appending> {
        self.log.append_at(batch, expected).map(|appending| self.stepped(appending))
    }

    fn try_append(&self, batch: &Batch, expected: Option<Seq>) -> Result<Appending> {
        self.log.try_append(batch, expected).map(|appending| self.stepped(appending))
    }

    fn cut(&self, time: Timestamp, seq: Seq) -> Seq {
        self.log.cut(time, seq)
    }

    fn read_through(&self, from: Seq, through: Seq, visit: Visitor<'_>) -> Result<()> {
        self.log.read_through(from, through, visit)
    }

    fn written_by(&self, time: Timestamp) -> Seq {
        self.log.written_by(time)
    }

    fn seal_one(&self, from: Seq, seq: Seq) -> Result<bool> {
        self.log.seal_one(from, seq)
    }

    fn sync(&self) -> Result<()> {
        self.log.sync()
    }

    fn checkpoint(&self, through: Seq) -> Result<()> {
        self.log.checkpoint(through)
    }

    fn truncate_before(&self, seq: Seq) -> Result<()> {
        self.log.truncate_before(seq)
    }

    fn head(&self) -> Position {
        RecordLog::head(&self.log)
    }

    fn first_seq(&self) -> Seq {
        self.log.first_seq()
    }

    fn stats(&self) -> WalStats {
        RecordLog::stats(&self.log)
    }

    fn on_failure(&self, tell: Listener) {
        self.log.on_failure(tell);
    }

    fn redact(&self, through: Seq, judge: Judge<'_>) -> Result<Option<Redacted>> {
        self.log.redact(through, judge)
    }

    fn close(&self) -> Result<()> {
        self.log.close()
    }
}
