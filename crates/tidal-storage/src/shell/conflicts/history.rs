//! The keys written lately, by the number of their commit.
//!
//! H1. A key that was written after the start of an open transaction is known
//!     with a number above that start, unless the transaction is forgotten.
//! H2. What no open transaction can conflict with is not kept.
//! H3. What is kept takes at most `bytes_max`. The oldest numbers go first, and
//!     the transactions that began before them are forgotten.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::{KeyRange, SpaceId};

/// The number of a recorded write, and of the moment behind it.
pub(super) type CommitNumber = u64;

pub(super) type Key = Arc<[u8]>;

/// What an entry takes beside its key, in bytes: its places in the map and in the
/// queue, and the key's counts.
const ENTRY_BYTES: usize = 96;

/// The keys written lately.
#[derive(Debug)]
pub(crate) struct History {
    bytes_max: usize,
    bytes: usize,
    last: CommitNumber,
    /// How many open transactions began at each number.
    open: BTreeMap<CommitNumber, usize>,
    /// The last number of each key.
    spaces: BTreeMap<SpaceId, BTreeMap<Key, CommitNumber>>,
    /// The same in order, and numbers that keys had before.
    queue: VecDeque<(CommitNumber, SpaceId, Key)>,
    /// Numbers up to this one may be missing.
    forgotten: CommitNumber,
}

impl History {
    pub(super) const fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            bytes: 0,
            last: 0,
            open: BTreeMap::new(),
            spaces: BTreeMap::new(),
            queue: VecDeque::new(),
            forgotten: 0,
        }
    }

    pub(super) fn has_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Opens a transaction that sees everything recorded so far.
    pub(super) fn begin(&mut self) -> CommitNumber {
        *self.open.entry(self.last).or_default() += 1;
        self.last
    }

    /// Closes a transaction that began at this number.
    pub(super) fn end(&mut self, start: CommitNumber) {
        if let Entry::Occupied(mut open) = self.open.entry(start) {
            *open.get_mut() -= 1;
            if *open.get() == 0 {
                open.remove();
            }
        }
        self.forget_what_nobody_needs();
    }

    /// Records that these keys were written.
    pub(super) fn record(&mut self, keys: Vec<(SpaceId, Key)>) {
        self.last += 1;
        let newest = self.open.last_key_value().map(|(&start, _)| start);
        let Some(newest) = newest.filter(|&start| start >= self.forgotten) else {
            self.forget_all();
            return;
        };
        for (space, key) in keys {
            let numbers = self.spaces.entry(space).or_default();
            // A number above every start says the same as a higher one.
            if numbers.get(&key).is_none_or(|&number| number <= newest) {
                self.bytes += key.len() + ENTRY_BYTES;
                numbers.insert(Arc::clone(&key), self.last);
                self.queue.push_back((self.last, space, key));
            }
        }
        while self.bytes > self.bytes_max {
            self.forget_first();
        }
    }

    /// Whether a transaction that began at this number may miss a conflict.
    pub(crate) const fn is_forgotten(&self, start: CommitNumber) -> bool {
        start < self.forgotten
    }

    pub(crate) const fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Whether a key was written since.
    pub(crate) fn has_newer(&self, start: CommitNumber, space: SpaceId, key: &[u8]) -> bool {
        let number = self.spaces.get(&space).and_then(|keys| keys.get(key));
        number.is_some_and(|&number| number > start)
    }

    /// A key in a [normalized](KeyRange::normalized) range that was written
    /// since, if there is one.
    pub(crate) fn newer_in(
        &self,
        start: CommitNumber,
        space: SpaceId,
        range: &KeyRange,
    ) -> Option<&[u8]> {
        let mut written = self.spaces.get(&space)?.range::<[u8], _>(range.bounds());
        written.find(|&(_, &number)| number > start).map(|(key, _)| &**key)
    }

    fn forget_what_nobody_needs(&mut self) {
        match self.open.range(self.forgotten..).next() {
            Some((&oldest, _)) => {
                while self.queue.front().is_some_and(|&(number, ..)| number <= oldest) {
                    self.forget_first();
                }
            }
            None => self.forget_all(),
        }
    }

    fn forget_first(&mut self) {
        let Some((number, space, key)) = self.queue.pop_front() else {
            return;
        };
        self.forgotten = number;
        self.bytes -= key.len() + ENTRY_BYTES;
        // The key may have been written again.
        if let Some(numbers) = self.spaces.get_mut(&space)
            && numbers.get(&key) == Some(&number)
        {
            numbers.remove(&key);
        }
    }

    fn forget_all(&mut self) {
        self.forgotten = self.last;
        self.bytes = 0;
        self.spaces.clear();
        self.queue = VecDeque::new();
    }

    #[cfg(test)]
    pub(super) fn entries(&self) -> usize {
        self.queue.len()
    }

    #[cfg(test)]
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }
}
