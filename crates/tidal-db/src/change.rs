//! A change of state: what one record of the log means.

use tidal_types::{AcceptedEvent, DedupKey, EntityId, EntityKind, Producer, ProducerId, Schema};

use crate::attributes::{Patch, Value};
use crate::kinds::Modes;

/// What one record of the log means.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// From here on the schema is this one; it extends the one before.
    Schema(Box<Schema>),
    /// Something happened.
    Event(AcceptedEvent),
    /// The metadata of an item is these bytes.
    WriteItem { id: EntityId, metadata: Vec<u8> },
    /// An item has no metadata.
    DeleteItem { id: EntityId },
    /// Some attributes of an entity change, and the others stay.
    PutAttributes { kind: EntityKind, id: EntityId, patch: Patch },
    /// A name has an id.
    AssignName { kind: EntityKind, id: EntityId, name: Vec<u8> },
    /// A producer noted something behind an event of its own.
    ProducerNote { id: ProducerId, note: Vec<u8> },
    /// Nothing about an entity stays, and its id is never used again. The modes are
    /// those that the records before have settled: whoever replays them may find some
    /// of them empty.
    Forget { kind: EntityKind, id: EntityId, modes: Modes },
    /// What it was, the log was purged of.
    Nothing,
}

impl Change {
    /// The entity that it is about.
    pub(crate) fn about(&self) -> Option<(EntityKind, EntityId)> {
        match self {
            Self::Event(event) => Some((event.kind(), event.entity())),
            Self::WriteItem { id, .. } | Self::DeleteItem { id } => Some((EntityKind::Item, *id)),
            Self::PutAttributes { kind, id, .. }
            | Self::AssignName { kind, id, .. }
            | Self::Forget { kind, id, .. } => Some((*kind, *id)),
            Self::Schema(_) | Self::ProducerNote { .. } | Self::Nothing => None,
        }
    }

    /// The others that it names: the user who caused it, and the values of attributes.
    pub(crate) fn mentions(&self) -> impl Iterator<Item = (EntityKind, EntityId)> {
        let (actor, patch) = match self {
            Self::Event(event) => (event.actor(), [].as_slice()),
            Self::PutAttributes { patch, .. } => (None, patch.as_slice()),
            _ => (None, [].as_slice()),
        };
        let values = patch.iter().filter_map(|(_, value)| value.as_ref());
        actor
            .map(|actor| (EntityKind::User, actor))
            .into_iter()
            .chain(values.filter_map(Value::entity))
    }

    /// Every entity that it names.
    pub(crate) fn entities(&self) -> impl Iterator<Item = (EntityKind, EntityId)> {
        self.about().into_iter().chain(self.mentions())
    }
}

/// A change, who sent it, and what it is known by when it is sent again.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) change: Change,
    pub(crate) producer: Option<Producer>,
    pub(crate) key: Option<DedupKey>,
}

impl From<Change> for Entry {
    fn from(change: Change) -> Self {
        Self { change, producer: None, key: None }
    }
}
