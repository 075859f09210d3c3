//! Time-aligned buckets under a span that slides.
//!
//! Time is cut, from the epoch on, into buckets of one width, so the bucket of
//! an instant depends on nothing but the instant. A span slides over them: at
//! time t it holds the instants i with `t - span < i <= t`. All times are
//! nanoseconds since the epoch.
//!
//! I1. A width is at most a sixtieth of its span, rounded up to a nanosecond,
//!     and never zero.
//! I2. A span touches at most [`BUCKETS_MAX`] buckets.
//! I3. A bucket that is dead at one time is dead at every later time.
//! I4. Which buckets are alive follows from where in its bucket a time is, without a
//!     division: the newest and so many behind it as [`Grid::touched`] says.

use std::time::Duration;

/// Nanoseconds in a second.
pub(crate) const NANOS_PER_SEC: f64 = 1e9;

/// How many buckets a span is cut into.
const BUCKETS_PER_SPAN: u64 = 60;

/// The most buckets that a span touches: one more than it is long, since it
/// seldom begins where a bucket does.
pub(crate) const BUCKETS_MAX: usize = 61;

/// A span and the width of its buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    span: u64,
    width: u64,
    /// How many buckets it takes to cover the span.
    covering: u64,
    /// How much longer these are than the span.
    excess: u64,
    /// 2^64 / width, rounded down, and never 2^64 itself.
    reciprocal: u64,
}

impl Grid {
    /// The grid of a span of at least a nanosecond.
    pub(crate) const fn new(span: Duration) -> Self {
        let span = nanos(span);
        let width = span.div_ceil(BUCKETS_PER_SPAN);
        let covering = span.div_ceil(width);
        Self {
            span,
            width,
            covering,
            excess: covering * width - span,
            reciprocal: u64::MAX / width,
        }
    }

    /// The length of the span, in nanoseconds.
    pub(crate) const fn span(self) -> u64 {
        self.span
    }

    /// The length of the span, in seconds.
    pub(crate) const fn span_secs(self) -> f64 {
        self.span as f64 / NANOS_PER_SEC
    }

    /// The width of a bucket, in nanoseconds.
    pub(crate) const fn width(self) -> u64 {
        self.width
    }

    /// The bucket that holds the instant `time`.
    pub(crate) const fn index(self, time: u64) -> u64 {
        self.split(time).0
    }

    /// The bucket that holds the instant `time`, and how far behind the bucket's
    /// first instant that is.
    pub(crate) const fn split(self, time: u64) -> (u64, u64) {
        // A division by multiplication, of which a fold does one for each series. What
        // the reciprocal is too small by makes the quotient at most one too small.
        let index = ((time as u128 * self.reciprocal as u128) >> 64) as u64;
        let into = time - index * self.width;
        if into >= self.width { (index + 1, into - self.width) } else { (index, into) }
    }

    /// How many buckets the span touches when it ends so far `into` a bucket, that one
    /// included: from 1 to [`BUCKETS_MAX`].
    pub(crate) const fn touched(self, into: u64) -> u64 {
        self.covering + (into + self.excess + 1 < self.width) as u64
    }

    /// How many instants of the oldest bucket that the span touches are in it.
    pub(crate) const fn touched_instants(self, into: u64) -> u64 {
        self.span + self.width - 1 - into - (self.touched(into) - 1) * self.width
    }

    /// The newest instant that has left the span at `time`; `None` while the
    /// span reaches back before the epoch.
    pub(crate) const fn cut(self, time: u64) -> Option<u64> {
        time.checked_sub(self.span)
    }

    /// Whether the span at `time` holds `instant`, which is not after `time`.
    pub(crate) fn is_live(self, instant: u64, time: u64) -> bool {
        self.cut(time).is_none_or(|cut| cut < instant)
    }
}

/// A span in nanoseconds. The longest a schema takes, 100 years, fits.
pub(crate) const fn nanos(span: Duration) -> u64 {
    match span.as_nanos() {
        0 => 1,
        nanos if nanos > u64::MAX as u128 => u64::MAX,
        nanos => nanos as u64,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How many of a bucket's instants have not left the span at `time`.
    fn live_instants(grid: Grid, index: i128, time: u64) -> i128 {
        let (span, width) = (i128::from(grid.span), i128::from(grid.width));
        let last = index * width + width - 1;
        (last - (i128::from(time) - span)).clamp(0, width)
    }

    proptest! {
        #[test]
        fn what_is_alive_follows_from_the_place_in_a_bucket_i4(
            span in prop_oneof![1..300_u64, 1..=3_155_760_000_000_000_000_u64],
            time in prop_oneof![Just(u64::MAX), 0..1000_u64, any::<u64>()],
        ) {
            let grid = Grid::new(Duration::from_nanos(span));
            prop_assert!(grid.width() >= 1 && grid.width() <= span / 60 + 1, "I1");
            let (index, into) = grid.split(time);
            prop_assert_eq!((index, into), (time / grid.width(), time % grid.width()));
            let touched = grid.touched(into);
            prop_assert!((1..=BUCKETS_MAX as u64).contains(&touched), "I2");
            let oldest = i128::from(index) - i128::from(touched) + 1;
            prop_assert_eq!(live_instants(grid, oldest - 1, time), 0, "I3");
            let live = live_instants(grid, oldest, time);
            prop_assert!(live > 0);
            prop_assert_eq!(i128::from(grid.touched_instants(into)).min(grid.width().into()), live);
        }
    }

    #[test]
    fn a_span_ends_where_the_oldest_bucket_loses_its_last_instant() {
        let grid = Grid::new(Duration::from_secs(3600));
        assert_eq!(grid.width(), 60_000_000_000);
        let alive = |time| {
            let (_, into) = grid.split(time);
            (grid.touched(into), grid.touched_instants(into))
        };
        assert_eq!(alive(3_599_999_999_999), (60, grid.width()));
        assert_eq!(alive(3_600_000_000_000), (61, grid.width() - 1));
        assert_eq!(alive(3_659_999_999_998), (61, 1));
        assert_eq!(alive(3_659_999_999_999), (60, grid.width()));
        assert_eq!(Grid::new(Duration::from_nanos(1)).split(u64::MAX), (u64::MAX, 0));
    }
}
