//! A log that keeps nothing and answers when a test says so.

use std::sync::{Condvar, Mutex, MutexGuard};

use tidal_types::{LogId, Position, Seq, WalError};
use tidal_wal::{Batch, Completer, WalStats, completion};

use super::{Appending, Listener, RecordLog, Visitor, stats_without_files};
use crate::Result;

/// A log that answers when it is told to.
#[derive(Debug)]
pub(crate) struct ScriptedLog {
    script: Mutex<Script>,
    attempted: Condvar,
}

#[derive(Debug)]
struct Script {
    next: Seq,
    /// Where the numbers begin that are not answered yet.
    durable: Seq,
    is_holding: bool,
    waiting: Vec<Completer<Result<()>>>,
    attempts: usize,
}

impl ScriptedLog {
    pub(crate) fn new() -> Self {
        let script = Script {
            next: Seq::FIRST,
            durable: Seq::FIRST,
            is_holding: false,
            waiting: Vec::new(),
            attempts: 0,
        };
        Self { script: Mutex::new(script), attempted: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// Answers nobody from now on.
    pub(crate) fn hold(&self) {
        self.lock().is_holding = true;
    }

    /// Answers everyone who waits, and from now on at once.
    pub(crate) fn release(&self) {
        let mut script = self.lock();
        script.is_holding = false;
        script.durable = script.next;
        script.waiting.drain(..).for_each(|answer| answer.complete(Ok(())));
    }

    /// Has no room for what waits: its numbers are given out again, as tidal-wal
    /// does before it answers.
    pub(crate) fn rewind(&self) {
        let mut script = self.lock();
        script.next = script.durable;
    }

    /// Tells those who wait that there was no room.
    pub(crate) fn refuse(&self) {
        let mut script = self.lock();
        script.is_holding = false;
        for answer in script.waiting.drain(..) {
            answer.complete(Err(WalError::NoSpace { path: "log".into() }.into()));
        }
    }

    /// Tells the first of those who wait that there was no room; the others go on
    /// waiting.
    pub(crate) fn refuse_first(&self) {
        let answer = self.lock().waiting.remove(0);
        answer.complete(Err(WalError::NoSpace { path: "log".into() }.into()));
    }

    /// Waits until that many appends were tried.
    pub(crate) fn wait_for_attempts(&self, attempts: usize) {
        let few = |script: &mut Script| script.attempts < attempts;
        drop(self.attempted.wait_while(self.lock(), few).unwrap());
    }
}

impl RecordLog for ScriptedLog {
    fn append(&self, batch: &Batch) -> Result<Appending> {
        let next = self.lock().next;
        self.append_at(batch, next)
    }

    fn append_at(&self, batch: &Batch, expected: Seq) -> Result<Appending> {
        let mut script = self.lock();
        script.attempts += 1;
        self.attempted.notify_all();
        let first = script.next;
        if first != expected {
            return Err(WalError::OutOfPlace { expected, next: first }.into());
        }
        let new_count = batch.len() as u64;
        script.next = first.plus(new_count);
        let done = Appending { first, new_count, duplicates: Vec::new(), answer: None };
        if !script.is_holding {
            script.durable = script.next;
            return Ok(done);
        }
        let (answer, pending) = completion();
        script.waiting.push(answer);
        Ok(Appending { answer: Some(Box::new(|| pending.wait().unwrap())), ..done })
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
        Position { log_id: LogId::from_bytes([0; 16]), seq: self.lock().durable.previous() }
    }

    fn first_seq(&self) -> Seq {
        Seq::FIRST
    }

    fn stats(&self) -> WalStats {
        stats_without_files(self.head())
    }

    /// Its failures are those of single appends.
    fn on_failure(&self, _tell: Listener) {}

    fn close(&self) -> Result<()> {
        Ok(())
    }
}
