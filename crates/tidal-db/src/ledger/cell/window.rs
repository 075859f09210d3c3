//! The events of a sliding window, counted in buckets.
//!
//! W1. A bucket is there if and only if an event fell into it and it is not dead
//!     at the cell's newest time, so the buckets are those of the set of events,
//!     whatever the order of arrival. (Sums are folded in that order, and so
//!     depend on it in their last bits.)
//! W2. A read counts every bucket that is wholly inside the window, and of the
//!     one bucket that the cut divides the share of its instants that are
//!     inside. The error is at most the count of that bucket.
//! W3. The total is the sum of the buckets' counts, so that a count looks at the
//!     oldest buckets only.

use super::super::grid::{BUCKETS_MAX, Grid};
use super::event::RawEvent;
use super::series::{self, Bucket};

/// The buckets of one window of one cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct WindowBuckets {
    /// In order of time.
    pub(super) buckets: Vec<CountBucket>,
    /// The sum of weights of each bucket; empty when the schema asks for none.
    pub(super) sums: Vec<f64>,
    /// How many events are in all buckets.
    pub(super) total: u64,
}

/// How many events fell into a bucket. Packed, since a busy cell has hundreds.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, packed(4))]
pub(super) struct CountBucket {
    /// The shortest window has buckets of a minute, of which 32 bits number
    /// more than there are before the end of time.
    index: u32,
    count: u64,
}

const _: () = assert!(u64::MAX / 60_000_000_000 <= u32::MAX as u64);
const _: () = assert!(size_of::<CountBucket>() == 12);

impl CountBucket {
    pub(super) fn new(index: u64, count: u64) -> Self {
        let index =
            u32::try_from(index).expect("the buckets of a window are at least a minute wide");
        Self { index, count }
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }
}

impl Bucket for CountBucket {
    fn index(&self) -> u64 {
        u64::from(self.index)
    }
}

impl WindowBuckets {
    /// Counts an event; `newest` is the cell's newest time, this event included.
    pub(super) fn add(&mut self, grid: Grid, with_sums: bool, newest: u64, event: RawEvent) {
        self.drop_dead(grid, newest);
        let index = grid.index(event.time);
        if grid.is_dead(index, newest) {
            return;
        }
        let place = series::place(&self.buckets, index).unwrap_or_else(|place| {
            series::insert(&mut self.buckets, place, CountBucket::new(index, 0));
            if with_sums {
                series::insert(&mut self.sums, place, 0.0);
            }
            place
        });
        if let Some(bucket) = self.buckets.get_mut(place) {
            bucket.count += 1;
            self.total += 1;
        }
        if let Some(sum) = self.sums.get_mut(place) {
            *sum += event.weight;
        }
    }

    fn drop_dead(&mut self, grid: Grid, newest: u64) {
        let dead = series::dead(&self.buckets, grid, newest);
        if dead > 0 {
            self.total -= self.buckets.drain(..dead).map(|bucket| bucket.count).sum::<u64>();
            self.sums.drain(..dead.min(self.sums.len()));
        }
    }

    /// The number of events in the window at the time `at`.
    pub(super) fn count(&self, grid: Grid, at: u64) -> u64 {
        let dead = series::dead(&self.buckets, grid, at);
        let gone: u64 = self.buckets.iter().take(dead).map(CountBucket::count).sum();
        let leaving = self.buckets.get(dead).map_or(0, |oldest| {
            let width = u128::from(grid.width());
            let inside =
                u128::from(oldest.count()) * u128::from(grid.live_instants(oldest.index(), at));
            oldest.count() - u64::try_from((inside + width / 2) / width).unwrap_or(u64::MAX)
        });
        self.total - gone - leaving
    }

    /// The sum of the weights in the window at the time `at`.
    pub(super) fn sum(&self, grid: Grid, at: u64) -> f64 {
        let live = self.buckets.iter().zip(&self.sums).skip(series::dead(&self.buckets, grid, at));
        live.fold(0.0, |total, (bucket, sum)| match grid.live_instants(bucket.index(), at) {
            whole if whole == grid.width() => total + sum,
            instants => total + sum * (instants as f64 / grid.width() as f64),
        })
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.buckets.capacity() * size_of::<CountBucket>() + self.sums.capacity() * size_of::<f64>()
    }
}

/// A window of a cell whose buckets are all in use stays this small.
const _: () = assert!(BUCKETS_MAX * (size_of::<CountBucket>() + size_of::<f64>()) < 1300);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MINUTE: u64 = 60_000_000_000;

    fn hour() -> Grid {
        Grid::new(Duration::from_secs(3600))
    }

    /// Events given as (minute, how many), arriving in that order.
    fn window(events: &[(u64, u64)]) -> WindowBuckets {
        let mut window = WindowBuckets::default();
        let mut newest = 0;
        for &(minute, count) in events {
            newest = newest.max(minute * MINUTE);
            for _ in 0..count {
                window.add(hour(), true, newest, RawEvent { time: minute * MINUTE, weight: 2.0 });
            }
        }
        window
    }

    #[test]
    fn the_oldest_bucket_counts_by_its_share_w2() {
        let window = window(&[(0, 10), (30, 5), (60, 1)]);
        let at = |seconds: u64| {
            (window.count(hour(), seconds * MINUTE / 60), window.sum(hour(), seconds * MINUTE / 60))
        };
        assert_eq!(at(3600).0, 16);
        assert_eq!(at(3630).0, 11);
        assert!((at(3630).1 - 22.0).abs() < 1e-6, "{}", at(3630).1);
        assert_eq!(at(3660), (6, 12.0));
        assert_eq!(at(100_000), (0, 0.0));
    }

    #[test]
    fn dead_buckets_go_and_late_events_for_them_are_not_kept_w1() {
        let in_order = window(&[(0, 3), (10, 1), (100, 1)]);
        let late = window(&[(100, 1), (0, 3), (10, 1)]);
        let other = window(&[(10, 1), (100, 1), (0, 3)]);
        assert_eq!(in_order.buckets, [CountBucket::new(100, 1)]);
        assert_eq!(in_order, late);
        assert_eq!(in_order, other);
    }

    #[test]
    fn late_events_fall_into_their_own_buckets() {
        let late = window(&[(50, 1), (20, 2), (40, 1), (20, 1)]);
        let buckets = [CountBucket::new(20, 3), CountBucket::new(40, 1), CountBucket::new(50, 1)];
        assert_eq!(late.buckets, buckets);
        assert_eq!(late.sums, [6.0, 2.0, 2.0]);
    }

    #[test]
    fn a_full_window_takes_no_more_room_than_it_needs() {
        let full: Vec<(u64, u64)> = (0..500).map(|minute| (minute, 1)).collect();
        let full = window(&full);
        assert!(full.buckets.len() <= BUCKETS_MAX && full.buckets.len() >= BUCKETS_MAX - 1);
        assert_eq!(full.heap_bytes(), BUCKETS_MAX * 20);
    }
}
