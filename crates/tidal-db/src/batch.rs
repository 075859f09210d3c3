//! A batch: what is committed together.

use tidal_types::{
    AttributeValue, EntityId, EntityKind, Event, Position, ProducerId, Seq, Timestamp,
};

/// Signals, metadata and attributes that are committed together: after a crash all of them
/// are there, or none. Other threads may see a part of them before the whole.
#[derive(Debug, Clone, Default)]
pub struct Batch<'a> {
    operations: Vec<Operation<'a>>,
}

#[derive(Debug, Clone)]
pub(crate) enum Operation<'a> {
    Event(Event<'a>),
    WriteItem { id: EntityId, metadata: Vec<u8> },
    DeleteItem { id: EntityId },
    PutAttributes { kind: EntityKind, id: EntityId, values: Vec<(String, Option<AttributeValue>)> },
    ProducerNote { id: ProducerId, note: Vec<u8> },
    Forget { kind: EntityKind, id: EntityId },
}

impl<'a> Batch<'a> {
    /// A batch without operations.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an event without an actor.
    #[must_use]
    pub fn signal(self, signal: &'a str, id: EntityId, weight: f64, at: Timestamp) -> Self {
        self.event(Event::new(signal, id, weight, at))
    }

    /// Adds an event.
    #[must_use]
    pub fn event(mut self, event: Event<'a>) -> Self {
        self.push(event);
        self
    }

    /// Adds an event, for use in a loop.
    pub fn push(&mut self, event: Event<'a>) {
        self.operations.push(Operation::Event(event));
    }

    /// Adds a write of an item's metadata.
    #[must_use]
    pub fn write_item(mut self, id: EntityId, metadata: impl Into<Vec<u8>>) -> Self {
        self.operations.push(Operation::WriteItem { id, metadata: metadata.into() });
        self
    }

    /// Adds a deletion of an item's metadata.
    #[must_use]
    pub fn delete_item(mut self, id: EntityId) -> Self {
        self.operations.push(Operation::DeleteItem { id });
        self
    }

    /// Adds a patch of attributes: those that are named change, `None` removes one, and the
    /// others stay. See [`TidalDB::put_attributes`](crate::TidalDB::put_attributes).
    #[must_use]
    pub fn put_attributes<N: Into<String>>(
        mut self,
        kind: EntityKind,
        id: EntityId,
        values: impl IntoIterator<Item = (N, Option<AttributeValue>)>,
    ) -> Self {
        let values = values.into_iter().map(|(name, value)| (name.into(), value)).collect();
        self.operations.push(Operation::PutAttributes { kind, id, values });
        self
    }

    /// Adds that an entity is forgotten, see [`TidalDB::forget`](crate::TidalDB::forget).
    /// What stands before it in the batch may be about that entity, what stands behind may
    /// not.
    #[must_use]
    pub fn forget(mut self, kind: EntityKind, id: EntityId) -> Self {
        self.operations.push(Operation::Forget { kind, id });
        self
    }

    /// Adds a note of a producer: up to [`NOTE_BYTES_MAX`](crate::NOTE_BYTES_MAX)
    /// bytes for its own use, kept until the next note and told by
    /// [`TidalDB::producer`](crate::TidalDB::producer).
    ///
    /// A note belongs to the events of that producer that stand before it in the
    /// batch. When none of them is new, the note is a repeat like them, and the one
    /// before it stays.
    #[must_use]
    pub fn producer_note(mut self, id: ProducerId, note: impl Into<Vec<u8>>) -> Self {
        self.operations.push(Operation::ProducerNote { id, note: note.into() });
        self
    }

    /// How many operations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    pub(crate) fn into_operations(self) -> Vec<Operation<'a>> {
        self.operations
    }
}

impl<'a> FromIterator<Event<'a>> for Batch<'a> {
    fn from_iter<I: IntoIterator<Item = Event<'a>>>(events: I) -> Self {
        Self { operations: events.into_iter().map(Operation::Event).collect() }
    }
}

/// A commit that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The place of the last record; when nothing was added, of the last one that
    /// can be read.
    pub position: Position,
    /// What became of each operation, in the order of the batch.
    pub outcomes: Vec<Outcome>,
}

/// What became of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the log under this number.
    Appended {
        /// Its number.
        seq: Seq,
    },
    /// It had been taken before, and nothing was added. The original is as durable
    /// as the answer to any write.
    Duplicate {
        /// The number of the original: it is known of an event with a key, and not of
        /// what a producer sent again.
        seq: Option<Seq>,
    },
}

impl Outcome {
    /// The number of the record, whether it is new or not, if it is known.
    #[must_use]
    pub const fn seq(self) -> Option<Seq> {
        match self {
            Self::Appended { seq } => Some(seq),
            Self::Duplicate { seq } => seq,
        }
    }
}
