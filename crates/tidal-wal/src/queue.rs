//! What was appended and is not yet written: the double buffer between the
//! callers and the writer.
//!
//! K1. Numbers are given out in the order of the buffer, under one lock.
//! K2. Once the queue has failed or is closing, nothing enters it; what is in it
//!     is taken exactly once.
//! K3. A failure is set before anyone who waits is woken.
//! K4. The answer to a repeat stands behind its original, so it comes once that is as
//!     durable as any answered record, or fails with it. It asks for no sync.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tidal_types::{Seq, Timestamp, WalError};

use crate::batch::Batch;
use crate::completion::Completer;
use crate::dedup::{Dedup, Repeat, Stamp};
use crate::limits::{BATCH_OVERHEAD_BYTES, IDLE_MILLIS, QUEUE_BYTES_LIMIT};
use crate::options::GroupCommit;
use crate::sync::{Condvar, Mutex, MutexGuard};

/// Tells a caller how its batch fared.
pub(crate) type Answer = Completer<Result<(), WalError>>;

/// A batch in the queue. One without records is a request to sync, or the answer to
/// repeats.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) record_count: u32,
    pub(crate) bytes: usize,
    pub(crate) wants_sync: bool,
    /// Whether the log goes on in a new segment before it.
    pub(crate) rotates: bool,
    /// `None` when the caller has its answer already.
    pub(crate) answer: Option<Answer>,
}

/// Where the records of a batch went.
#[derive(Debug)]
pub(crate) struct Placed {
    /// The number of the first new record, or of the next one when none is new.
    pub(crate) first: Seq,
    /// How many are new.
    pub(crate) new_count: u32,
    pub(crate) repeats: Vec<Repeat>,
}

/// The bodies of the waiting batches, one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    pub(crate) body: Vec<u8>,
    pub(crate) batches: Vec<Queued>,
    records: usize,
    wants_sync: bool,
}

impl Buffer {
    fn clear(&mut self) {
        self.body.clear();
        self.batches.clear();
        self.records = 0;
        self.wants_sync = false;
    }

    /// About how much memory it takes.
    fn cost(&self) -> usize {
        self.body.len() + self.batches.len() * BATCH_OVERHEAD_BYTES
    }

    fn triggers(&self, group_commit: &GroupCommit) -> bool {
        self.records >= group_commit.max_records
            || self.body.len() >= group_commit.max_bytes
            || self.wants_sync
    }
}

#[derive(Debug)]
struct State {
    open: Buffer,
    next_seq: Seq,
    dedup: Dedup,
    closing: bool,
    failure: Option<Arc<WalError>>,
    /// Why records were not written whose caller does not listen.
    unheard: Option<WalError>,
}

/// What a batch does that finds no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenFull {
    Wait,
    Refuse,
}

/// What the writer finds to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// The buffer holds batches.
    Batches,
    /// Nothing came for a while.
    Idle,
    /// Nothing will come any more.
    Close,
}

#[derive(Debug)]
pub(crate) struct Queue {
    path: PathBuf,
    group_commit: GroupCommit,
    state: Mutex<State>,
    arrived: Condvar,
    room: Condvar,
}

impl Queue {
    pub(crate) fn new(
        path: PathBuf,
        group_commit: GroupCommit,
        next_seq: Seq,
        dedup: Dedup,
    ) -> Self {
        let open = Buffer::default();
        Self {
            path,
            group_commit,
            state: Mutex::new(State {
                open,
                next_seq,
                dedup,
                closing: false,
                failure: None,
                unheard: None,
            }),
            arrived: Condvar::new(),
            room: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics while it holds the queue")
    }

    fn check(&self, state: &State) -> Result<(), WalError> {
        if let Some(cause) = &state.failure {
            return Err(WalError::Poisoned { cause: Arc::clone(cause) });
        }
        if state.closing {
            return Err(WalError::Closed { path: self.path.clone() });
        }
        Ok(())
    }

    /// Puts the new records of a batch at the end, once there is room, and returns where
    /// they went. The first one must get the number that is expected, if any is.
    pub(crate) fn push(
        &self,
        batch: &Batch,
        stamps: &[Stamp],
        expected: Option<Seq>,
        answer: Option<Answer>,
        when_full: WhenFull,
    ) -> Result<Placed, WalError> {
        let bytes = batch.byte_len();
        let mut state = self.lock();
        loop {
            self.check(&state)?;
            if state.open.batches.is_empty() || state.open.cost() + bytes <= QUEUE_BYTES_LIMIT {
                break;
            }
            if when_full == WhenFull::Refuse {
                let queued = state.open.body.len();
                return Err(WalError::WouldBlock { queued, max: QUEUE_BYTES_LIMIT });
            }
            state = self.room.wait(state).expect("no thread panics while it holds the queue");
        }
        let first = state.next_seq;
        if let Some(expected) = expected.filter(|expected| *expected != first) {
            return Err(WalError::OutOfPlace { expected, next: first });
        }
        let entered = &mut *state;
        let repeats = entered.dedup.enter(stamps, first)?;
        let repeat_count = u32::try_from(repeats.len()).unwrap_or(u32::MAX);
        let new_count = batch.record_count().saturating_sub(repeat_count);
        let open = &mut entered.open;
        let was_empty = open.batches.is_empty();
        let start = open.body.len();
        batch.put(&mut open.body, stamps, &repeats);
        let wants_sync = batch.is_empty();
        open.records += new_count as usize;
        open.wants_sync |= wants_sync;
        let bytes = open.body.len() - start;
        let rotates = false;
        open.batches.push(Queued { record_count: new_count, bytes, wants_sync, rotates, answer });
        entered.next_seq = first.plus(u64::from(new_count));
        // The writer waits for the first batch, and then for nothing but a trigger.
        let wakes_writer = was_empty || entered.open.triggers(&self.group_commit);
        drop(state);
        if wakes_writer {
            self.arrived.notify_one();
        }
        Ok(Placed { first, new_count, repeats })
    }

    /// Asks that what comes behind goes into a new segment.
    pub(crate) fn push_rotation(&self, answer: Answer) -> Result<(), WalError> {
        let mut state = self.lock();
        self.check(&state)?;
        let rotation = Queued {
            record_count: 0,
            bytes: 0,
            wants_sync: true,
            rotates: true,
            answer: Some(answer),
        };
        state.open.wants_sync = true;
        state.open.batches.push(rotation);
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    /// Waits for work. With batches to write, `taken`, which must be empty, is
    /// swapped for the buffer that holds them. `idle_matters` asks to be told
    /// when nothing comes.
    pub(crate) fn take(&self, taken: &mut Buffer, idle_matters: bool) -> Work {
        taken.clear();
        let mut state = self.lock();
        let is_empty = |state: &mut State| state.open.batches.is_empty() && !state.closing;
        if idle_matters {
            let idle = Duration::from_millis(IDLE_MILLIS);
            let (guard, timeout) = self
                .arrived
                .wait_timeout_while(state, idle, is_empty)
                .expect("no thread panics while it holds the queue");
            if timeout.timed_out() {
                return Work::Idle;
            }
            state = guard;
        } else {
            state = self
                .arrived
                .wait_while(state, is_empty)
                .expect("no thread panics while it holds the queue");
        }
        if state.open.batches.is_empty() {
            return Work::Close;
        }
        let delay = self.group_commit.max_delay;
        if delay > Duration::ZERO {
            let collecting =
                |state: &mut State| !state.open.triggers(&self.group_commit) && !state.closing;
            state = self
                .arrived
                .wait_timeout_while(state, delay, collecting)
                .expect("no thread panics while it holds the queue")
                .0;
        }
        std::mem::swap(&mut state.open, taken);
        drop(state);
        self.room.notify_all();
        Work::Batches
    }

    /// The same without waiting, as if nothing came for a while.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn take_now(&self, taken: &mut Buffer) -> Work {
        taken.clear();
        let mut state = self.lock();
        if !state.open.batches.is_empty() {
            std::mem::swap(&mut state.open, taken);
            Work::Batches
        } else if state.closing {
            Work::Close
        } else {
            Work::Idle
        }
    }

    /// Lets nothing more in; the writer takes what is there.
    pub(crate) fn close(&self) {
        self.lock().closing = true;
        self.arrived.notify_all();
        self.room.notify_all();
    }

    /// Marks the log as failed. Everything that waits is taken out and returned,
    /// for its answers; the first failure is the one that is told.
    pub(crate) fn fail(&self, cause: Arc<WalError>) -> Vec<Queued> {
        let mut state = self.lock();
        state.failure.get_or_insert(cause);
        state.dedup.forget_pending();
        let waiting = std::mem::take(&mut state.open.batches);
        state.open.clear();
        drop(state);
        self.room.notify_all();
        waiting
    }

    /// Takes everything out that waits, since nothing from `next_seq` on was
    /// written: that number is given out next.
    pub(crate) fn rewind(&self, next_seq: Seq) -> Vec<Queued> {
        let mut state = self.lock();
        state.next_seq = next_seq;
        state.dedup.forget_pending();
        let waiting = std::mem::take(&mut state.open.batches);
        state.open.clear();
        drop(state);
        self.room.notify_all();
        waiting
    }

    /// How many bytes wait for the writer.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.lock().open.body.len()
    }

    /// The log time of the group that ends before record `end` and is about to be
    /// written; its keys enter the window.
    pub(crate) fn stamp(&self, end: Seq, now: Timestamp) -> Timestamp {
        self.lock().dedup.stamp(end, now)
    }

    /// What is known of keys, for a look at it.
    pub(crate) fn with_dedup<T>(&self, look: impl FnOnce(&mut Dedup) -> T) -> T {
        look(&mut self.lock().dedup)
    }

    pub(crate) fn failure(&self) -> Option<Arc<WalError>> {
        self.lock().failure.clone()
    }

    /// Remembers that nobody was told of an error.
    pub(crate) fn leave_unheard(&self, error: WalError) {
        self.lock().unheard.get_or_insert(error);
    }

    /// What nobody was told of since the last call.
    pub(crate) fn take_unheard(&self) -> Option<WalError> {
        self.lock().unheard.take()
    }
}
