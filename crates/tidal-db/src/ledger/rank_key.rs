//! By what a ranking is ordered.
//!
//! A score that halves with each half-life underflows after about a thousand of
//! them, long before its order means nothing. Its key does not: with S the score
//! as of the time t0, it holds the sign of S and
//!
//! ```text
//! z = log2 |S| + t0 / half-life
//! ```
//!
//! which is `log2 |sum of w * 2^(t / half-life)|`, whatever t0 is (Jules Jacobs,
//! "Exponentially decaying likes", 2015).
//!
//! K1. A key does not depend on the time of the read, unless the decay is
//!     linear, whose order changes with time.
//! K2. Keys order by sign, then by magnitude: among negative scores the larger
//!     magnitude ranks lower.
//! K3. z is kept in two parts, whole half-lives as an integer and a fraction,
//!     so its error is near 1e-15 for every half-life and every time. A single
//!     `f64` would be wrong by 4e-9 for half-lives of a minute.

use std::cmp::Ordering;

/// The place of a score among the scores of one signal type. Keys of different
/// signal types have nothing to say about each other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RankKey {
    /// -1, 0 or 1.
    sign: i8,
    /// The magnitude is `whole + fraction`.
    whole: i128,
    fraction: f64,
}

impl RankKey {
    /// The key of a score that halves with each half-life and was `sum` at the
    /// time `since` (nanoseconds since the epoch).
    pub(crate) fn decaying(sum: f64, since: u64, half_life_nanos: u64) -> Self {
        let sign = sign(sum);
        if sign == 0 {
            return Self { sign, whole: 0, fraction: 0.0 };
        }
        // |sum| = mantissa * 2^exponent with the mantissa in [1/2, 1), so twice
        // the mantissa has a logarithm in [0, 1).
        let (mantissa, exponent) = libm::frexp(sum.abs());
        let past = (since % half_life_nanos) as f64 / half_life_nanos as f64;
        let fraction = libm::log2(2.0 * mantissa) + past;
        let carry = fraction.floor();
        Self {
            sign,
            whole: i128::from(since / half_life_nanos) + i128::from(exponent) - 1 + carry as i128,
            fraction: fraction - carry,
        }
    }

    /// The key of a score that is compared as it is.
    pub(crate) fn plain(score: f64) -> Self {
        Self { sign: sign(score), whole: 0, fraction: score.abs() }
    }

    /// The key of a count.
    pub(crate) fn count(count: u64) -> Self {
        Self { sign: i8::from(count > 0), whole: i128::from(count), fraction: 0.0 }
    }
}

fn sign(score: f64) -> i8 {
    i8::from(score > 0.0) - i8::from(score < 0.0)
}

impl Ord for RankKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitude =
            || self.whole.cmp(&other.whole).then(self.fraction.total_cmp(&other.fraction));
        self.sign.cmp(&other.sign).then_with(|| match self.sign {
            0 => Ordering::Equal,
            1.. => magnitude(),
            _ => magnitude().reverse(),
        })
    }
}

impl PartialOrd for RankKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for RankKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for RankKey {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: u64 = 60_000_000_000;

    #[test]
    fn keys_order_by_sign_and_then_by_magnitude_k2() {
        let ascending = [
            RankKey::decaying(-1e15, u64::MAX, MINUTE),
            RankKey::decaying(-3.0, MINUTE, MINUTE),
            RankKey::decaying(-1.0, MINUTE, MINUTE),
            RankKey::decaying(-1.0, 0, MINUTE),
            RankKey::decaying(-f64::from_bits(1), 0, MINUTE),
            RankKey::decaying(0.0, u64::MAX, MINUTE),
            RankKey::decaying(f64::from_bits(1), 0, MINUTE),
            RankKey::decaying(1e-3, 0, MINUTE),
            RankKey::decaying(1.0, 0, MINUTE),
            RankKey::decaying(1.0, 1, MINUTE),
            RankKey::decaying(1.0, MINUTE - 1, MINUTE),
            RankKey::decaying(1.0, MINUTE, MINUTE),
            RankKey::decaying(1e15, u64::MAX, MINUTE),
        ];
        for pair in ascending.windows(2) {
            assert!(pair[0] < pair[1], "{pair:?}");
        }
    }

    #[test]
    fn a_half_life_later_weighs_as_much_as_twice_the_weight() {
        assert_eq!(RankKey::decaying(2.0, 7, MINUTE), RankKey::decaying(1.0, 7 + MINUTE, MINUTE));
        assert_eq!(RankKey::decaying(-0.0, 7, MINUTE), RankKey::decaying(0.0, 8, MINUTE));
    }

    #[test]
    fn plain_keys_and_counts_order_as_their_numbers_do() {
        for pair in [-1e15, -2.0, -1.0, 0.0, f64::MIN_POSITIVE, 1.0, 1e15].windows(2) {
            assert!(RankKey::plain(pair[0]) < RankKey::plain(pair[1]), "{pair:?}");
        }
        for pair in [0, 1, (1 << 53), (1 << 53) + 1, u64::MAX].windows(2) {
            assert!(RankKey::count(pair[0]) < RankKey::count(pair[1]), "{pair:?}");
        }
    }

    proptest! {
        #[test]
        fn moving_t0_moves_nothing_k1_k3(
            sum in 1e-3..1e9_f64,
            since in 0..u64::MAX / 2,
            later in 1..40_u64,
            half_life in 1..100_000_000_000_000_u64,
        ) {
            let key = RankKey::decaying(sum, since, half_life);
            let decayed = sum / libm::exp2(later as f64);
            let moved = RankKey::decaying(decayed, since + later * half_life, half_life);
            prop_assert!((0.0..1.0).contains(&key.fraction));
            prop_assert_eq!(key, moved);
        }

        #[test]
        fn a_fraction_never_reaches_one(bits: u64, since: u64, half_life in 1..=u64::MAX) {
            let sum = f64::from_bits(bits);
            prop_assume!(sum.is_finite());
            let key = RankKey::decaying(sum, since, half_life);
            prop_assert!((0.0..1.0).contains(&key.fraction), "{key:?}");
        }
    }
}
