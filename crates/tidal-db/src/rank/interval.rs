//! What is known of a value before it is computed: that it lies between two numbers.
//!
//! I1. Both ends are numbers as [`number`](super::number) has them, and the lower is
//!     not above the upper.
//! I2. An operation on intervals gives one that holds the result of the operation in
//!     `f64` for all operands in them. Arithmetic needs no widening for that (N2),
//!     so what is exactly 0 stays so, and intervals of one point give one point.
//!     Sums, differences and products end at the tightest numbers; so do quotients
//!     by what holds no 0.
//! I3. The quotient by an interval that holds 0 holds 0, which division by 0 gives,
//!     and everything to the limit on each side that small divisors can reach.

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::number::{VALUE_MAX, add, divide, finite, multiply, subtract};

/// The numbers from `lo` to `hi`, both included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interval {
    lo: f64,
    hi: f64,
}

/// By how much [`Interval::loosened`] moves an end, in parts of it: 32 times the
/// distance of 1 from the next number, where each function of libm errs by less than
/// one.
const SLACK: f64 = 32.0 * f64::EPSILON;

/// By how much it moves an end besides, since errors below the smallest normal numbers
/// are no part of them.
const SLACK_MIN: f64 = 1e-300;

impl Interval {
    /// Nothing is known.
    pub(crate) const EVERYTHING: Self = Self { lo: -VALUE_MAX, hi: VALUE_MAX };

    /// The interval between two numbers, whichever is the larger.
    pub(crate) const fn new(a: f64, b: f64) -> Self {
        let (a, b) = (finite(a), finite(b));
        if a <= b { Self { lo: a, hi: b } } else { Self { lo: b, hi: a } }
    }

    /// One number.
    pub(crate) const fn point(x: f64) -> Self {
        Self::new(x, x)
    }

    /// The smallest interval that holds all of these, and 0 alone if there are none.
    pub(crate) fn hull(values: impl IntoIterator<Item = f64>) -> Self {
        let points = values.into_iter().map(Self::point);
        points.reduce(Self::union).unwrap_or(Self::point(0.0))
    }

    /// The lower end.
    pub(crate) const fn lo(self) -> f64 {
        self.lo
    }

    /// The upper end.
    pub(crate) const fn hi(self) -> f64 {
        self.hi
    }

    /// Whether it is one number.
    pub(crate) const fn is_point(self) -> bool {
        self.lo == self.hi
    }

    /// Whether `x` is in it.
    pub(crate) const fn contains(self, x: f64) -> bool {
        self.lo <= x && x <= self.hi
    }

    /// The smallest interval that holds both.
    pub(crate) const fn union(self, other: Self) -> Self {
        Self { lo: self.lo.min(other.lo), hi: self.hi.max(other.hi) }
    }

    /// Of all pairs the smaller ones.
    pub(crate) const fn min(self, other: Self) -> Self {
        Self { lo: self.lo.min(other.lo), hi: self.hi.min(other.hi) }
    }

    /// Of all pairs the larger ones.
    pub(crate) const fn max(self, other: Self) -> Self {
        Self { lo: self.lo.max(other.lo), hi: self.hi.max(other.hi) }
    }

    /// The magnitudes.
    pub(crate) fn abs(self) -> Self {
        if self.contains(0.0) {
            Self::new(0.0, (-self.lo).max(self.hi))
        } else {
            Self::new(self.lo.abs(), self.hi.abs())
        }
    }

    /// The interval with what lies beyond `range` moved to its ends.
    pub(crate) const fn clamped(self, range: Self) -> Self {
        self.max(Self::point(range.lo)).min(Self::point(range.hi))
    }

    /// A slightly larger interval, for ends that were computed with functions that do
    /// not round to the nearest number.
    pub(crate) fn loosened(self) -> Self {
        self.widened(0.0)
    }

    /// The same, and larger by `by` on each side.
    pub(crate) fn widened(self, by: f64) -> Self {
        let slack = |end: f64| end.abs() * SLACK + SLACK_MIN + by;
        Self::new(self.lo - slack(self.lo), self.hi + slack(self.hi))
    }

    /// What an operation gives that rises or falls with each operand alone.
    fn corners(self, other: Self, operation: impl Fn(f64, f64) -> f64) -> Self {
        Self::hull([
            operation(self.lo, other.lo),
            operation(self.lo, other.hi),
            operation(self.hi, other.lo),
            operation(self.hi, other.hi),
        ])
    }
}

impl Add for Interval {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::new(add(self.lo, other.lo), add(self.hi, other.hi))
    }
}

impl Sub for Interval {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self::new(subtract(self.lo, other.hi), subtract(self.hi, other.lo))
    }
}

impl Neg for Interval {
    type Output = Self;

    fn neg(self) -> Self {
        Self::new(-self.hi, -self.lo)
    }
}

impl Mul for Interval {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        self.corners(other, multiply)
    }
}

impl Div for Interval {
    type Output = Self;

    fn div(self, divisor: Self) -> Self {
        if !divisor.contains(0.0) {
            return self.corners(divisor, divide);
        }
        let above = self.hi > 0.0 && divisor.hi > 0.0 || self.lo < 0.0 && divisor.lo < 0.0;
        let below = self.lo < 0.0 && divisor.hi > 0.0 || self.hi > 0.0 && divisor.lo < 0.0;
        Self { lo: if below { -VALUE_MAX } else { 0.0 }, hi: if above { VALUE_MAX } else { 0.0 } }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::formulas::tests::{any_number, interval_and_point};
    use super::*;

    #[test]
    fn ends_are_in_order_and_numbers_i1() {
        assert_eq!(Interval::new(2.0, -1.0), Interval { lo: -1.0, hi: 2.0 });
        assert_eq!(Interval::new(f64::NEG_INFINITY, f64::INFINITY), Interval::EVERYTHING);
        assert_eq!(Interval::point(f64::NAN), Interval::point(0.0));
        assert_eq!(Interval::hull([3.0, -2.0, 1.0]), Interval::new(-2.0, 3.0));
        assert_eq!(Interval::hull([]), Interval::point(0.0));
    }

    #[test]
    fn operations_on_points_give_points_i2() {
        let (a, b) = (Interval::point(0.1), Interval::point(0.2));
        assert_eq!(a + b, Interval::point(0.1 + 0.2));
        assert_eq!(a - b, Interval::point(0.1 - 0.2));
        assert_eq!(a * b, Interval::point(0.1 * 0.2));
        assert_eq!(a / b, Interval::point(0.1 / 0.2));
    }

    #[test]
    fn ends_are_the_tightest_i2() {
        let (a, b) = (Interval::new(-2.0, 3.0), Interval::new(4.0, 5.0));
        assert_eq!(a + b, Interval::new(2.0, 8.0));
        assert_eq!(a - b, Interval::new(-7.0, -1.0));
        assert_eq!(a * b, Interval::new(-10.0, 15.0));
        assert_eq!(a / b, Interval::new(-0.5, 0.75));
        assert_eq!(-a, Interval::new(-3.0, 2.0));
        assert_eq!(a.abs(), Interval::new(0.0, 3.0));
        assert_eq!((-b).abs(), b);
        assert_eq!(a.min(Interval::new(-5.0, 1.0)), Interval::new(-5.0, 1.0));
        assert_eq!(a.max(Interval::new(-5.0, 1.0)), Interval::new(-2.0, 3.0));
        assert_eq!(a.union(b), Interval::new(-2.0, 5.0));
        assert_eq!(a.clamped(Interval::new(0.0, 1.0)), Interval::new(0.0, 1.0));
        assert_eq!(b.clamped(Interval::new(0.0, 1.0)), Interval::point(1.0));
    }

    #[test]
    fn quotients_by_what_holds_zero_i3() {
        let positive = Interval::new(1.0, 2.0);
        let cases = [
            (positive, Interval::point(0.0), Interval::point(0.0)),
            (positive, Interval::new(0.0, 1.0), Interval::new(0.0, VALUE_MAX)),
            (positive, Interval::new(-1.0, 0.0), Interval::new(-VALUE_MAX, 0.0)),
            (-positive, Interval::new(0.0, 1.0), Interval::new(-VALUE_MAX, 0.0)),
            (-positive, Interval::new(-1.0, 0.0), Interval::new(0.0, VALUE_MAX)),
            (positive, Interval::new(-1.0, 1.0), Interval::EVERYTHING),
            (Interval::point(0.0), Interval::new(-1.0, 1.0), Interval::point(0.0)),
        ];
        for (dividend, divisor, expected) in cases {
            assert_eq!(dividend / divisor, expected, "{dividend:?} / {divisor:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn operations_hold_the_results_of_all_operands_i2(
            (a, x) in interval_and_point(),
            (b, y) in interval_and_point(),
            z in any_number(),
        ) {
            prop_assert!(a.contains(x) && b.contains(y));
            prop_assert!((a + b).contains(add(x, y)));
            prop_assert!((a - b).contains(subtract(x, y)));
            prop_assert!((a * b).contains(multiply(x, y)));
            prop_assert!((a / b).contains(divide(x, y)));
            prop_assert!((-a).contains(finite(-x)));
            prop_assert!(a.min(b).contains(x.min(y)));
            prop_assert!(a.max(b).contains(x.max(y)));
            prop_assert!(a.abs().contains(x.abs()));
            prop_assert!(a.union(b).contains(x) && a.union(b).contains(y));
            prop_assert!(a.loosened().contains(x) && a.widened(1.0).contains(x));
            prop_assert!(a.clamped(b).contains(x.clamp(b.lo(), b.hi())));
            prop_assert!(Interval::point(z).is_point());
        }
    }
}
