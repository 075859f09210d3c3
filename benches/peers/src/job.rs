//! The job that every system does: it takes in what happened to items, and tells at any
//! time how hot one is.
//!
//! One signal type: a score that halves within a day, and how many events there were within
//! an hour, a day and a week, each window in sixty buckets. Time is in milliseconds since
//! the epoch.
//!
//! J1. A reading is made just before an instant, its `end`: the window of length W holds the
//!     events from `end - W` on that are before `end`.
//! J2. When `end` is a multiple of [`ALIGNED`], no window begins within a bucket, and all
//!     systems count exactly.

use serde::{Deserialize, Serialize};

/// A score falls to half within this, in milliseconds.
const HALF_LIFE: f64 = 86_400_000.0;

/// What a score loses in a millisecond, as the exponent of e.
pub(crate) const LAMBDA: f64 = std::f64::consts::LN_2 / HALF_LIFE;

/// What is counted.
pub(crate) const WINDOWS: [Window; 3] = [
    Window::new("1 h", 3_600_000),
    Window::new("24 h", 86_400_000),
    Window::new("7 d", 604_800_000),
];

/// Multiples of this are boundaries between buckets in all windows.
pub(crate) const ALIGNED: u64 = 10_080_000;

const _: () = {
    let [hour, day, week] = WINDOWS;
    assert!(ALIGNED.is_multiple_of(hour.width));
    assert!(ALIGNED.is_multiple_of(day.width));
    assert!(ALIGNED.is_multiple_of(week.width));
};

/// How many places a ranking has.
pub(crate) const PLACES: usize = 100;

/// How many events are sent together.
pub(crate) const BATCH: usize = 1000;

/// How many batches a client may have on their way.
pub(crate) const IN_FLIGHT: usize = 8;

/// A window and the buckets that it is counted in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) name: &'static str,
    /// How long it is.
    pub(crate) length: u64,
    /// How wide a bucket is, a sixtieth.
    pub(crate) width: u64,
}

impl Window {
    const fn new(name: &'static str, length: u64) -> Self {
        Self { name, length, width: length / 60 }
    }

    /// The bucket of a time.
    pub(crate) const fn bucket(self, time: u64) -> u64 {
        time / self.width
    }

    /// The oldest bucket that counts just before `end`, and how much of it does.
    pub(crate) fn oldest(self, end: u64) -> (u64, f64) {
        let begin = end.saturating_sub(self.length);
        let bucket = self.bucket(begin);
        (bucket, ((bucket + 1) * self.width - begin) as f64 / self.width as f64)
    }

    /// How many events there were in the window just before `end`, of what each bucket
    /// had.
    pub(crate) fn count(self, end: u64, buckets: impl IntoIterator<Item = (u64, u64)>) -> u64 {
        let (oldest, share) = self.oldest(end);
        let (mut whole, mut part) = (0, 0.0);
        for (bucket, count) in buckets {
            if bucket > oldest && bucket * self.width < end {
                whole += count;
            } else if bucket == oldest {
                part = count as f64 * share;
            }
        }
        whole + part.round() as u64
    }
}

/// Something that happened to an item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Event {
    pub(crate) item: u64,
    pub(crate) weight: f64,
    /// When, in milliseconds.
    pub(crate) time: u64,
}

/// How hot an item is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Answer {
    pub(crate) score: f64,
    /// One for each of [`WINDOWS`].
    pub(crate) counts: [u64; WINDOWS.len()],
}

/// One of a ranking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    pub(crate) item: u64,
    pub(crate) score: f64,
}

/// A decayed sum as it was at some time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Decayed {
    pub(crate) sum: f64,
    /// When, in milliseconds.
    pub(crate) since: u64,
}

impl Decayed {
    /// Adds an event, late or not.
    pub(crate) fn add(&mut self, weight: f64, time: u64) {
        if time >= self.since {
            self.sum = self.at(time) + weight;
            self.since = time;
        } else {
            self.sum += weight * libm::exp(-LAMBDA * (self.since - time) as f64);
        }
    }

    /// The sum at this time, which is not before what it has seen.
    pub(crate) fn at(&self, time: u64) -> f64 {
        self.sum * libm::exp(-LAMBDA * time.saturating_sub(self.since) as f64)
    }

    /// A number that orders sums for ever, however time goes on: the logarithm of what the
    /// sum would have been at the epoch.
    pub(crate) fn rank(&self) -> f64 {
        libm::log(self.sum) + LAMBDA * self.since as f64
    }
}

/// The score at `time` of an item of this rank.
pub(crate) fn score_of(rank: f64, time: u64) -> f64 {
    libm::exp(rank - LAMBDA * time as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_that_begin_with_a_bucket_are_counted_exactly() {
        for window in WINDOWS {
            let (end, first) = (ALIGNED * 100, (ALIGNED * 100 - window.length) / window.width);
            assert_eq!(window.oldest(end), (first, 1.0));
            let buckets = (first - 1..first + 61).map(|bucket| (bucket, 1));
            assert_eq!(window.count(end, buckets), 60, "{}", window.name);
        }
    }

    #[test]
    fn of_the_oldest_bucket_a_share_counts() {
        let [hour, ..] = WINDOWS;
        let end = ALIGNED * 100 + hour.width / 4;
        let (oldest, share) = hour.oldest(end);
        assert_eq!((hour.bucket(end - hour.length), 0.75), (oldest, share));
        assert_eq!(hour.count(end, [(oldest, 100), (oldest + 1, 7), (oldest + 60, 1)]), 83);
    }

    #[test]
    fn a_sum_is_the_same_in_any_order_and_keeps_its_rank() {
        let events = [(1.0, 0), (2.0, 86_400_000), (4.0, 43_200_000)];
        let sum = |order: [usize; 3]| {
            let mut sum = Decayed::default();
            for number in order {
                let (weight, time) = events[number];
                sum.add(weight, time);
            }
            sum
        };
        let expected = 0.5 + 2.0 + 4.0 * 0.5_f64.sqrt();
        for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0], [1, 2, 0]] {
            let sum = sum(order);
            assert!((sum.at(86_400_000) - expected).abs() < 1e-12);
            assert!((score_of(sum.rank(), 172_800_000) - expected / 2.0).abs() < 1e-12);
        }
    }
}
