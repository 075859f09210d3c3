//! Choosing against straightforward choosing of everything.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use super::*;

const CREATOR: AttributeId = AttributeId::new(0);
const TAGS: AttributeId = AttributeId::new(1);

/// Entities in the order of their values, and their attributes.
#[derive(Debug, Clone)]
struct World {
    ranked: Vec<Ranked>,
    creators: BTreeMap<EntityId, Vec<u64>>,
    tags: BTreeMap<EntityId, Vec<u64>>,
}

impl World {
    fn of(entities: &[(i32, Option<u64>, BTreeSet<u64>)]) -> Self {
        let id = |at: usize| EntityId::new(at as u64 * 3 % 101);
        let mut world =
            Self { ranked: Vec::new(), creators: BTreeMap::new(), tags: BTreeMap::new() };
        for (at, (value, creator, tags)) in entities.iter().enumerate() {
            world.ranked.push(Ranked { rank: 0, id: id(at), value: f64::from(*value) });
            world.creators.insert(id(at), creator.iter().copied().collect());
            world.tags.insert(id(at), tags.iter().copied().collect());
        }
        world.ranked.sort_by(|a, b| b.value.total_cmp(&a.value).then(a.id.cmp(&b.id)));
        world
    }

    fn groups(&self, attribute: AttributeId, id: EntityId) -> Vec<u64> {
        let of = if attribute == CREATOR { &self.creators } else { &self.tags };
        of.get(&id).cloned().unwrap_or_default()
    }

    fn choose(&self, rules: Rules<'_>, limit: usize, shown: &[EntityId]) -> Chosen {
        let groups = |attribute, id| self.groups(attribute, id);
        let left: Vec<Ranked> =
            self.ranked.iter().filter(|one| !shown.contains(&one.id)).copied().collect();
        let fetch = |count: usize| Ok(left.iter().take(count).copied().collect());
        choose(rules, limit, shown, &groups, fetch).unwrap()
    }

    /// How many of these have the value.
    fn with(&self, attribute: AttributeId, value: u64, ids: &[EntityId]) -> usize {
        ids.iter().filter(|id| self.groups(attribute, **id).contains(&value)).count()
    }

    fn most(&self, attribute: AttributeId, id: EntityId, ids: &[EntityId]) -> usize {
        let groups = self.groups(attribute, id);
        groups.iter().map(|value| self.with(attribute, *value, ids)).max().unwrap_or(0)
    }

    /// The same without a spread, by looking at everything again for each place.
    fn naive(&self, rules: Rules<'_>, limit: usize, shown: &[EntityId]) -> Vec<Place> {
        let mut before = shown.to_vec();
        let mut page: Vec<Place> = Vec::new();
        while page.len() < limit {
            let mut best: Option<(f64, Place)> = None;
            for one in self.ranked.iter().filter(|one| !before.contains(&one.id)) {
                let fits = |cap: &(AttributeId, usize)| self.most(cap.0, one.id, &before) < cap.1;
                if !rules.caps.iter().all(fits) {
                    continue;
                }
                let discount =
                    rules.discount.filter(|_| one.value > 0.0).map_or(1.0, |(of, by)| {
                        let power = (0..self.most(of, one.id, &before))
                            .fold(1.0, |power, _| power * by.factor);
                        (1.0 - by.floor) * power + by.floor
                    });
                let value = one.value * discount;
                if best.is_none_or(|(highest, place)| {
                    value > highest
                        || value == highest && one.id < place.id && rules.discount.is_some()
                }) {
                    best = Some((value, Place { id: one.id, value: one.value, discount }));
                }
            }
            let Some((_, place)) = best else { break };
            before.push(place.id);
            page.push(place);
        }
        page
    }
}

fn ids(places: &[Place]) -> Vec<EntityId> {
    places.iter().map(|place| place.id).collect()
}

prop_compose! {
    fn worlds()(
        entities in vec((-5..40_i32, prop::option::weighted(0.8, 0..6_u64), btree_set(0..5_u64, 0..3)), 0..60),
    ) -> World {
        World::of(&entities)
    }
}

fn discounts() -> impl Strategy<Value = Discount> {
    let share = prop_oneof![Just(0.0), Just(0.5), Just(1.0), 0.0..1.0_f64];
    (share.clone(), share).prop_map(|(factor, floor)| Discount {
        attribute: "creator".into(),
        factor,
        floor,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// V1, V2, V4: G108, G109.
    #[test]
    fn pages_are_what_choosing_one_by_one_gives(
        world in worlds(),
        creators in prop::option::of(1..4_usize),
        tags in prop::option::of(1..4_usize),
        discount in prop::option::of(discounts()),
        limit in 1..9_usize,
    ) {
        let caps: Vec<_> = [(CREATOR, creators), (TAGS, tags)].into_iter()
            .filter_map(|(attribute, max)| Some((attribute, max?))).collect();
        let discount = discount.as_ref().map(|discount| (CREATOR, discount));
        let rules = Rules { caps: &caps, discount, spread: None };
        let everything = world.naive(rules, usize::MAX, &[]);
        let (mut shown, mut all): (Vec<EntityId>, Vec<Place>) = (Vec::new(), Vec::new());
        loop {
            let page = world.choose(rules, limit, &shown);
            all.extend(&page.places);
            shown.extend(ids(&page.places));
            prop_assert_eq!(page.has_more, all.len() < everything.len());
            if !page.has_more {
                break;
            }
            prop_assert_eq!(page.places.len(), limit);
        }
        prop_assert_eq!(all, everything);
    }

    /// V3: G110.
    #[test]
    fn a_page_has_as_many_values_as_are_asked_for_and_to_be_had(
        world in worlds(),
        cap in prop::option::of(1..4_usize),
        min in 1..6_usize,
        limit in 1..9_usize,
    ) {
        let caps: Vec<_> = cap.into_iter().map(|max| (TAGS, max)).collect();
        let plain = Rules { caps: &caps, ..Rules::default() };
        let rules = Rules { spread: Some((CREATOR, min)), ..plain };
        let different = |ids: &[EntityId]| {
            let groups = ids.iter().flat_map(|id| world.groups(CREATOR, *id));
            groups.collect::<BTreeSet<u64>>().len()
        };
        let page = ids(&world.choose(rules, limit, &[]).places);
        let without = ids(&world.naive(plain, limit, &[]));
        prop_assert_eq!(page.len(), without.len());
        if caps.is_empty() {
            let all: Vec<EntityId> = world.ranked.iter().map(|one| one.id).collect();
            prop_assert!(different(&page) >= different(&all).min(min).min(page.len()));
        } else {
            prop_assert!(different(&page) >= different(&without).min(min));
            for place in &page {
                prop_assert!(world.most(TAGS, *place, &page) <= cap.unwrap_or(usize::MAX));
            }
        }
        if different(&without) >= min.min(limit) {
            prop_assert_eq!(page, without);
        } else {
            // The first of each creator stay where they are.
            let mut known = BTreeSet::new();
            for id in without {
                let is_first = world.groups(CREATOR, id).iter().any(|value| known.insert(*value));
                prop_assert!(!is_first || page.contains(&id));
            }
        }
    }
}

#[test]
fn what_a_spread_replaces_leads_the_next_page() {
    let entities = [(9, 1), (8, 1), (7, 1), (6, 2), (5, 3)];
    let world =
        World::of(&entities.map(|(value, creator)| (value, Some(creator), BTreeSet::new())));
    let rules = Rules { spread: Some((CREATOR, 2)), ..Rules::default() };
    let page = world.choose(rules, 3, &[]);
    let values = |page: &Chosen| page.places.iter().map(|place| place.value).collect::<Vec<_>>();
    assert_eq!((values(&page), page.has_more), (vec![9.0, 8.0, 6.0], true));
    let next = world.choose(rules, 3, &ids(&page.places));
    assert_eq!((values(&next), next.has_more), (vec![7.0, 5.0], false));
}

/// G110: the last of the page that could be spared is not always the one that a cap asks for.
#[test]
fn a_spread_replaces_the_one_that_leaves_room_under_the_caps() {
    let entities = [(9, 1, 10), (8, 1, 20), (7, 1, 30), (6, 2, 20)];
    let world = World::of(
        &entities.map(|(value, creator, tag)| (value, Some(creator), BTreeSet::from([tag]))),
    );
    let caps = [(TAGS, 1)];
    let rules = Rules { caps: &caps, spread: Some((CREATOR, 2)), ..Rules::default() };
    let page = world.choose(rules, 3, &[]);
    let values = page.places.iter().map(|place| place.value).collect::<Vec<_>>();
    assert_eq!((values, page.has_more), (vec![9.0, 7.0, 6.0], false));
}
