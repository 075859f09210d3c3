//! The writer: the one thread that writes and syncs.
//!
//! W1. Nobody has an answer before what it says is true: the group is written,
//!     and synced where the log is durable, before the answers go out.
//! W2. After any failed write, sync or rename the log takes no more records
//!     (K3); whoever waits is told that the outcome is unknown.
//! W3. A failure to make room is told to everyone who waits, nothing was
//!     written, and the log goes on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tidal_types::{Clock, WalError};

use crate::disk::Lock;
use crate::format::SegmentNumber;
use crate::limits::GROUP_BYTES_MAX;
use crate::options::Durability;
use crate::queue::{Answer, Buffer, Queued, Work};
use crate::shared::{Durable, Shared};
use crate::spare::Spares;
use crate::tail::{Tail, TailError};
use crate::ticket::writer_gone;

#[derive(Debug)]
pub(crate) struct Writer {
    shared: Arc<Shared>,
    /// Dropped before the lock, and with it whoever makes segments ahead.
    tail: Tail,
    durability: Durability,
    clock: Arc<dyn Clock>,
    /// Up to where the floor file says that the log is synced.
    floor_offset: u64,
    /// The lock of the directory, which is free once nobody writes any more.
    _lock: Option<Lock>,
}

/// Batches that share a group.
#[derive(Debug, Default)]
struct Group {
    batch_count: usize,
    record_count: u32,
    bytes: usize,
    wants_sync: bool,
    answers: Vec<Answer>,
}

impl Group {
    /// Whether a batch goes into this group, for which there is this room.
    const fn takes(&self, batch: &Queued, room: usize) -> bool {
        self.batch_count == 0 || (!batch.rotates && self.bytes + batch.bytes <= room)
    }
}

impl Writer {
    pub(crate) const fn new(
        shared: Arc<Shared>,
        tail: Tail,
        durability: Durability,
        clock: Arc<dyn Clock>,
        lock: Option<Lock>,
    ) -> Self {
        let floor_offset = tail.synced_offset();
        Self { shared, tail, durability, clock, floor_offset, _lock: lock }
    }

    /// Who makes segments ahead.
    pub(crate) const fn spares(&mut self) -> &mut Spares {
        self.tail.spares()
    }

    /// Works until the log is closed, and does not take the waiters along when it
    /// panics.
    pub(crate) fn run_guarded(self) -> Result<(), WalError> {
        let shared = Arc::clone(&self.shared);
        catch_unwind(AssertUnwindSafe(|| self.run())).unwrap_or_else(|_| {
            let cause = Arc::new(writer_gone());
            fail_all(&shared, Arc::clone(&cause), Vec::new());
            Err(WalError::Poisoned { cause })
        })
    }

    /// Works until the queue is closed and empty. Returns how the last sync
    /// went.
    fn run(mut self) -> Result<(), WalError> {
        let mut buffer = Buffer::default();
        loop {
            let work = self.shared.queue.take(&mut buffer, self.floor_lags());
            if work == Work::Close {
                break;
            }
            self.work(work, &mut buffer);
        }
        self.settle();
        self.shared.close();
        if let Some(cause) = self.shared.queue.failure() {
            return Err(WalError::Poisoned { cause });
        }
        self.shared.queue.take_unheard().map_or(Ok(()), Err)
    }

    /// What there is to do now, without waiting for more.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn step(&mut self) {
        let mut buffer = Buffer::default();
        let work = self.shared.queue.take_now(&mut buffer);
        self.work(work, &mut buffer);
    }

    fn work(&mut self, work: Work, buffer: &mut Buffer) {
        match work {
            Work::Batches => self.write(buffer),
            Work::Idle => self.settle(),
            Work::Close => {}
        }
    }

    fn write(&mut self, buffer: &mut Buffer) {
        let mut batches = std::mem::take(&mut buffer.batches).into_iter().peekable();
        let mut body = buffer.body.as_slice();
        while let Some(next) = batches.peek() {
            let outcome = self.make_room(next.bytes, next.rotates);
            let group = self.collect(&mut batches);
            let (group_body, rest) = body.split_at_checked(group.bytes).unwrap_or((body, &[]));
            body = rest;
            let outcome = outcome
                .and_then(|()| self.write_group(&group, group_body).map_err(TailError::Unsound));
            if let Err(error) = outcome {
                self.give_up(error, group, batches);
                return;
            }
            for answer in group.answers {
                answer.complete(Ok(()));
            }
        }
    }

    /// A segment with room for a batch of this length, and without a group when it is to
    /// be a new one.
    fn make_room(&mut self, bytes: usize, is_new: bool) -> Result<(), TailError> {
        if bytes <= self.tail.room() && !(is_new && self.tail.has_groups()) {
            return Ok(());
        }
        let now = self.shared.queue.with_dedup(|dedup| dedup.tick(self.clock.now()));
        self.tail.rotate(bytes, now)?;
        self.shared.segments().push(self.tail.header().clone());
        self.shared.set_durable(Durable::of(&self.tail));
        self.write_floor().map_err(TailError::Unsound)
    }

    /// The next batches that fit into the segment and into one group.
    fn collect(&self, batches: &mut std::iter::Peekable<std::vec::IntoIter<Queued>>) -> Group {
        let room = self.tail.room().min(GROUP_BYTES_MAX);
        let mut group = Group::default();
        while let Some(batch) = batches.next_if(|batch| group.takes(batch, room)) {
            group.batch_count += 1;
            group.record_count += batch.record_count;
            group.bytes += batch.bytes;
            group.wants_sync |= batch.wants_sync;
            group.answers.extend(batch.answer);
        }
        group
    }

    fn write_group(&mut self, group: &Group, body: &[u8]) -> Result<(), WalError> {
        if group.record_count > 0 {
            let end = self.tail.standing().next_seq.plus(u64::from(group.record_count));
            let now = self.shared.queue.stamp(end, self.clock.now());
            self.tail.write(group.record_count, body, now)?;
        }
        if group.wants_sync || self.durability == Durability::Durable {
            self.sync()?;
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), WalError> {
        self.tail.sync()?;
        self.shared.set_durable(Durable::of(&self.tail));
        Ok(())
    }

    fn give_up(&self, error: TailError, group: Group, rest: impl Iterator<Item = Queued>) {
        let mut answers = group.answers;
        answers.extend(rest.filter_map(|batch| batch.answer));
        // Whoever got an answer from a buffered log believes that its records
        // have their numbers, so those cannot be given out again.
        match error {
            TailError::NoRoom(error) if self.durability != Durability::Buffered => {
                tracing::warn!(%error, "no room for a segment; appends fail until there is");
                let waiting = self.shared.queue.rewind(self.tail.standing().next_seq);
                answers.extend(waiting.into_iter().filter_map(|batch| batch.answer));
                for answer in answers {
                    if answer.is_unheard() {
                        self.shared.queue.leave_unheard(error.clone());
                    }
                    answer.complete(Err(error.clone()));
                }
            }
            TailError::NoRoom(error) | TailError::Unsound(error) => {
                tracing::error!(%error, "the log failed and takes no more records");
                fail_all(&self.shared, Arc::new(error), answers);
            }
        }
    }

    fn floor_lags(&self) -> bool {
        let lags = !self.tail.is_synced() || self.floor_offset < self.tail.synced_offset();
        lags && self.shared.queue.failure().is_none()
    }

    /// Syncs what is written and says so in the floor, so that later damage to
    /// it cannot be taken for a torn tail.
    fn settle(&mut self) {
        if !self.floor_lags() {
            return;
        }
        if let Err(error) = self.sync().and_then(|()| self.write_floor()) {
            self.give_up(TailError::Unsound(error), Group::default(), std::iter::empty());
        }
    }

    fn write_floor(&mut self) -> Result<(), WalError> {
        let mut floor = self.shared.floor();
        let oldest = floor.oldest_segment().unwrap_or(SegmentNumber::FIRST);
        floor.write(self.tail.floor(oldest))?;
        self.floor_offset = self.tail.synced_offset();
        Ok(())
    }
}

/// Marks the log as failed, and then tells everyone who waits, `answers` and the
/// queue (K3).
pub(crate) fn fail_all(shared: &Shared, cause: Arc<WalError>, answers: Vec<Answer>) {
    let mut waiting = mark_failed(shared, cause);
    waiting.answers.splice(0..0, answers);
    waiting.tell();
}

/// Marks the log as failed, and returns who in the queue waits.
pub(crate) fn mark_failed(shared: &Shared, cause: Arc<WalError>) -> Waiting {
    let waiting = shared.queue.fail(Arc::clone(&cause));
    shared.progress.fail(&cause);
    Waiting { cause, answers: waiting.into_iter().filter_map(|batch| batch.answer).collect() }
}

/// Who waits on a log that failed. Whoever holds a lock lets go of it before they are
/// told: a waker is the caller's code, and may drop the log.
#[must_use]
pub(crate) struct Waiting {
    cause: Arc<WalError>,
    answers: Vec<Answer>,
}

impl Waiting {
    pub(crate) fn tell(self) {
        for answer in self.answers {
            answer.complete(Err(WalError::Indeterminate { cause: Arc::clone(&self.cause) }));
        }
    }
}
