//! The actors who acted last, by their ids.
//!
//! R1. They are the [`RECENT_MAX`] newest by the time of the last thing each did, then by
//!     id: a function of the set of events, whatever their order and however often each
//!     comes. Whoever is left out acted before all who are kept, and so does not matter to
//!     a window that leaves one of these out.
//! R2. Each is there once, with the time of the last thing that it did; oldest first.

use super::times::Times;

/// How many actors are kept by id. A window in which fewer acted is counted exactly.
pub(super) const RECENT_MAX: usize = 64;

/// The last thing that an actor did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Act {
    /// Nanoseconds since the epoch.
    pub(super) time: u64,
    pub(super) actor: u64,
}

/// The actors who acted last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Recent(Vec<Act>);

impl Recent {
    /// Acts that are in order already, oldest first.
    pub(super) const fn of(acts: Vec<Act>) -> Self {
        Self(acts)
    }

    pub(super) fn acts(&self) -> &[Act] {
        &self.0
    }

    /// When the last of them acted.
    pub(super) fn newest(&self) -> Option<u64> {
        self.0.last().map(|act| act.time)
    }

    /// Whether somebody else may have acted before them.
    pub(super) const fn is_full(&self) -> bool {
        self.0.len() >= RECENT_MAX
    }

    pub(super) fn add(&mut self, act: Act) {
        match self.0.iter().position(|known| known.actor == act.actor) {
            Some(place) if self.0.get(place).is_some_and(|known| *known >= act) => return,
            Some(place) => {
                self.0.remove(place);
            }
            None if self.is_full() => {
                if self.0.first().is_some_and(|oldest| *oldest > act) {
                    return;
                }
                self.0.remove(0);
            }
            None => {}
        }
        let place = self.0.partition_point(|known| *known < act);
        self.0.insert(place, act);
    }

    /// How many of them acted behind `cut`.
    pub(super) fn behind(&self, cut: Option<u64>) -> usize {
        cut.map_or(self.0.len(), |cut| self.0.len() - self.0.partition_point(|act| act.time <= cut))
    }

    /// Drops who acted before a bucket only.
    pub(super) fn drop_before(&mut self, oldest: u64, times: Times) {
        let dead = self.0.partition_point(|act| times.bucket(act.time) < oldest);
        self.0.drain(..dead);
    }

    /// Gives another id to each actor of whom `is_named` says so: the first that nobody
    /// has of those that `number` makes of the time and a count from 0 on. Returns whether
    /// there was such an actor.
    pub(super) fn rename(
        &mut self,
        is_named: impl Fn(u64) -> bool,
        number: impl Fn(u64, u64) -> u64,
    ) -> bool {
        let named: Vec<Act> = self.0.iter().filter(|act| is_named(act.actor)).copied().collect();
        for act in &named {
            let is_taken = |number: &u64| self.0.iter().any(|known| known.actor == *number);
            let other = (0..).map(|count| number(act.time, count)).find(|other| !is_taken(other));
            let known = self.0.iter_mut().find(|known| *known == act);
            if let (Some(known), Some(other)) = (known, other) {
                known.actor = other;
            }
        }
        self.0.sort_unstable();
        !named.is_empty()
    }

    /// The bytes of memory that it takes beside itself.
    pub(super) const fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<Act>()
    }
}
