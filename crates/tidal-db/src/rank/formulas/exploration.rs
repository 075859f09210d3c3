//! Giving a chance to what little is known of.

use super::Shape::Near;
use super::Way::{Down, Up};
use super::{DIVISOR_MIN, Formula, Value};
use crate::rank::number::VALUE_MAX;
use crate::rank::random::Numbers;

/// The least and the most that a parameter of the beta distribution counts.
const PARAMETER_RANGE: (f64, f64) = (1e-3, 1e15);

pub(in crate::rank) static THOMPSON: Formula =
    Formula::drawn("thompson", &["successes", "trials", "alpha", "beta"], thompson)
        .defaults(&[1.0, 1.0])
        .range(0.0, 1.0);

fn thompson([successes, trials, alpha, beta]: [f64; 4], numbers: &mut Numbers) -> f64 {
    let trials = trials.max(0.0);
    let successes = successes.clamp(0.0, trials);
    let (least, most) = PARAMETER_RANGE;
    let parameter = |prior: f64, count: f64| (prior + count).clamp(least, most);
    numbers.beta(parameter(alpha, successes), parameter(beta, trials - successes))
}

pub(in crate::rank) static UCB: Formula = Formula::new(
    "ucb",
    &["successes", "trials", "all_trials", "c"],
    Value::Four(ucb),
    Near(&[Up, Down, Up, Up]),
)
.defaults(&[std::f64::consts::SQRT_2])
.range(0.0, VALUE_MAX);

fn ucb(successes: f64, trials: f64, all_trials: f64, c: f64) -> f64 {
    let trials = trials.max(DIVISOR_MIN);
    let mean = (successes.max(0.0) / trials).min(1.0);
    mean + c.max(0.0) * (libm::log(all_trials.max(1.0)) / trials).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{close, value};
    use super::*;
    use crate::rank::random::Draw;
    use tidal_types::EntityId;

    // G92.
    #[test]
    fn golden_values_of_ucb() {
        let cases: &[(&[f64], f64)] = &[
            (&[5.0, 10.0, 100.0], 0.5 + (2.0 * libm::log(100.0) / 10.0).sqrt()),
            (&[5.0, 10.0, 100.0, 0.5], 0.839_307_021_220_755_6),
            (&[5.0, 10.0, 1.0], 0.5),
            (&[7.0, 5.0, 0.0], 1.0),
            (&[-7.0, 5.0, -1.0], 0.0),
            (&[5.0, 10.0, 100.0, -1.0], 0.5),
        ];
        for (arguments, expected) in cases {
            close(value("ucb", arguments), *expected, &format!("{arguments:?}"));
        }
    }

    #[test]
    fn what_was_never_tried_comes_first() {
        assert!(value("ucb", &[0.0, 0.0, 1e6]) > value("ucb", &[1.0, 1.0, 1e6]));
    }

    // G93.
    #[test]
    fn a_thompson_draw_is_one_of_the_beta_distribution() {
        let cases = [
            ([30.0, 100.0, 1.0, 1.0], (31.0, 71.0)),
            ([200.0, 100.0, 1.0, 1.0], (101.0, 1.0)),
            ([-3.0, 5.0, 2.0, 3.0], (2.0, 8.0)),
            ([0.0, -5.0, 0.0, -1.0], (1e-3, 1e-3)),
            ([1e300, 1e300, 1.0, 1.0], (1e15, 1.0)),
        ];
        for (arguments, (alpha, beta)) in cases {
            for seed in 0..100 {
                let draw = Draw::new(seed, EntityId::new(7), 0);
                let expected = draw.numbers().beta(alpha, beta);
                assert_eq!(THOMPSON.value(&arguments, &draw), expected, "{arguments:?}");
            }
        }
    }

    #[test]
    fn thompson_has_a_uniform_prior() {
        let draw = Draw::new(1, EntityId::new(2), 3);
        let expected = draw.numbers().beta(1.0, 1.0);
        assert_eq!(THOMPSON.value(&[0.0, 0.0], &draw), expected);
    }
}
