//! What becomes less with age, or with any other distance.

use super::Shape::{Exact, Near};
use super::Way::{Down, Up};
use super::{DIVISOR_MIN, Formula, Value};

pub(in crate::rank) static DECAY: Formula =
    Formula::new("decay", &["age", "half_life"], Value::Two(decay), Near(&[Down, Up]))
        .range(0.0, 1.0);

fn decay(age: f64, half_life: f64) -> f64 {
    libm::exp2(-(age.max(0.0) / half_life.max(DIVISOR_MIN)))
}

pub(in crate::rank) static FRESHNESS: Formula =
    Formula::new("freshness", &["age", "age_max"], Value::Two(freshness), Exact(&[Down, Up]))
        .range(0.0, 1.0);

fn freshness(age: f64, age_max: f64) -> f64 {
    (1.0 - age.max(0.0) / age_max.max(DIVISOR_MIN)).max(0.0)
}

pub(in crate::rank) static GAUSS: Formula = Formula::new(
    "gauss",
    &["distance", "scale", "offset", "at_scale"],
    Value::Four(gauss),
    Near(&[Down, Up, Up, Up]),
)
.defaults(&[0.0, 0.5])
.range(0.0, 1.0);

fn gauss(distance: f64, scale: f64, offset: f64, at_scale: f64) -> f64 {
    let scales = (distance.max(0.0) - offset.max(0.0)).max(0.0) / scale.max(DIVISOR_MIN);
    libm::pow(at_scale.clamp(DIVISOR_MIN, 1.0), scales * scales)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{close, value};

    #[test]
    fn ages_follow_their_formulas() {
        let cases: &[(&str, &[f64], f64)] = &[
            ("decay", &[0.0, 10.0], 1.0),
            ("decay", &[10.0, 10.0], 0.5),
            ("decay", &[25.0, 10.0], 0.176_776_695_296_636_9),
            ("decay", &[1e300, 10.0], 0.0),
            ("freshness", &[0.0, 8.0], 1.0),
            ("freshness", &[2.0, 8.0], 0.75),
            ("freshness", &[9.0, 8.0], 0.0),
            ("gauss", &[0.0, 5.0], 1.0),
            ("gauss", &[5.0, 5.0], 0.5),
            ("gauss", &[10.0, 5.0], 0.0625),
            ("gauss", &[12.0, 5.0, 2.0], 0.0625),
            // As Elasticsearch has it: sigma^2 = -25 / (2 ln 0.3), exp(-49 / (2 sigma^2)).
            ("gauss", &[9.0, 5.0, 2.0, 0.3], 0.094_440_365_510_516_22),
        ];
        for (name, arguments, expected) in cases {
            close(value(name, arguments), *expected, name);
        }
    }

    #[test]
    fn what_is_in_the_future_has_no_age_f1() {
        for (name, arguments) in [
            ("decay", &[-1.0, 10.0][..]),
            ("decay", &[0.0, 0.0]),
            ("freshness", &[-1.0, 10.0]),
            ("freshness", &[0.0, -3.0]),
            ("gauss", &[-1.0, 10.0]),
            ("gauss", &[1.0, 10.0, 2.0, 7.0]),
        ] {
            close(value(name, arguments), 1.0, name);
        }
        close(value("decay", &[1.0, -10.0]), 0.0, "decay");
        close(value("freshness", &[1.0, 0.0]), 0.0, "freshness");
    }
}
