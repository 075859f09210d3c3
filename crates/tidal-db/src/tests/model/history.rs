//! What was sent, in the order of the log, and how much of it must be there.

use std::collections::BTreeSet;

use tidal_types::{AttributeType, AttributeValue, EntityId, EntityKind, Seq, Timestamp};

use super::schemas;
use crate::Outcome;

/// A record that was sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Record {
    /// The schema of this number.
    Schema(usize),
    Event(SentEvent),
    WriteItem {
        id: EntityId,
        metadata: Vec<u8>,
    },
    DeleteItem {
        id: EntityId,
    },
    /// Attributes by number; nothing where one is removed.
    PutAttributes {
        kind: EntityKind,
        id: EntityId,
        values: Vec<(usize, Option<AttributeValue>)>,
    },
    Name {
        kind: EntityKind,
        id: EntityId,
        name: Vec<u8>,
    },
    Note {
        producer: u8,
        note: Vec<u8>,
    },
    Forget {
        kind: EntityKind,
        id: EntityId,
    },
}

impl Record {
    /// The entity that it writes about, the user who caused it, and what values name.
    pub(super) fn entities(&self) -> Vec<(EntityKind, EntityId)> {
        match self {
            Self::Event(SentEvent { content, .. }) => {
                let actor = content.actor.map(|actor| (EntityKind::User, actor));
                [(schemas::kind(content.signal), content.entity)].into_iter().chain(actor).collect()
            }
            Self::WriteItem { id, .. } | Self::DeleteItem { id } => vec![(EntityKind::Item, *id)],
            Self::PutAttributes { kind, id, values } => {
                let named = values
                    .iter()
                    .filter_map(|(attribute, value)| named_by(*attribute, value.as_ref()?));
                [(*kind, *id)].into_iter().chain(named).collect()
            }
            Self::Schema(_) | Self::Name { .. } | Self::Note { .. } | Self::Forget { .. } => {
                Vec::new()
            }
        }
    }
}

/// The entity that the value of an attribute is, if it is one.
pub(super) fn named_by(attribute: usize, value: &AttributeValue) -> Option<(EntityKind, EntityId)> {
    match (schemas::attribute(attribute).2, value) {
        (AttributeType::Entity(kind), AttributeValue::Entity(id)) => Some((kind, *id)),
        _ => None,
    }
}

/// An event that was sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SentEvent {
    pub(super) content: Content,
    pub(super) from: Origin,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Content {
    pub(super) signal: usize,
    pub(super) entity: EntityId,
    pub(super) weight: f64,
    pub(super) time: Timestamp,
    pub(super) actor: Option<EntityId>,
}

/// What an event is told from its repeats by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Nothing,
    Producer { producer: u8, epoch: u32, seq: u64 },
    Client(u8),
    Content,
}

/// A record, and when it was written.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) record: Record,
    pub(super) log_time: Timestamp,
}

/// Record 1 is the first.
#[derive(Debug)]
pub(super) struct History {
    sent: Vec<Sent>,
    /// After which records a batch ends.
    ends: BTreeSet<usize>,
    /// So many must survive a power cut,
    durable: usize,
    /// and so many the end of the process.
    written: usize,
}

impl History {
    pub(super) fn new() -> Self {
        Self { sent: Vec::new(), ends: [0].into(), durable: 0, written: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.sent.len()
    }

    pub(super) fn sent(&self) -> &[Sent] {
        &self.sent
    }

    pub(super) fn durable(&self) -> usize {
        self.durable
    }

    /// A batch was sent.
    pub(super) fn push(&mut self, batch: impl IntoIterator<Item = Sent>) {
        self.sent.extend(batch);
        self.ends.insert(self.sent.len());
    }

    /// G23, R21: what is durable once a batch is answered that has only repeats.
    pub(super) fn original_of(&self, batch: &[Record], outcomes: &[Outcome]) -> usize {
        let originals = batch.iter().zip(outcomes).map(|(record, outcome)| match record {
            Record::Event(SentEvent {
                from: Origin::Producer { producer: of, epoch, seq },
                ..
            }) => self
                .sent
                .iter()
                .position(|sent| match &sent.record {
                    Record::Event(SentEvent {
                        from: Origin::Producer { producer, epoch: known, seq: last },
                        ..
                    }) => producer == of && (known, last) >= (epoch, seq),
                    _ => false,
                })
                .map_or(0, |index| index + 1),
            _ => outcome.seq().map_or(0, |seq| usize::try_from(seq.get()).unwrap()),
        });
        originals.max().unwrap_or_default()
    }

    /// The records up to `end` survive the end of the process.
    pub(super) fn answer_written(&mut self, end: usize) {
        self.written = self.written.max(end);
    }

    /// The records up to `end` survive a power cut.
    pub(super) fn answer_durable(&mut self, end: usize) {
        self.answer_written(end);
        self.durable = self.durable.max(end);
    }

    /// What is not durable may be gone.
    pub(super) fn lose_written(&mut self) {
        self.written = self.durable;
    }

    /// C1, R3: the log was opened and ends with this record, and shows no more than what
    /// is durable. What was sent behind it is gone.
    pub(super) fn open(&mut self, last: Seq) {
        let last = usize::try_from(last.get()).unwrap();
        let Self { durable, written, .. } = *self;
        assert!(
            last >= written,
            "C1: {last} records are there; {durable} durable, {written} written"
        );
        assert!(last <= self.len(), "C1: {last} records are there, {} were sent", self.len());
        assert!(self.ends.contains(&last), "R3: the log ends with record {last}, within a batch");
        self.sent.truncate(last);
        self.ends.retain(|&end| end <= last);
        self.durable = last;
        self.written = last;
    }
}
