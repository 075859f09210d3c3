//! Rankings against exact arithmetic.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::*;
use crate::ledger::{By, Ranked};

const HALF_LIFE: Duration = Duration::from_secs(60);
const HALF_LIFE_NANOS: u64 = 60_000_000_000;

/// The sum of w * 2^(half-lives), exactly, as `significand * 2^exponent`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Exact {
    significand: i64,
    exponent: u64,
}

impl Exact {
    /// Of events at most 40 half-lives apart with small whole weights.
    fn of(events: &[(u64, i64)]) -> Self {
        let exponent = events.iter().map(|event| event.0).min().unwrap();
        let significand =
            events.iter().map(|&(half_lives, weight)| weight << (half_lives - exponent)).sum();
        Self { significand, exponent }
    }

    fn cmp(self, other: Self) -> Ordering {
        let sign = self.significand.signum();
        if sign != other.significand.signum() || sign == 0 {
            return self.significand.signum().cmp(&other.significand.signum());
        }
        let bits =
            |exact: Self| exact.exponent + u64::from(exact.significand.unsigned_abs().ilog2());
        let aligned = |exact: Self| {
            exact.significand.unsigned_abs() << exact.significand.unsigned_abs().leading_zeros()
        };
        let magnitude = bits(self).cmp(&bits(other)).then(aligned(self).cmp(&aligned(other)));
        if sign > 0 { magnitude } else { magnitude.reverse() }
    }
}

/// Entities whose events are years apart in half-lives of a minute. Within an
/// entity they are at most ten half-lives apart, so that the exact sums of two
/// entities are equal or differ by far more than rounding. Sums that cancel
/// across half-lives are left out: there rounding alone decides the sign.
fn any_entities() -> impl Strategy<Value = BTreeMap<u64, Vec<(u64, i64)>>> {
    let base = prop_oneof![
        Just(0_u64),
        0..20_u64,
        Just(500_000_u64),
        Just(20_000_000_u64),
        0..300_000_000_u64
    ];
    let cancels = |events: &Vec<(u64, i64)>| {
        Exact::of(events).significand == 0 && events.iter().any(|event| event.1 != 0)
    };
    let entity = (base, prop::collection::vec((0..10_u64, -4..=4_i64), 1..9))
        .prop_map(|(base, events)| {
            events.into_iter().map(|(ahead, weight)| (base + ahead, weight)).collect::<Vec<_>>()
        })
        .prop_filter("cancels", move |events| !cancels(events));
    prop::collection::btree_map(0..1000_u64, entity, 1..30)
}

fn ranked(fixture: &Fixture, by: By, limit: usize, at: Timestamp) -> Vec<Ranked> {
    fixture.ledger.top(fixture.signal(), by, limit, at).unwrap()
}

fn ids(ranked: &[Ranked]) -> Vec<u64> {
    ranked.iter().map(|ranked| ranked.id.get()).collect()
}

proptest! {
    #[test]
    fn scores_rank_as_exact_arithmetic_does_where_they_underflow(entities in any_entities()) {
        let mut fixture = Fixture::new(exponential(HALF_LIFE));
        for (id, events) in &entities {
            for &(half_lives, weight) in events {
                fixture.apply(*id, half_lives * HALF_LIFE_NANOS, weight as f64);
            }
        }
        let end = Timestamp::from_secs(18_446_744_000);
        let top = ranked(&fixture, By::Score, usize::MAX, end);
        prop_assert_eq!(top.len(), entities.len(), "every entity is there, zero or not");
        for pair in top.windows(2) {
            let exact = |ranked: &Ranked| Exact::of(&entities[&ranked.id.get()]);
            prop_assert!(exact(&pair[0]).cmp(exact(&pair[1])).is_ge(), "{pair:?}");
        }
        for (ranked, rank) in top.iter().zip(1..) {
            prop_assert_eq!(ranked.rank, rank);
            prop_assert_eq!(ranked.value.to_bits(), fixture.score(ranked.id.get(), end.as_nanos()).to_bits());
        }
        // The order is the same at every time, and so is each beginning of it.
        let now = fixture.ledger.newest_event().unwrap();
        for at in [now, now.saturating_add(HALF_LIFE), now.saturating_add(Duration::from_secs(1_000_000))] {
            prop_assert_eq!(ids(&ranked(&fixture, By::Score, usize::MAX, at)), ids(&top));
        }
        for limit in [0, 1, top.len() / 2, top.len()] {
            prop_assert_eq!(&ranked(&fixture, By::Score, limit, end), &top[..limit]);
        }
    }

    #[test]
    fn every_measure_ranks_by_its_value_and_ties_by_id(
        decay in prop_oneof![Just(DecaySpec::Permanent), any_span().prop_map(|lifetime| DecaySpec::Linear { lifetime })],
        events in prop::collection::vec((0..20_u64, 0..10_000_000_000_000_u64, any_weight()), 1..120),
        delay in 0..10_000_000_000_000_u64,
        limit in 0..25_usize,
    ) {
        let mut fixture = Fixture::new(decay);
        for &(id, time, weight) in &events {
            fixture.apply(id, time, weight);
        }
        let at = fixture.ledger.newest_event().unwrap().as_nanos() + delay;
        let id = |id: &u64| EntityId::new(*id);
        let time = Timestamp::from_nanos(at);
        for by in [By::Score, By::Count(Window::OneHour), By::Count(Window::AllTime), By::Velocity(Window::OneHour)] {
            let value = |entity: &u64| match by {
                By::Score => fixture.score(*entity, at),
                By::Count(window) => fixture.count(*entity, window, at) as f64,
                By::Velocity(window) => fixture.ledger.velocity(fixture.signal(), id(entity), window, time).unwrap(),
            };
            let mut expected: Vec<u64> = events.iter().map(|event| event.0).collect();
            expected.sort_unstable();
            expected.dedup();
            expected.sort_by(|a, b| value(b).partial_cmp(&value(a)).unwrap());
            expected.truncate(limit);
            let top = ranked(&fixture, by, limit, time);
            prop_assert_eq!(ids(&top), expected);
            for ranked in top {
                prop_assert_eq!(ranked.value, value(&ranked.id.get()));
            }
        }
    }
}

#[test]
fn cancelled_weights_rank_between_positive_and_negative_ones() {
    let mut fixture = Fixture::new(exponential(HALF_LIFE));
    for (id, weights) in
        [(1, &[-1.0][..]), (2, &[1.0, -1.0]), (3, &[1e-300]), (4, &[0.0]), (5, &[-1e-300])]
    {
        for weight in weights {
            fixture.apply(id, 7, *weight);
        }
    }
    let top = ranked(&fixture, By::Score, 10, Timestamp::MAX);
    assert_eq!(ids(&top), [3, 2, 4, 5, 1]);
    assert!(top.iter().all(|ranked| ranked.value.to_bits() == 0));
}

#[test]
fn entities_are_those_of_the_kind_with_events() {
    let mut builder = SchemaBuilder::new();
    builder.signal("view", EntityKind::Item, DecaySpec::Permanent).add();
    builder.signal("like", EntityKind::Item, DecaySpec::Permanent).add();
    builder.signal("follow", EntityKind::Creator, DecaySpec::Permanent).add();
    let fixture = Fixture::with_schema(builder.build().unwrap());
    let ledger = &fixture.ledger;
    for (seq, (signal, id)) in
        (1..).zip([("view", 9), ("like", 9), ("like", 2), ("follow", 1), ("view", u64::MAX)])
    {
        let event = Event::new(signal, EntityId::new(id), 1.0, Timestamp::MIN);
        ledger.apply(Seq::new(seq), &ledger.schema().accept(&event).unwrap()).unwrap();
    }
    assert_eq!(ledger.entities(EntityKind::Item).unwrap(), [2, 9, u64::MAX].map(EntityId::new));
    assert_eq!(ledger.entities(EntityKind::Creator).unwrap(), [EntityId::new(1)]);
    assert_eq!(ledger.entities(EntityKind::User).unwrap(), []);
    assert_eq!(ledger.cell_count(), 5);
}
