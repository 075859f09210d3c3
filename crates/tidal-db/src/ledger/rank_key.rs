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
//! A key is one number of 128 bits, whose order is that of the scores: 2^127 for 0, so much
//! more for a positive score, so much less for a negative one. How much, by what it is
//! the key of:
//!
//! | of                    | magnitude, from 1 to 2^127 - 1                             |
//! |-----------------------|------------------------------------------------------------|
//! | a score that halves   | z + [`BIAS`] in fixed point, with [`FRACTION_BITS`] behind the point |
//! | any other score, a sum | the bits of its absolute value as an `f64`                |
//! | a count               | the count                                                  |
//!
//! This is no format: nothing of it is ever written.
//!
//! K1. A key does not depend on the time of the read, unless the decay is
//!     linear, whose order changes with time.
//! K2. Keys order by sign, then by magnitude: among negative scores the larger
//!     magnitude ranks lower.
//! K3. The error of z is near 1e-15 half-lives for every half-life and every time. A
//!     single `f64` would be wrong by 4e-9 for half-lives of a minute.
//! K4. Keys of one measure are equal only where its numbers are, z to K3.

/// The bits behind the point of z.
const FRACTION_BITS: u32 = 62;

/// What is added to z, which is above -1075, so that it is positive.
const BIAS: u64 = 1 << 11;

/// The key of 0.
const ZERO: u128 = 1 << 127;

/// The leading bits of a magnitude that [`RankKey::coarse`] keeps behind the first.
const COARSE_BITS: u32 = 56;

/// The place of a value among the values of one measure. Keys of different measures have
/// nothing to say about each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RankKey(u128);

impl RankKey {
    /// The key of 0.
    pub(crate) const ZERO: Self = Self(ZERO);

    /// The key of a score that halves with each half-life and was `sum` at the
    /// time `since` (nanoseconds since the epoch).
    pub(crate) fn decaying(sum: f64, since: u64, half_life_nanos: u64) -> Self {
        if sum == 0.0 {
            return Self::ZERO;
        }
        // |sum| = mantissa * 2^exponent with the mantissa in [1/2, 1), so twice
        // the mantissa has a logarithm in [0, 1).
        let (mantissa, exponent) = libm::frexp(sum.abs());
        let past = (since % half_life_nanos) as f64 / half_life_nanos as f64;
        let fraction = libm::log2(2.0 * mantissa) + past;
        let carry = fraction.floor();
        let whole = i128::from(since / half_life_nanos) + i128::from(exponent) - 1 + carry as i128;
        let whole = (whole + i128::from(BIAS)).cast_unsigned();
        let behind_point = ((fraction - carry) * (1_u64 << FRACTION_BITS) as f64) as u64;
        Self::of(sum < 0.0, whole << FRACTION_BITS | u128::from(behind_point))
    }

    /// The key of a value that is compared as it is.
    pub(crate) fn plain(value: f64) -> Self {
        Self::of(value < 0.0, u128::from(value.abs().to_bits()))
    }

    /// The key of a count.
    pub(crate) fn count(count: u64) -> Self {
        Self::of(false, u128::from(count))
    }

    const fn of(is_negative: bool, magnitude: u128) -> Self {
        Self(if is_negative { ZERO - magnitude } else { ZERO + magnitude })
    }

    /// Whether it is the key of a value above 0.
    pub(crate) const fn is_positive(self) -> bool {
        self.0 > ZERO
    }

    /// Whether it is the key of a value below 0.
    pub(crate) const fn is_negative(self) -> bool {
        self.0 < ZERO
    }

    /// The key whose order among others of its kind is the other way round. Flipped twice, it
    /// is what it was.
    pub(crate) const fn flipped(self) -> Self {
        Self(!self.0)
    }

    /// The value that [`RankKey::plain`] made a key of.
    pub(crate) fn to_plain(self) -> f64 {
        let value = f64::from_bits(low_bits(self.0.abs_diff(ZERO)));
        if self.is_negative() { -value } else { value }
    }

    /// The count that [`RankKey::count`] made a key of.
    pub(crate) fn to_count(self) -> u64 {
        low_bits(self.0.abs_diff(ZERO))
    }

    /// About what a score that halves is in absolute value at the time `at`, and never
    /// less than what the cell says it is: above by 1e-11 of it, and by 2^-950.
    ///
    /// What a cell computes is `sum * exp(-rate * seconds)`. The exponent is wrong by three
    /// roundings of a number below 746, so the power by less than 3e-13 of itself while it
    /// is a normal number; below that by at most 2^-1074, and the sum is at most the 2^114
    /// of 2^64 events. A score below 2^-1130 is a 0 of the cell: its power has
    /// underflowed, or the product has.
    pub(crate) fn decayed_at_most(self, at: u64, half_life_nanos: u64) -> f64 {
        let magnitude = self.0.abs_diff(ZERO);
        if magnitude == 0 {
            return 0.0;
        }
        let now = u128::from(at / half_life_nanos) + u128::from(BIAS);
        let whole = (magnitude >> FRACTION_BITS).cast_signed() - now.cast_signed();
        let past = (at % half_life_nanos) as f64 / half_life_nanos as f64;
        let mask = (1_u64 << FRACTION_BITS) - 1;
        let fraction = (low_bits(magnitude) & mask) as f64 / (1_u64 << FRACTION_BITS) as f64;
        // The difference of two numbers in [0, 1].
        if whole < -1131 {
            return 0.0;
        }
        if whole > 1020 {
            return f64::MAX;
        }
        let value = libm::scalbn(libm::exp2(fraction - past), whole as i32);
        value * (1.0 + 1e-11) + libm::scalbn(1.0, -950)
    }

    /// The key in 64 bits: if one key is above another, it is not below it here.
    pub(crate) const fn coarse(self) -> u64 {
        const COARSE_ZERO: u64 = 1 << 63;
        let magnitude = self.0.abs_diff(ZERO);
        if magnitude == 0 {
            return COARSE_ZERO;
        }
        // Where its first bit is, from 1 on, and the bits behind that.
        let place = u128::BITS - magnitude.leading_zeros();
        let behind = magnitude << (u128::BITS - place) << 1 >> (u128::BITS - COARSE_BITS);
        let coarse = (place as u64) << COARSE_BITS | behind as u64;
        if self.0 < ZERO { COARSE_ZERO - coarse } else { COARSE_ZERO + coarse }
    }
}

const fn low_bits(magnitude: u128) -> u64 {
    (magnitude & u64::MAX as u128) as u64
}

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
            assert!(pair[0].coarse() <= pair[1].coarse(), "{pair:?}");
        }
    }

    #[test]
    fn the_largest_and_the_smallest_score_have_keys_of_their_sign() {
        for (sum, since) in [(f64::MAX, u64::MAX), (f64::from_bits(1), 0)] {
            let (above, below) =
                (RankKey::decaying(sum, since, 1), RankKey::decaying(-sum, since, 1));
            assert!(above.is_positive() && below.is_negative());
            assert_eq!(above.0 - ZERO, ZERO - below.0);
        }
        assert!(!RankKey::ZERO.is_positive() && !RankKey::ZERO.is_negative());
    }

    #[test]
    fn a_half_life_later_weighs_as_much_as_twice_the_weight() {
        assert_eq!(RankKey::decaying(2.0, 7, MINUTE), RankKey::decaying(1.0, 7 + MINUTE, MINUTE));
        assert_eq!(RankKey::decaying(-0.0, 7, MINUTE), RankKey::decaying(0.0, 8, MINUTE));
    }

    #[test]
    fn plain_keys_and_counts_order_as_their_numbers_do_and_come_back() {
        for pair in [-1e15, -2.0, -1.0, 0.0, f64::MIN_POSITIVE, 1.0, 1e15].windows(2) {
            assert!(RankKey::plain(pair[0]) < RankKey::plain(pair[1]), "{pair:?}");
            assert_eq!(RankKey::plain(pair[0]).to_plain(), pair[0]);
        }
        for pair in [0, 1, (1 << 53), (1 << 53) + 1, u64::MAX].windows(2) {
            assert!(RankKey::count(pair[0]) < RankKey::count(pair[1]), "{pair:?}");
            assert_eq!(RankKey::count(pair[1]).to_count(), pair[1]);
        }
        assert_eq!(RankKey::plain(-0.0), RankKey::ZERO);
    }

    fn any_sum() -> impl Strategy<Value = f64> {
        prop_oneof![
            -1e20..1e20_f64,
            any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |sum| sum.is_finite()),
        ]
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
            prop_assert_eq!(key, moved);
        }

        #[test]
        fn coarse_keys_keep_the_order(
            a in any_sum(), b in any_sum(), since: u64, later: u64, half_life in 1..=u64::MAX,
        ) {
            let pairs = [
                (RankKey::plain(a), RankKey::plain(b)),
                (RankKey::decaying(a, since, half_life), RankKey::decaying(b, later, half_life)),
                (RankKey::count(since), RankKey::count(later)),
            ];
            for (a, b) in pairs {
                prop_assert!(a > b || a.coarse() <= b.coarse(), "{a:?} {b:?}");
                prop_assert!(a < b || a.coarse() >= b.coarse(), "{a:?} {b:?}");
                prop_assert_eq!(a.is_positive(), a.coarse() > 1 << 63);
            }
        }

        /// The bound is above what a cell computes, and close to it.
        #[test]
        fn a_decayed_score_is_at_most_its_bound(
            sum in prop_oneof![any_sum(), 1e-300..1e-200_f64, Just(2e34), Just(1.0)],
            since: u64,
            passed in prop_oneof![0.0..2.0_f64, 0.0..2500.0_f64],
            half_life in 1..=3_155_760_000_000_000_000_u64,
        ) {
            prop_assume!(sum.abs() < 2e34);
            let at = since.saturating_add((passed * half_life as f64) as u64);
            let rate = std::f64::consts::LN_2 / (half_life as f64 / 1e9);
            let score = sum * libm::exp(-rate * ((at - since) as f64 / 1e9)) + 0.0;
            let most = RankKey::decaying(sum, since, half_life).decayed_at_most(at, half_life);
            prop_assert!(score.abs() <= most, "{score} {most}");
            prop_assert!(most <= score.abs() * (1.0 + 1e-10) + 1e-250, "{score} {most}");
        }
    }
}
