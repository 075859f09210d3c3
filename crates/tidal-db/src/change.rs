//! A change of state: what one record of the log means.

use tidal_types::{AcceptedEvent, DedupKey, EntityId, EntityKind, Producer, ProducerId, Schema};

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
