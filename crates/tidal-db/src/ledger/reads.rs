//! What is read from the ledger.
//!
//! Every read names its time, which is not before the newest event in the
//! database: the ledger holds the present. The bounds of L4 are here.

use tidal_types::{EntityId, SignalTypeDefinition, TidalError, Timestamp, Window};

use super::SignalLedger;
use super::shape::Slot;

impl SignalLedger {
    /// The decayed score of an entity at the time `at`, which is not before the
    /// newest event in the database; 0 when it has no events.
    ///
    /// Exponential and permanent scores are exact to rounding. A linear one of an
    /// entity with more than four events is off by at most a sixtieth of the
    /// absolute weights of the bucket that is just leaving the lifetime.
    ///
    /// # Errors
    /// What storage says, of this and of every read, when the cell is not in memory.
    pub fn score(
        &self,
        signal: &SignalTypeDefinition,
        id: EntityId,
        at: Timestamp,
    ) -> Result<f64, TidalError> {
        let score = self.read(signal.id(), id, |kept, cell| cell.score(&kept.shape, at))?;
        Ok(score.unwrap_or(0.0))
    }

    /// How many events an entity had in the window that ends at `at`, which is
    /// not before the newest event in the database; 0 when it has none.
    ///
    /// Exact over all time, and for an entity with at most four events. Else off
    /// by at most the number of events in the bucket (a sixtieth of the window)
    /// that is just leaving the window.
    ///
    /// # Errors
    /// [`TidalError::WindowNotDeclared`].
    pub fn count(
        &self,
        signal: &SignalTypeDefinition,
        id: EntityId,
        window: Window,
        at: Timestamp,
    ) -> Result<u64, TidalError> {
        Ok(self.count_of_cell(signal, id, window, at)?.unwrap_or(0))
    }

    /// The same; `None` when the entity has no events.
    pub(crate) fn count_of_cell(
        &self,
        signal: &SignalTypeDefinition,
        id: EntityId,
        window: Window,
        at: Timestamp,
    ) -> Result<Option<u64>, TidalError> {
        let slot = Slot::of_count(signal, window)?;
        self.read(signal.id(), id, |_, cell| cell.count(slot, at))
    }

    /// The sum of the weights of the events that [`SignalLedger::count`] counts.
    /// Exact where the count is; else the bucket that is just leaving adds its
    /// sum by the same share.
    ///
    /// # Errors
    /// [`TidalError::SumsNotDeclared`], [`TidalError::WindowNotDeclared`].
    pub fn sum(
        &self,
        signal: &SignalTypeDefinition,
        id: EntityId,
        window: Window,
        at: Timestamp,
    ) -> Result<f64, TidalError> {
        let slot = Slot::of_sum(signal, window)?;
        let read = self.read(signal.id(), id, |_, cell| cell.sum(slot, at))?;
        Ok(read.unwrap_or(0.0))
    }

    /// Events per second over the window that ends at `at`: the count divided by
    /// the window's length.
    ///
    /// # Errors
    /// [`TidalError::VelocityNotDeclared`], also for [`Window::AllTime`];
    /// [`TidalError::WindowNotDeclared`].
    pub fn velocity(
        &self,
        signal: &SignalTypeDefinition,
        id: EntityId,
        window: Window,
        at: Timestamp,
    ) -> Result<f64, TidalError> {
        let (slot, secs) = Slot::of_velocity(signal, window)?;
        let read = self.read(signal.id(), id, |_, cell| cell.count(slot, at) as f64 / secs)?;
        Ok(read.unwrap_or(0.0))
    }
}
