//! Values as codes of 64 bits, which stand for them in an index.
//!
//! K1. Codes of numbers and times have their order; the two zeros have one code.

use tidal_types::Timestamp;

const SIGN: u64 = 1 << 63;

/// What a code of a number is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    Integer,
    Float,
    /// Nanoseconds, read as seconds.
    Time,
    Boolean,
}

impl Scale {
    /// The number that a code stands for.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a score is computed in floating point: integers above 2^53 are rounded"
    )]
    pub(super) fn number(self, code: u64) -> f64 {
        match self {
            Self::Integer => (code ^ SIGN).cast_signed() as f64,
            Self::Float => float_of(code),
            Self::Time => code as f64 / 1e9,
            Self::Boolean => code as f64,
        }
    }
}

pub(in crate::attributes) const fn code_of_integer(number: i64) -> u64 {
    number.cast_unsigned() ^ SIGN
}

pub(in crate::attributes) fn code_of_float(number: f64) -> u64 {
    // Minus zero becomes zero.
    let bits = (number + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

pub(super) const fn code_of_time(time: Timestamp) -> u64 {
    time.as_nanos()
}

fn float_of(code: u64) -> f64 {
    f64::from_bits(if code & SIGN == 0 { !code } else { code ^ SIGN })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// K1
        #[test]
        fn codes_have_the_order_of_what_they_stand_for(
            a in prop_oneof![any::<f64>(), Just(0.0), Just(-0.0), Just(f64::MIN), Just(f64::MAX)],
            b in prop_oneof![any::<f64>(), Just(0.0), Just(-0.0), Just(f64::INFINITY)],
            i: i64,
            j: i64,
        ) {
            prop_assume!(!a.is_nan() && !b.is_nan());
            let order = a.partial_cmp(&b).unwrap();
            prop_assert_eq!(code_of_float(a).cmp(&code_of_float(b)), order);
            prop_assert_eq!(Scale::Float.number(code_of_float(a)), a);
            prop_assert_eq!(code_of_integer(i).cmp(&code_of_integer(j)), i.cmp(&j));
            prop_assert_eq!(Scale::Integer.number(code_of_integer(i)), i as f64);
        }
    }
}
