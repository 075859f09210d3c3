//! A change of state: what one record of the log means.

use tidal_types::{AcceptedEvent, DedupKey, EntityId, EntityKind, Producer, ProducerId, Schema};

use crate::kinds::Modes;

/// What one record of the log means.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// From here on the schema is this one; it extends the one before.
    Schema(Schema),
    /// Something happened.
    Event(AcceptedEvent),
    /// The metadata of an item is these bytes.
    WriteItem { id: EntityId, metadata: Vec<u8> },
    /// An item has no metadata.
    DeleteItem { id: EntityId },
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
    /// The entity that it is about and the user who caused it, as far as it names them.
    pub(crate) fn entities(&self) -> [Option<(EntityKind, EntityId)>; 2] {
        match self {
            Self::Event(event) => [
                Some((event.kind(), event.entity())),
                event.actor().map(|actor| (EntityKind::User, actor)),
            ],
            Self::WriteItem { id, .. } | Self::DeleteItem { id } => {
                [Some((EntityKind::Item, *id)), None]
            }
            Self::AssignName { kind, id, .. } | Self::Forget { kind, id, .. } => {
                [Some((*kind, *id)), None]
            }
            Self::Schema(_) | Self::ProducerNote { .. } | Self::Nothing => [None, None],
        }
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
