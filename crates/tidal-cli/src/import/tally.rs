//! What became of the rows.

use tidal_db::{Committed, Outcome};

/// Rows by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Durable for the first time.
    pub(crate) accepted: u64,
    /// Durable already.
    pub(crate) duplicates: u64,
    /// Not taken.
    pub(crate) rejected: u64,
}

impl Tally {
    /// All rows.
    pub(crate) const fn rows(&self) -> u64 {
        self.accepted + self.duplicates + self.rejected
    }

    /// Counts what a commit answered to its first operations, as many as it has
    /// rows.
    pub(super) fn add(&mut self, committed: &Committed, rows: usize) {
        for outcome in committed.outcomes.iter().take(rows) {
            match outcome {
                Outcome::Appended { .. } => self.accepted += 1,
                Outcome::Duplicate { .. } => self.duplicates += 1,
            }
        }
    }
}
