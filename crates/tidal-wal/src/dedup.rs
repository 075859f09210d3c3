//! Which records of an append are repeats, decided under the lock of the queue.
//!
//! X1. A record with a key is in one of two places from its append on: among the
//!     pending ones until its group has its log time, then in the window. Both are
//!     looked up, so of two appends with one key only the first is written.
//! X2. The time that a lookup goes by never goes back, and no group has a log time
//!     before it: what was found to have left the window has left it in replay too.
//! X3. Pending records go with the numbers that are given out again, and with a log
//!     that failed.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tidal_types::{Clock, Seq, Timestamp, WalError};

use crate::RecordKey;
use crate::window::{Entries, Entry, Known, Window};

/// A record of a batch that has a key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    /// Which record of the batch, from 0.
    pub(crate) index: u32,
    /// Where in the body of the batch its key is.
    pub(crate) key_at: usize,
    pub(crate) key: RecordKey,
    pub(crate) fingerprint: u64,
}

/// A record of a batch that is in the log already, or on its way there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Repeat {
    /// Which record of the batch, from 0.
    pub(crate) index: u32,
    /// The number of the original.
    pub(crate) seq: Seq,
}

/// What is known of keys.
#[derive(Debug)]
pub(crate) struct Dedup {
    clock: Arc<dyn Clock>,
    max_keys: usize,
    window: Window,
    /// The records that have entered the window, and all that came between, end
    /// before this one.
    position: Seq,
    /// Of the last group before the position, or of a lookup since.
    time: Timestamp,
    log_time: Timestamp,
    pending: HashMap<RecordKey, Known>,
    /// The keys of `pending`, in the order of their records.
    order: VecDeque<(RecordKey, Known)>,
}

/// The window as of one place in the log.
#[derive(Debug)]
pub(crate) struct WindowCopy {
    /// The first record that is not taken account of.
    pub(crate) position: Seq,
    /// The log time of the last group that is.
    pub(crate) log_time: Timestamp,
    pub(crate) entries: [Entries; 2],
}

impl Dedup {
    /// With the window as of the end of the log.
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        max_keys: usize,
        window: Window,
        position: Seq,
        log_time: Timestamp,
    ) -> Self {
        Self {
            clock,
            max_keys,
            window,
            position,
            time: log_time,
            log_time,
            pending: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Tells the repeats in a batch whose first new record gets the number `first`;
    /// the new ones among its records with keys are pending from here on.
    ///
    /// # Errors
    /// [`WalError::KeyReused`], [`WalError::WindowFull`]; then none is pending.
    pub(crate) fn enter(&mut self, stamps: &[Stamp], first: Seq) -> Result<Vec<Repeat>, WalError> {
        if stamps.is_empty() {
            return Ok(Vec::new());
        }
        self.time = self.time.max(self.clock.now());
        let pending = self.order.len();
        let mut repeats = Vec::new();
        for stamp in stamps {
            if let Err(error) = self.enter_one(stamp, first, &mut repeats) {
                for (key, _) in self.order.drain(pending..) {
                    self.pending.remove(&key);
                }
                return Err(error);
            }
        }
        Ok(repeats)
    }

    fn enter_one(
        &mut self,
        stamp: &Stamp,
        first: Seq,
        repeats: &mut Vec<Repeat>,
    ) -> Result<(), WalError> {
        let Stamp { index, key, fingerprint, .. } = *stamp;
        let pending = self.pending.get(&key).copied();
        match pending.or_else(|| self.window.find(&key, self.time)) {
            Some(known) if known.fingerprint == fingerprint => {
                repeats.push(Repeat { index, seq: known.seq });
            }
            Some(known) => {
                let index = usize::try_from(index).unwrap_or(usize::MAX);
                return Err(WalError::KeyReused { index, seq: known.seq });
            }
            None => {
                if self.window.len_at(self.time) + self.order.len() >= self.max_keys {
                    return Err(WalError::WindowFull { max: self.max_keys });
                }
                let earlier = u64::from(index) - repeats.len() as u64;
                let known = Known { seq: first.plus(earlier), fingerprint };
                self.pending.insert(key, known);
                self.order.push_back((key, known));
            }
        }
        Ok(())
    }

    /// The log time of the group that ends before record `end` and is about to be
    /// written; its keys enter the window.
    pub(crate) fn stamp(&mut self, end: Seq, now: Timestamp) -> Timestamp {
        let log_time = self.tick(now);
        self.position = end;
        self.log_time = log_time;
        self.window.advance(log_time);
        while let Some(&(key, known)) = self.order.front().filter(|(_, known)| known.seq < end) {
            self.order.pop_front();
            self.pending.remove(&key);
            self.window.insert(Entry { key, known, log_time });
        }
        log_time
    }

    /// The time that it is by the log, when a clock says `now`.
    pub(crate) fn tick(&mut self, now: Timestamp) -> Timestamp {
        self.time = self.time.max(now);
        self.time
    }

    /// Forgets what is not written.
    pub(crate) fn forget_pending(&mut self) {
        self.pending.clear();
        self.order.clear();
    }

    /// Forgets the keys of the records in the log for which this holds, and says how many
    /// there were.
    pub(crate) fn forget(&mut self, is_gone: &dyn Fn(Seq) -> bool) -> usize {
        self.window.forget(is_gone)
    }

    /// How many keys are in the window or on their way there.
    pub(crate) fn len(&self) -> usize {
        self.window.len_at(self.time) + self.order.len()
    }

    /// The oldest record whose key is in the window.
    pub(crate) fn first_seq(&self) -> Option<Seq> {
        self.window.first_seq()
    }

    /// A copy of the window. It costs a pointer per thousand keys.
    pub(crate) fn copy(&self) -> WindowCopy {
        let entries = self.window.entries();
        WindowCopy { position: self.position, log_time: self.log_time, entries }
    }
}
