//! The cell that has seen few events: the events themselves.
//!
//! Most entities of most applications are quiet, and for them every read is
//! exact.

use std::num::NonZeroU8;

use super::super::grid::Grid;
use super::super::shape::{Decay, Shape, Slot};
use super::decayed::Decayed;
use super::event::RawEvent;

/// How many events a cell keeps as they are. With one more it is bucketed.
pub(crate) const SPARSE_EVENTS_MAX: usize = 4;

/// The events of a quiet cell, at least one, in the order of their arrival.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sparse {
    /// Never zero, which leaves the compiler a place to tell the forms of a cell
    /// apart: eight bytes less for every quiet cell.
    pub(super) len: NonZeroU8,
    events: [RawEvent; SPARSE_EVENTS_MAX],
}

impl Sparse {
    pub(super) fn first(event: RawEvent) -> Self {
        let none = RawEvent::default();
        Self { len: NonZeroU8::MIN, events: [event, none, none, none] }
    }

    /// Keeps one more event; `false` when there is no room for it.
    #[must_use]
    pub(super) fn push(&mut self, event: RawEvent) -> bool {
        let Some(free) = self.events.get_mut(usize::from(self.len.get())) else {
            return false;
        };
        *free = event;
        self.len = self.len.saturating_add(1);
        true
    }

    pub(super) fn events(&self) -> &[RawEvent] {
        self.events.get(..usize::from(self.len.get())).unwrap_or_default()
    }

    /// The time of the newest event, in nanoseconds since the epoch.
    pub(super) fn newest(&self) -> u64 {
        self.events().iter().map(|event| event.time).max().unwrap_or_default()
    }

    pub(super) fn count(&self, slot: Slot, at: u64) -> u64 {
        self.within(slot, at).count() as u64
    }

    pub(super) fn sum(&self, slot: Slot, at: u64) -> f64 {
        self.within(slot, at).fold(0.0, |sum, event| sum + event.weight)
    }

    pub(super) fn score(&self, shape: &Shape, at: u64) -> f64 {
        match shape.decay {
            Decay::Exponential { rate_per_sec, .. } => {
                self.decayed(rate_per_sec).at(rate_per_sec, at)
            }
            Decay::Linear(lifetime) => self.linear(lifetime, at),
            Decay::Permanent => self.sum(Slot::AllTime, at),
        }
    }

    /// The events folded just as they will be when the cell becomes bucketed, so
    /// that both forms have the same bits.
    pub(super) fn decayed(&self, rate_per_sec: f64) -> Decayed {
        let mut decayed = Decayed::default();
        for event in self.events() {
            decayed.add(rate_per_sec, *event);
        }
        decayed
    }

    fn linear(&self, lifetime: Grid, at: u64) -> f64 {
        self.linear_of(lifetime, at, |weight| weight)
    }

    /// The linear score, had each event the weight that `weight` makes of its own.
    pub(super) fn linear_of(&self, lifetime: Grid, at: u64, weight: impl Fn(f64) -> f64) -> f64 {
        let live = self.events().iter().filter(|event| lifetime.is_live(event.time, at));
        live.fold(0.0, |sum, event| {
            let left = lifetime.span() - at.saturating_sub(event.time);
            sum + weight(event.weight) * (left as f64 / lifetime.span() as f64)
        })
    }

    fn within(&self, slot: Slot, at: u64) -> impl Iterator<Item = &RawEvent> {
        self.events().iter().filter(move |event| match slot {
            Slot::AllTime => true,
            Slot::Sliding { grid, .. } => grid.is_live(event.time, at),
        })
    }
}
