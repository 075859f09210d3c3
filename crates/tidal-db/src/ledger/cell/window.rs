//! The events of a sliding window, counted in buckets.
//!
//! W1. A bucket is there if and only if an event fell into it and it is not dead
//!     at the cell's newest time, so the buckets are those of the set of events,
//!     whatever the order of arrival. (Sums are folded in that order, and so
//!     depend on it in their last bits.)
//! W2. A read counts every bucket that is wholly inside the window, and of the
//!     one bucket that the cut divides the share of its instants that are
//!     inside. The error is at most the count of that bucket.

use super::super::grid::Grid;
use super::number::{count_at, count_one, first_number, put_first, total};
use super::places::{Inside, Places};

/// The buckets of one window of one cell, to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window<'a> {
    pub(super) grid: Grid,
    /// The cell's newest time.
    pub(super) newest: u64,
    pub(super) places: Places,
    /// In the order of [`Places`].
    pub(super) buckets: &'a [u8],
}

/// The bucket that the beginning of a window divides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Divided {
    /// Its first and its last instant.
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) count: u64,
    /// How many of its instants are inside.
    pub(super) instants: u64,
    /// How many of its events are taken to be inside.
    pub(super) counted: u64,
}

impl Window<'_> {
    /// The number of events in the window at the time `at`.
    pub(super) fn count(&self, at: u64) -> u64 {
        let (whole, divided) = self.parts(at);
        whole + divided.map_or(0, |divided| divided.counted)
    }

    /// The number of events in whole buckets, and the bucket that is divided.
    pub(super) fn parts(&self, at: u64) -> (u64, Option<Divided>) {
        let inside = Inside::of(self.places, self.grid, self.newest, at);
        let whole = inside.whole();
        let stride = self.places.stride();
        let newer = self.buckets.get(..whole * stride).unwrap_or_default();
        (total(newer, stride), inside.divided.map(|instants| self.divided(at, whole, instants)))
    }

    fn divided(&self, at: u64, place: usize, instants: u64) -> Divided {
        let stride = self.places.stride();
        let bucket = self.buckets.get(place * stride..(place + 1) * stride).unwrap_or_default();
        let count = count_at(bucket, self.places);
        // The bucket's last instant is as far behind the cut as it has instants inside.
        let last = self.grid.cut(at).unwrap_or_default().saturating_add(instants);
        let first = last.saturating_sub(self.grid.width() - 1);
        let counted = rounded_share(count, instants, self.grid.width());
        Divided { first, last, count, instants, counted }
    }

    /// The sum of the weights in the window at the time `at`.
    pub(super) fn sum(&self, at: u64) -> f64 {
        if !self.places.has_pairs() {
            return 0.0;
        }
        let inside = Inside::of(self.places, self.grid, self.newest, at);
        let stride = self.places.stride();
        let (newer, older) = self.buckets.split_at(inside.whole() * stride);
        // Oldest first: the order in which the sum has its bits.
        let divided = inside
            .divided
            .map(|instants| first_number(older) * (instants as f64 / self.grid.width() as f64));
        let begin = divided.map_or(0.0, |divided| 0.0 + divided);
        newer.chunks_exact(stride).rev().fold(begin, |total, bucket| total + first_number(bucket))
    }

    /// Shows the sum of each bucket that is inside at the time `at`, the whole of a divided
    /// one, newest first.
    pub(super) fn for_each_sum_inside(&self, at: u64, show: impl FnMut(f64)) {
        if self.places.has_pairs() {
            let inside = Inside::of(self.places, self.grid, self.newest, at);
            let buckets = self.buckets.chunks_exact(self.places.stride());
            buckets.take(inside.places.len()).map(first_number).for_each(show);
        }
    }
}

/// The buckets of a series, newest first: age, count, and sum of weights where sums are
/// kept.
pub(super) fn buckets(
    places: Places,
    buckets: &[u8],
) -> impl Iterator<Item = (u64, u64, Option<f64>)> {
    places.ages().zip(buckets.chunks_exact(places.stride())).map(move |(age, bucket)| {
        let sum = places.has_pairs().then(|| first_number(bucket));
        (age, count_at(bucket, places), sum)
    })
}

/// Counts an event in its bucket; `false` when the bucket has no room for the number.
#[must_use]
pub(super) fn add(bucket: &mut [u8], places: Places, weight: f64) -> bool {
    if !count_one(bucket, places) {
        return false;
    }
    if places.has_pairs() {
        let sum = first_number(bucket) + weight;
        put_first(bucket, sum);
    }
    true
}

/// `count * instants / width`, rounded to the nearest, half up.
fn rounded_share(count: u64, instants: u64, width: u64) -> u64 {
    if let Some(inside) =
        count.checked_mul(instants).and_then(|inside| inside.checked_add(width / 2))
    {
        return inside / width;
    }
    let inside = u128::from(count) * u128::from(instants) + u128::from(width / 2);
    u64::try_from(inside / u128::from(width)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_share_is_rounded_alike_in_64_and_128_bits(count: u64, width in 1..=u64::MAX / 4, part in 0.0..=1.0_f64) {
            let instants = ((width as f64 * part) as u64).min(width);
            let exact = (u128::from(count) * u128::from(instants) + u128::from(width / 2)) / u128::from(width);
            prop_assert_eq!(u128::from(rounded_share(count, instants, width)), exact);
            prop_assert_eq!(rounded_share(count % 1000, instants % 1_000_000, width % 1000 + 1),
                (count % 1000 * (instants % 1_000_000) + (width % 1000).div_ceil(2)) / (width % 1000 + 1));
        }
    }
}
