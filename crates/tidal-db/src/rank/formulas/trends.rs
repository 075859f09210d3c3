//! How much more there is than was to be expected.

use super::Shape::{Exact, Near};
use super::Way::{Down, Either, Up};
use super::{DIVISOR_MIN, Formula, Value};
use crate::rank::number::VALUE_MAX;

/// Mastodon takes fewer accounts for no trend.
const ACCOUNTS_MIN: f64 = 5.0;

pub(in crate::rank) static MASTODON: Formula =
    Formula::new("mastodon", &["observed", "expected"], Value::Two(mastodon), Exact(&[Up, Down]))
        .range(0.0, VALUE_MAX);

fn mastodon(observed: f64, expected: f64) -> f64 {
    let expected = expected.max(1.0);
    if expected > observed || observed < ACCOUNTS_MIN {
        return 0.0;
    }
    let surplus = observed - expected;
    // In this order it does not overflow before its result does.
    surplus / expected * surplus
}

pub(in crate::rank) static Z_SCORE: Formula = Formula::new(
    "z_score",
    &["x", "mean", "deviation"],
    Value::Three(z_score),
    Exact(&[Up, Down, Either]),
);

fn z_score(x: f64, mean: f64, deviation: f64) -> f64 {
    (x - mean) / deviation.max(DIVISOR_MIN)
}

pub(in crate::rank) static POISSON_SCORE: Formula = Formula::new(
    "poisson_score",
    &["observed", "expected", "epsilon"],
    Value::Three(poisson_score),
    Near(&[Up, Down, Either]),
)
.defaults(&[1.0]);

fn poisson_score(observed: f64, expected: f64, epsilon: f64) -> f64 {
    let (observed, expected) = (observed.max(0.0), expected.max(0.0));
    (observed - expected) / (expected + epsilon.max(DIVISOR_MIN)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{close, value};

    // G92.
    #[test]
    fn golden_values_of_trends() {
        let cases: &[(&str, &[f64], f64)] = &[
            ("mastodon", &[16.0, 2.0], 98.0),
            ("mastodon", &[16.0, 16.0], 0.0),
            ("z_score", &[16.0, 10.0, 3.0], 2.0),
            ("z_score", &[4.0, 10.0, 3.0], -2.0),
            ("poisson_score", &[16.0, 8.0], 8.0 / 3.0),
            ("poisson_score", &[0.0, 16.0, 9.0], -3.2),
        ];
        for (name, arguments, expected) in cases {
            close(value(name, arguments), *expected, &format!("{name}{arguments:?}"));
        }
        // After one half-life half of it is left.
        assert_eq!(value("mastodon", &[16.0, 2.0]) * value("decay", &[14_400.0, 14_400.0]), 49.0);
    }

    #[test]
    fn what_is_too_little_is_as_documented_f1() {
        let cases: &[(&str, &[f64], f64)] = &[
            ("mastodon", &[4.0, 1.0], 0.0),
            ("mastodon", &[5.0, 0.0], 16.0),
            ("mastodon", &[5.0, -3.0], 16.0),
            ("mastodon", &[9.0, 10.0], 0.0),
            ("z_score", &[10.0, 10.0, 0.0], 0.0),
            ("z_score", &[11.0, 10.0, -1.0], 1e9),
            ("poisson_score", &[-5.0, -5.0, 4.0], 0.0),
            ("poisson_score", &[2.0, 0.0, 4.0], 1.0),
        ];
        for (name, arguments, expected) in cases {
            close(value(name, arguments), *expected, &format!("{name}{arguments:?}"));
        }
    }
}
