//! Names and ids.

use tidal_types::{EntityId, EntityKind, TidalError};

use super::TidalDB;
use crate::Result;
use crate::kinds::IdMode;
use crate::names::check_name;

impl TidalDB {
    /// The id of a name, which gets one if it has none. Names are exact bytes, 1
    /// to [`NAME_BYTES_MAX`](crate::NAME_BYTES_MAX) of them. When it returns, the
    /// id is as durable as any write, and never given to another name.
    ///
    /// ```
    /// # use tidal_db::{DecaySpec, EntityKind, Event, SchemaBuilder, TidalDB, Timestamp};
    /// # let mut schema = SchemaBuilder::new();
    /// # schema.signal("buy", EntityKind::Item, DecaySpec::Permanent).add();
    /// # let db = TidalDB::in_memory(schema.build()?)?;
    /// let teapot = db.entity_id(EntityKind::Item, "85123A")?;
    /// let customer = db.entity_id(EntityKind::User, "17850")?;
    /// db.signals(&[Event::new("buy", teapot, 6.0, Timestamp::now()).by(customer)])?;
    /// assert_eq!(db.find_entity(EntityKind::Item, "85123A")?, Some(teapot));
    /// # Ok::<(), tidal_db::TidalError>(())
    /// ```
    ///
    /// # Errors
    /// [`NameLength`](crate::TidalError::NameLength),
    /// [`KindIsNumeric`](crate::TidalError::KindIsNumeric), and those of
    /// [`Ticket::wait`](crate::Ticket::wait).
    pub fn entity_id(&self, kind: EntityKind, name: impl AsRef<[u8]>) -> Result<EntityId> {
        let ids = self.entity_ids(kind, &[name])?;
        ids.first().copied().ok_or(TidalError::Closed)
    }

    /// The ids of names, in their order; those without one get theirs in one
    /// commit.
    ///
    /// # Errors
    /// Those of [`TidalDB::entity_id`]; one bad name refuses them all.
    pub fn entity_ids<N: AsRef<[u8]>>(
        &self,
        kind: EntityKind,
        names: &[N],
    ) -> Result<Vec<EntityId>> {
        let names: Vec<&[u8]> = names.iter().map(AsRef::as_ref).collect();
        for name in &names {
            check_name(name)?;
        }
        loop {
            if let Some(ids) = self.known_ids(kind, &names)? {
                return Ok(ids);
            }
            match self.parts.gate.assign(kind, &names)? {
                Some(ticket) => {
                    let committed = ticket.wait();
                    self.parts.gate.forget(kind, &names);
                    committed?;
                }
                // Someone else's commit is about to assign the rest; what it
                // could not is tried again.
                None => {
                    self.parts.gate.inspect(|_| ())?;
                    if self.known_ids(kind, &names)?.is_none() {
                        self.parts.gate.forget(kind, &names);
                    }
                }
            }
        }
    }

    /// The id of a name, if it has one. Never writes.
    ///
    /// # Errors
    /// What storage says; [`Closed`](crate::TidalError::Closed).
    pub fn find_entity(
        &self,
        kind: EntityKind,
        name: impl AsRef<[u8]>,
    ) -> Result<Option<EntityId>> {
        self.state()?.names.find(kind, name.as_ref())
    }

    /// The name that tidalDB gave this id to.
    ///
    /// # Errors
    /// What storage says; [`Closed`](crate::TidalError::Closed).
    pub fn entity_name(&self, kind: EntityKind, id: EntityId) -> Result<Option<Vec<u8>>> {
        Ok(self.state()?.names.name(kind, id)?.map(|name| name.to_vec()))
    }

    /// How the entities of a kind get their ids; `None` before the first write.
    #[must_use]
    pub fn id_mode(&self, kind: EntityKind) -> Option<IdMode> {
        self.parts.state.kinds.mode(kind)
    }

    /// The ids of all names, or `None` when one has none.
    fn known_ids(&self, kind: EntityKind, names: &[&[u8]]) -> Result<Option<Vec<EntityId>>> {
        let state = self.state()?;
        if state.kinds.mode(kind) == Some(IdMode::Numeric) {
            return Err(TidalError::KindIsNumeric { kind });
        }
        // Each is asked for, also behind one that has no id: whoever assigns ids to the
        // others, with everyone waiting, then finds what was asked for close at hand.
        let ids: Vec<_> =
            names.iter().map(|name| state.names.find(kind, name)).collect::<Result<_>>()?;
        Ok(ids.into_iter().collect())
    }
}
