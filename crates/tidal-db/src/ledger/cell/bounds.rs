//! Between which numbers a sum or a linear score stays as time goes on.
//!
//! While nothing happens, what counts only leaves. A value made of signed weights can rise
//! by that, but never above what its positive parts are together.
//!
//! Z1. No value that a cell computes at the given time or later is outside, rounding
//!     included: either the bounds are values that the cell computes itself, of sums that
//!     only rise or fall from term to term; or they are wider by [`SLACK`] of all absolute
//!     values, which is more than the hundred roundings of a sum can come to.
//! Z2. Sums of whole numbers, and of quarters and the like, are exact, and so are their
//!     bounds.

use tidal_types::Timestamp;

use super::super::grid::Grid;
use super::super::shape::{Decay, Shape, Slot};
use super::bucketed::Bucketed;
use super::linear::Linear;
use super::sparse::Sparse;
use super::window::Window;
use super::{Cell, State};

/// By how much of the absolute values that it sums a sum may be wrong.
const SLACK: f64 = 1e-13;

/// Sums of multiples of one over this are exact while they are below [`DYADIC_MAX`].
const DYADIC: f64 = 1024.0;
const DYADIC_MAX: f64 = (1_u64 << 42) as f64;

impl Cell {
    /// The least and the most that the sum of a window is from `from` on.
    pub(in super::super) fn sum_bounds(&self, slot: Slot, from: Timestamp) -> (f64, f64) {
        let from = self.reading_time(from);
        match (&self.state, slot) {
            (_, Slot::AllTime) => {
                let sum = self.sum(slot, Timestamp::from_nanos(from));
                (sum, sum)
            }
            (State::Sparse(sparse), _) => sparse.sum_bounds(slot, from),
            (State::Bucketed(bucketed), Slot::Sliding { place, grid }) => {
                bucketed.window(place, grid).sum_bounds(from)
            }
        }
    }

    /// The least and the most that the score is from `from` on, of a linear decay.
    pub(in super::super) fn score_bounds(&self, shape: &Shape, from: Timestamp) -> (f64, f64) {
        let at = self.reading_time(from);
        match (&self.state, shape.decay) {
            (State::Sparse(sparse), Decay::Linear(lifetime)) => sparse.linear_bounds(lifetime, at),
            (State::Bucketed(bucketed), Decay::Linear(lifetime)) => {
                bucketed.linear_bounds(lifetime, at)
            }
            _ => {
                let score = self.score(shape, from);
                (score.min(0.0), score.max(0.0))
            }
        }
    }
}

impl Sparse {
    /// The sum changes only when an event leaves, so it is one of these few.
    fn sum_bounds(&self, slot: Slot, from: u64) -> (f64, f64) {
        let now = self.sum(slot, from);
        let Slot::Sliding { grid, .. } = slot else {
            return (now, now);
        };
        let leaving = self.events().iter().map(|event| event.time.saturating_add(grid.span()));
        let later = leaving.filter(|&time| time > from).map(|time| self.sum(slot, time));
        // At the end of time an event may be left that never leaves.
        later.fold((now.min(0.0), now.max(0.0)), |(least, most), sum| {
            (least.min(sum), most.max(sum))
        })
    }

    fn linear_bounds(&self, lifetime: Grid, from: u64) -> (f64, f64) {
        let part = |keep: fn(f64) -> bool| {
            self.linear_of(lifetime, from, |weight| if keep(weight) { weight } else { 0.0 })
        };
        // Each term loses its absolute value, and a rounded sum rises with each term.
        (part(|weight| weight < 0.0), part(|weight| weight > 0.0))
    }
}

impl Window<'_> {
    /// With the oldest buckets leaving one by one, the sum is between those of the newest
    /// few.
    fn sum_bounds(&self, from: u64) -> (f64, f64) {
        let (mut least, mut most) = (0.0_f64, 0.0_f64);
        let (mut sum, mut absolute, mut is_exact) = (0.0, 0.0, true);
        self.for_each_sum_inside(from, |bucket: f64| {
            sum += bucket;
            absolute += bucket.abs();
            is_exact &= (bucket * DYADIC).fract() == 0.0;
            least = least.min(sum);
            most = most.max(sum);
        });
        let slack = if is_exact && absolute < DYADIC_MAX { 0.0 } else { absolute * SLACK };
        (least - slack, most + slack)
    }
}

impl Bucketed {
    fn linear_bounds(&self, lifetime: Grid, from: u64) -> (f64, f64) {
        self.linear(lifetime).bounds(from)
    }
}

impl Linear<'_> {
    /// The sums of the least and of the most that each bucket adds from now on.
    fn bounds(&self, from: u64) -> (f64, f64) {
        let (mut least, mut most, mut absolute) = (0.0, 0.0, 0.0);
        self.for_each_live(from, |live| {
            let (low, high) = live.bounds(self.grid);
            least += low;
            most += high;
            absolute += live.absolute(self.grid);
        });
        (least - absolute * SLACK, most + absolute * SLACK)
    }
}
