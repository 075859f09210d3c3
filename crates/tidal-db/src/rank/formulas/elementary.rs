//! Elementary functions, and choices between numbers.

use super::Shape::{Exact, Near, Own};
use super::Way::{Either, Up};
use super::{ARGUMENTS_MAX, Arguments, Formula, Value, Way};
use crate::rank::interval::Interval;
use crate::rank::number::VALUE_MAX;

/// What logarithms take for numbers that have none: the counterpart of the largest.
const LOGARITHM_OF_MIN: f64 = 1.0 / VALUE_MAX;

/// The smallest number above -1, for the same purpose.
const ABOVE_MINUS_ONE: f64 = -1.0 + f64::EPSILON / 2.0;

pub(in crate::rank) static LN: Formula = Formula::new("ln", &["x"], Value::One(ln), Near(&[Up]));

fn ln(x: f64) -> f64 {
    libm::log(x.max(LOGARITHM_OF_MIN))
}

pub(in crate::rank) static LOG2: Formula =
    Formula::new("log2", &["x"], Value::One(log2), Near(&[Up]));

fn log2(x: f64) -> f64 {
    libm::log2(x.max(LOGARITHM_OF_MIN))
}

pub(in crate::rank) static LOG10: Formula =
    Formula::new("log10", &["x"], Value::One(log10), Near(&[Up]));

fn log10(x: f64) -> f64 {
    libm::log10(x.max(LOGARITHM_OF_MIN))
}

pub(in crate::rank) static LOG1P: Formula =
    Formula::new("log1p", &["x"], Value::One(log1p), Near(&[Up]));

fn log1p(x: f64) -> f64 {
    libm::log1p(x.max(ABOVE_MINUS_ONE))
}

pub(in crate::rank) static EXP: Formula =
    Formula::new("exp", &["x"], Value::One(libm::exp), Near(&[Up])).range(0.0, VALUE_MAX);

pub(in crate::rank) static SQRT: Formula =
    Formula::new("sqrt", &["x"], Value::One(sqrt), Exact(&[Up])).range(0.0, VALUE_MAX);

const fn at_least_zero(x: f64) -> f64 {
    x.max(0.0)
}

fn sqrt(x: f64) -> f64 {
    at_least_zero(x).sqrt()
}

pub(in crate::rank) static POW: Formula =
    Formula::new("pow", &["base", "exponent"], Value::Two(pow), Near(&[Either, Either]))
        .range(0.0, VALUE_MAX);

fn pow(base: f64, exponent: f64) -> f64 {
    libm::pow(at_least_zero(base), exponent)
}

pub(in crate::rank) static ABS: Formula =
    Formula::new("abs", &["x"], Value::One(f64::abs), Own(abs_bounds));

fn abs_bounds([x, ..]: Arguments<Interval>) -> Interval {
    x.abs()
}

pub(in crate::rank) static SIGN: Formula =
    Formula::new("sign", &["x"], Value::One(sign), Exact(&[Up]));

fn sign(x: f64) -> f64 {
    f64::from(i8::from(x > 0.0) - i8::from(x < 0.0))
}

pub(in crate::rank) static FLOOR: Formula =
    Formula::new("floor", &["x"], Value::One(f64::floor), Exact(&[Up]));

const ALL_UP: [Way; ARGUMENTS_MAX] = [Up; ARGUMENTS_MAX];

pub(in crate::rank) static MIN: Formula =
    Formula::new("min", &["x"], Value::Fold(f64::min), Exact(&ALL_UP));

pub(in crate::rank) static MAX: Formula =
    Formula::new("max", &["x"], Value::Fold(f64::max), Exact(&ALL_UP));

pub(in crate::rank) static CLAMP: Formula =
    Formula::new("clamp", &["x", "lowest", "highest"], Value::Three(clamp), Exact(&[Up, Up, Up]));

const fn clamp(x: f64, lowest: f64, highest: f64) -> f64 {
    x.max(lowest).min(highest)
}

pub(in crate::rank) static IF_ABOVE: Formula = Formula::new(
    "if_above",
    &["x", "threshold", "then", "otherwise"],
    Value::Four(if_above),
    Exact(&[Either, Either, Up, Up]),
);

const fn if_above(x: f64, threshold: f64, then: f64, otherwise: f64) -> f64 {
    if x > threshold { then } else { otherwise }
}

pub(in crate::rank) static RATIO: Formula =
    Formula::new("ratio", &["a", "b", "prior"], Value::Three(ratio), Near(&[Up, Either, Either]))
        .defaults(&[1.0]);

fn ratio(a: f64, b: f64, prior: f64) -> f64 {
    let prior = prior.max(super::DIVISOR_MIN);
    (a + prior) / (at_least_zero(b) + prior)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{close, value};
    use super::*;

    #[test]
    fn functions_have_the_values_of_mathematics() {
        let cases: &[(&str, &[f64], f64)] = &[
            ("ln", &[10.0], std::f64::consts::LN_10),
            ("log2", &[0.125], -3.0),
            ("log10", &[1e6], 6.0),
            ("log1p", &[1e-20], 1e-20),
            ("exp", &[1.0], std::f64::consts::E),
            ("sqrt", &[2.0], std::f64::consts::SQRT_2),
            ("pow", &[2.0, 0.5], std::f64::consts::SQRT_2),
            ("abs", &[-2.5], 2.5),
            ("sign", &[-2.5], -1.0),
            ("sign", &[1e-300], 1.0),
            ("floor", &[-2.5], -3.0),
            ("min", &[3.0], 3.0),
            ("min", &[3.0, -1.0, 2.0], -1.0),
            ("max", &[3.0, -1.0, 2.0, 9.0, 1.0, 1.0, 1.0, 8.0], 9.0),
            ("max", &[-3.0, -1.0], -1.0),
            ("clamp", &[5.0, 0.0, 1.0], 1.0),
            ("clamp", &[-5.0, 0.0, 1.0], 0.0),
            ("clamp", &[0.5, 0.0, 1.0], 0.5),
            ("if_above", &[2.0, 1.0, 7.0, 8.0], 7.0),
            ("if_above", &[1.0, 1.0, 7.0, 8.0], 8.0),
            ("ratio", &[5.0, 2.0], 2.0),
            ("ratio", &[5.0, 2.0, 4.0], 1.5),
        ];
        for (name, arguments, expected) in cases {
            close(value(name, arguments), *expected, name);
        }
    }

    #[test]
    fn functions_are_extended_where_mathematics_says_nothing_f1() {
        let cases: &[(&str, &[f64], f64)] = &[
            ("ln", &[0.0], -690.775_527_898_213_7),
            ("ln", &[-5.0], -690.775_527_898_213_7),
            ("log2", &[0.0], -996.578_428_466_208_6),
            ("log10", &[-1.0], -300.0),
            ("log1p", &[-1.0], -36.736_800_569_677_1),
            ("exp", &[1e300], VALUE_MAX),
            ("sqrt", &[-4.0], 0.0),
            ("pow", &[-4.0, 2.0], 0.0),
            ("pow", &[-4.0, -2.0], VALUE_MAX),
            ("pow", &[0.0, 0.0], 1.0),
            ("clamp", &[0.5, 2.0, 1.0], 1.0),
            ("ratio", &[3.0, -7.0, 1.0], 4.0),
            ("ratio", &[0.0, 0.0, 0.0], 1.0),
        ];
        for (name, arguments, expected) in cases {
            close(value(name, arguments), *expected, name);
        }
    }
}
