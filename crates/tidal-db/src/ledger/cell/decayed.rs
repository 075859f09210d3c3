//! A sum that halves with each half-life.
//!
//! ```text
//! S(t) = sum over events of w * exp(-lambda * (t - t_i))
//! ```
//!
//! is kept as its value at one time, that of the newest event whose weight is
//! not zero. (An event without weight would otherwise move that time on, and
//! the sum underflow, without anything having happened to it.)
//!
//! D1. The sum is finite: each event adds at most its weight. What underflows
//!     is zero, never NaN.
//! D2. `exp` is that of `libm`, so the fold is the same on every machine (L2).

use super::super::grid::NANOS_PER_SEC;
use super::event::RawEvent;

/// A decayed sum. Empty, it is zero as of the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Decayed {
    /// The sum as of [`Decayed::since`].
    pub(crate) sum: f64,
    /// Nanoseconds since the epoch.
    pub(crate) since: u64,
}

impl Decayed {
    /// Adds an event; its time may lie on either side of the others.
    pub(crate) fn add(&mut self, rate_per_sec: f64, event: RawEvent) {
        if event.weight == 0.0 {
            return;
        }
        if let Some(passed) = event.time.checked_sub(self.since) {
            self.sum = self.sum * left(rate_per_sec, passed) + event.weight;
            self.since = event.time;
        } else {
            self.sum += event.weight * left(rate_per_sec, self.since - event.time);
        }
    }

    /// The sum at the time `at`, which is not before any event.
    pub(crate) fn at(self, rate_per_sec: f64, at: u64) -> f64 {
        // A negative sum underflows to -0, and adding 0 makes that 0.
        self.sum * left(rate_per_sec, at.saturating_sub(self.since)) + 0.0
    }
}

/// What is left of one after `nanos`.
pub(super) fn left(rate_per_sec: f64, nanos: u64) -> f64 {
    libm::exp(-rate_per_sec * (nanos as f64 / NANOS_PER_SEC))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_OF_ONE_SECOND: f64 = std::f64::consts::LN_2;

    fn event(secs: u64, weight: f64) -> RawEvent {
        RawEvent { time: secs * 1_000_000_000, weight }
    }

    #[test]
    fn a_late_event_adds_what_is_left_of_it() {
        let mut decayed = Decayed::default();
        decayed.add(RATE_OF_ONE_SECOND, event(10, 1.0));
        decayed.add(RATE_OF_ONE_SECOND, event(8, 4.0));
        assert_eq!(decayed.since, event(10, 0.0).time);
        assert!((decayed.sum - 2.0).abs() < 1e-15);
        assert!((decayed.at(RATE_OF_ONE_SECOND, event(11, 0.0).time) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn an_event_without_weight_moves_nothing() {
        let mut decayed = Decayed::default();
        decayed.add(RATE_OF_ONE_SECOND, event(10, 1.0));
        let before = decayed;
        decayed.add(RATE_OF_ONE_SECOND, event(1_000_000, 0.0));
        decayed.add(RATE_OF_ONE_SECOND, event(1_000_000, -0.0));
        assert_eq!(decayed, before);
    }

    #[test]
    fn underflow_is_plain_zero_d1() {
        let mut decayed = Decayed::default();
        decayed.add(RATE_OF_ONE_SECOND, event(0, -1e15));
        assert_eq!(decayed.at(RATE_OF_ONE_SECOND, u64::MAX).to_bits(), 0.0_f64.to_bits());
    }
}
