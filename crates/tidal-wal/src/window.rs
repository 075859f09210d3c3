//! The deduplication window: the keys that have entered the log lately.
//!
//! V1. The window is a function of the log alone: of the keys in its records and of
//!     their log times. No clock drops a key, so who replays a log comes to the
//!     window of who wrote it.
//! V2. Log time is cut into epochs of the length T of the window. A key that entered
//!     in one epoch is found in that and in the next one: so for T at least, and for
//!     less than 2 T. Two generations of keys hold all that can be found.
//! V3. A copy of the window costs little, however many keys there are: entries lie in
//!     chunks that are shared once they are full.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tidal_types::{Seq, Timestamp};

use crate::RecordKey;

/// So many entries are copied at most when a window is.
const CHUNK_ENTRIES: usize = 1024;

/// A key that entered the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: RecordKey,
    pub(crate) known: Known,
    /// When its record was written, by the log.
    pub(crate) log_time: Timestamp,
}

/// What is known of the record that has a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) seq: Seq,
    pub(crate) fingerprint: u64,
}

/// The keys that can still be found.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    epoch_nanos: u64,
    /// The last epoch that the log has come to.
    epoch: u64,
    newer: Generation,
    /// The keys of the epoch before.
    older: Generation,
}

/// The keys of one epoch.
#[derive(Debug, Clone, Default)]
struct Generation {
    index: HashMap<RecordKey, Known>,
    entries: Entries,
}

/// Entries in the order of their records.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entries {
    full: Vec<Arc<[Entry]>>,
    rest: Vec<Entry>,
}

impl Window {
    /// A window of this length, in which nothing is yet.
    pub(crate) fn new(length: Duration) -> Self {
        let epoch_nanos = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX).max(1);
        Self { epoch_nanos, epoch: 0, newer: Generation::default(), older: Generation::default() }
    }

    const fn epoch_of(&self, time: Timestamp) -> u64 {
        time.as_nanos() / self.epoch_nanos
    }

    /// The first time whose keys can be found at `time`.
    pub(crate) const fn begin_at(&self, time: Timestamp) -> Timestamp {
        let epoch = self.epoch_of(time).saturating_sub(1);
        Timestamp::from_nanos(epoch.saturating_mul(self.epoch_nanos))
    }

    /// The log has come to this time, which is never before an earlier one.
    pub(crate) fn advance(&mut self, log_time: Timestamp) {
        let epoch = self.epoch_of(log_time);
        if epoch <= self.epoch {
            return;
        }
        let newer = std::mem::take(&mut self.newer);
        self.older = if epoch == self.epoch + 1 { newer } else { Generation::default() };
        self.epoch = epoch;
    }

    /// A key has entered the log.
    pub(crate) fn insert(&mut self, entry: Entry) {
        self.advance(entry.log_time);
        self.newer.index.insert(entry.key, entry.known);
        self.newer.entries.push(entry);
    }

    /// Forgets the keys of the records for which this holds, and says how many there were.
    pub(crate) fn forget(&mut self, is_gone: &dyn Fn(Seq) -> bool) -> usize {
        [&mut self.older, &mut self.newer].into_iter().map(|keys| keys.forget(is_gone)).sum()
    }

    /// The record that has this key, for who asks at `time`.
    pub(crate) fn find(&self, key: &RecordKey, time: Timestamp) -> Option<Known> {
        let epoch = self.epoch_of(time).max(self.epoch);
        let newer = || self.newer.index.get(key).filter(|_| epoch <= self.epoch + 1);
        let older = || self.older.index.get(key).filter(|_| epoch <= self.epoch);
        newer().or_else(older).copied()
    }

    /// How many keys can be found at `time`.
    pub(crate) fn len_at(&self, time: Timestamp) -> usize {
        match self.epoch_of(time).saturating_sub(self.epoch) {
            0 => self.newer.entries.len() + self.older.entries.len(),
            1 => self.newer.entries.len(),
            _ => 0,
        }
    }

    /// The oldest record whose key is in the window.
    pub(crate) fn first_seq(&self) -> Option<Seq> {
        let first = self.older.entries.iter().next().or_else(|| self.newer.entries.iter().next());
        first.map(|entry| entry.known.seq)
    }

    /// All entries, in the order of their records.
    pub(crate) fn entries(&self) -> [Entries; 2] {
        [self.older.entries.clone(), self.newer.entries.clone()]
    }
}

impl Generation {
    fn forget(&mut self, is_gone: &dyn Fn(Seq) -> bool) -> usize {
        let before = self.entries.len();
        if self.entries.iter().any(|entry| is_gone(entry.known.seq)) {
            let entries = std::mem::take(&mut self.entries);
            let kept = entries.iter().filter(|entry| !is_gone(entry.known.seq));
            kept.for_each(|entry| self.entries.push(*entry));
            self.index.retain(|_, known| !is_gone(known.seq));
        }
        before - self.entries.len()
    }
}

impl Entries {
    fn push(&mut self, entry: Entry) {
        self.rest.push(entry);
        if self.rest.len() == CHUNK_ENTRIES {
            self.full.push(std::mem::take(&mut self.rest).into());
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.full.len() * CHUNK_ENTRIES + self.rest.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.full.iter().flat_map(|chunk| chunk.iter()).chain(&self.rest)
    }
}

#[cfg(test)]
mod tests;
