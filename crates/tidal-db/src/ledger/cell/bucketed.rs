//! The cell that has seen more events than it can keep: totals and buckets.
//!
//! B1. The number of events, the newest time and every bucket's count depend on
//!     the set of events alone; the sums also on their order, in the last bits.

use super::super::shape::{Decay, Shape, Slot};
use super::decayed::Decayed;
use super::event::RawEvent;
use super::linear::LinearBuckets;
use super::window::WindowBuckets;

/// The state of a cell with more than a few events.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bucketed {
    /// How many events there ever were.
    pub(super) count: u64,
    /// The sum of all weights, folded in log order.
    pub(super) weight_sum: f64,
    /// The newest time, in nanoseconds since the epoch.
    pub(super) newest: u64,
    pub(super) fading: Fading,
    /// One for each window of the shape.
    pub(super) windows: Box<[WindowBuckets]>,
}

/// What a score needs beside the totals, after the decay of the shape.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fading {
    Exponential(Decayed),
    Linear(LinearBuckets),
    Permanent,
}

impl Bucketed {
    /// The cell that has seen `events`, folded in this order.
    pub(super) fn of(shape: &Shape, events: &[RawEvent]) -> Self {
        let fading = match shape.decay {
            Decay::Exponential { .. } => Fading::Exponential(Decayed::default()),
            Decay::Linear(_) => Fading::Linear(LinearBuckets::default()),
            Decay::Permanent => Fading::Permanent,
        };
        let windows = shape.windows.iter().map(|_| WindowBuckets::default()).collect();
        let mut bucketed = Self { count: 0, weight_sum: 0.0, newest: 0, fading, windows };
        for event in events {
            bucketed.fold(shape, *event);
        }
        bucketed
    }

    pub(super) fn fold(&mut self, shape: &Shape, event: RawEvent) {
        self.count += 1;
        self.weight_sum += event.weight;
        self.newest = self.newest.max(event.time);
        match (&mut self.fading, shape.decay) {
            (Fading::Exponential(decayed), Decay::Exponential { rate_per_sec, .. }) => {
                decayed.add(rate_per_sec, event)
            }
            (Fading::Linear(linear), Decay::Linear(lifetime)) => {
                linear.add(lifetime, self.newest, event)
            }
            (Fading::Permanent, Decay::Permanent) => {}
            _ => unreachable!("a cell fades as its signal type does"),
        }
        for (window, grid) in self.windows.iter_mut().zip(&shape.windows) {
            window.add(*grid, shape.sums, self.newest, event);
        }
    }

    pub(super) fn count(&self, slot: Slot, at: u64) -> u64 {
        match slot {
            Slot::AllTime => self.count,
            Slot::Sliding { place, grid } => {
                self.window(place).map_or(0, |window| window.count(grid, at))
            }
        }
    }

    pub(super) fn sum(&self, slot: Slot, at: u64) -> f64 {
        match slot {
            Slot::AllTime => self.weight_sum,
            Slot::Sliding { place, grid } => {
                self.window(place).map_or(0.0, |window| window.sum(grid, at))
            }
        }
    }

    pub(super) fn score(&self, shape: &Shape, at: u64) -> f64 {
        match (&self.fading, shape.decay) {
            (Fading::Exponential(decayed), Decay::Exponential { rate_per_sec, .. }) => {
                decayed.at(rate_per_sec, at)
            }
            (Fading::Linear(linear), Decay::Linear(lifetime)) => linear.score(lifetime, at),
            (Fading::Permanent, Decay::Permanent) => self.weight_sum,
            _ => unreachable!("a cell fades as its signal type does"),
        }
    }

    /// The decayed sum of a cell whose decay is exponential.
    pub(super) fn decayed(&self) -> Decayed {
        match self.fading {
            Fading::Exponential(decayed) => decayed,
            Fading::Linear(_) | Fading::Permanent => {
                unreachable!("a cell fades as its signal type does")
            }
        }
    }

    /// Bytes on the heap, this struct included.
    pub(super) fn heap_bytes(&self) -> usize {
        let windows: usize =
            self.windows.iter().map(|window| size_of_val(window) + window.heap_bytes()).sum();
        let linear =
            if let Fading::Linear(linear) = &self.fading { linear.heap_bytes() } else { 0 };
        size_of_val(self) + linear + windows
    }

    fn window(&self, place: usize) -> Option<&WindowBuckets> {
        self.windows.get(place)
    }
}
