//! One cell in memory: 81 bytes.
//!
//! | bytes | what                                                                  |
//! |-------|-----------------------------------------------------------------------|
//! | 8     | entity                                                                |
//! | 8     | last record folded in, or the one that removed the cell               |
//! | 64    | up to four events: time and weight; of a busy cell, where it is       |
//! | 1     | flags: what the 64 bytes are, and how the cell stands to storage      |
//!
//! This is no format: nothing of it is ever written.
//!
//! O1. Everything but the flags changes under the write lock of the shard only. Flags
//!     also change under its read lock, each by one atomic operation.

use std::sync::atomic::{AtomicU8, Ordering};

use tidal_types::{EntityId, Seq};

use super::cell::{Cell, RawEvent, SPARSE_EVENTS_MAX};

/// The lowest bits say what a slot holds: so many events, or one of the two below.
const FORM: u8 = 0b111;
const BUSY: u8 = 5;
const GONE: u8 = 6;

/// Read or changed since the clock's hand came by.
pub(super) const REFERENCED: u8 = 1 << 3;
/// Storage does not have the last change, and nobody is writing it.
pub(super) const DIRTY: u8 = 1 << 4;
/// Taken by a walk; its commit is not settled yet.
pub(super) const WRITING: u8 = 1 << 5;
/// Storage has the cell, as it is or as it was.
pub(super) const STORED: u8 = 1 << 6;
/// A commit of it has failed, which may have come to storage all the same.
pub(super) const TRIED: u8 = 1 << 7;

#[derive(Debug, Clone, Copy)]
#[repr(C, packed)]
struct Content {
    id: u64,
    applied: u64,
    /// Time and bits of the weight, by turns; of a busy cell, the first is its number.
    words: [u64; 2 * SPARSE_EVENTS_MAX],
}

/// A cell with few events, or the place of one with many, or the mark of one that was
/// removed.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Slot {
    content: Content,
    flags: AtomicU8,
}

const _: () = assert!(size_of::<Slot>() == 81);
const _: () = assert!(SPARSE_EVENTS_MAX < BUSY as usize);

/// What a slot holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Held {
    Quiet(Cell),
    /// The number of the busy cell.
    Busy(usize),
    /// The cell was removed by this record, and storage may still have it.
    Gone(Seq),
}

impl Slot {
    pub(super) fn new(id: EntityId, flags: u8) -> Self {
        let content = Content { id: id.get(), applied: 0, words: [0; 2 * SPARSE_EVENTS_MAX] };
        Self { content, flags: AtomicU8::new(flags & !FORM | GONE) }
    }

    pub(super) const fn id(&self) -> EntityId {
        EntityId::new(self.content.id)
    }

    pub(super) fn held(&self) -> Held {
        let Content { applied, words, .. } = self.content;
        match self.flags() & FORM {
            GONE => Held::Gone(Seq::new(applied)),
            BUSY => Held::Busy(words.first().map_or(0, |number| *number as usize)),
            len => {
                let mut events = [RawEvent::default(); SPARSE_EVENTS_MAX];
                for (event, pair) in events.iter_mut().zip(words.as_chunks::<2>().0) {
                    let [time, weight] = *pair;
                    *event = RawEvent { time, weight: f64::from_bits(weight) };
                }
                let events = events.get(..usize::from(len)).unwrap_or_default();
                Held::Quiet(Cell::of_events(Seq::new(applied), events).expect("a slot holds few"))
            }
        }
    }

    /// A number that depends on each cache line of it.
    pub(super) fn glance(&self) -> u64 {
        let words = { self.content.words };
        words.get(3).copied().unwrap_or_default() ^ u64::from(self.flags())
    }

    pub(super) fn is_gone(&self) -> bool {
        self.flags() & FORM == GONE
    }

    /// The number of the busy cell it stands for.
    pub(super) fn busy(&self) -> Option<usize> {
        let number = { self.content.words }.first().map_or(0, |number| *number as usize);
        (self.flags() & FORM == BUSY).then_some(number)
    }

    pub(super) fn hold_quiet(&mut self, applied: Seq, events: &[RawEvent]) {
        let mut words = [0; 2 * SPARSE_EVENTS_MAX];
        for (pair, event) in words.as_chunks_mut::<2>().0.iter_mut().zip(events) {
            *pair = [event.time, event.weight.to_bits()];
        }
        self.content = Content { applied: applied.get(), words, ..self.content };
        self.set_form(u8::try_from(events.len()).expect("a quiet cell has few events"));
    }

    pub(super) fn hold_busy(&mut self, number: usize) {
        let mut words = [0; 2 * SPARSE_EVENTS_MAX];
        if let Some(word) = words.first_mut() {
            *word = number as u64;
        }
        self.content = Content { words, ..self.content };
        self.set_form(BUSY);
    }

    pub(super) fn hold_nothing(&mut self, removed: Seq) {
        self.content.applied = removed.get();
        self.set_form(GONE);
    }

    fn set_form(&mut self, form: u8) {
        let flags = self.flags.get_mut();
        *flags = *flags & !FORM | form;
    }

    pub(super) fn flags(&self) -> u8 {
        self.flags.load(Ordering::Relaxed)
    }

    /// Whether it has any of these flags.
    pub(super) fn is(&self, flags: u8) -> bool {
        self.flags() & flags != 0
    }

    /// Sets flags, and says which there were before.
    pub(super) fn set(&self, flags: u8) -> u8 {
        // Most reads find it referenced already, and then write nothing.
        let now = self.flags();
        if now & flags == flags { now } else { self.flags.fetch_or(flags, Ordering::Relaxed) }
    }

    /// Clears flags, and says which there were before.
    pub(super) fn clear(&self, flags: u8) -> u8 {
        self.flags.fetch_and(!flags, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_comes_back_and_flags_stay() {
        let event = |time: u64| RawEvent { time, weight: -0.5 * time as f64 };
        let mut slot = Slot::new(EntityId::new(u64::MAX), STORED);
        for len in 1..=SPARSE_EVENTS_MAX as u64 {
            let events: Vec<RawEvent> = (1..=len).map(event).collect();
            slot.hold_quiet(Seq::new(len), &events);
            let cell = Cell::of_events(Seq::new(len), &events).unwrap();
            assert_eq!(slot.held(), Held::Quiet(cell));
        }
        slot.hold_busy(70_000);
        assert_eq!((slot.held(), slot.busy()), (Held::Busy(70_000), Some(70_000)));
        assert_eq!(slot.set(DIRTY) & (STORED | DIRTY), STORED);
        slot.hold_nothing(Seq::new(9));
        assert_eq!((slot.held(), slot.busy()), (Held::Gone(Seq::new(9)), None));
        assert_eq!(slot.clear(STORED) & (STORED | DIRTY), STORED | DIRTY);
        assert!(slot.is(DIRTY) && !slot.is(STORED | WRITING | REFERENCED));
        assert_eq!(slot.id(), EntityId::new(u64::MAX));
    }
}
