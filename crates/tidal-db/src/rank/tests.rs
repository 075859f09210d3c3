//! Rankings of whole databases, by every way, against evaluating every entity by what the
//! reads of the database say.

mod beside;
mod paging;
mod world;

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use tidal_types::{EntityId, Timestamp};

use self::world::{ITEMS, USER, World, expressions, filters, steps};
use super::*;
use crate::TidalDB;

const METHODS: [Option<Method>; 4] =
    [None, Some(Method::Threshold), Some(Method::Candidates), Some(Method::Scan)];

/// The places of a page, to the bit.
fn places(page: &Page) -> Vec<(u64, u64)> {
    page.entries.iter().map(|entry| (entry.id.get(), entry.value.to_bits())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// G106: Q1, Q2, Q3, over ties, negative weights, late events, what was forgotten, and
    /// entities that have attributes and no events.
    #[test]
    fn every_way_gives_what_evaluating_everyone_gives(
        before in vec(steps(), 0..60),
        meanwhile in vec(steps(), 0..12),
        queries in vec((expressions(), prop::option::of(filters()), any::<bool>(), 1..9_usize), 4),
        unseen in any::<bool>(),
        later in prop_oneof![Just(0), 0..200_000_u64, Just(1 << 33)],
    ) {
        let mut world = World::new();
        for steps in [&before, &meanwhile] {
            steps.iter().for_each(|step| world.take(step));
            let at = Timestamp::from_secs(world.newest_secs() + later);
            for (by, filter, including_quiet, limit) in &queries {
                let mut query = Query::items().by(by.clone()).at(at).limit(*limit).for_user(USER).seed(5);
                query.filter.clone_from(filter);
                query.including_quiet = *including_quiet;
                if unseen {
                    query = query.unseen_by("like");
                }
                let all = world.ranked(&query, at);
                let expected: Vec<_> = all.iter().take(*limit).copied().collect();
                for method in METHODS {
                    let page = world.db.rank_by(&query, method).unwrap();
                    prop_assert_eq!(places(&page), expected.clone(), "{:?} of {:?}", method, &query);
                    prop_assert_eq!(page.cursor.is_some(), all.len() > *limit);
                    prop_assert!(page.entries.iter().all(|entry| entry.value.is_finite()));
                }
            }
        }
    }
}

/// G107
#[test]
fn a_mixture_of_three_signals_looks_at_few_of_many() {
    let mut world = World::new();
    let mut random = 1_u64;
    let mut events = Vec::new();
    for id in 0..8_000_u64 {
        for signal in ["like", "view", "report"] {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // Few have much, as it is with people.
            let weight = 1.0 / ((random >> 40) as f64 / (1 << 24) as f64 + 1e-3);
            events.push((signal, id, weight, (random >> 20) % 50_000));
        }
    }
    world.write(&events);
    let by = 3.0 * score("like") + score("view") - 0.1 * score("report");
    let at = Timestamp::from_secs(world.newest_secs());
    let query = Query::items().by(by).limit(100).at(at);
    let page = world.db.rank(&query).unwrap();
    let scan = world.db.rank_by(&query, Some(Method::Scan)).unwrap();
    assert_eq!(places(&page), places(&scan));
    assert_eq!(scan.statistics.evaluated, 8_000);
    assert_eq!(page.statistics.method, Method::Threshold);
    assert!(page.statistics.looked_at < 800, "{:?}", page.statistics);
}

/// Q3: scores that have underflowed still have an order.
#[test]
fn one_score_ranks_by_its_key() {
    let mut world = World::new();
    world.write(&[
        ("like", 3, 1.0, 10),
        ("like", 1, 2.0, 10),
        ("like", 2, -1.0, 10),
        ("view", 9, 1.0, 10),
    ]);
    let at = Timestamp::from_secs(1 << 33);
    for by in [score("like"), rate("like"), 3.0 * score("like"), score("like") / 7.0 * 2.0] {
        for method in METHODS {
            let query = Query::items().by(by.clone()).at(at);
            let page = world.db.rank_by(&query, method).unwrap();
            assert_eq!(places(&page), [(1, 0), (3, 0), (2, 0)], "{by} by {method:?}");
        }
    }
    let discounted = Query::items().by(score("like")).at(at).discount("creator", 0.5, 0.0);
    assert_eq!(places(&world.db.rank(&discounted).unwrap()), [(1, 0), (2, 0), (3, 0)]);
}

/// G112
#[test]
fn a_place_is_explained() {
    let mut world = World::new();
    world.write(&[("like", 3, 2.0, 10), ("view", 3, 1.0, 10), ("perm", 3, 4.0, 10)]);
    world.describe(3, Some("en"), Some(8.0), Some(9), &["new"]);
    world.describe(4, Some("en"), Some(7.0), Some(9), &[]);
    let by = 3.0 * (score("perm") - 2.0 * score("perm"))
        + count("view", crate::Window::OneHour) * attribute("price").value()
        + 1.0;
    let filter = attribute("language").equals("en").and(!attribute("price").less_than(7.5));
    let at = Timestamp::from_secs(world.newest_secs());
    let query = Query::items().by(by).filter(filter).at(at).explained();
    let page = world.db.rank(&query).unwrap();
    let [entry] = page.entries.as_slice() else { panic!("{page:?}") };
    let explanation = entry.explanation.as_ref().unwrap();
    let terms: Vec<_> = explanation
        .terms
        .iter()
        .map(|term| (term.term.as_str(), term.raw, term.weight, term.contribution))
        .collect();
    assert_eq!(
        terms,
        [
            ("score(perm)", 4.0, 3.0, 12.0),
            ("score(perm)", 4.0, -6.0, -24.0),
            ("count(view, 1h) * price", 8.0, 1.0, 8.0),
            ("1", 1.0, 1.0, 1.0),
        ]
    );
    let input = |name: &str, value| ExplainedInput { name: name.into(), value };
    assert_eq!(explanation.terms[2].inputs, [input("count(view, 1h)", 1.0), input("price", 8.0)]);
    assert_eq!((explanation.value, explanation.discount, entry.value), (-3.0, 1.0, -3.0));
    assert_eq!(explanation.passed, ["language = 'en'", "not price < 7.5"]);
    let plain = world.db.rank(&Query { explain: false, ..query }).unwrap();
    assert_eq!(plain.entries[0].explanation, None);
}

#[test]
fn what_was_forgotten_is_nowhere_and_a_forgotten_user_did_nothing() {
    let mut world = World::new();
    world.write(&[("like", 3, 2.0, 10), ("like", 4, 1.0, 10)]);
    world.describe(3, Some("en"), None, None, &[]);
    world.describe(5, Some("en"), None, None, &[]);
    let query = Query::items().by(score("like")).including_quiet().for_user(USER).unseen_by("like");
    let ids = |db: &TidalDB| {
        db.rank(&query).unwrap().entries.iter().map(|entry| entry.id.get()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&world.db), [3, 4, 5]);
    world.forget(3);
    assert_eq!(ids(&world.db), [4, 5]);
    world.db.forget(crate::EntityKind::User, USER).unwrap();
    assert_eq!(ids(&world.db), [4, 5]);
}

#[test]
fn the_past_is_refused_and_so_is_a_closed_database() {
    let mut world = World::new();
    world.write(&[("like", 3, 2.0, 10)]);
    let query = Query::items().by(score("like"));
    let early = query.clone().at(Timestamp::from_secs(world.newest_secs() - 1));
    let refused = world.db.rank(&early).unwrap_err();
    assert!(matches!(refused, tidal_types::TidalError::BeforeNewest { .. }), "{refused}");
    world.db.shutdown().unwrap();
    let refused = world.db.rank(&query).unwrap_err();
    assert!(matches!(refused, tidal_types::TidalError::Closed), "{refused}");
}

/// Every item is one of those that the world knows.
#[test]
fn nobody_else_takes_part() {
    let mut world = World::new();
    world.write(&[("like", 3, 2.0, 10), ("view", 4, 2.0, 10)]);
    world.describe(5, None, Some(1.0), None, &[]);
    let of = |query: &Query| -> BTreeSet<u64> {
        world.db.rank(query).unwrap().entries.iter().map(|entry| entry.id.get()).collect()
    };
    let nothing = BTreeSet::new();
    assert_eq!(of(&Query::items()), nothing);
    assert_eq!(of(&Query::items().including_quiet()), [5].into());
    assert_eq!(of(&Query::items().by(score("like") - score("view"))), [3, 4].into());
    assert_eq!(of(&Query::items().by(attribute("price").value())), [5].into());
    assert_eq!(of(&Query::items().by(attribute("posted").age())), nothing);
    assert!(ITEMS > 5 && EntityId::new(5) < EntityId::new(ITEMS));
}
