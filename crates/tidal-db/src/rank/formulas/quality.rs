//! How good something is, by what is known of it: shares and means that few votes
//! cannot make extreme.

use super::Shape::{Near, Own};
use super::Way::{Down, Either, Up};
use super::{Arguments, DIVISOR_MIN, Formula, Value};
use crate::rank::interval::Interval;
use crate::rank::number::{VALUE_MAX, finite};

/// The quantile of the normal distribution for 80 %, to both sides, as Reddit has it.
const Z_80_PERCENT: f64 = 1.281_551_565_545;

pub(in crate::rank) static WILSON: Formula =
    Formula::new("wilson", &["positive", "total", "z"], Value::Three(wilson), Own(wilson_bounds))
        .defaults(&[Z_80_PERCENT])
        .range(0.0, 1.0);

/// The lower of the two solutions x of `(p - x)^2 = z^2 * x * (1 - x) / n`. The textbook
/// has it as a difference; this is their product over the upper one, which is a sum.
fn wilson(positive: f64, total: f64, z: f64) -> f64 {
    if total < DIVISOR_MIN {
        return 0.0;
    }
    let positive = positive.clamp(0.0, total);
    let (z, share) = (z.max(0.0), positive / total);
    if share == 0.0 {
        return 0.0;
    }
    let variance = share * ((total - positive) / total);
    let spread = z * ((variance + z * z / (4.0 * total)) / total).sqrt();
    // The square of a small share would underflow, and lose its digits before.
    share * (share / (share + z * z / (2.0 * total) + spread))
}

/// It rises with `positive` and falls with `z`. With the total it rises while all of it
/// is positive, and falls from there on.
fn wilson_bounds([positive, total, z, ..]: Arguments<Interval>) -> Interval {
    let lowest = |total| wilson(positive.lo(), total, z.hi());
    let best = positive.hi().max(DIVISOR_MIN).clamp(total.lo(), total.hi());
    let highest = wilson(positive.hi(), best, z.lo());
    Interval::new(lowest(total.lo()).min(lowest(total.hi())), highest).loosened()
}

pub(in crate::rank) static HIDDEN_GEM: Formula = Formula::new(
    "hidden_gem",
    &["positive", "total", "reach", "known", "z"],
    Value::Five(hidden_gem),
    Own(hidden_gem_bounds),
)
.defaults(&[Z_80_PERCENT])
.range(0.0, 1.0);

fn hidden_gem(positive: f64, total: f64, reach: f64, known: f64, z: f64) -> f64 {
    wilson(positive, total, z) * obscurity(reach, known)
}

/// 1 for what nobody has seen, 1/2 for a reach of `known`, and ever less beyond.
fn obscurity(reach: f64, known: f64) -> f64 {
    let known = known.max(DIVISOR_MIN);
    known / (known + reach.max(0.0))
}

fn hidden_gem_bounds([positive, total, reach, known, z, ..]: Arguments<Interval>) -> Interval {
    let nothing = Interval::point(0.0);
    let mut of_wilson = [nothing; super::ARGUMENTS_MAX];
    for (place, argument) in of_wilson.iter_mut().zip([positive, total, z]) {
        *place = argument;
    }
    let quality = wilson_bounds(of_wilson).max(nothing);
    let obscurity =
        Interval::new(obscurity(reach.hi(), known.lo()), obscurity(reach.lo(), known.hi()));
    (quality * obscurity.loosened().max(nothing)).loosened()
}

pub(in crate::rank) static BAYESIAN_MEAN: Formula = Formula::new(
    "bayesian_mean",
    &["sum", "count", "prior_mean", "prior_count"],
    Value::Four(bayesian_mean),
    Own(bayesian_mean_bounds),
);

fn bayesian_mean(sum: f64, count: f64, prior_mean: f64, prior_count: f64) -> f64 {
    let prior_count = prior_count.max(DIVISOR_MIN);
    finite(finite(prior_count * prior_mean) + sum) / finite(prior_count + count.max(0.0))
}

/// The weight of the prior is in it twice, so this takes it for two different ones, which
/// is as good where it is one number.
fn bayesian_mean_bounds([sum, count, mean, prior_count, ..]: Arguments<Interval>) -> Interval {
    let prior_count = prior_count.max(Interval::point(DIVISOR_MIN));
    let count = count.max(Interval::point(0.0));
    (prior_count * mean + sum) / (prior_count + count)
}

pub(in crate::rank) static SMOOTHED_RATE: Formula = Formula::new(
    "smoothed_rate",
    &["clicks", "impressions", "prior_rate", "weight"],
    Value::Four(smoothed_rate),
    Near(&[Up, Down, Up, Either]),
)
.defaults(&[10.0])
.range(0.0, VALUE_MAX);

/// The largest rate that is taken as a prior, in clicks per impression.
const PRIOR_RATE_MAX: f64 = 1e6;

fn smoothed_rate(clicks: f64, impressions: f64, prior_rate: f64, weight: f64) -> f64 {
    let (clicks, impressions) = (clicks.max(0.0), impressions.max(0.0));
    let rate = prior_rate.clamp(DIVISOR_MIN, PRIOR_RATE_MAX);
    let weight = weight.max(DIVISOR_MIN);
    // As (weight + clicks) / (weight / rate + impressions), and without its overflow.
    rate * finite((weight + clicks) / (weight + impressions * rate))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{close, value};
    use super::*;

    const Z_95_PERCENT: f64 = 1.959_963_984_540_054;

    // G92.
    #[test]
    fn golden_values_of_wilson() {
        let cases: &[(&[f64], f64)] = &[
            (&[1.0, 1.0], 0.378_447_503_225),
            (&[10.0, 10.0], 0.858_931_317_909),
            (&[60.0, 100.0], 0.536_089_556_153),
            (&[600.0, 1_000.0], 0.579_997_926_296),
            (&[0.0, 10.0], 0.0),
            (&[1.0, 1.0, Z_95_PERCENT], 0.206_549_314_377),
            (&[60.0, 100.0, Z_95_PERCENT], 0.502_002_586_791),
            (&[600.0, 1_000.0, Z_95_PERCENT], 0.569_309_429_514),
            (&[60.0, 100.0, 1.96], 0.502_000_784_618),
        ];
        for (arguments, expected) in cases {
            close(value("wilson", arguments), *expected, &format!("{arguments:?}"));
        }
    }

    #[test]
    fn small_shares_keep_their_digits_f3() {
        // The textbook's difference has none of them left.
        let lost = value("wilson", &[1e-12, 1.0, 1.0]) / 1e-24 - 1.0;
        assert!((lost + 2e-12).abs() < 1e-15, "{lost}");
        // Nor has a square that is no normal number.
        assert_eq!(value("wilson", &[4e-160, 1.0, 0.0]), 4e-160);
    }

    // G92.
    #[test]
    fn golden_values_of_means() {
        let cases: &[(&str, &[f64], f64)] = &[
            ("bayesian_mean", &[90.0, 10.0, 7.0, 20.0], 230.0 / 30.0),
            ("bayesian_mean", &[0.0, 0.0, 7.0, 20.0], 7.0),
            ("smoothed_rate", &[5.0, 100.0, 0.05], 0.05),
            ("smoothed_rate", &[25.0, 100.0, 0.05, 10.0], 35.0 / 300.0),
            ("smoothed_rate", &[0.0, 0.0, 0.05], 0.05),
            ("hidden_gem", &[60.0, 100.0, 0.0, 500.0], 0.536_089_556_153),
            ("hidden_gem", &[60.0, 100.0, 500.0, 500.0], 0.536_089_556_153 / 2.0),
            ("hidden_gem", &[60.0, 100.0, 1_500.0, 500.0, 1.96], 0.502_000_784_618 / 4.0),
        ];
        for (name, arguments, expected) in cases {
            close(value(name, arguments), *expected, &format!("{name}{arguments:?}"));
        }
    }

    #[test]
    fn what_cannot_be_is_as_documented_f1() {
        let cases: &[(&str, &[f64], f64)] = &[
            ("wilson", &[7.0, 1.0], 0.378_447_503_225),
            ("wilson", &[-7.0, 1.0], 0.0),
            ("wilson", &[1.0, 0.0], 0.0),
            ("wilson", &[1.0, -3.0], 0.0),
            ("wilson", &[60.0, 100.0, -2.0], 0.6),
            ("hidden_gem", &[1.0, 1.0, -9.0, 10.0], 0.378_447_503_225),
            ("hidden_gem", &[1.0, 1.0, 0.0, 0.0], 0.378_447_503_225),
            ("bayesian_mean", &[0.0, 0.0, 7.0, -1.0], 7.0),
            ("bayesian_mean", &[6.0, -2.0, 3.0, 2.0], 6.0),
            ("smoothed_rate", &[-5.0, -100.0, 0.05], 0.05),
            ("smoothed_rate", &[0.0, 0.0, -1.0], 1e-9),
            ("smoothed_rate", &[3.0, 6.0, 0.2, -1.0], 0.5),
        ];
        for (name, arguments, expected) in cases {
            let value = value(name, arguments);
            let error = (value - expected).abs();
            assert!(error <= 1e-8 * expected.abs().max(1e-3), "{name}{arguments:?}: {value}");
        }
    }

    /// F2, where a share underflows, and where a quotient overflows before it is multiplied.
    #[test]
    fn bounds_hold_what_underflows_or_overflows_g93() {
        let positive = Interval::new(1e-50, 1.0);
        let total = Interval::new(1e11, 1e299);
        for z in [0.0, 1.0] {
            let bounds = WILSON.bounds(&[positive, total, Interval::point(z)]);
            for (positive, total) in [(1e-50, 1e299), (1e-30, 1e299), (1.0, 4e268), (1e-50, 1e11)] {
                let value = value("wilson", &[positive, total, z]);
                assert!(bounds.contains(value), "{positive} {total} {z}: {value} {bounds:?}");
            }
        }
        let clicks = Interval::point(1e300);
        let weight = Interval::new(0.0, 10.0);
        let bounds =
            SMOOTHED_RATE.bounds(&[clicks, Interval::point(1.0), Interval::point(-10.0), weight]);
        for weight in [0.0, 1e-9, 1e-3, 10.0] {
            let value = value("smoothed_rate", &[1e300, 1.0, -10.0, weight]);
            assert!(bounds.contains(value), "{weight}: {value} {bounds:?}");
        }
    }
}
