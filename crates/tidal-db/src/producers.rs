//! The table of producers: the last event of each that was taken, for ever.
//!
//! D1. What a producer's entry says never goes back: neither the epoch nor, in
//!     one epoch, the number.
//! D2. An event that is not above the entry of its producer is not folded, so
//!     even a log that has it twice counts it once.
//! D3. The table in storage is as of exactly the position beside it (C5): an entry
//!     from behind it would make replay pass over events that no cell has.

use std::collections::{BTreeMap, HashMap};

use tidal_types::{Producer, ProducerId, TidalError};

use crate::Result;
use crate::layered::{Frozen, Layered};

/// The longest note of a producer, in bytes.
pub const NOTE_BYTES_MAX: usize = 64;

/// How far a producer is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProducerState {
    /// The newest epoch it was seen in.
    pub epoch: u32,
    /// The number of its last event in that epoch.
    pub seq: u64,
    /// What it last noted by [`Batch::producer_note`](crate::Batch::producer_note);
    /// empty before that.
    pub note: Vec<u8>,
}

/// An epoch and the last number in it.
pub(crate) type Last = (u32, u64);

/// The last event that `producer` stands for.
pub(crate) const fn last_of(producer: Producer) -> Last {
    (producer.epoch, producer.seq)
}

/// Whether an event is new, given the last one of its producer.
///
/// # Errors
/// [`TidalError::Fenced`] when the producer has gone on to a newer epoch.
pub(crate) fn is_new(producer: Producer, last: Option<Last>) -> Result<bool> {
    match last {
        Some((current, _)) if producer.epoch < current => {
            Err(TidalError::Fenced { producer: producer.id, epoch: producer.epoch, current })
        }
        Some(last) => Ok(last_of(producer) > last),
        None => Ok(true),
    }
}

/// Producers that a checkpoint writes.
pub(crate) type FrozenProducers = Frozen<ProducerId, ProducerState>;

/// The table. It is small, so all of it is in memory.
#[derive(Debug, Default)]
pub(crate) struct Producers {
    /// As storage has it.
    stored: HashMap<ProducerId, ProducerState>,
    /// What has changed since.
    changed: Layered<ProducerId, ProducerState>,
}

impl Producers {
    pub(crate) fn get(&self, id: ProducerId) -> Option<&ProducerState> {
        self.changed.get(&id).or_else(|| self.stored.get(&id))
    }

    /// The last event of a producer that was folded.
    pub(crate) fn last(&self, id: ProducerId) -> Option<Last> {
        self.get(id).map(|state| (state.epoch, state.seq))
    }

    /// Folds that an event came; false when it is none to fold (D2).
    pub(crate) fn fold(&mut self, producer: Producer) -> bool {
        let known = self.last(producer.id);
        if known.is_some_and(|last| last_of(producer) <= last) {
            return false;
        }
        let state = self.touch(producer.id);
        (state.epoch, state.seq) = last_of(producer);
        true
    }

    /// Folds a note. It comes behind an event of its producer, so there is an
    /// entry; without one it means nothing.
    pub(crate) fn fold_note(&mut self, id: ProducerId, note: &[u8]) {
        if self.get(id).is_some() {
            note.clone_into(&mut self.touch(id).note);
        }
    }

    fn touch(&mut self, id: ProducerId) -> &mut ProducerState {
        let stored = &self.stored;
        self.changed.fresh_or(id, || stored.get(&id).cloned().unwrap_or_default())
    }

    /// Takes an entry that storage has.
    pub(crate) fn restore(&mut self, id: ProducerId, state: ProducerState) {
        self.stored.insert(id, state);
    }

    /// What a checkpoint has to write: everything that changed since the last one.
    pub(crate) fn freeze(&mut self) -> FrozenProducers {
        self.changed.freeze()
    }

    /// Storage has what was frozen, and it was [restored](Producers::restore) here.
    pub(crate) fn settle(&mut self) {
        self.changed.settle();
    }

    /// Storage does not have what was frozen.
    pub(crate) fn thaw(&mut self) {
        self.changed.thaw();
    }

    /// Every producer, by id.
    pub(crate) fn sorted(&self) -> BTreeMap<ProducerId, &ProducerState> {
        let stored = self.stored.iter().chain(self.changed.entries());
        stored.map(|(&id, state)| (id, state)).collect()
    }

    /// About how much memory the table takes, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        // An entry of the map, and notes at their longest.
        const PER_PRODUCER: u64 = 80 + NOTE_BYTES_MAX as u64;
        (self.stored.len() + self.changed.entries().count()) as u64 * PER_PRODUCER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn producer(epoch: u32, seq: u64) -> Producer {
        Producer { id: ProducerId::from_bytes([1; 16]), epoch, seq }
    }

    #[test]
    fn an_entry_never_goes_back() {
        let mut producers = Producers::default();
        let steps = [
            (producer(1, 5), true),
            (producer(1, 5), false),
            (producer(1, 4), false),
            (producer(1, 9), true),
            (producer(2, 0), true),
            (producer(1, 10), false),
            (producer(2, 0), false),
            (producer(2, 1), true),
        ];
        for (producer, is_folded) in steps {
            assert_eq!(producers.fold(producer), is_folded, "{producer:?}");
        }
        assert_eq!(producers.last(producer(0, 0).id), Some((2, 1)));
    }

    #[test]
    fn a_note_stays_until_the_next() {
        let mut producers = Producers::default();
        let id = producer(0, 0).id;
        producers.fold_note(id, b"too early");
        assert_eq!(producers.get(id), None);
        producers.fold(producer(1, 1));
        producers.fold_note(id, b"one");
        for (&id, state) in producers.freeze().iter() {
            producers.restore(id, state.clone());
        }
        producers.settle();
        assert!(producers.freeze().is_empty());
        producers.fold(producer(2, 1));
        let expected = ProducerState { epoch: 2, seq: 1, note: b"one".to_vec() };
        let frozen = producers.freeze();
        assert_eq!(frozen.iter().collect::<Vec<_>>(), [(&id, &expected)]);
        producers.fold(producer(2, 2));
        assert_eq!(frozen.get(&id), Some(&expected), "what is frozen stays as it was (C5)");
        assert_eq!(producers.get(id).map(|state| state.seq), Some(2));
        producers.thaw();
        assert_eq!(producers.freeze().get(&id), producers.get(id), "the newer one wins");
    }

    #[test]
    fn an_older_epoch_is_fenced_off_and_a_newer_one_starts_over() {
        let last = Some((2, 10));
        assert!(!is_new(producer(2, 10), last).unwrap());
        assert!(is_new(producer(2, 11), last).unwrap());
        assert!(is_new(producer(3, 0), last).unwrap());
        assert!(is_new(producer(0, 0), None).unwrap());
        let fenced = is_new(producer(1, 11), last).unwrap_err();
        assert!(matches!(fenced, TidalError::Fenced { epoch: 1, current: 2, .. }), "{fenced:?}");
    }
}
