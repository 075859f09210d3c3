//! What the test knows of a database: everything that it has told it, in lists.

use std::collections::{BTreeMap, BTreeSet};

use tidal_db::{AttributeValue, EntityId, EntityKind};

use super::schemas::CREATOR;

/// An event that was answered.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) signal: &'static str,
    pub(crate) kind: EntityKind,
    pub(crate) id: EntityId,
    pub(crate) actor: Option<EntityId>,
}

/// The attributes of an entity, by name.
pub(crate) type Row = BTreeMap<&'static str, AttributeValue>;

/// All that a database was told and has not been told to forget.
#[derive(Debug, Default)]
pub(crate) struct Model {
    events: Vec<Told>,
    rows: BTreeMap<(EntityKind, EntityId), Row>,
    forgotten: BTreeSet<(EntityKind, EntityId)>,
}

impl Model {
    pub(crate) fn tell(&mut self, event: Told) {
        self.events.push(event);
    }

    /// Changes attributes: `None` removes one.
    pub(crate) fn put(
        &mut self,
        kind: EntityKind,
        id: EntityId,
        patch: Vec<(&'static str, Option<AttributeValue>)>,
    ) {
        let row = self.rows.entry((kind, id)).or_default();
        for (name, value) in patch {
            match value {
                Some(value) => row.insert(name, value),
                None => row.remove(name),
            };
        }
        self.rows.retain(|_, row| !row.is_empty());
    }

    /// Forgets an entity, and that others name it.
    pub(crate) fn forget(&mut self, kind: EntityKind, id: EntityId) {
        self.forgotten.insert((kind, id));
        self.events.retain(|event| (event.kind, event.id) != (kind, id));
        if kind == EntityKind::User {
            for event in &mut self.events {
                event.actor = event.actor.filter(|actor| *actor != id);
            }
        }
        self.rows.remove(&(kind, id));
        if kind == CREATOR {
            for row in self.rows.values_mut() {
                row.retain(|_, value| *value != AttributeValue::Entity(id));
            }
            self.rows.retain(|_, row| !row.is_empty());
        }
    }

    pub(crate) fn is_forgotten(&self, kind: EntityKind, id: EntityId) -> bool {
        self.forgotten.contains(&(kind, id))
    }

    /// The entities that have events of a signal.
    pub(crate) fn cells(&self, signal: &str) -> BTreeSet<EntityId> {
        let of_signal = self.events.iter().filter(|event| event.signal == signal);
        of_signal.map(|event| event.id).collect()
    }

    /// The entities of a kind that have events.
    pub(crate) fn active(&self, kind: EntityKind) -> BTreeSet<EntityId> {
        self.events.iter().filter(|event| event.kind == kind).map(|event| event.id).collect()
    }

    /// The items that a user has had to do with by a signal.
    pub(crate) fn seen(&self, signal: &str, user: EntityId) -> BTreeSet<EntityId> {
        let by_user = |event: &&Told| event.signal == signal && event.actor == Some(user);
        self.events.iter().filter(by_user).map(|event| event.id).collect()
    }

    /// The entities of a kind that have attributes.
    pub(crate) fn described(&self, kind: EntityKind) -> BTreeSet<EntityId> {
        self.rows.keys().filter(|(of, _)| *of == kind).map(|&(_, id)| id).collect()
    }

    /// The value of an attribute of an entity.
    pub(crate) fn value(
        &self,
        kind: EntityKind,
        id: EntityId,
        attribute: &str,
    ) -> Option<&AttributeValue> {
        self.rows.get(&(kind, id))?.get(attribute)
    }

    /// The values by which an entity is grouped: each of several keywords.
    pub(crate) fn groups(&self, kind: EntityKind, id: EntityId, attribute: &str) -> Vec<String> {
        match self.value(kind, id, attribute) {
            None => Vec::new(),
            Some(AttributeValue::Keywords(words)) => {
                let words: BTreeSet<&String> = words.iter().collect();
                words.into_iter().cloned().collect()
            }
            Some(value) => vec![format!("{value:?}")],
        }
    }
}
