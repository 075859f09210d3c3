//! The rankings of Reddit, from the `_sorts.pyx` of its published source.

use super::Shape::{Exact, Own};
use super::Way::{Down, Up};
use super::{Arguments, Formula, Value};
use crate::rank::interval::Interval;
use crate::rank::number::VALUE_MAX;

/// 2005-12-08 07:46:43 UTC, from which Reddit counts, in seconds since 1970.
const EPOCH: f64 = 1_134_028_003.0;

/// So many seconds weigh as much as ten times the votes.
const SECONDS_PER_DECADE: f64 = 45_000.0;

/// Reddit rounds to seven decimals.
const DECIMALS: f64 = 1e7;

pub(in crate::rank) static REDDIT_HOT: Formula =
    Formula::new("reddit_hot", &["ups", "downs", "posted"], Value::Three(hot), Own(hot_bounds));

fn hot(ups: f64, downs: f64, posted: f64) -> f64 {
    let score = ups - downs;
    let order = libm::log10(score.abs().max(1.0));
    let sign = f64::from(i8::from(score > 0.0) - i8::from(score < 0.0));
    let exact = sign * order + (posted - EPOCH) / SECONDS_PER_DECADE;
    (exact * DECIMALS).round() / DECIMALS
}

/// It rises with `ups` and `posted` and falls with `downs`, but the last place of the
/// logarithm may decide which way the sum is rounded.
fn hot_bounds([ups, downs, posted, ..]: Arguments<Interval>) -> Interval {
    let lowest = hot(ups.lo(), downs.hi(), posted.lo());
    let highest = hot(ups.hi(), downs.lo(), posted.hi());
    Interval::new(lowest, highest).widened(1.0 / DECIMALS)
}

pub(in crate::rank) static REDDIT_CONTROVERSY: Formula = Formula::new(
    "reddit_controversy",
    &["ups", "downs"],
    Value::Two(controversy),
    Own(controversy_bounds),
)
.range(0.0, VALUE_MAX);

fn controversy(ups: f64, downs: f64) -> f64 {
    if ups <= 0.0 || downs <= 0.0 {
        return 0.0;
    }
    libm::pow(ups + downs, ups.min(downs) / ups.max(downs))
}

/// The value is `votes ^ balance`, which rises or falls with each of these alone.
fn controversy_bounds([ups, downs, ..]: Arguments<Interval>) -> Interval {
    if ups.hi() <= 0.0 || downs.hi() <= 0.0 {
        return Interval::point(0.0);
    }
    let positive = |x: Interval| x.max(Interval::point(0.0));
    let (up, down) = (positive(ups), positive(downs));
    let quotient = |a: Interval, b: Interval| (a.lo() / b.hi(), (a.hi() / b.lo()).min(1.0));
    let (up_least, up_most) = quotient(up, down);
    let (down_least, down_most) = quotient(down, up);
    let balance = Interval::new(up_least.min(down_least), up_most.min(down_most));
    // As it is computed: the sum of two numbers may be beyond the largest one.
    let (fewest, most) = (up.lo() + down.lo(), up.hi() + down.hi());
    let values = Interval::hull(
        [(fewest, balance.lo()), (fewest, balance.hi())]
            .into_iter()
            .chain([(most, balance.lo()), (most, balance.hi())])
            .map(|(votes, balance)| libm::pow(votes, balance)),
    )
    .loosened();
    // Where one of them is 0 the value is.
    if up.lo() > 0.0 && down.lo() > 0.0 { values } else { values.union(Interval::point(0.0)) }
}

pub(in crate::rank) static REDDIT_RISING: Formula =
    Formula::new("reddit_rising", &["ups", "seen"], Value::Two(rising), Exact(&[Up, Down]))
        .range(0.0, VALUE_MAX);

fn rising(ups: f64, seen: f64) -> f64 {
    if ups > 1.0 { ups / seen.max(1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{close, value};
    use super::*;

    // G92.
    #[test]
    fn reddits_golden_values() {
        let at = 1_372_096_774.0;
        let cases: &[(&str, &[f64], f64)] = &[
            ("reddit_hot", &[527.0, 69.0, at], 5_293.077_998_8),
            ("reddit_hot", &[3.0, 10.0, at], 5_289.572_035_3),
            ("reddit_hot", &[0.0, 0.0, at], 5_290.417_133_3),
            ("reddit_hot", &[0.0, 0.0, 1_134_028_003.0], 0.0),
            ("reddit_controversy", &[100.0, 100.0], 200.0),
            ("reddit_controversy", &[1.0, 0.0], 0.0),
            ("reddit_rising", &[20.0, 8.0], 2.5),
            ("reddit_rising", &[20.0, 0.0], 20.0),
            ("reddit_rising", &[1.0, 8.0], 0.0),
        ];
        for (name, arguments, expected) in cases {
            assert_eq!(value(name, arguments), *expected, "{name}{arguments:?}");
        }
        close(value("reddit_controversy", &[527.0, 69.0]), 2.308_672_944_864, "527, 69");
        close(value("reddit_controversy", &[10.0, 1.0]), 1.270_981_615_210, "10, 1");
    }

    // G92.
    #[test]
    fn twice_the_votes_weigh_as_much_as_45000_log10_2_seconds() {
        let later = 1_372_096_774.0 + 13_546.349_805;
        let doubled = value("reddit_hot", &[200.0, 0.0, 1_372_096_774.0]);
        assert_eq!(value("reddit_hot", &[100.0, 0.0, later]), doubled);
    }

    #[test]
    fn bounds_hold_controversies_beyond_the_largest_number_f2_g93() {
        let (ups, downs) = (Interval::point(1e300), Interval::new(9e299, 9.01e299));
        let value = value("reddit_controversy", &[1e300, 9.005e299]);
        assert!(REDDIT_CONTROVERSY.bounds(&[ups, downs]).contains(value), "{value}");
    }
}
