//! Several measures of one entity, by one lookup.
//!
//! N1. All of a reading is of one state of the cell: no event is in one of its numbers and
//!     not in another that should have it.

use tidal_types::{EntityId, SignalTypeDefinition, TidalError, Timestamp, Window};

use super::SignalLedger;
use super::shape::Slot;

/// What an entity has of a signal type at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading<const N: usize> {
    /// The decayed score.
    pub score: f64,
    /// How many events there were in each of the windows that were asked for, in that order.
    pub counts: [u64; N],
}

impl<const N: usize> Default for Reading<N> {
    /// That of an entity without events.
    fn default() -> Self {
        Self { score: 0.0, counts: [0; N] }
    }
}

impl SignalLedger {
    /// What [`SignalLedger::score`] and [`SignalLedger::count`] say of an entity at the time
    /// `at`, which is not before the newest event in the database.
    ///
    /// # Errors
    /// [`TidalError::WindowNotDeclared`].
    pub fn reading<const N: usize>(
        &self,
        signal: &SignalTypeDefinition,
        id: EntityId,
        windows: [Window; N],
        at: Timestamp,
    ) -> Result<Reading<N>, TidalError> {
        let mut slots = [Slot::AllTime; N];
        for (slot, window) in slots.iter_mut().zip(windows) {
            *slot = Slot::of_count(signal, window)?;
        }
        let read = self.read(signal.id(), id, |kept, cell| Reading {
            score: cell.score(&kept.shape, at),
            counts: slots.map(|slot| cell.count(slot, at)),
        })?;
        Ok(read.unwrap_or_default())
    }
}
