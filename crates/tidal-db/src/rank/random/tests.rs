use proptest::prelude::*;

use super::*;

fn numbers(seed: u64) -> Numbers {
    Draw::new(seed, EntityId::new(1), 0).numbers()
}

/// splitmix64 from the state 1234567, as its reference code prints it.
#[test]
fn the_generator_is_splitmix64_d1() {
    let mut numbers = Numbers { state: 1_234_567 };
    let expected = [
        6_457_827_717_110_365_317,
        3_203_168_211_198_807_973,
        9_817_491_932_198_370_423,
        4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
    ];
    assert_eq!([(); 5].map(|()| numbers.bits()), expected);
}

#[test]
fn a_draw_follows_from_seed_entity_and_call_alone_d1() {
    let draw = |seed, entity, call| Draw::new(seed, EntityId::new(entity), call).numbers().bits();
    let first = draw(1, 2, 3);
    assert_eq!(first, draw(1, 2, 3));
    for other in [draw(2, 2, 3), draw(1, 3, 3), draw(1, 2, 4), draw(2, 1, 3), draw(3, 2, 1)] {
        assert_ne!(first, other);
    }
}

/// Mean and variance of `draws` numbers.
fn moments(draws: u32, mut draw: impl FnMut(u64) -> f64) -> (f64, f64) {
    let values: Vec<f64> = (0..u64::from(draws)).map(&mut draw).collect();
    let mean = values.iter().sum::<f64>() / f64::from(draws);
    let square = |value: &f64| (value - mean) * (value - mean);
    (mean, values.iter().map(square).sum::<f64>() / f64::from(draws))
}

#[test]
fn draws_have_the_moments_of_their_distributions_g93() {
    let (mean, variance) = moments(40_000, |seed| numbers(seed).uniform());
    assert!((mean - 0.5).abs() < 0.01 && (variance - 1.0 / 12.0).abs() < 0.002);
    let (mean, variance) = moments(40_000, |seed| numbers(seed).normal());
    assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
    for (alpha, beta) in [(1.0, 1.0), (0.3, 0.7), (5.0, 2.0), (31.0, 71.0), (1.0, 1e4), (2e6, 1e6)]
    {
        let (mean, variance) = moments(40_000, |seed| numbers(seed).beta(alpha, beta));
        let total = alpha + beta;
        let expected = (alpha / total, alpha * beta / (total * total * (total + 1.0)));
        let deviation = expected.1.sqrt();
        assert!((mean - expected.0).abs() < 0.03 * deviation, "{alpha} {beta}: {mean}");
        assert!((variance / expected.1 - 1.0).abs() < 0.06, "{alpha} {beta}: {variance}");
    }
}

proptest! {
    #[test]
    fn every_draw_is_in_its_range_d2(seed: u64, alpha in 1e-3..1e15_f64, beta in 1e-3..1e15_f64) {
        let mut numbers = numbers(seed);
        let uniform = numbers.uniform();
        prop_assert!(uniform > 0.0 && uniform < 1.0);
        prop_assert!(numbers.normal().is_finite());
        for (alpha, beta) in [(alpha, beta), (1e-3, 1e-3), (1e-3, 1e15), (1e15, 1e15)] {
            let draw = numbers.beta(alpha, beta);
            prop_assert!((0.0..=1.0).contains(&draw), "{draw}");
        }
    }
}
