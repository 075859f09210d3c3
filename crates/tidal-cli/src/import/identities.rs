//! Names to ids. Known names are answered from memory; the new names of a batch
//! are assigned in one commit per kind.

use std::collections::HashMap;

use tidal_db::{EntityId, EntityKind, IdMode, TidalDB, TidalError};

use crate::entity;
use crate::failure::Failure;

/// How many names of a kind are kept in memory; beyond that the memory starts
/// over, and the database is asked again.
const NAMES_KEPT_MAX: usize = 1 << 21;

/// An entity as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    /// Its id.
    Id(EntityId),
    /// Its place among the new names of this batch.
    New(usize),
}

/// The ids of every kind.
#[derive(Debug)]
pub(crate) struct Identities {
    kinds: [KindIds; 3],
}

#[derive(Debug, Default)]
struct KindIds {
    numeric: bool,
    known: HashMap<Box<[u8]>, Identity>,
    new: Vec<Box<[u8]>>,
    /// The ids of the new names of the last batch, in order.
    assigned: Vec<EntityId>,
}

impl Identities {
    /// Identities in `db`, where the kinds `entity_kinds` are to be numeric if
    /// `numeric_ids` says so.
    ///
    /// # Errors
    /// A kind that is to be numeric has names already.
    pub(crate) fn new(
        db: &TidalDB,
        entity_kinds: &[EntityKind],
        numeric_ids: bool,
    ) -> Result<Self, Failure> {
        let mut kinds = [KindIds::default(), KindIds::default(), KindIds::default()];
        for (kind, ids) in EntityKind::ALL.into_iter().zip(&mut kinds) {
            let wanted = numeric_ids && entity_kinds.contains(&kind);
            ids.numeric = match db.id_mode(kind) {
                Some(IdMode::Numeric) => true,
                Some(IdMode::Named) if wanted => {
                    return Err(Failure::failed(format!(
                        "entities of kind {kind} have names in this database, and cannot be numeric; leave --numeric-ids out"
                    )));
                }
                Some(IdMode::Named) => false,
                None => wanted,
            };
        }
        Ok(Self { kinds })
    }

    /// Says why a text cannot be an entity of that kind, if it cannot: where
    /// ids are numbers, it must be one. A name is checked by its reader.
    pub(super) fn check(&self, kind: EntityKind, text: &[u8]) -> Result<(), String> {
        if self.of(kind).numeric { entity::number(kind, text).map(|_| ()) } else { Ok(()) }
    }

    /// The entity of that name or number, which was checked.
    pub(super) fn identify(&mut self, kind: EntityKind, text: &[u8]) -> Identity {
        let ids = self.of_mut(kind);
        if ids.numeric {
            let id = entity::number(kind, text).expect("the number was checked");
            return Identity::Id(id);
        }
        if let Some(identity) = ids.known.get(text) {
            return *identity;
        }
        let identity = Identity::New(ids.new.len());
        ids.new.push(text.into());
        ids.known.insert(text.into(), identity);
        identity
    }

    /// Gives ids to the new names of this batch; durable when it returns.
    pub(super) fn assign_new(&mut self, db: &TidalDB) -> Result<(), TidalError> {
        for (kind, ids) in EntityKind::ALL.into_iter().zip(&mut self.kinds) {
            ids.assigned =
                if ids.new.is_empty() { Vec::new() } else { db.entity_ids(kind, &ids.new)? };
            if ids.known.len() > NAMES_KEPT_MAX {
                ids.known.clear();
            }
            for (name, id) in ids.new.drain(..).zip(&ids.assigned) {
                ids.known.insert(name, Identity::Id(*id));
            }
        }
        Ok(())
    }

    /// The id, once the new names of the batch are assigned.
    pub(super) fn id(&self, kind: EntityKind, identity: Identity) -> EntityId {
        match identity {
            Identity::Id(id) => id,
            Identity::New(place) => {
                let assigned = self.of(kind).assigned.get(place);
                *assigned.expect("every new name of the batch is assigned")
            }
        }
    }

    fn of(&self, kind: EntityKind) -> &KindIds {
        let [items, users, creators] = &self.kinds;
        match kind {
            EntityKind::Item => items,
            EntityKind::User => users,
            EntityKind::Creator => creators,
        }
    }

    const fn of_mut(&mut self, kind: EntityKind) -> &mut KindIds {
        let [items, users, creators] = &mut self.kinds;
        match kind {
            EntityKind::Item => items,
            EntityKind::User => users,
            EntityKind::Creator => creators,
        }
    }
}
