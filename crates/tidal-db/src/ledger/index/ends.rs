//! One end of a list, from the outside in.

use tidal_types::{EntityId, Timestamp};

use super::super::rank_key::RankKey;
use super::List;
use super::ordered::{End, Entries, Entry};

/// The entities at one end of the order of a measure, as far as 0 or as the list goes.
///
/// It yields those whose bound is above 0 (below 0, at the lowest end), outermost bound first,
/// and of equal bounds the lower id.
#[derive(Debug)]
pub(crate) struct Ends<'a> {
    list: &'a List,
    newest: Timestamp,
    end: End,
    entries: Entries<'a>,
    next: Option<Entry>,
    yielded: usize,
}

impl<'a> Ends<'a> {
    pub(super) fn of((list, newest): (&'a List, Timestamp), end: End) -> Self {
        let mut entries = list.end(end).entries();
        let next = entries.next().copied();
        Self { list, newest, end, entries, next, yielded: 0 }
    }

    /// What no entity that it has not yielded yet exceeds at the time `at`, which is not
    /// before that of [`Held::moved_on`](super::Held::moved_on): no value is above it, or at
    /// the lowest end below it, rounding included. At least 0, or at most, which is the value
    /// of an entity without a cell.
    pub(crate) fn bound(&self, at: Timestamp) -> f64 {
        if self.list.is_over(at, self.newest) {
            return 0.0;
        }
        self.list.scale.outer(self.bound_key(), at)
    }

    /// What the key of no entity that it has not yielded yet exceeds, of a measure whose keys
    /// time does not change. At least that of 0, or at most.
    pub(crate) fn bound_key(&self) -> RankKey {
        let bound = self.next.or_else(|| self.list.end(self.end).floor());
        let bound = bound.filter(|entry| self.is_outside(*entry));
        bound.map_or(RankKey::ZERO, |entry| self.end.key(entry))
    }

    /// Once nothing more is yielded: whether every entity on this side of 0 was. Else the
    /// list has ended at its floor.
    pub(crate) fn is_complete(&self) -> bool {
        let floor = self.list.end(self.end).floor();
        !floor.is_some_and(|floor| self.is_outside(floor))
    }

    fn is_outside(&self, entry: Entry) -> bool {
        let key = self.end.key(entry);
        match self.end {
            End::Highest => key.is_positive(),
            End::Lowest => key.is_negative(),
        }
    }
}

impl Iterator for Ends<'_> {
    type Item = EntityId;

    fn next(&mut self) -> Option<EntityId> {
        match self.next.filter(|entry| self.is_outside(*entry)) {
            Some(entry) => {
                self.next = self.entries.next().copied();
                self.yielded += 1;
                Some(entry.id())
            }
            None => {
                if !self.is_complete() && self.next.is_none() {
                    self.list.fell_short(self.end, self.newest);
                }
                None
            }
        }
    }
}

impl Drop for Ends<'_> {
    /// The next query looks at these again first, for time may have taken from them.
    fn drop(&mut self) {
        if self.list.fades() {
            self.list.met(self.end, self.yielded);
        }
    }
}
