//! The rankings of Hacker News, Lemmy and Discourse: votes over a power of the age.
//!
//! Ages are in seconds, as everywhere, and hours only within these formulas.

use super::Shape::{Near, Own};
use super::Way::{Either, Up};
use super::{Arguments, Formula, Value};
use crate::rank::interval::Interval;
use crate::rank::number::{VALUE_MAX, add};

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3_600.0;

pub(in crate::rank) static HACKER_NEWS: Formula = Formula::new(
    "hacker_news",
    &["points", "age", "gravity"],
    Value::Three(hacker_news),
    Near(&[Up, Either, Either]),
)
.defaults(&[1.8]);

fn hacker_news(points: f64, age: f64, gravity: f64) -> f64 {
    let votes = points - 1.0;
    let risen = if votes > 0.0 { libm::pow(votes, 0.8) } else { votes };
    let base = (age.max(0.0) / MINUTE + 120.0) / 60.0;
    risen / libm::pow(base, gravity)
}

/// Lemmy ranks nothing by hot that is older, in seconds.
const LEMMY_AGE_MAX: f64 = 168.0 * HOUR;

pub(in crate::rank) static LEMMY: Formula =
    Formula::new("lemmy", &["score", "age"], Value::Two(lemmy), Own(lemmy_bounds))
        .range(0.0, VALUE_MAX);

fn lemmy(score: f64, age: f64) -> f64 {
    if age <= 0.0 || age >= LEMMY_AGE_MAX {
        return 0.0;
    }
    libm::log10((score + 2.0).max(2.0)) / libm::pow(age / HOUR + 2.0, 1.8)
}

/// It rises with the score; between its limits, outside of which it is 0, it falls with
/// the age.
fn lemmy_bounds([score, age, ..]: Arguments<Interval>) -> Interval {
    let (youngest, oldest) = (age.lo().max(f64::MIN_POSITIVE), age.hi());
    let outside = age.lo() <= 0.0 || age.hi() >= LEMMY_AGE_MAX;
    let lowest = if outside { 0.0 } else { lemmy(score.lo(), oldest) };
    let highest = if oldest > 0.0 { lemmy(score.hi(), youngest) } else { 0.0 };
    Interval::new(lowest, highest).loosened()
}

pub(in crate::rank) static LEMMY_SCALED: Formula = Formula::new(
    "lemmy_scaled",
    &["score", "age", "interactions"],
    Value::Three(lemmy_scaled),
    Own(lemmy_scaled_bounds),
)
.range(0.0, VALUE_MAX);

fn lemmy_scaled(score: f64, age: f64, interactions: f64) -> f64 {
    lemmy(score, age) / community(interactions)
}

/// How large the community is: log10 of its interactions in a month, and 2.
fn community(interactions: f64) -> f64 {
    libm::log10(2.0 + interactions.max(0.0))
}

fn lemmy_scaled_bounds(arguments: Arguments<Interval>) -> Interval {
    let [_, _, interactions, ..] = arguments;
    let community = Interval::new(community(interactions.lo()), community(interactions.hi()));
    (lemmy_bounds(arguments).max(Interval::point(0.0)) / community.loosened()).loosened()
}

pub(in crate::rank) static DISCOURSE: Formula = Formula::new(
    "discourse",
    &["likes", "age", "recent_likes", "recent_posters", "since_first_bump"],
    Value::Five(discourse),
    Own(discourse_bounds),
);

fn discourse(likes: f64, age: f64, recent_likes: f64, recent_posters: f64, bump: f64) -> f64 {
    cooled(likes, age) + cooled(recent(recent_likes, recent_posters), bump)
}

/// A number of votes of that age.
fn cooled(votes: f64, age: f64) -> f64 {
    votes / libm::pow(age.max(0.0) / HOUR + 2.0, 1.2)
}

fn recent(likes: f64, posters: f64) -> f64 {
    add(likes, posters) - 1.0
}

/// The terms may be of different signs, so each has bounds of its own.
fn discourse_bounds(arguments: Arguments<Interval>) -> Interval {
    let [likes, age, recent_likes, recent_posters, bump, ..] = arguments;
    let recent = Interval::new(
        recent(recent_likes.lo(), recent_posters.lo()),
        recent(recent_likes.hi(), recent_posters.hi()),
    );
    let term = |votes: Interval, age: Interval| {
        Interval::hull([
            cooled(votes.lo(), age.lo()),
            cooled(votes.lo(), age.hi()),
            cooled(votes.hi(), age.lo()),
            cooled(votes.hi(), age.hi()),
        ])
        .loosened()
    };
    term(likes, age) + term(recent, bump)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{close, value};

    const HOUR: f64 = super::HOUR;

    // G92.
    #[test]
    fn golden_values_of_forums() {
        let cases: &[(&str, &[f64], f64)] = &[
            ("hacker_news", &[2.0, 0.0], 0.287_174_588_749),
            ("hacker_news", &[100.0, HOUR], 5.466_255_120_567),
            ("hacker_news", &[100.0, 24.0 * HOUR], 0.112_087_228_118),
            ("lemmy", &[1.0, 1e-9], 0.137_017_100_108),
            ("lemmy", &[100.0, 24.0 * HOUR], 0.005_700_874_351),
            ("lemmy_scaled", &[100.0, 24.0 * HOUR, 98.0], 0.005_700_874_351 / 2.0),
            ("discourse", &[50.0, 24.0 * HOUR, 0.0, 1.0, 0.0], 1.002_309_823_344),
            ("discourse", &[0.0, 0.0, 50.0, 1.0, 24.0 * HOUR], 1.002_309_823_344),
        ];
        for (name, arguments, expected) in cases {
            close(value(name, arguments), *expected, &format!("{name}{arguments:?}"));
        }
    }

    #[test]
    fn gravity_can_be_chosen() {
        close(value("hacker_news", &[2.0, 2.0 * HOUR, 1.0]), 0.25, "gravity 1");
    }

    #[test]
    fn what_has_no_votes_or_no_age_is_as_documented_f1() {
        let cases: &[(&str, &[f64], f64)] = &[
            ("hacker_news", &[1.0, HOUR], 0.0),
            ("hacker_news", &[-7.0, 0.0, 0.0], -8.0),
            ("hacker_news", &[2.0, -HOUR], 0.287_174_588_749),
            ("lemmy", &[100.0, 0.0], 0.0),
            ("lemmy", &[100.0, -HOUR], 0.0),
            ("lemmy", &[100.0, 168.0 * HOUR], 0.0),
            ("lemmy", &[-50.0, HOUR], 0.041_666_931_0),
            ("lemmy_scaled", &[-50.0, HOUR, -9.0], 0.138_414_548_8),
        ];
        for (name, arguments, expected) in cases {
            let value = value(name, arguments);
            assert!((value - expected).abs() < 1e-9, "{name}{arguments:?}: {value}");
        }
    }
}
