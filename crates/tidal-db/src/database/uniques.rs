//! How many different users acted.

use std::collections::HashSet;
use std::sync::Arc;

use tidal_types::{EntityId, EntityKind, Timestamp, Window};

use super::TidalDB;
use crate::Result;

/// So many sketches are changed between two commits, at most.
const SKETCHES_AT_ONCE: usize = 64;

impl TidalDB {
    /// How many different users acted on an entity, by a signal type that
    /// [declares it](crate::SignalBuilder::uniques), in the window that ends now; 0 for an
    /// entity without events. Events that do not say [who acted](crate::Event::by) are not
    /// counted.
    ///
    /// Fewer than 64 users in the window are counted exactly. More are estimated by a
    /// sliding HyperLogLog of 1,024 registers: the standard error is 3.25%, so 95 of 100
    /// answers are within 6.5%, and 997 within 10% of 1,000. Then a user counts who acted in the window,
    /// or before it by less than a sixtieth of the signal type's shortest window that ends.
    /// The answer is never more than [`TidalDB::windowed_count`].
    ///
    /// Forgetting a user who acted changes no answer.
    ///
    /// ```
    /// # use tidal_db::{DecaySpec, EntityId, EntityKind, Event, SchemaBuilder, TidalDB, Timestamp, Window};
    /// let mut schema = SchemaBuilder::new();
    /// let view = schema.signal("view", EntityKind::Item, DecaySpec::Permanent);
    /// view.windows(&[Window::OneHour]).uniques(true).add();
    /// let db = TidalDB::in_memory(schema.build()?)?;
    /// let (video, ada, grace) = (EntityId::new(42), EntityId::new(1), EntityId::new(2));
    /// for user in [ada, grace, ada] {
    ///     db.signals(&[Event::new("view", video, 1.0, Timestamp::now()).by(user)])?;
    /// }
    /// assert_eq!(db.unique_actors("view", video, Window::OneHour)?, 2);
    /// # Ok::<(), tidal_db::TidalError>(())
    /// ```
    ///
    /// # Errors
    /// [`UnknownSignal`](crate::SchemaError::UnknownSignal);
    /// [`NotKept`](crate::QueryError::NotKept) when the signal type does not declare it;
    /// [`WindowNotDeclared`](crate::TidalError::WindowNotDeclared); what storage says, when
    /// it is asked for what is not in memory; [`Closed`](crate::TidalError::Closed).
    pub fn unique_actors(&self, signal: &str, id: EntityId, window: Window) -> Result<u64> {
        let state = self.state()?;
        let definition = self.schema().require(signal)?;
        let actors = state.unique_actors(definition, id, window, self.now())?;
        // A whole number, below that of the events there were.
        Ok(actors.unwrap_or(0.0) as u64)
    }

    /// [`TidalDB::unique_actors`] at a time.
    ///
    /// # Errors
    /// [`BeforeNewest`](crate::TidalError::BeforeNewest) too.
    pub fn unique_actors_at(
        &self,
        signal: &str,
        id: EntityId,
        window: Window,
        at: Timestamp,
    ) -> Result<u64> {
        let state = self.state()?;
        let actors = self
            .at_time(signal, at, |_, definition| state.unique_actors(definition, id, window, at))?;
        Ok(actors.unwrap_or(0.0) as u64)
    }

    /// Takes the ids of users who were forgotten, by records that a checkpoint is past, out
    /// of the sketches; the next checkpoint writes these. Returns whether there were any.
    pub(super) fn unname(&self, forgotten: &HashSet<(EntityKind, EntityId)>) -> Result<bool> {
        let users = forgotten.iter().filter(|(kind, _)| *kind == EntityKind::User);
        let users: Arc<HashSet<EntityId>> = Arc::new(users.map(|&(_, id)| id).collect());
        let keys = self.state()?.uniques.naming(&*self.parts.storage, &users)?;
        for some in keys.chunks(SKETCHES_AT_ONCE) {
            let (some, users) = (some.to_vec(), Arc::clone(&users));
            self.parts.gate.inspect(move |applier| match applier.progress.stuck() {
                Some(stuck) => Err(stuck.clone()),
                None => applier.state.uniques.unname(&some, &users),
            })??;
            self.write_if_many()?;
        }
        Ok(!keys.is_empty())
    }
}
