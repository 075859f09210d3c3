//! What is read from the ledger.
//!
//! Every read names its time, which is not before the newest event in the
//! database: the ledger holds the present. The bounds of L4 are here.

use tidal_types::{EntityId, SignalTypeDefinition, TidalError, Timestamp, Window};

use super::SignalLedger;
use super::rank_key::RankKey;
use super::ranking::{Best, By, Ranked};
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
        let slot = Slot::of_count(signal, window)?;
        let read = self.read(signal.id(), id, |_, cell| cell.count(slot, at))?;
        Ok(read.unwrap_or(0))
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

    /// The `limit` highest entities of a signal type, best first. Ties go to the
    /// lower id; entities without events are absent.
    ///
    /// The order of exponential scores does not depend on `at`, and is right even
    /// where the scores themselves are so small that they read as 0.
    ///
    /// # Errors
    /// [`TidalError::WindowNotDeclared`], [`TidalError::VelocityNotDeclared`].
    pub fn top(
        &self,
        signal: &SignalTypeDefinition,
        by: By,
        limit: usize,
        at: Timestamp,
    ) -> Result<Vec<Ranked>, TidalError> {
        let shape = &self.kept(signal.id()).shape;
        let mut best = Best::new(limit);
        match by {
            By::Score => {
                self.for_each(signal.id(), |id, cell| {
                    best.offer(id, cell.rank_key(shape, at), || cell.score(shape, at))
                })?;
            }
            By::Count(window) => {
                let slot = Slot::of_count(signal, window)?;
                self.for_each(signal.id(), |id, cell| {
                    let count = cell.count(slot, at);
                    best.offer(id, RankKey::count(count), || count as f64);
                })?;
            }
            By::Velocity(window) => {
                let (slot, secs) = Slot::of_velocity(signal, window)?;
                self.for_each(signal.id(), |id, cell| {
                    let count = cell.count(slot, at);
                    best.offer(id, RankKey::count(count), || count as f64 / secs);
                })?;
            }
        }
        Ok(best.into_ranked())
    }
}
