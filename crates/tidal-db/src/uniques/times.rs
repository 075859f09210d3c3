//! How a sketch cuts time: into buckets of a sixtieth of the shortest window that ends.
//!
//! T1. A bucket that no window touches at one time is touched by none at a later one.

use tidal_types::{SignalTypeDefinition, Timestamp, Window};

use crate::ledger::{Grid, nanos};

/// The buckets of a signal type, and how long they matter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// That of the shortest window that ends; `None` where none does, so that all of time
    /// is one bucket.
    grid: Option<Grid>,
    /// The length of the longest window, in nanoseconds; `None` where it never ends.
    longest: Option<u64>,
}

impl Times {
    pub(crate) fn of(signal: &SignalTypeDefinition) -> Self {
        let shortest = signal.windows().first().and_then(|window| window.duration());
        let longest = signal.windows().last().and_then(|window| window.duration());
        Self { grid: shortest.map(Grid::new), longest: longest.map(nanos) }
    }

    /// The bucket that holds an instant.
    pub(super) fn bucket(self, time: u64) -> u64 {
        self.grid.map_or(0, |grid| grid.index(time))
    }

    /// The oldest bucket that holds an instant behind `cut`; `None` where nothing is cut.
    pub(super) fn bucket_behind(self, cut: Option<u64>) -> u64 {
        cut.map_or(0, |cut| self.bucket(cut.saturating_add(1)))
    }

    /// The oldest bucket that a window touches at `newest` or later (T1).
    pub(super) fn oldest(self, newest: u64) -> u64 {
        self.bucket_behind(self.longest.and_then(|longest| newest.checked_sub(longest)))
    }
}

/// The newest instant that a window at the time `at` does not hold; `None` where it
/// reaches back to the epoch.
pub(super) fn cut(window: Window, at: Timestamp) -> Option<u64> {
    at.as_nanos().checked_sub(nanos(window.duration()?))
}
