//! The numbers of expressions, and what arithmetic with them gives where
//! mathematics says nothing.
//!
//! N1. Every value of an expression, and of each part of it, is a number: neither
//!     infinite nor NaN, at most [`VALUE_MAX`] in magnitude, and never a negative
//!     zero, so that equal values have equal bits.
//! N2. Arithmetic rises and falls with its operands as it does in mathematics:
//!     IEEE 754 rounds to nearest, which changes no order, and neither does the
//!     limit. What an interval says of its ends therefore holds between them.

/// The largest magnitude of a value. What goes beyond stays there. The square root
/// of its square, sums and differences stay far below where `f64` ends.
pub(crate) const VALUE_MAX: f64 = 1e300;

/// The number that stands for `x`: 0 for NaN, [`VALUE_MAX`] with its sign for what is
/// beyond it, infinities too, and 0 for a negative zero.
pub(crate) const fn finite(x: f64) -> f64 {
    // The sum of a negative zero and zero is zero.
    if x.is_nan() { 0.0 } else { x.clamp(-VALUE_MAX, VALUE_MAX) + 0.0 }
}

/// The sum.
pub(crate) const fn add(a: f64, b: f64) -> f64 {
    finite(a + b)
}

/// The difference.
pub(crate) const fn subtract(a: f64, b: f64) -> f64 {
    finite(a - b)
}

/// The product.
pub(crate) const fn multiply(a: f64, b: f64) -> f64 {
    finite(a * b)
}

/// The quotient, and 0 where the divisor is 0.
pub(crate) const fn divide(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { finite(a / b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_becomes_one_n1() {
        let cases = [
            (f64::NAN, 0.0),
            (f64::INFINITY, VALUE_MAX),
            (f64::NEG_INFINITY, -VALUE_MAX),
            (1e301, VALUE_MAX),
            (-1e301, -VALUE_MAX),
            (-0.0, 0.0),
            (1.5, 1.5),
            (f64::from_bits(1), f64::from_bits(1)),
        ];
        for (x, expected) in cases {
            assert_eq!(finite(x).to_bits(), expected.to_bits(), "{x}");
        }
    }

    #[test]
    fn arithmetic_stays_within_the_numbers_n1() {
        assert_eq!(add(VALUE_MAX, VALUE_MAX), VALUE_MAX);
        assert_eq!(subtract(-VALUE_MAX, VALUE_MAX), -VALUE_MAX);
        assert_eq!(multiply(VALUE_MAX, -VALUE_MAX), -VALUE_MAX);
        assert_eq!(multiply(-1.0, 0.0).to_bits(), 0);
        assert_eq!(divide(1.0, f64::from_bits(1)), VALUE_MAX);
        for a in [-1.0, 0.0, 1.0] {
            assert_eq!(divide(a, 0.0).to_bits(), 0);
        }
        assert_eq!(divide(7.0, 2.0), 3.5);
    }
}
