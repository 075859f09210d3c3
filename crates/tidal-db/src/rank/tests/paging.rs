//! Pages that follow each other.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use tidal_types::{QueryError, TidalError, Timestamp};

use super::super::*;
use super::world::{World, steps};

fn ids(page: &Page) -> Vec<u64> {
    page.entries.iter().map(|entry| entry.id.get()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// G111: while events arrive, pages repeat nobody, and who stands still is on one of
    /// them.
    #[test]
    fn pages_repeat_nobody_and_pass_over_nobody_who_stands_still(
        before in vec(steps(), 0..60),
        between in vec(vec(steps(), 0..8), 12),
        limit in 1..6_usize,
    ) {
        let mut world = World::new();
        before.iter().for_each(|step| world.take(step));
        let by = score("perm") + score("like") - 2.0 * score("view");
        let query = Query::items().by(by).limit(limit);
        let taking_part = |world: &World| {
            let at = Timestamp::from_secs(world.newest_secs() + 10_000_000);
            let ranked = world.ranked(&query, at);
            ranked.into_iter().map(|(id, _)| id).collect::<BTreeSet<u64>>()
        };
        let mut still = taking_part(&world);
        let mut shown: Vec<u64> = Vec::new();
        let mut between = between.into_iter();
        let mut next = Some(query.clone());
        while let Some(asked) = next.take() {
            let page = world.db.rank(&asked).unwrap();
            for (entry, rank) in page.entries.iter().zip(shown.len() + 1..) {
                prop_assert_eq!(entry.rank, rank);
            }
            shown.extend(ids(&page));
            next = page.cursor.map(|cursor| query.clone().after(cursor));
            if next.is_some() {
                for step in between.next().into_iter().flatten() {
                    world.take(&step);
                    still.remove(&step.id());
                }
            }
        }
        let different: BTreeSet<u64> = shown.iter().copied().collect();
        prop_assert_eq!(different.len(), shown.len());
        prop_assert!(still.is_subset(&different), "{:?} of {:?}", still, shown);
    }

    /// Pages of a database that stands still are the ranking cut in pieces.
    #[test]
    fn pages_are_the_ranking_in_pieces(before in vec(steps(), 0..60), limit in 1..6_usize) {
        let mut world = World::new();
        before.iter().for_each(|step| world.take(step));
        let at = Timestamp::from_secs(world.newest_secs());
        let query = Query::items().by(score("perm") + score("like")).including_quiet().at(at);
        let all = ids(&world.db.rank(&query.clone().limit(100)).unwrap());
        let mut pages: Vec<u64> = Vec::new();
        let mut next = Some(query.clone().limit(limit));
        while let Some(asked) = next.take() {
            let page = world.db.rank(&asked).unwrap();
            pages.extend(ids(&page));
            next = page.cursor.map(|cursor| query.clone().limit(limit).after(cursor));
        }
        prop_assert_eq!(pages, all);
    }

    /// G108
    #[test]
    fn caps_hold_over_all_pages(
        before in vec(steps(), 0..80),
        creators in 1..3_usize,
        tags in 1..4_usize,
        limit in 1..6_usize,
    ) {
        let mut world = World::new();
        before.iter().for_each(|step| world.take(step));
        let query = Query::items().by(score("perm") + score("like")).including_quiet()
            .at_most(creators, "creator").at_most(tags, "tags").limit(limit);
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut next = Some(query.clone());
        while let Some(asked) = next.take() {
            let page = world.db.rank(&asked).unwrap();
            for id in ids(&page) {
                for attribute in ["creator", "tags"] {
                    for group in world.groups(attribute, id) {
                        *counts.entry(format!("{attribute} {group}")).or_default() += 1;
                    }
                }
            }
            next = page.cursor.map(|cursor| query.clone().after(cursor));
        }
        for (group, count) in counts {
            let max = if group.starts_with("creator") { creators } else { tags };
            prop_assert!(count <= max, "{} has {}", group, count);
        }
    }
}

#[test]
fn a_cursor_of_another_query_is_refused() {
    let mut world = World::new();
    world.write(&[("like", 1, 1.0, 5), ("like", 2, 2.0, 5)]);
    let query = Query::items().by(score("like")).limit(1);
    let cursor = world.db.rank(&query).unwrap().cursor.unwrap();
    assert_eq!(ids(&world.db.rank(&query.clone().after(&*cursor)).unwrap()), [1]);
    for other in [query.clone().by(score("view")).after(&*cursor), query.clone().after("nonsense")]
    {
        let refused = world.db.rank(&other).unwrap_err();
        assert!(matches!(refused, TidalError::Query(QueryError::Cursor { .. })), "{refused}");
    }
}

#[test]
fn pages_reach_only_so_far() {
    let mut world = World::new();
    let events: Vec<_> = (0..10_001).map(|id| ("perm", id, 1.0, 5)).collect();
    world.write(&events);
    let query = Query::items().by(score("perm")).limit(LIMIT_MAX);
    let page = world.db.rank(&query).unwrap();
    assert_eq!(ids(&page), (0..10_000).collect::<Vec<_>>());
    let refused = world.db.rank(&query.after(page.cursor.unwrap()).limit(1)).unwrap_err();
    let expected = "the last place of the page is 10001, and must be at most 10000";
    assert_eq!(refused.to_string(), expected);
}
