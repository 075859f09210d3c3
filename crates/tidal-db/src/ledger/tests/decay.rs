//! Scores equal their definition, and are numbers whatever comes in (L4).

use super::*;

/// Relative to the sum of the absolute contributions.
const TOLERANCE: f64 = 1e-9;

proptest! {
    #[test]
    fn exponential_scores_equal_the_definition(
        half_life in any_span(),
        events in any_events(40),
        delay in any_delay(),
    ) {
        let mut fixture = Fixture::new(exponential(half_life));
        let reference = fixture.feed(&events);
        let at = reference.newest().saturating_add(delay);
        let (expected, scale) = reference.exponential(half_life, at);
        // Below the smallest normal number, f64 has no relative precision.
        let off = (fixture.score(1, at) - expected).abs();
        prop_assert!(off <= TOLERANCE * scale + f64::MIN_POSITIVE, "{} for {expected}", fixture.score(1, at));
    }

    #[test]
    fn permanent_scores_equal_the_definition(events in any_events(40), delay in any_delay()) {
        let mut fixture = Fixture::new(DecaySpec::Permanent);
        let reference = fixture.feed(&events);
        let (expected, scale) = reference.permanent();
        let off = (fixture.score(1, reference.newest().saturating_add(delay)) - expected).abs();
        prop_assert!(off <= TOLERANCE * scale);
    }

    #[test]
    fn linear_scores_are_within_the_edge_bucket(
        lifetime in any_span(),
        events in any_events(60),
        delay in any_delay(),
        fraction in 0.0..1.1_f64,
    ) {
        let mut fixture = Fixture::new(DecaySpec::Linear { lifetime });
        let reference = fixture.feed(&events);
        // Half of the reads look while the lifetime ends among the events.
        let delay = if delay % 2 == 0 { delay } else { (lifetime.as_nanos() as f64 * fraction) as u64 };
        let at = reference.newest().saturating_add(delay);
        let (expected, scale) = reference.linear(lifetime, at);
        let width = (lifetime.as_nanos() as u64).div_ceil(60);
        let edge = if events.len() <= 4 { 0.0 } else {
            reference.edge_weight(lifetime, width, at) * width as f64 / lifetime.as_nanos() as f64
        };
        let off = (fixture.score(1, at) - expected).abs();
        prop_assert!(off <= edge * (1.0 + TOLERANCE) + TOLERANCE * scale, "off by {off}, edge {edge}");
    }

    #[test]
    fn no_input_makes_nan_or_infinity_l4(decay in any_decay(), events in any_events(40), delay in any_delay()) {
        let mut fixture = Fixture::new(decay);
        for &(time, weight) in &events {
            fixture.apply(1, time, weight);
            let at = fixture.ledger.newest_event().unwrap().as_nanos().saturating_add(delay);
            prop_assert!(fixture.score(1, at).is_finite());
            for window in Window::ALL {
                prop_assert!(fixture.sum(1, window, at).is_finite());
            }
        }
    }
}

#[test]
fn the_boundaries_of_every_parameter_give_numbers_l4() {
    for span in [Duration::from_nanos(1), SPAN_MAX] {
        for decay in [exponential(span), DecaySpec::Linear { lifetime: span }] {
            let mut fixture = Fixture::new(decay);
            for (time, weight) in
                [(0, 1e15), (u64::MAX, -1e15), (u64::MAX, 1e15), (0, -1e15), (1, 5e-324), (7, 1e15)]
            {
                fixture.apply(1, time, weight);
                let score = fixture.score(1, u64::MAX);
                assert!(score.abs() <= 6e15, "{decay:?} {score}");
            }
        }
    }
}

#[test]
fn an_event_without_weight_counts_and_leaves_the_score_alone() {
    const YEAR: u64 = 31_557_600_000_000_000;
    let mut fixture = Fixture::new(exponential(Duration::from_secs(60)));
    fixture.apply(1, YEAR, 1.0);
    fixture.apply(2, YEAR, 2.0);
    for _ in 0..6 {
        fixture.apply(1, 40 * YEAR, 0.0);
    }
    assert_eq!(fixture.score(1, YEAR), 0.0);
    assert_eq!(fixture.count(1, Window::AllTime, 40 * YEAR), 7);
    assert_eq!(fixture.count(1, Window::OneHour, 40 * YEAR), 6);
    let at = Timestamp::from_nanos(40 * YEAR);
    let top = fixture.ledger.top(fixture.signal(), crate::ledger::By::Score, 2, at).unwrap();
    assert_eq!(top.iter().map(|ranked| ranked.id.get()).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn an_unknown_entity_reads_as_zero() {
    let mut fixture = Fixture::new(exponential(Duration::from_secs(60)));
    assert_eq!(fixture.ledger.newest_event(), None);
    fixture.apply(1, 0, 1.0);
    assert_eq!(fixture.ledger.newest_event(), Some(Timestamp::MIN));
    assert_eq!(fixture.score(2, 5).to_bits(), 0);
    assert_eq!(fixture.count(2, Window::AllTime, 5), 0);
    assert_eq!(fixture.sum(2, Window::OneHour, 5).to_bits(), 0);
}
