use proptest::prelude::*;
use tidal_types::EntityId;

use super::*;
use crate::rank::function::Function;
use crate::rank::number::VALUE_MAX;

/// The value of a function at these arguments.
#[track_caller]
pub(in crate::rank) fn value(name: &str, arguments: &[f64]) -> f64 {
    let function = Function::from_name(name).unwrap();
    assert!(
        function.arity().contains(&arguments.len()),
        "{name} with {} arguments",
        arguments.len()
    );
    function.evaluate(arguments, &Draw::new(0, EntityId::new(1), 0))
}

/// Golden values have ten digits or more.
#[track_caller]
pub(in crate::rank) fn close(value: f64, expected: f64, what: &str) {
    let error = (value - expected).abs();
    assert!(error <= 2e-9 * expected.abs().max(1e-3), "{what}: {value}, not {expected}");
}

/// Numbers as scores, counts, ages and what nobody expects are.
pub(in crate::rank) fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -10.0..10.0_f64,
        3 => 0.0..1e6_f64,
        2 => (0..40_i64).prop_map(|whole| whole as f64 - 10.0),
        1 => prop::sample::select(vec![0.0, 1.0, -1.0, 1e-300, -1e-300, 1e300, -1e300, 1e-9, 5.0]),
        1 => any::<f64>().prop_map(finite),
        1 => (-300.0..300.0_f64).prop_map(|exponent| libm::exp2(exponent)),
    ]
}

/// An interval, and a number in it.
pub(in crate::rank) fn interval_and_point() -> impl Strategy<Value = (Interval, f64)> {
    let wide = (any_number(), any_number(), 0.0..=1.0_f64);
    prop_oneof![
        4 => wide.prop_map(|(a, b, share)| {
            let interval = Interval::new(a, b);
            let (lo, hi) = (interval.lo(), interval.hi());
            (interval, (lo * (1.0 - share) + hi * share).clamp(lo, hi))
        }),
        2 => (any_number(), any_number(), any::<bool>()).prop_map(|(a, b, first)| {
            (Interval::new(a, b), if first { a } else { b })
        }),
        1 => any_number().prop_map(|x| (Interval::point(x), x)),
    ]
}

#[test]
fn every_function_is_found_by_its_name_and_takes_what_it_says() {
    for &function in Function::ALL {
        assert_eq!(Function::from_name(function.name()), Some(function));
        let letters = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        assert!(function.name().bytes().all(letters));
        assert!(*function.arity().end() <= ARGUMENTS_MAX && *function.arity().start() >= 1);
    }
    assert_eq!(Function::from_name("hotness"), None);
}

#[test]
fn what_is_left_out_has_its_default() {
    for (name, arguments, defaults) in [
        ("wilson", &[60.0, 100.0][..], &[1.281_551_565_545][..]),
        ("hacker_news", &[9.0, 60.0], &[1.8]),
        ("smoothed_rate", &[9.0, 60.0, 0.1], &[10.0]),
        ("gauss", &[9.0, 6.0], &[0.0, 0.5]),
        ("gauss", &[9.0, 6.0, 0.0], &[0.5]),
    ] {
        assert_eq!(value(name, arguments), value(name, &[arguments, defaults].concat()), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// F2, of every function, and that values are finite and no negative zeros.
    #[test]
    fn bounds_hold_every_value_f2_g93(
        box_of in proptest::collection::vec(interval_and_point(), ARGUMENTS_MAX),
        seed: u64,
    ) {
        let draw = Draw::new(seed, EntityId::new(3), 1);
        for &function in Function::ALL {
            for count in function.arity() {
                let (intervals, point): (Vec<_>, Vec<_>) = box_of.iter().take(count).copied().unzip();
                let value = function.evaluate(&point, &draw);
                prop_assert!(value.abs() <= VALUE_MAX, "{function:?} {point:?}: {value}");
                prop_assert!(value != 0.0 || value.is_sign_positive(), "{function:?} {point:?}");
                let bounds = function.bounds(&intervals);
                prop_assert!(bounds.contains(value), "{function:?} {point:?}: {value} {bounds:?}");
                let at_point: Vec<Interval> = point.iter().copied().map(Interval::point).collect();
                prop_assert!(function.bounds(&at_point).contains(value), "{function:?} {point:?}");
            }
        }
    }
}
