//! Scores, counts, sums, velocities, rankings.
//!
//! The implicit now of a read is the later of the clock and the newest event in
//! the database. An explicit time before the newest event is refused: the ledger
//! holds the present.

use tidal_types::{EntityId, EntityKind, SignalTypeDefinition, TidalError, Timestamp, Window};

use super::TidalDB;
use crate::Result;
use crate::ledger::{By, Ranked, SignalLedger};

impl TidalDB {
    /// The time at which a read without a time is made: the later of the clock
    /// and the newest event.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let newest = self.parts.state.ledger.newest_event();
        self.parts.clock.now().max(newest.unwrap_or_default())
    }

    /// The time of the newest event in the database.
    #[must_use]
    pub fn newest_event(&self) -> Option<Timestamp> {
        self.parts.state.ledger.newest_event()
    }

    /// The decayed sum of the weights of a signal's events on an entity, now; 0
    /// for an entity without events. For what decay means, see
    /// [`DecaySpec`](crate::DecaySpec).
    ///
    /// Exponential and permanent scores are exact up to rounding (about 1e-15 of
    /// the sum of the absolute contributions an event). A linear score is exact
    /// for an entity with few events; for others each event of the bucket at the
    /// edge of the lifetime, a sixtieth of it, may be off by a sixtieth of its
    /// weight.
    ///
    /// # Errors
    /// [`UnknownSignal`](crate::SchemaError::UnknownSignal);
    /// [`Closed`](crate::TidalError::Closed).
    pub fn decay_score(&self, signal: &str, id: EntityId) -> Result<f64> {
        self.decay_score_at(signal, id, self.now())
    }

    /// [`TidalDB::decay_score`] at a time.
    ///
    /// # Errors
    /// [`BeforeNewest`](crate::TidalError::BeforeNewest) too.
    pub fn decay_score_at(&self, signal: &str, id: EntityId, at: Timestamp) -> Result<f64> {
        let (ledger, signal) = self.ledger_at(signal, at)?;
        Ok(ledger.score(signal, id, at))
    }

    /// How many events of a signal an entity had in the window that ends now.
    ///
    /// [`Window::AllTime`] is exact, and so is every window of an entity with few
    /// events. Otherwise events are counted in buckets of a sixtieth of the
    /// window, and the share of the oldest one that still counts is estimated;
    /// the error is at most that bucket's count.
    ///
    /// # Errors
    /// [`WindowNotDeclared`](crate::TidalError::WindowNotDeclared), and those of
    /// [`TidalDB::decay_score`].
    pub fn windowed_count(&self, signal: &str, id: EntityId, window: Window) -> Result<u64> {
        self.windowed_count_at(signal, id, window, self.now())
    }

    /// [`TidalDB::windowed_count`] at a time.
    ///
    /// # Errors
    /// [`BeforeNewest`](crate::TidalError::BeforeNewest) too.
    pub fn windowed_count_at(
        &self,
        signal: &str,
        id: EntityId,
        window: Window,
        at: Timestamp,
    ) -> Result<u64> {
        let (ledger, signal) = self.ledger_at(signal, at)?;
        ledger.count(signal, id, window, at)
    }

    /// The sum of the weights of a signal's events on an entity in the window
    /// that ends now, as exact as [`TidalDB::windowed_count`].
    ///
    /// # Errors
    /// [`SumsNotDeclared`](crate::TidalError::SumsNotDeclared), and those of
    /// [`TidalDB::windowed_count`].
    pub fn windowed_sum(&self, signal: &str, id: EntityId, window: Window) -> Result<f64> {
        self.windowed_sum_at(signal, id, window, self.now())
    }

    /// [`TidalDB::windowed_sum`] at a time.
    ///
    /// # Errors
    /// [`BeforeNewest`](crate::TidalError::BeforeNewest) too.
    pub fn windowed_sum_at(
        &self,
        signal: &str,
        id: EntityId,
        window: Window,
        at: Timestamp,
    ) -> Result<f64> {
        let (ledger, signal) = self.ledger_at(signal, at)?;
        ledger.sum(signal, id, window, at)
    }

    /// Events a second of a signal on an entity, over the window that ends now:
    /// its count, divided by its length.
    ///
    /// # Errors
    /// [`VelocityNotDeclared`](crate::TidalError::VelocityNotDeclared), and those
    /// of [`TidalDB::windowed_count`].
    pub fn velocity(&self, signal: &str, id: EntityId, window: Window) -> Result<f64> {
        self.velocity_at(signal, id, window, self.now())
    }

    /// [`TidalDB::velocity`] at a time.
    ///
    /// # Errors
    /// [`BeforeNewest`](crate::TidalError::BeforeNewest) too.
    pub fn velocity_at(
        &self,
        signal: &str,
        id: EntityId,
        window: Window,
        at: Timestamp,
    ) -> Result<f64> {
        let (ledger, signal) = self.ledger_at(signal, at)?;
        ledger.velocity(signal, id, window, at)
    }

    /// The entities that rank highest, now; ties by lower id. Entities without
    /// events are absent.
    ///
    /// By score, entities are ranked by their exact score even where it is too
    /// small for a number: the order of two old entities stays right when both
    /// scores read 0.
    ///
    /// # Errors
    /// Those of the reads that it ranks by.
    pub fn top(&self, signal: &str, by: By, limit: usize) -> Result<Vec<Ranked>> {
        self.top_at(signal, by, limit, self.now())
    }

    /// [`TidalDB::top`] at a time.
    ///
    /// # Errors
    /// [`BeforeNewest`](crate::TidalError::BeforeNewest) too.
    pub fn top_at(&self, signal: &str, by: By, limit: usize, at: Timestamp) -> Result<Vec<Ranked>> {
        let (ledger, signal) = self.ledger_at(signal, at)?;
        ledger.top(signal, by, limit, at)
    }

    /// The entities of a kind that have events, by id.
    ///
    /// # Errors
    /// [`Closed`](crate::TidalError::Closed).
    pub fn entities(&self, kind: EntityKind) -> Result<Vec<EntityId>> {
        Ok(self.state()?.ledger.entities(kind))
    }

    fn ledger_at(
        &self,
        signal: &str,
        at: Timestamp,
    ) -> Result<(&SignalLedger, &SignalTypeDefinition)> {
        let ledger = &self.state()?.ledger;
        match ledger.newest_event() {
            Some(newest) if at < newest => Err(TidalError::BeforeNewest { at, newest }),
            _ => Ok((ledger, self.schema().require(signal)?)),
        }
    }
}
