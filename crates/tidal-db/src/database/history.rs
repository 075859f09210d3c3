//! What users did.

use tidal_types::{EntityId, Timestamp};

use super::TidalDB;
use crate::Result;
use crate::history::Seen;

impl TidalDB {
    /// Whether a user ever acted on an entity by a signal, however long ago and with
    /// whatever weight. False for a user or an entity that is unknown or was forgotten.
    ///
    /// A history has at most [`HISTORY_ENTITIES_MAX`](crate::HISTORY_ENTITIES_MAX)
    /// entities, and drops the eighth that the user acted on longest ago when there is one
    /// more: of those this is false too.
    ///
    /// ```
    /// # use tidal_db::{DecaySpec, EntityId, EntityKind, Event, SchemaBuilder, TidalDB, Timestamp};
    /// let mut schema = SchemaBuilder::new();
    /// schema.signal("view", EntityKind::Item, DecaySpec::Permanent).history(true).add();
    /// let db = TidalDB::in_memory(schema.build()?)?;
    /// let (ada, video) = (EntityId::new(1), EntityId::new(42));
    /// db.signals(&[Event::new("view", video, 1.0, Timestamp::now()).by(ada)])?;
    /// assert!(db.has_seen("view", ada, video)?);
    /// assert_eq!(db.history("view", ada, 10)?[0].id, video);
    /// # Ok::<(), tidal_db::TidalError>(())
    /// ```
    ///
    /// # Errors
    /// [`UnknownSignal`](crate::SchemaError::UnknownSignal);
    /// [`NotKept`](crate::QueryError::NotKept) when the signal type keeps no history; what
    /// storage says, when it is asked for what is not in memory;
    /// [`Closed`](crate::TidalError::Closed).
    pub fn has_seen(&self, signal: &str, user: EntityId, id: EntityId) -> Result<bool> {
        let state = self.state()?;
        state.has_seen(self.schema().require(signal)?, user, id)
    }

    /// What a user did by a signal: the `limit` entities that the user acted on last, each
    /// once, the newest first and of equal times the lower id, with the decayed sum of the
    /// weights of this user's events, now. Empty for a user who is unknown or was
    /// forgotten; what was forgotten is left out.
    ///
    /// A history is as long as the list of different entities that the user acted on, up to
    /// [`HISTORY_ENTITIES_MAX`](crate::HISTORY_ENTITIES_MAX), and drops the eighth that the
    /// user acted on longest ago when there is one more. Reading it takes a time in
    /// proportion, whatever the limit.
    ///
    /// # Errors
    /// Those of [`TidalDB::has_seen`].
    pub fn history(&self, signal: &str, user: EntityId, limit: usize) -> Result<Vec<Seen>> {
        self.read_history(signal, user, limit, self.now())
    }

    /// [`TidalDB::history`], with the scores at a time.
    ///
    /// # Errors
    /// [`BeforeNewest`](crate::TidalError::BeforeNewest) too.
    pub fn history_at(
        &self,
        signal: &str,
        user: EntityId,
        limit: usize,
        at: Timestamp,
    ) -> Result<Vec<Seen>> {
        self.at_time(signal, at, |_, _| self.read_history(signal, user, limit, at))
    }

    fn read_history(
        &self,
        signal: &str,
        user: EntityId,
        limit: usize,
        at: Timestamp,
    ) -> Result<Vec<Seen>> {
        let history = self.state()?.history_of(self.schema().require(signal)?, user)?;
        Ok(history.map_or_else(Vec::new, |history| history.newest(limit, at)))
    }
}
