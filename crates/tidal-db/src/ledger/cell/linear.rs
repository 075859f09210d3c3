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
use super::number::{first_number, last_number, put_first, put_last};
use super::places::{Inside, Places};

/// The buckets of a linear score, to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Linear<'a> {
    pub(super) grid: Grid,
    /// The cell's newest time.
    pub(super) newest: u64,
    pub(super) places: Places,
    /// In the order of [`Places`]: the sum of the weights, and the sum of weight times
    /// seconds since the bucket's first instant.
    pub(super) buckets: &'a [u8],
}

/// A bucket that adds to a score.
#[derive(Debug, Clone, Copy)]
pub(super) struct Live {
    /// Its first instant.
    pub(super) first: u64,
    pub(super) sum: f64,
    moment: f64,
    /// How long its first instant has yet to live, in nanoseconds; negative when the
    /// end of the lifetime divides the bucket.
    left: i64,
}

impl Linear<'_> {
    /// The score at the time `at`, which is not before any event.
    pub(super) fn score(&self, at: u64) -> f64 {
        let (mut edge, mut aged, mut moments) = (0.0, 0.0, 0.0);
        self.for_each_live(at, |live| {
            if live.is_divided() {
                edge = live.of_edge(self.grid);
            } else {
                aged += live.sum * live.left as f64;
                moments += live.moment;
            }
        });
        edge + aged / self.grid.span() as f64 + moments / self.grid.span_secs()
    }

    /// Shows the buckets that add to the score at the time `at`, oldest first: the order
    /// in which the sums have their bits.
    #[inline]
    pub(super) fn for_each_live(&self, at: u64, mut show: impl FnMut(Live)) {
        let inside = Inside::of(self.places, self.grid, self.newest, at);
        let (pairs, _) = self.buckets.as_chunks::<16>();
        let pairs = pairs.get(..inside.places.len()).unwrap_or_default();
        // The lifetime is at most 100 years, for which 63 bits are enough; what has been
        // over for longer adds nothing, and is not shown.
        let age_of_newest = i64::try_from(inside.since_first).unwrap_or(i64::MAX);
        let newest_left = self.grid.span().cast_signed().saturating_sub(age_of_newest);
        for (pair, age) in pairs.iter().rev().zip(inside.places.ages_rev()) {
            let back = (age * self.grid.width()).cast_signed();
            let first = at - inside.since_first - back.cast_unsigned();
            let (sum, moment) = (first_number(pair), last_number(pair));
            show(Live { first, sum, moment, left: newest_left - back });
        }
    }
}

/// The buckets of a series, newest first: age, sum and moment.
pub(super) fn buckets(places: Places, buckets: &[u8]) -> impl Iterator<Item = (u64, f64, f64)> {
    let pairs = buckets.chunks_exact(places.stride());
    places.ages().zip(pairs).map(|(age, pair)| (age, first_number(pair), last_number(pair)))
}

impl Live {
    /// Whether the end of the lifetime divides the bucket.
    pub(super) const fn is_divided(&self) -> bool {
        self.left < 0
    }

    /// What the bucket adds to the score.
    pub(super) fn contribution(&self, grid: Grid) -> f64 {
        if self.is_divided() {
            return self.of_edge(grid);
        }
        self.sum * self.left as f64 / grid.span() as f64 + self.moment / grid.span_secs()
    }

    /// The least and the most that the bucket adds from now on, but for rounding. Until the
    /// end of the lifetime reaches it that changes evenly; then it jumps, by X1, and goes to
    /// 0.
    pub(super) fn bounds(&self, grid: Grid) -> (f64, f64) {
        let now = self.contribution(grid);
        let (reached, divided) = if self.is_divided() {
            (0.0, 0.0)
        } else {
            (self.moment / grid.span_secs(), self.sum * half_width(grid))
        };
        let all = [now, reached, divided];
        (all.into_iter().fold(0.0, f64::min), all.into_iter().fold(0.0, f64::max))
    }

    /// No less than the absolute values that any contribution from now on is made of.
    pub(super) fn absolute(&self, grid: Grid) -> f64 {
        let aged = self.sum.abs() * (self.left.max(0) as f64 / grid.span() as f64);
        aged + self.moment.abs() / grid.span_secs() + self.sum.abs() * half_width(grid)
    }

    fn of_edge(&self, grid: Grid) -> f64 {
        // From the instant that is just dead to the bucket's last.
        let alive = (self.left + grid.width().cast_signed()) as f64;
        let share = alive / grid.width() as f64;
        self.sum * share * (alive / (2.0 * grid.span() as f64))
    }
}

/// What a weight adds to the score, on average over a bucket of which all is just alive.
fn half_width(grid: Grid) -> f64 {
    grid.width() as f64 / (2.0 * grid.span() as f64)
}

/// Adds a weight to its bucket, so many nanoseconds behind the bucket's first instant.
pub(super) fn add(bucket: &mut [u8], weight: f64, into: u64) {
    let sum = first_number(bucket) + weight;
    let moment = last_number(bucket) + weight * (into as f64 / NANOS_PER_SEC);
    put_first(bucket, sum);
    put_last(bucket, moment);
}
