//! A score whose weights fade evenly over a lifetime L.
//!
//! ```text
//! S(t) = sum over events of w * max(0, 1 - (t - t_i) / L)
//! ```
//!
//! Each bucket of time, from its first instant b on, keeps the sum of w and the
//! sum of w * (t_i - b). While all of its events are alive they add exactly
//!
//! ```text
//! sum(w) * (1 - (t - b) / L) + sum(w * (t_i - b)) / L
//! ```
//!
//! X1. Only the bucket that t - L divides is approximate. Its events are taken
//!     to be spread evenly: with a the length of its part that is alive, they
//!     add `sum(w) * a^2 / (2 * width * L)`, off by at most the sum of their
//!     absolute weights times width / L.
//! X2. A bucket is there if and only if an event fell into it and it is not dead
//!     at the cell's newest time (as W1 of the windows).

use super::super::grid::{Grid, NANOS_PER_SEC};
use super::event::RawEvent;
use super::series::{self, Bucket};

/// The buckets of a linear score.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct LinearBuckets {
    /// In order of time.
    pub(super) buckets: Vec<WeightBucket>,
}

/// The weights of the events in a bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct WeightBucket {
    pub(super) index: u64,
    /// The sum of the weights.
    pub(super) sum: f64,
    /// The sum of weight times seconds since the bucket's first instant.
    pub(super) moment: f64,
}

impl Bucket for WeightBucket {
    fn index(&self) -> u64 {
        self.index
    }
}

impl LinearBuckets {
    /// Adds an event; `newest` is the cell's newest time, this event included.
    pub(super) fn add(&mut self, grid: Grid, newest: u64, event: RawEvent) {
        let dead = series::dead(&self.buckets, grid, newest);
        if dead > 0 {
            self.buckets.drain(..dead);
        }
        let index = grid.index(event.time);
        if grid.is_dead(index, newest) {
            return;
        }
        let place = series::place(&self.buckets, index).unwrap_or_else(|place| {
            series::insert(&mut self.buckets, place, WeightBucket { index, sum: 0.0, moment: 0.0 });
            place
        });
        if let Some(bucket) = self.buckets.get_mut(place) {
            bucket.sum += event.weight;
            bucket.moment +=
                event.weight * ((event.time - grid.first(index)) as f64 / NANOS_PER_SEC);
        }
    }

    /// The score at the time `at`, which is not before any event.
    pub(super) fn score(&self, grid: Grid, at: u64) -> f64 {
        let live = self.buckets.get(series::dead(&self.buckets, grid, at)..).unwrap_or_default();
        let (edge, whole) = match (live, grid.cut(at)) {
            ([oldest, whole @ ..], Some(cut)) if grid.first(oldest.index) < cut => {
                let alive = (grid.last(oldest.index) - cut + 1) as f64;
                let share = alive / grid.width() as f64;
                (oldest.sum * share * (alive / (2.0 * grid.span() as f64)), whole)
            }
            _ => (0.0, live),
        };
        let (mut aged, mut moments) = (0.0, 0.0);
        for bucket in whole {
            aged += bucket.sum * (grid.span() - at.saturating_sub(grid.first(bucket.index))) as f64;
            moments += bucket.moment;
        }
        edge + aged / grid.span() as f64 + moments / grid.span_secs()
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.buckets.capacity() * size_of::<WeightBucket>()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn linear(grid: Grid, events: &[(u64, f64)]) -> LinearBuckets {
        let mut linear = LinearBuckets::default();
        let mut newest = 0;
        for &(time, weight) in events {
            newest = newest.max(time);
            linear.add(grid, newest, RawEvent { time, weight });
        }
        linear
    }

    #[test]
    fn whole_buckets_are_exact_and_the_edge_is_spread_evenly_x1() {
        // Buckets of 10 ns under a lifetime of 600 ns.
        let grid = Grid::new(Duration::from_nanos(600));
        let linear = linear(grid, &[(3, 1.0), (7, -2.0), (30, 4.0)]);
        let near =
            |at, expected: f64| assert!((linear.score(grid, at) - expected).abs() < 1e-12, "{at}");
        near(300, (303.0 - 2.0 * 307.0 + 4.0 * 330.0) / 600.0);
        near(600, (3.0 - 2.0 * 7.0 + 4.0 * 30.0) / 600.0);
        near(606, 4.0 * 24.0 / 600.0 - 4.0 * 4.0 / (2.0 * 10.0 * 600.0));
        near(610, 4.0 * 20.0 / 600.0);
        near(630, 0.0);
        near(u64::MAX, 0.0);
    }

    #[test]
    fn buckets_of_a_nanosecond_have_no_edge() {
        let grid = Grid::new(Duration::from_nanos(2));
        let linear = linear(grid, &[(u64::MAX - 1, 1.0), (u64::MAX, 1.0)]);
        assert_eq!(linear.score(grid, u64::MAX), 1.5);
    }

    #[test]
    fn the_order_of_arrival_does_not_matter_x2() {
        let grid = Grid::new(Duration::from_nanos(600));
        let a = linear(grid, &[(3, 1.0), (615, 2.0), (11, 4.0)]);
        let b = linear(grid, &[(615, 2.0), (11, 4.0), (3, 1.0)]);
        assert_eq!(a, b);
        assert_eq!(a.buckets.len(), 2);
    }
}
