//! Where a value cuts the codes of an attribute in two, and what lies between two cuts.
//!
//! Numbers are compared as such, whatever types they are of: no integer is rounded to a
//! float, and no float to an integer.

use crate::attributes::index::{code_of_float, code_of_integer};
use crate::rank::Comparison;

/// One more than the largest code.
const END: u128 = 1 << 64;

/// Where a value would be among the codes: the first code that is not below it, and the
/// first above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    not_below: u128,
    above: u128,
}

impl Cut {
    fn at(code: u64) -> Self {
        let code = u128::from(code);
        Self { not_below: code, above: code + 1 }
    }

    fn between(code: u128) -> Self {
        Self { not_below: code, above: code }
    }

    /// Where a whole number is among integers.
    pub(super) fn integer(number: i128) -> Self {
        match i64::try_from(number) {
            Ok(number) => Self::at(code_of_integer(number)),
            Err(_) if number < 0 => Self::between(0),
            Err(_) => Self::between(END),
        }
    }

    /// Where a number, which is not NaN, is among integers.
    pub(super) fn float_among_integers(number: f64) -> Self {
        // Beyond the range of the type, which is far beyond that of integers, it is the
        // end of the range.
        #[expect(clippy::cast_possible_truncation, reason = "it is rounded before, and saturates")]
        let (floor, ceil) = (number.floor() as i128, number.ceil() as i128);
        if floor == ceil {
            return Self::integer(floor);
        }
        Self { not_below: Self::integer(ceil).not_below, above: Self::integer(ceil).not_below }
    }

    /// Where a number, which is not NaN, is among floats.
    pub(super) fn float(number: f64) -> Self {
        Self::at(code_of_float(number))
    }

    /// Where a whole number is among floats.
    #[expect(clippy::cast_precision_loss, reason = "what was lost is looked at")]
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and below 2^64")]
    pub(super) fn integer_among_floats(number: i64) -> Self {
        let nearest = number as f64;
        let code = u128::from(code_of_float(nearest));
        // The next float on the other side is further away, so nothing is in between.
        match (nearest as i128).cmp(&i128::from(number)) {
            std::cmp::Ordering::Equal => Self::float(nearest),
            std::cmp::Ordering::Less => Self::between(code + 1),
            std::cmp::Ordering::Greater => Self::between(code),
        }
    }

    /// Where a moment is among times, in nanoseconds since the Unix epoch.
    pub(super) fn time(nanos: i128) -> Self {
        match u64::try_from(nanos) {
            Ok(nanos) => Self::at(nanos),
            Err(_) if nanos < 0 => Self::between(0),
            Err(_) => Self::between(END),
        }
    }
}

/// The codes from one on and below another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    from: u128,
    to: u128,
}

impl Span {
    /// What compares so with a value; what differs is the opposite of what is equal.
    pub(super) const fn of(comparison: Comparison, cut: Cut) -> Self {
        match comparison {
            Comparison::Equal | Comparison::NotEqual => Self { from: cut.not_below, to: cut.above },
            Comparison::Less => Self { from: 0, to: cut.not_below },
            Comparison::LessOrEqual => Self { from: 0, to: cut.above },
            Comparison::Greater => Self { from: cut.above, to: END },
            Comparison::GreaterOrEqual => Self { from: cut.not_below, to: END },
        }
    }

    /// What is neither below the one nor above the other.
    pub(super) const fn between(low: Cut, high: Cut) -> Self {
        Self { from: low.not_below, to: high.above }
    }

    pub(super) fn contains(self, code: u64) -> bool {
        (self.from..self.to).contains(&u128::from(code))
    }

    /// The first code, and the one behind the last unless that is the last of all; `None`
    /// when there is none.
    pub(super) fn codes(self) -> Option<(u64, Option<u64>)> {
        if self.from >= self.to {
            return None;
        }
        Some((u64::try_from(self.from).ok()?, u64::try_from(self.to).ok()))
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::*;

    use super::*;

    const COMPARISONS: [Comparison; 5] = [
        Comparison::Equal,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ];

    fn holds(comparison: Comparison, order: Ordering) -> bool {
        match comparison {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        }
    }

    /// How an integer compares with a float, by the definition: by the whole part first,
    /// and then by what is behind the point.
    fn order(integer: i64, float: f64) -> Ordering {
        if float >= 1e19 {
            return Ordering::Less;
        }
        if float <= -1e19 {
            return Ordering::Greater;
        }
        let whole = float.trunc() as i128;
        i128::from(integer).cmp(&whole).then(0.0_f64.partial_cmp(&(float - float.trunc())).unwrap())
    }

    fn integers() -> impl Strategy<Value = i64> {
        prop_oneof![
            any::<i64>(),
            -3..3_i64,
            Just(i64::MIN),
            Just(i64::MAX),
            Just(i64::MAX - 1),
            (1_i64 << 53) - 2..(1 << 53) + 4,
        ]
    }

    fn floats() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<f64>().prop_filter("it compares", |float| !float.is_nan()),
            (-6..6_i32).prop_map(|half| f64::from(half) / 2.0),
            integers().prop_map(|integer| integer as f64),
            integers().prop_map(|integer| (integer as f64).next_up()),
            Just(f64::INFINITY),
            Just(f64::NEG_INFINITY),
            Just(-0.0),
        ]
    }

    fn check(code: u64, order: Ordering, cut: Cut) -> Result<(), TestCaseError> {
        for comparison in COMPARISONS {
            let span = Span::of(comparison, cut);
            prop_assert_eq!(span.contains(code), holds(comparison, order), "{:?}", comparison);
            let in_codes = span
                .codes()
                .is_some_and(|(from, to)| from <= code && to.is_none_or(|to| code < to));
            prop_assert_eq!(in_codes, span.contains(code));
        }
        Ok(())
    }

    proptest! {
        /// G96: numbers of two types compare exactly.
        #[test]
        fn numbers_compare_as_numbers(a in integers(), b in integers(), x in floats(), y in floats()) {
            check(code_of_integer(a), a.cmp(&b), Cut::integer(b.into()))?;
            // Those nearest to the other are where rounding shows.
            let near = a as f64;
            for x in [x, near, near.next_up(), near.next_down()] {
                check(code_of_integer(a), order(a, x), Cut::float_among_integers(x))?;
                check(code_of_float(x), order(a, x).reverse(), Cut::integer_among_floats(a))?;
            }
            check(code_of_float(x), x.partial_cmp(&y).unwrap(), Cut::float(y))?;
        }

        #[test]
        fn times_compare_as_times(a: u64, b in prop_oneof![any::<i64>().prop_map(i128::from), any::<i128>()]) {
            check(a, i128::from(a).cmp(&b), Cut::time(b))?;
        }
    }

    #[test]
    fn what_is_between_has_both_ends() {
        let span = Span::between(Cut::integer(-1), Cut::float_among_integers(1.5));
        let has = |number| span.contains(code_of_integer(number));
        assert_eq!([-2, -1, 0, 1, 2].map(has), [false, true, true, true, false]);
        assert_eq!(Span::between(Cut::integer(1), Cut::integer(-1)).codes(), None);
    }
}
