//! What is true of every function.

use proptest::prelude::*;
use tidal_types::EntityId;

use crate::rank::function::Function;
use crate::rank::interval::Interval;
use crate::rank::number::{VALUE_MAX, finite};
use crate::rank::random::Draw;

const DRAW: Draw = Draw::new(1, EntityId::new(2), 3);

/// The value of the function of that name.
pub(crate) fn value(name: &str, arguments: &[f64]) -> f64 {
    let function = Function::from_name(name).expect(name);
    assert!(function.arity().contains(&arguments.len()), "{name} of {}", arguments.len());
    function.evaluate(arguments, &DRAW)
}

/// Golden values have twelve decimals.
#[track_caller]
pub(crate) fn close(value: f64, expected: f64, what: &str) {
    let error = (value - expected).abs();
    assert!(error <= 1e-12 * expected.abs().max(1.0), "{what}: {value}, not {expected}");
}

/// Numbers of all sizes, and those around which formulas change.
pub(crate) fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => prop::sample::select(vec![
            0.0, 1.0, -1.0, 2.0, 5.0, 10.0, 0.5, 1e-9, 1e-300, -1e-300, VALUE_MAX, -VALUE_MAX,
            3_600.0, 604_800.0, 1_134_028_003.0, f64::EPSILON, -1.0 + f64::EPSILON,
        ]),
        3 => (-20_i32..=20).prop_map(f64::from),
        6 => 0.0..100.0,
        3 => -3.0..3.0,
        4 => 0.0..1e6,
        2 => 1.1e9..1.9e9,
        2 => (-300.0..300.0, any::<bool>()).prop_map(|(exponent, negative)| {
            finite(libm::pow(10.0, exponent) * if negative { -1.0 } else { 1.0 })
        }),
    ]
}

/// An interval, from one point to everything, and a number in it, often at an end.
pub(crate) fn interval_and_point() -> impl Strategy<Value = (Interval, f64)> {
    let ends = prop_oneof![
        6 => (any_number(), any_number()),
        1 => any_number().prop_map(|x| (x, x)),
        // So narrow that the last places of functions are all that differs.
        3 => (any_number(), 0..200_u32).prop_map(|(x, steps)| {
            (x, (0..steps).fold(x, |x, _| x.next_up()))
        }),
    ];
    (ends, prop_oneof![Just(0.0), Just(1.0), 0.0..1.0], any::<bool>()).prop_map(
        |((a, b), part, by_bits)| {
            let interval = Interval::new(a, b);
            let (lo, hi) = (interval.lo(), interval.hi());
            let between = if by_bits && lo > 0.0 {
                // As likely in each decade of the interval as in any other.
                libm::pow(lo, 1.0 - part) * libm::pow(hi, part)
            } else {
                lo * (1.0 - part) + hi * part
            };
            (interval, between.clamp(lo, hi))
        },
    )
}

/// As many arguments as the function may take, each in its interval.
fn box_and_point() -> impl Strategy<Value = (Function, Vec<(Interval, f64)>)> {
    prop::sample::select(Function::ALL).prop_flat_map(|function| {
        prop::collection::vec(interval_and_point(), function.arity())
            .prop_map(move |arguments| (function, arguments))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40_000))]

    // G92.
    #[test]
    fn values_are_within_the_bounds_of_their_box_f1_f2((function, arguments) in box_and_point()) {
        let (intervals, points): (Vec<_>, Vec<_>) = arguments.into_iter().unzip();
        let value = function.evaluate(&points, &DRAW);
        prop_assert_eq!(value.to_bits(), finite(value).to_bits(), "no number");
        let bounds = function.bounds(&intervals);
        prop_assert!(bounds.contains(value), "{} is not in {:?}", value, bounds);
        // The bounds of the point itself are the value, unless it is drawn.
        let point: Vec<_> = points.iter().copied().map(Interval::point).collect();
        let expected = if function.draws() { bounds } else { Interval::point(value) };
        prop_assert_eq!(function.bounds(&point), expected);
    }

    // G92.
    #[test]
    fn any_bits_have_a_value_f1(
        function in prop::sample::select(Function::ALL),
        arguments in prop::collection::vec(any::<u64>().prop_map(f64::from_bits), 0..10),
    ) {
        let value = function.evaluate(&arguments, &DRAW);
        prop_assert_eq!(value.to_bits(), finite(value).to_bits());
    }
}

/// Bounds are of use only when they are not much wider than they have to be.
#[test]
fn bounds_are_as_tight_as_the_formulas_allow() {
    type Ends = (f64, f64);
    let cases: &[(&str, &[Ends], Ends)] = &[
        ("ln", &[(1.0, 10.0)], (0.0, std::f64::consts::LN_10)),
        ("abs", &[(-3.0, 2.0)], (0.0, 3.0)),
        ("max", &[(1.0, 5.0), (2.0, 3.0)], (2.0, 5.0)),
        ("pow", &[(0.5, 2.0), (-1.0, 3.0)], (0.125, 8.0)),
        ("if_above", &[(0.0, 2.0), (1.0, 1.0), (5.0, 6.0), (7.0, 8.0)], (5.0, 8.0)),
        ("if_above", &[(2.0, 3.0), (1.0, 1.0), (5.0, 6.0), (7.0, 8.0)], (5.0, 6.0)),
        ("decay", &[(10.0, 20.0), (10.0, 10.0)], (0.25, 0.5)),
        ("freshness", &[(-1.0, 6.0), (8.0, 8.0)], (0.25, 1.0)),
        ("ratio", &[(0.0, 3.0), (1.0, 3.0), (1.0, 1.0)], (0.25, 2.0)),
        ("reddit_controversy", &[(10.0, 20.0), (1.0, 1.0)], (1.127_378_204, 1.355_882_107)),
        ("reddit_controversy", &[(100.0, 100.0), (0.0, 100.0)], (0.0, 200.0)),
        ("wilson", &[(0.0, 10.0), (10.0, 10.0)], (0.0, 0.858_931_317_909)),
        ("wilson", &[(1.0, 1.0), (0.0, 10.0)], (0.0, 0.378_447_503_225)),
        ("lemmy", &[(0.0, 1.0), (0.0, 1e9)], (0.0, 0.137_017_100_108)),
        ("lemmy", &[(0.0, 1e9), (604_800.0, 1e9)], (0.0, 0.0)),
        ("mastodon", &[(0.0, 16.0), (2.0, 3.0)], (0.0, 98.0)),
        ("z_score", &[(4.0, 16.0), (10.0, 10.0), (3.0, 6.0)], (-2.0, 2.0)),
        (
            "bayesian_mean",
            &[(0.0, 90.0), (10.0, 10.0), (7.0, 7.0), (20.0, 20.0)],
            (14.0 / 3.0, 23.0 / 3.0),
        ),
        ("hidden_gem", &[(0.0, 1.0), (1.0, 1.0), (5.0, 9.0), (5.0, 5.0)], (0.0, 0.189_223_751_612)),
        ("hacker_news", &[(1.0, 2.0), (0.0, 1e6)], (0.0, 0.287_174_588_749)),
        (
            "discourse",
            &[(0.0, 50.0), (86_400.0, 86_400.0), (0.0, 0.0), (1.0, 1.0), (0.0, 9.0)],
            (0.0, 1.002_309_823_344),
        ),
        (
            "reddit_hot",
            &[(0.0, 527.0), (69.0, 69.0), (1_372_096_774.0, 1_372_096_774.0)],
            (5_288.578_284_2, 5_293.077_998_8),
        ),
        ("ucb", &[(0.0, 1.0), (1.0, 10.0), (1.0, 1.0)], (0.0, 1.0)),
        ("thompson", &[(0.0, 1.0), (1.0, 10.0)], (0.0, 1.0)),
    ];
    for (name, arguments, (lo, hi)) in cases {
        let arguments: Vec<_> = arguments.iter().map(|(a, b)| Interval::new(*a, *b)).collect();
        let bounds = Function::from_name(name).expect(name).bounds(&arguments);
        let near = |end: f64, expected: f64| (end - expected).abs() < 2.5e-7;
        assert!(near(bounds.lo(), *lo) && near(bounds.hi(), *hi), "{name}: {bounds:?}");
    }
}
