//! The three ways over a world that is made up, whose lists end early and have bounds
//! that are too wide, against sorting everything.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

use super::super::evaluate::Step;
use super::super::function::Function;
use super::super::interval::Interval;
use super::super::number::VALUE_MAX;
use super::*;

/// A leaf of an entity: its value, and by how much its bounds are too wide.
type Known = (f64, f64);

#[derive(Debug, Clone)]
struct World {
    /// By leaf.
    leaves: Vec<BTreeMap<u64, Known>>,
    /// How many entities a list keeps at each end.
    kept: usize,
    /// Which leaves have no lists.
    without_lists: BTreeSet<usize>,
    /// Entities that take part without a leaf.
    quiet: BTreeSet<u64>,
    /// The filter: these, or all but these.
    filter: Option<(BTreeSet<u64>, bool)>,
    /// The values have underflowed, and keys tell them apart.
    is_by_key: bool,
}

impl World {
    fn value(&self, leaf: usize, id: u64) -> Option<Known> {
        self.leaves.get(leaf)?.get(&id).copied()
    }

    fn ids(&self) -> BTreeSet<u64> {
        let met = self.leaves.iter().flat_map(|leaf| leaf.keys().copied());
        met.chain(self.quiet.iter().copied()).collect()
    }

    fn list(&self, leaf: usize, end: End) -> Vec<(f64, u64)> {
        let sign = if end == End::Highest { 1.0 } else { -1.0 };
        let bounds =
            self.leaves[leaf].iter().map(|(id, (value, slack))| (sign * value + slack, *id));
        let mut entries: Vec<(f64, u64)> = bounds.filter(|(bound, _)| *bound > 0.0).collect();
        entries.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        entries.into_iter().map(|(bound, id)| (sign * bound, id)).collect()
    }
}

impl Source for World {
    fn admits(&self, id: EntityId) -> bool {
        self.filter.as_ref().is_none_or(|(ids, others)| ids.contains(&id.get()) != *others)
    }

    fn read(&self, id: EntityId, leaves: &mut [f64]) -> Result<bool> {
        let mut takes_part = self.quiet.contains(&id.get());
        for (number, leaf) in leaves.iter_mut().enumerate() {
            let known = self.value(number, id.get());
            takes_part |= known.is_some();
            *leaf = known.map_or(0.0, |(value, _)| if self.is_by_key { 0.0 } else { value });
        }
        Ok(takes_part)
    }

    fn read_with_key(&self, id: EntityId, leaves: &mut [f64]) -> Result<Option<RankKey>> {
        let key = self.value(0, id.get()).map_or(RankKey::ZERO, |(value, _)| RankKey::plain(value));
        Ok(self.read(id, leaves)?.then_some(key))
    }

    fn is_by_key(&self) -> bool {
        self.is_by_key
    }

    fn lists(&self) -> Vec<List<'_>> {
        let numbers = (0..self.leaves.len()).filter(|leaf| !self.without_lists.contains(leaf));
        let ends = if self.is_by_key { &[End::Highest][..] } else { &[End::Highest, End::Lowest] };
        let list = |leaf, end| {
            let entries = self.list(leaf, end);
            let floor = entries.get(self.kept).map_or(0.0, |entry| entry.0);
            let kept = entries.into_iter().take(self.kept).collect();
            List {
                leaf,
                end,
                absent: 0.0,
                entries: Box::new(Walked { kept, at: 0, floor, ends_at: self }),
            }
        };
        numbers.flat_map(|leaf| ends.iter().map(move |end| list(leaf, *end))).collect()
    }

    fn range(&self, leaf: usize) -> Interval {
        let values =
            self.leaves[leaf].values().flat_map(|(value, slack)| [value - slack, value + slack]);
        let range = Interval::hull(values.chain([0.0]));
        if self.without_lists.contains(&leaf) { range } else { Interval::EVERYTHING }
    }

    fn everyone(&self) -> Ids<'_> {
        Box::new(self.ids().into_iter().map(EntityId::new))
    }

    fn population(&self) -> u64 {
        self.ids().len() as u64
    }

    fn passing(&self) -> Option<(u64, Ids<'_>)> {
        let (ids, others) = self.filter.as_ref()?;
        let passing = || Box::new(ids.iter().copied().map(EntityId::new));
        (!others).then(|| (ids.len() as u64, passing() as Ids<'_>))
    }
}

struct Walked<'a> {
    kept: Vec<(f64, u64)>,
    at: usize,
    floor: f64,
    ends_at: &'a World,
}

impl Entries for Walked<'_> {
    fn next(&mut self) -> Option<EntityId> {
        let next = self.kept.get(self.at)?;
        self.at += 1;
        Some(EntityId::new(next.1))
    }

    fn bound(&self) -> f64 {
        let bound = self.kept.get(self.at).map_or(self.floor, |entry| entry.0);
        if self.ends_at.is_by_key { 0.0 } else { bound }
    }

    fn key_bound(&self) -> Option<RankKey> {
        Some(RankKey::plain(self.kept.get(self.at).map_or(self.floor, |entry| entry.0)))
    }
}

/// Everything, sorted.
fn sorted(world: &World, wanted: &Wanted<'_>) -> Vec<(u64, u64)> {
    let mut all = Vec::new();
    let mut stack = Stack::default();
    for id in world.ids().into_iter().map(EntityId::new) {
        let mut leaves = vec![0.0; wanted.leaves];
        let takes_part = world.read(id, &mut leaves).unwrap();
        if takes_part && world.admits(id) && !wanted.shown.contains(&id) {
            let value = wanted.program.value(&leaves, (wanted.seed, id), &mut stack);
            let hidden = world.value(0, id.get()).map_or(0.0, |known| known.0);
            all.push((if world.is_by_key { hidden } else { value }, id.get(), value));
        }
    }
    all.sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap().then(a.1.cmp(&b.1)));
    all.truncate(wanted.limit);
    all.into_iter().map(|(_, id, value)| (id, value.to_bits())).collect()
}

fn found(world: &World, wanted: &Wanted<'_>) -> (Vec<(u64, u64)>, RankStatistics) {
    let found = find(world, wanted).unwrap();
    let best = found.best.iter().map(|place| (place.id.get(), place.value.to_bits()));
    (best.collect(), found.statistics)
}

fn program(steps: &[Step]) -> Program {
    let mut program = Program::default();
    steps.iter().for_each(|step| program.push(*step));
    program
}

/// The steps of any expression over so many leaves.
pub(in super::super) fn steps(leaves: usize) -> impl Strategy<Value = Vec<Step>> {
    let number = prop_oneof![-3.0..3.0_f64, Just(0.0), Just(1.0), Just(VALUE_MAX)];
    let one = prop_oneof![
        4 => (0..leaves).prop_map(|leaf| vec![Step::Leaf(leaf)]),
        1 => number.prop_map(|number| vec![Step::Number(number)]),
    ];
    one.prop_recursive(5, 24, 2, |part| {
        let binary = prop_oneof![
            4 => Just(Step::Add),
            2 => Just(Step::Sub),
            2 => Just(Step::Mul),
            1 => Just(Step::Div),
        ];
        let call = (prop::sample::select(Function::ALL), vec(part.clone(), 8));
        prop_oneof![
            1 => part.clone().prop_map(|part| [part, vec![Step::Neg]].concat()),
            6 => (part.clone(), part, binary).prop_map(|(a, b, step)| [a, b, vec![step]].concat()),
            1 => call.prop_map(|(function, parts)| {
                let arguments = *function.arity().start();
                let call = Step::Call { function, arguments, call: 0 };
                [parts.into_iter().take(arguments).flatten().collect(), vec![call]].concat()
            }),
        ]
    })
}

prop_compose! {
    fn worlds()(leaves in 1..4_usize)(
        leaves in vec(
            btree_map(0..50_u64, (-4..6_i32, prop_oneof![3 => Just(0), 1 => 1..3_i32]), 0..40),
            leaves,
        ),
        kept in prop_oneof![0..6_usize, Just(1000)],
        without_lists in btree_set(0..3_usize, 0..2),
        quiet in prop_oneof![3 => Just(BTreeSet::new()), 1 => btree_set(0..60_u64, 0..10)],
        filter in prop::option::of((btree_set(0..50_u64, 0..30), any::<bool>())),
        is_by_key in prop::bool::weighted(0.2),
    ) -> World {
        let known = |(value, slack): (i32, i32)| (f64::from(value), f64::from(slack));
        let values = |leaf: BTreeMap<u64, _>| leaf.into_iter().map(|(id, of)| (id, known(of))).collect();
        let mut leaves: Vec<BTreeMap<u64, Known>> = leaves.into_iter().map(values).collect();
        let mut without_lists = without_lists;
        if is_by_key {
            // Keys are exact, and there is one leaf.
            leaves.truncate(1);
            without_lists.clear();
            leaves[0].values_mut().for_each(|known| known.1 = 0.0);
        }
        World { leaves, kept, without_lists, quiet, filter, is_by_key }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Q1, Q3, T1, T2: G106.
    #[test]
    fn every_way_finds_what_sorting_finds(
        (world, steps) in worlds().prop_flat_map(|world| {
            let steps = if world.is_by_key {
                Just(vec![Step::Leaf(0)]).boxed()
            } else {
                steps(world.leaves.len()).boxed()
            };
            (Just(world), steps)
        }),
        limit in 0..12_usize,
        shown in btree_set(0..50_u64, 0..10),
    ) {
        let program = program(&steps);
        let shown: Vec<EntityId> = shown.into_iter().map(EntityId::new).collect();
        let leaves = world.leaves.len();
        let wanted =
            Wanted { program: &program, leaves, seed: 7, limit, shown: &shown, method: None };
        let expected = sorted(&world, &wanted);
        let methods = [None, Some(Method::Threshold), Some(Method::Candidates), Some(Method::Scan)];
        for method in methods {
            let (found, _) = found(&world, &Wanted { method, ..wanted });
            prop_assert_eq!(&found, &expected, "by {:?}", method);
        }
    }
}

fn mixture() -> Program {
    let of = |leaf, weight| [Step::Leaf(leaf), Step::Number(weight), Step::Mul];
    program(&[&of(0, 3.0)[..], &of(1, 1.0), &[Step::Add], &of(2, 10.0), &[Step::Sub]].concat())
}

/// A world of many entities whose leaves fall quickly.
fn large(count: u64) -> World {
    let leaf = |factor: u64| {
        let value = |id: u64| 1e6 / ((id * factor % count) as f64 + 1.0);
        (0..count).map(|id| (id, (value(id), 0.0))).collect()
    };
    World {
        leaves: vec![leaf(7919), leaf(104_729), leaf(1_299_709)],
        kept: usize::MAX,
        without_lists: BTreeSet::new(),
        quiet: BTreeSet::new(),
        filter: None,
        is_by_key: false,
    }
}

/// G107
#[test]
fn a_mixture_of_many_is_found_by_looking_at_few() {
    let (world, program) = (large(20_000), mixture());
    let wanted =
        Wanted { program: &program, leaves: 3, seed: 0, limit: 100, shown: &[], method: None };
    let (best, statistics) = found(&world, &wanted);
    assert_eq!(best, sorted(&world, &wanted));
    assert_eq!(statistics.method, Method::Threshold);
    assert!(statistics.looked_at < 2_000, "{statistics:?}");
    assert!(statistics.evaluated <= statistics.looked_at);
    assert_eq!(statistics.passing, None);
}

/// T2: a thousand equal ones do not make a scan.
#[test]
fn of_equal_ones_the_first_few_are_looked_at() {
    let mut world = large(0);
    world.leaves = vec![(0..5_000).map(|id| (id, (0.0, 0.0))).collect()];
    let program = program(&[Step::Leaf(0)]);
    let wanted =
        Wanted { program: &program, leaves: 1, seed: 0, limit: 10, shown: &[], method: None };
    let (best, statistics) = found(&world, &wanted);
    assert_eq!(best.iter().map(|place| place.0).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    assert_eq!((statistics.method, statistics.looked_at), (Method::Threshold, 10));
}

#[test]
fn a_small_filter_makes_candidates_and_a_large_one_does_not() {
    let (mut world, program) = (large(20_000), mixture());
    let wanted =
        Wanted { program: &program, leaves: 3, seed: 0, limit: 20, shown: &[], method: None };
    for (every, method) in [(1_000, Method::Candidates), (2, Method::Threshold)] {
        let ids: BTreeSet<u64> = (0..20_000).step_by(every).collect();
        let passing = Some(ids.len() as u64);
        world.filter = Some((ids, false));
        let (best, statistics) = found(&world, &wanted);
        assert_eq!(best, sorted(&world, &wanted));
        assert_eq!((statistics.method, statistics.passing), (method, passing));
    }
}
