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
}

impl Grid {
    /// The grid of a span of at least a nanosecond.
    pub(crate) fn new(span: Duration) -> Self {
        let span = nanos(span);
        Self { span, width: span.div_ceil(BUCKETS_PER_SPAN) }
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
        time / self.width
    }

    /// The first instant of a bucket.
    pub(crate) const fn first(self, index: u64) -> u64 {
        index.saturating_mul(self.width)
    }

    /// The last instant of a bucket; the bucket at the end of time is cut short.
    pub(crate) const fn last(self, index: u64) -> u64 {
        self.first(index).saturating_add(self.width - 1)
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

    /// Whether every instant of a bucket has left the span at `time`.
    pub(crate) fn is_dead(self, index: u64, time: u64) -> bool {
        !self.is_live(self.last(index), time)
    }

    /// How many of a bucket's instants have not left the span at `time`:
    /// [`Grid::width`] of them when it is whole.
    pub(crate) fn live_instants(self, index: u64, time: u64) -> u64 {
        let live = |cut| self.last(index).saturating_sub(cut).min(self.width);
        self.cut(time).map_or(self.width, live)
    }
}

/// A span in nanoseconds. The longest a schema takes, 100 years, fits.
pub(crate) fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bucket_is_dead_when_its_last_instant_is(span in 1..10_000_u64, time: u64, back in 0..20_000_u64) {
            let grid = Grid::new(Duration::from_nanos(span));
            let index = grid.index(time.saturating_sub(back));
            let instants = grid.first(index)..=grid.last(index);
            let live = instants.filter(|i| *i as i128 > i128::from(time) - i128::from(span)).count() as u64;
            prop_assert_eq!(grid.is_dead(index, time), live == 0);
            if grid.last(index) < u64::MAX {
                prop_assert_eq!(grid.live_instants(index, time), live);
            }
        }

        #[test]
        fn a_span_touches_few_buckets_and_a_width_is_a_sixtieth(span in 1..=3_155_760_000_000_000_000_u64, time: u64) {
            let grid = Grid::new(Duration::from_nanos(span));
            prop_assert!(grid.width() >= 1 && grid.width() <= span / 60 + 1, "I1");
            let oldest = grid.cut(time).map_or(0, |cut| grid.index(cut + 1));
            prop_assert!(grid.index(time) - oldest < BUCKETS_MAX as u64, "I2");
            prop_assert!(!grid.is_dead(oldest, time) && (oldest == 0 || grid.is_dead(oldest - 1, time)));
        }
    }

    #[test]
    fn a_span_ends_where_the_oldest_bucket_loses_its_last_instant() {
        let grid = Grid::new(Duration::from_secs(3600));
        assert_eq!(grid.width(), 60_000_000_000);
        assert_eq!(grid.live_instants(0, 3_599_999_999_999), grid.width());
        assert_eq!(grid.live_instants(0, 3_600_000_000_000), grid.width() - 1);
        assert_eq!(grid.live_instants(0, 3_659_999_999_998), 1);
        assert!(!grid.is_dead(0, 3_659_999_999_998));
        assert!(grid.is_dead(0, 3_659_999_999_999));
        assert_eq!(grid.live_instants(u64::MAX / grid.width(), u64::MAX), grid.width());
    }
}
