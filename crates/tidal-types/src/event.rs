//! Events: what happened, as the application says it and as the schema accepts
//! it.

use crate::{DedupKey, EntityId, EntityKind, Producer, SignalTypeId, Timestamp};

/// The largest weight an event may have, in either direction.
pub const WEIGHT_MAX: f64 = 1e15;

/// One occurrence, as the application says it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event<'a> {
    /// The name of the signal type.
    pub signal: &'a str,
    /// The entity it happened to, of the signal type's kind.
    pub entity: EntityId,
    /// How much it counts: finite, at most [`WEIGHT_MAX`] in either direction,
    /// negative for what takes away.
    pub weight: f64,
    /// When it happened.
    pub timestamp: Timestamp,
    /// The user who caused it.
    pub actor: Option<EntityId>,
    /// Who sends it, so that it counts once however often it is sent.
    pub producer: Option<Producer>,
    /// What it is known by, so that it counts once however often it is sent within the
    /// window of deduplication. An event has a producer or a key, not both.
    pub key: Option<DedupKey>,
}

impl<'a> Event<'a> {
    /// An event without an actor, a producer or a key.
    #[must_use]
    pub const fn new(signal: &'a str, entity: EntityId, weight: f64, timestamp: Timestamp) -> Self {
        Self { signal, entity, weight, timestamp, actor: None, producer: None, key: None }
    }

    /// The same event, caused by `actor`. The log keeps who acted, for queries to
    /// come; no read looks at it yet.
    #[must_use]
    pub const fn by(mut self, actor: EntityId) -> Self {
        self.actor = Some(actor);
        self
    }

    /// The same event, sent by `producer`: sent again, it counts once.
    #[must_use]
    pub const fn from_producer(mut self, producer: Producer) -> Self {
        self.producer = Some(producer);
        self
    }

    /// The same event, known by `key`: sent again within the window of deduplication,
    /// it counts once. [`DedupKey::Content`] is a digest of the event's entity, signal
    /// type, weight, time and actor, so two events that agree in all of these count as
    /// one.
    #[must_use]
    pub const fn key(mut self, key: DedupKey) -> Self {
        self.key = Some(key);
        self
    }
}

/// An event that the schema knows and whose weight is sound.
///
/// Only [`Schema::accept`](crate::Schema::accept) and
/// [`Schema::accept_logged`](crate::Schema::accept_logged) make one, so whoever
/// holds it need not check again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AcceptedEvent {
    pub(crate) signal: SignalTypeId,
    pub(crate) kind: EntityKind,
    pub(crate) entity: EntityId,
    pub(crate) weight: f64,
    pub(crate) timestamp: Timestamp,
    pub(crate) actor: Option<EntityId>,
}

impl AcceptedEvent {
    /// The signal type.
    #[must_use]
    pub const fn signal(&self) -> SignalTypeId {
        self.signal
    }

    /// The kind of the entity.
    #[must_use]
    pub const fn kind(&self) -> EntityKind {
        self.kind
    }

    /// The entity.
    #[must_use]
    pub const fn entity(&self) -> EntityId {
        self.entity
    }

    /// The weight: finite, at most [`WEIGHT_MAX`] in either direction.
    #[must_use]
    pub const fn weight(&self) -> f64 {
        self.weight
    }

    /// When it happened.
    #[must_use]
    pub const fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// The user who caused it.
    #[must_use]
    pub const fn actor(&self) -> Option<EntityId> {
        self.actor
    }
}
