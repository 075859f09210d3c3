//! Draws repeat, and follow their distributions.

use proptest::prelude::*;

use super::*;

fn draw(seed: u64) -> Draw {
    Draw::new(seed, EntityId::new(42), 0)
}

/// Mean and variance over many seeds.
fn moments(sample: impl Fn(&mut Numbers) -> f64) -> (f64, f64) {
    const SEEDS: u64 = 40_000;
    let values: Vec<_> = (0..SEEDS).map(|seed| sample(&mut draw(seed).numbers())).collect();
    let mean = values.iter().sum::<f64>() / SEEDS as f64;
    let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / SEEDS as f64;
    (mean, variance)
}

#[test]
fn the_numbers_are_those_of_splitmix64() {
    let mut numbers = Numbers { state: 1_234_567 };
    // What the reference code gives first from this seed.
    let expected = [
        6_457_827_717_110_365_317,
        3_203_168_211_198_807_973,
        9_817_491_932_198_370_423,
        4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
    ];
    assert_eq!(expected.map(|_| numbers.bits()), expected);
}

// G93.
#[test]
fn a_draw_follows_from_seed_entity_and_call_d1() {
    let first = |seed, entity, call| Draw::new(seed, EntityId::new(entity), call).numbers().bits();
    assert_eq!(first(1, 2, 3), first(1, 2, 3));
    let mut all: Vec<_> = (0..10)
        .flat_map(|seed| {
            (0..10).flat_map(move |entity| (0..10).map(move |call| (seed, entity, call)))
        })
        .map(|(seed, entity, call)| first(seed, entity, call))
        .collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 1_000, "no two of them are the same");
}

// G93.
#[test]
fn draws_have_the_same_bits_for_ever_d1() {
    let draw = Draw::new(7, EntityId::new(42), 1);
    let bits = [
        draw.numbers().uniform(),
        draw.numbers().normal(),
        draw.numbers().beta(2.0, 5.0),
        draw.numbers().beta(0.5, 0.25),
        draw.numbers().beta(1e6, 3e6),
    ]
    .map(f64::to_bits);
    let golden = [
        0x3fee_834a_f582_b267,
        0x3fb8_5391_baa5_880a,
        0x3fd7_9fc9_2741_18b1,
        0x3fe7_4c21_1c04_08f5,
        0x3fd0_01cb_e057_5ca8,
    ];
    assert_eq!(bits, golden, "{bits:#x?}");
}

// G93.
#[test]
fn draws_have_the_moments_of_their_distributions() {
    let (mean, variance) = moments(Numbers::uniform);
    assert!((mean - 0.5).abs() < 0.005 && (variance * 12.0 - 1.0).abs() < 0.02);
    let (mean, variance) = moments(Numbers::normal);
    assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean}, {variance}");
    for (alpha, beta) in [(1.0, 1.0), (2.0, 5.0), (0.5, 0.5), (31.0, 71.0), (0.1, 3.0), (1e4, 1e2)]
    {
        let (mean, variance) = moments(|numbers| numbers.beta(alpha, beta));
        let sum = alpha + beta;
        let expected = alpha * beta / (sum * sum * (sum + 1.0));
        // Five standard errors of the mean.
        let error = 5.0 * (expected / 40_000.0_f64).sqrt();
        assert!((mean - alpha / sum).abs() < error, "{alpha}, {beta}: mean {mean}");
        assert!((variance / expected - 1.0).abs() < 0.06, "{alpha}, {beta}: variance {variance}");
    }
}

proptest! {
    // G93.
    #[test]
    fn draws_stay_in_their_range_d2(
        seed in any::<u64>(),
        alpha in prop::sample::select(vec![1e-300, 1e-3, 0.1, 1.0, 1e9, 1e15, 1e300]),
        beta in prop::sample::select(vec![1e-300, 1e-3, 0.1, 1.0, 1e9, 1e15, 1e300]),
    ) {
        let uniform = draw(seed).numbers().uniform();
        prop_assert!(uniform > 0.0 && uniform < 1.0);
        let share = draw(seed).numbers().beta(alpha, beta);
        prop_assert!((0.0..=1.0).contains(&share), "{}", share);
    }
}
