//! The cell: all that is known of one signal type on one entity.
//!
//! A cell begins sparse, with its events as they are, and every read of it is
//! exact. With one event more than it can keep it becomes bucketed for ever, by
//! folding those events in the order in which they came.
//!
//! L2. The fold reads no clock and no randomness.
//! L3. A cell knows the seq it has applied, and takes none twice.

mod block;
mod bounds;
mod bucketed;
mod codec;
mod damage;
mod decayed;
mod event;
mod explain;
mod linear;
mod number;
mod places;
mod sparse;
mod varint;
mod window;

use tidal_types::{EntityId, Seq, SignalTypeDefinition, TidalError, Timestamp};

pub(crate) use self::decayed::Decayed;
pub(crate) use self::event::RawEvent;
pub(super) use self::sparse::SPARSE_EVENTS_MAX;

use self::bucketed::Bucketed;
use self::sparse::Sparse;
use super::rank_key::RankKey;
use super::shape::{Decay, Shape, Slot};

/// The state of one (entity, signal type). Only the ledger changes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    applied: Seq,
    state: State,
}

#[derive(Debug, Clone, PartialEq)]
enum State {
    Sparse(Sparse),
    Bucketed(Bucketed),
}

impl Cell {
    /// The time of its newest event.
    #[must_use]
    pub fn newest(&self) -> Timestamp {
        Timestamp::from_nanos(self.newest_nanos())
    }

    /// Appends the bytes that [`Cell::decode`] reads.
    pub fn encode(&self, out: &mut Vec<u8>) {
        codec::encode(self, out);
    }

    /// Appends the bytes that a checksum covers: the same state, without the
    /// seq. They depend on the events and their order and on nothing else.
    pub fn encode_canonical(&self, out: &mut Vec<u8>) {
        codec::encode_state(&self.state, out);
    }

    /// The cell of `signal` and `entity` that was encoded as `bytes`.
    ///
    /// # Errors
    /// [`TidalError::Damaged`], naming the cell and what is wrong with it, for
    /// any bytes that [`Cell::encode`] does not write.
    pub fn decode(
        signal: &SignalTypeDefinition,
        entity: EntityId,
        bytes: &[u8],
    ) -> Result<Self, TidalError> {
        Self::decode_as(&Shape::of(signal), signal, entity, bytes)
    }

    /// [`Cell::decode`] by who has the shape at hand.
    pub(super) fn decode_as(
        shape: &Shape,
        signal: &SignalTypeDefinition,
        entity: EntityId,
        bytes: &[u8],
    ) -> Result<Self, TidalError> {
        codec::decode(bytes, shape).map_err(|damage| TidalError::Damaged {
            location: format!("cell of signal {:?}, {} {entity}", signal.name(), signal.kind()),
            problem: damage.to_string(),
        })
    }

    /// The quiet cell of these events, in the order of their arrival; `None` when they
    /// are none or too many.
    pub(super) fn of_events(applied: Seq, events: &[RawEvent]) -> Option<Self> {
        let (first, rest) = events.split_first()?;
        let mut sparse = Sparse::first(*first);
        let fit = rest.iter().all(|event| sparse.push(*event));
        fit.then_some(Self { applied, state: State::Sparse(sparse) })
    }

    /// The events of a quiet cell, in the order of their arrival; `None` of a busy one.
    pub(super) fn events(&self) -> Option<&[RawEvent]> {
        match &self.state {
            State::Sparse(sparse) => Some(sparse.events()),
            State::Bucketed(_) => None,
        }
    }

    /// The last record that was folded into it.
    pub(super) const fn applied(&self) -> Seq {
        self.applied
    }

    /// The cell that has seen one event.
    pub(super) fn first(seq: Seq, event: RawEvent) -> Self {
        Self { applied: seq, state: State::Sparse(Sparse::first(event)) }
    }

    /// Folds an event in; `false` when the cell has applied its seq already (L3).
    #[must_use]
    pub(super) fn apply(&mut self, shape: &Shape, seq: Seq, event: RawEvent) -> bool {
        if seq <= self.applied {
            return false;
        }
        self.applied = seq;
        match &mut self.state {
            State::Bucketed(bucketed) => bucketed.fold(shape, event),
            State::Sparse(sparse) => {
                if !sparse.push(event) {
                    let mut bucketed = Bucketed::of(shape, sparse.events());
                    bucketed.fold(shape, event);
                    self.state = State::Bucketed(bucketed);
                }
            }
        }
        true
    }

    /// How many events there were in a window.
    pub(super) fn count(&self, slot: Slot, at: Timestamp) -> u64 {
        let at = self.reading_time(at);
        match &self.state {
            State::Sparse(sparse) => sparse.count(slot, at),
            State::Bucketed(bucketed) => bucketed.count(slot, at),
        }
    }

    /// The sum of the weights in a window.
    pub(super) fn sum(&self, slot: Slot, at: Timestamp) -> f64 {
        let at = self.reading_time(at);
        match &self.state {
            State::Sparse(sparse) => sparse.sum(slot, at),
            State::Bucketed(bucketed) => bucketed.sum(slot, at),
        }
    }

    /// The decayed score.
    pub(super) fn score(&self, shape: &Shape, at: Timestamp) -> f64 {
        let at = self.reading_time(at);
        match &self.state {
            State::Sparse(sparse) => sparse.score(shape, at),
            State::Bucketed(bucketed) => bucketed.score(shape, at),
        }
    }

    /// The place of the score among those of the same signal type.
    pub(super) fn rank_key(&self, shape: &Shape, at: Timestamp) -> RankKey {
        let Decay::Exponential { rate_per_sec, half_life_nanos } = shape.decay else {
            return RankKey::plain(self.score(shape, at));
        };
        let decayed = match &self.state {
            State::Sparse(sparse) => sparse.decayed(rate_per_sec),
            State::Bucketed(bucketed) => bucketed.decayed(),
        };
        RankKey::decaying(decayed.sum, decayed.since, half_life_nanos)
    }

    /// A number that depends on each cache line of what is on the heap.
    pub(super) fn glance(&self) -> u64 {
        match &self.state {
            State::Sparse(_) => 0,
            State::Bucketed(bucketed) => bucketed.block.glance(),
        }
    }

    /// Bytes on the heap, with what the allocator needs for them.
    pub(super) fn heap_bytes(&self) -> usize {
        match &self.state {
            State::Sparse(_) => 0,
            State::Bucketed(bucketed) => bucketed.heap_bytes(),
        }
    }

    fn newest_nanos(&self) -> u64 {
        match &self.state {
            State::Sparse(sparse) => sparse.newest(),
            State::Bucketed(bucketed) => bucketed.newest(),
        }
    }

    /// A writer may have added an event since the reader took its time. The read
    /// then moves on to that event, as the implicit now does: nothing that has
    /// been dropped can be asked for.
    fn reading_time(&self, at: Timestamp) -> u64 {
        at.as_nanos().max(self.newest_nanos())
    }
}
