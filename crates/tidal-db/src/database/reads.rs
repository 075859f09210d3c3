//! Scores, counts, sums, velocities, rankings.
//!
//! The implicit now of a read is the later of the clock and the newest event in
//! the database. An explicit time before the newest event is refused: the ledger
//! holds the present.

use tidal_types::{EntityId, EntityKind, SignalTypeDefinition, TidalError, Timestamp, Window};

use super::TidalDB;
use crate::Result;
use crate::ledger::{By, Ranked, Reading, SignalLedger};

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
    /// [`UnknownSignal`](crate::SchemaError::UnknownSignal); what storage says, when it is
    /// asked for what is not in memory; [`Closed`](crate::TidalError::Closed).
    pub fn decay_score(&self, signal: &str, id: EntityId) -> Result<f64> {
        self.at_now(signal, |ledger, definition, at| ledger.score(definition, id, at))
    }

    /// [`TidalDB::decay_score`] at a time.
    ///
    /// # Errors
    /// [`BeforeNewest`](crate::TidalError::BeforeNewest) too.
    pub fn decay_score_at(&self, signal: &str, id: EntityId, at: Timestamp) -> Result<f64> {
        self.at_time(signal, at, |ledger, definition| ledger.score(definition, id, at))
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
        self.at_now(signal, |ledger, definition, at| ledger.count(definition, id, window, at))
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
        self.at_time(signal, at, |ledger, definition| ledger.count(definition, id, window, at))
    }

    /// The sum of the weights of a signal's events on an entity in the window
    /// that ends now, as exact as [`TidalDB::windowed_count`].
    ///
    /// # Errors
    /// [`SumsNotDeclared`](crate::TidalError::SumsNotDeclared), and those of
    /// [`TidalDB::windowed_count`].
    pub fn windowed_sum(&self, signal: &str, id: EntityId, window: Window) -> Result<f64> {
        self.at_now(signal, |ledger, definition, at| ledger.sum(definition, id, window, at))
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
        self.at_time(signal, at, |ledger, definition| ledger.sum(definition, id, window, at))
    }

    /// Events a second of a signal on an entity, over the window that ends now:
    /// its count, divided by its length.
    ///
    /// # Errors
    /// [`VelocityNotDeclared`](crate::TidalError::VelocityNotDeclared), and those
    /// of [`TidalDB::windowed_count`].
    pub fn velocity(&self, signal: &str, id: EntityId, window: Window) -> Result<f64> {
        self.at_now(signal, |ledger, definition, at| ledger.velocity(definition, id, window, at))
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
        self.at_time(signal, at, |ledger, definition| ledger.velocity(definition, id, window, at))
    }

    /// The score of an entity and its counts in some windows, all of one moment: as
    /// [`TidalDB::decay_score`] and [`TidalDB::windowed_count`] give them if nothing happens
    /// in between, and for little more than the price of one of them, since the entity is
    /// looked up once.
    ///
    /// ```
    /// # use tidal_db::{DecaySpec, EntityId, EntityKind, SchemaBuilder, TidalDB, Timestamp, Window};
    /// # let mut schema = SchemaBuilder::new();
    /// # schema.signal("view", EntityKind::Item, DecaySpec::Permanent).windows(&Window::ALL).add();
    /// # let db = TidalDB::in_memory(schema.build()?)?;
    /// # let id = EntityId::new(42);
    /// db.signal("view", id, 1.0, Timestamp::now())?;
    /// let view = db.read("view", id, [Window::OneHour, Window::SevenDays])?;
    /// let [hour, week] = view.counts;
    /// assert_eq!((view.score, hour, week), (1.0, 1, 1));
    /// # Ok::<(), tidal_db::TidalError>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`TidalDB::windowed_count`].
    pub fn read<const N: usize>(
        &self,
        signal: &str,
        id: EntityId,
        windows: [Window; N],
    ) -> Result<Reading<N>> {
        self.at_now(signal, |ledger, definition, at| ledger.reading(definition, id, windows, at))
    }

    /// [`TidalDB::read`] at a time.
    ///
    /// # Errors
    /// [`BeforeNewest`](crate::TidalError::BeforeNewest) too.
    pub fn read_at<const N: usize>(
        &self,
        signal: &str,
        id: EntityId,
        windows: [Window; N],
        at: Timestamp,
    ) -> Result<Reading<N>> {
        self.at_time(signal, at, |ledger, definition| ledger.reading(definition, id, windows, at))
    }

    /// The entities that rank highest, now; ties by lower id. Entities without
    /// events are absent.
    ///
    /// By score, entities are ranked by their score even where it is too small for
    /// a number: the order of two old entities stays right when both scores read 0.
    ///
    /// The first ranking by a measure reads the cells of all entities and makes an index;
    /// later ones read about as many as they return. What was answered before is in each.
    ///
    /// # Errors
    /// Those of the reads that it ranks by.
    pub fn top(&self, signal: &str, by: By, limit: usize) -> Result<Vec<Ranked>> {
        self.at_now(signal, |ledger, definition, at| ledger.top(definition, by, limit, at))
    }

    /// [`TidalDB::top`] at a time.
    ///
    /// # Errors
    /// [`BeforeNewest`](crate::TidalError::BeforeNewest) too.
    pub fn top_at(&self, signal: &str, by: By, limit: usize, at: Timestamp) -> Result<Vec<Ranked>> {
        self.at_time(signal, at, |ledger, definition| ledger.top(definition, by, limit, at))
    }

    /// The entities of a kind that have events, by id.
    ///
    /// # Errors
    /// What storage says; [`Closed`](crate::TidalError::Closed).
    pub fn entities(&self, kind: EntityKind) -> Result<Vec<EntityId>> {
        self.state()?.ledger.entities(kind)
    }

    /// Reads at the implicit now. An event that comes between choosing the time
    /// and reading moves the cells it is in on to itself.
    fn at_now<T>(
        &self,
        signal: &str,
        read: impl FnOnce(&SignalLedger, &SignalTypeDefinition, Timestamp) -> Result<T>,
    ) -> Result<T> {
        let ledger = &self.state()?.ledger;
        read(ledger, self.schema().require(signal)?, self.now())
    }

    /// Reads at an explicit time, which no event may have passed before the read
    /// is done.
    pub(super) fn at_time<T>(
        &self,
        signal: &str,
        at: Timestamp,
        read: impl FnOnce(&SignalLedger, &SignalTypeDefinition) -> Result<T>,
    ) -> Result<T> {
        let ledger = &self.state()?.ledger;
        let definition = self.schema().require(signal)?;
        let not_passed = || match ledger.newest_event() {
            Some(newest) if at < newest => Err(TidalError::BeforeNewest { at, newest }),
            _ => Ok(()),
        };
        not_passed()?;
        let value = read(ledger, definition)?;
        not_passed()?;
        Ok(value)
    }
}
