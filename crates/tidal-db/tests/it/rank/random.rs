//! Ten thousand questions, drawn at random, of databases to which random things happen,
//! against everyone evaluated and sorted.
//!
//! A seed stands for a case that proptest draws from it: a schema, and steps with questions
//! between them. When a case fails, proptest leaves out steps and questions as long as it
//! fails, and shows the rest. The seed is printed and comes to the same:
//!
//! ```text
//! TIDAL_SIM_SEED=123 cargo test -p tidal-db --test it rank::random -- --nocapture
//! ```
//!
//! `TIDAL_SIM_SEEDS=1000` beside it tries so many from there on.

use std::cell::RefCell;
use std::env;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};
use tidal_db::{Method, Page, Timestamp};

use super::draw::Draw;
use super::expected::{Expected, Place};
use super::naive::Naive;
use super::schemas::{CREATOR, ITEM, drawn};
use super::step::Step;
use super::tally::Tally;
use super::world::{Setting, World};
use crate::life::Random;

/// So many questions are asked in a test run, or a few more.
const QUESTIONS: u64 = 10_000;

/// So many of them are about the same time, so that what is read for one serves the others.
const AT_ONCE: usize = 4;

/// A case: what is drawn from a seed, but for what follows from the seeds in it.
#[derive(Debug, Clone)]
struct Case {
    schema: u64,
    entities: u64,
    is_scattered: bool,
    span: u64,
    budget: Option<u64>,
    checkpoint_every: u64,
    rounds: Vec<Round>,
}

/// Steps, and the seeds of questions behind them.
#[derive(Debug, Clone)]
struct Round {
    steps: Vec<Step>,
    questions: Vec<u64>,
}

fn seed() -> impl Strategy<Value = u64> {
    any::<u64>().no_shrink()
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (seed(), 1..120_u64).prop_map(|(seed, count)| Step::Events { seed, count }),
        4 => (seed(), 1..40_u64).prop_map(|(seed, count)| Step::Attributes { seed, count }),
        2 => seed().prop_map(|seed| Step::Forget { seed }),
        1 => Just(Step::Checkpoint),
        1 => (seed(), 0..4_usize).prop_map(|(seed, commits)| Step::Interrupted { seed, commits }),
        1 => seed().prop_map(|seed| Step::Crash { seed }),
        1 => Just(Step::Reopen),
        1 => seed().prop_map(|seed| Step::Wait { seed }),
    ]
}

fn round() -> impl Strategy<Value = Round> {
    (vec(step(), 1..6), vec(seed(), 1..16))
        .prop_map(|(steps, questions)| Round { steps, questions })
}

fn case() -> impl Strategy<Value = Case> {
    // Most have few entities, and so many ties; some have more than an answer looks at.
    let entities = prop_oneof![
        4 => 1..6_u64,
        8 => 6..60_u64,
        3 => 60..500_u64,
        1 => 2000..5000_u64,
    ];
    let span = prop_oneof![Just(0), Just(600_u64), Just(86_400), Just(100 * 86_400)];
    let budget = prop_oneof![3 => Just(None), 1 => Just(Some(0)), 1 => Just(Some(100_000_u64))];
    let every = prop_oneof![3 => Just(u64::MAX), 1 => Just(50_u64)];
    (seed(), entities, any::<bool>(), span, budget, every, vec(round(), 1..6)).prop_map(
        |(schema, entities, is_scattered, span, budget, checkpoint_every, rounds)| Case {
            schema,
            entities,
            is_scattered,
            span,
            budget,
            checkpoint_every,
            rounds,
        },
    )
}

impl Case {
    fn run(&self) -> Tally {
        let mut world = World::new(Setting {
            schema: drawn(&mut Random(self.schema | 1)),
            budget: self.budget,
            checkpoint_every: self.checkpoint_every,
            entities: self.entities,
            is_scattered: self.is_scattered,
            span: self.span,
        });
        let mut tally = Tally::default();
        // Where there are many entities, most of them are something from the start.
        let many = Step::Events { seed: self.schema, count: 2 * self.entities };
        let described = Step::Attributes { seed: self.schema, count: self.entities };
        for step in [many, described] {
            step.take(&mut world);
        }
        for round in &self.rounds {
            for step in &round.steps {
                let evictions = world.db().stats().unwrap().resident.evictions;
                tally.short_of_memory += u64::from(evictions > 0);
                step.take(&mut world);
                *tally.steps.entry(name(*step)).or_default() += 1;
            }
            for questions in round.questions.chunks(AT_ONCE) {
                answer(&world, questions, &mut tally);
            }
        }
        tally.cut_short += world.cut_short;
        tally
    }
}

const fn name(step: Step) -> &'static str {
    match step {
        Step::Events { .. } => "events",
        Step::Attributes { .. } => "attributes",
        Step::Forget { .. } => "forget",
        Step::Checkpoint => "checkpoint",
        Step::Interrupted { .. } => "interrupted",
        Step::Crash { .. } => "crash",
        Step::Reopen => "reopen",
        Step::Wait { .. } => "wait",
    }
}

/// Asks questions about one time, of items or of creators, and compares the answers.
fn answer(world: &World, questions: &[u64], tally: &mut Tally) {
    for kind in [ITEM, CREATOR] {
        let entities = world.db().entities(kind).unwrap();
        assert!(entities.iter().eq(&world.model.active(kind)), "entities of kind {kind}");
    }
    let mut first = Draw::new(world, questions[0]);
    let (kind, at) = (if first.random.below(8) == 0 { CREATOR } else { ITEM }, first.time());
    let time = at.unwrap_or_else(|| world.db().now());
    let mut naive = Naive::new(world, kind, time);
    for &question in questions {
        ask(world, &mut naive, Draw::new(world, question), at, tally);
    }
}

fn ask(
    world: &World,
    naive: &mut Naive<'_>,
    mut draw: Draw<'_>,
    at: Option<Timestamp>,
    tally: &mut Tally,
) {
    let asked = draw.asked(naive.kind(), at);
    let query = asked.query();
    let limit = [1, 3, 10, 50, 300][draw.random.below(5) as usize];
    // A long page at once, and the same in parts.
    let mut whole = Expected::new(naive, &asked);
    let mut parts = Expected::new(naive, &asked);
    let context = || format!("{}\n{asked:#?}", asked.by);
    let long = world.db().rank(&query.clone().limit(limit)).unwrap();
    compare(&long, &whole.page(limit), 0, &context);
    assert_eq!(long.cursor.is_none(), whole.is_over(), "whether there is more: {}", context());
    assert_eq!(long.at, at.unwrap_or_else(|| world.db().now()));

    let mut shown = Vec::new();
    let mut page = world.db().rank(&query.clone().limit(limit.div_ceil(3))).unwrap();
    for _ in 0..3 {
        compare(&page, &parts.page(limit.div_ceil(3)), shown.len(), &context);
        shown.extend(places(&page));
        let Some(cursor) = page.cursor else { break };
        tally.further_pages += 1;
        let next = query.clone().limit(limit.div_ceil(3)).after(cursor);
        page = world.db().rank(&next).unwrap();
    }
    if asked.spread.is_none() {
        let together = shown.len().min(long.entries.len());
        assert_eq!(shown[..together], places(&long)[..together], "pages: {}", context());
    }

    tally.questions += 1;
    tally.places += long.entries.len() as u64;
    tally.filtered += u64::from(asked.filter.is_some());
    let is_tie = |pair: &[tidal_db::RankedEntity]| pair[0].value == pair[1].value;
    tally.ties += long.entries.windows(2).filter(|pair| is_tie(pair)).count() as u64;
    let method = match long.statistics.method {
        Method::Threshold => "threshold",
        Method::Candidates => "candidates",
        Method::Scan => "scan",
    };
    *tally.methods.entry(method).or_default() += 1;
}

fn places(page: &Page) -> Vec<Place> {
    page.entries.iter().map(|entry| (entry.id, entry.value.to_bits())).collect()
}

/// The same entities in the same order, with the same bits; ranks go on over pages.
fn compare(page: &Page, expected: &[Place], before: usize, context: &dyn Fn() -> String) {
    let places = places(page);
    let values = |places: &[Place]| -> Vec<(u64, f64)> {
        places.iter().map(|(id, bits)| (id.get(), f64::from_bits(*bits))).collect()
    };
    assert!(
        places == expected,
        "{:?}\nis not\n{:?}\nby {}\n{:?}",
        values(&places),
        values(expected),
        context(),
        page.statistics
    );
    let ranks = page.entries.iter().map(|entry| entry.rank);
    assert!(ranks.eq(before + 1..=before + places.len()), "ranks: {}", context());
}

fn run(seed: u64) -> Tally {
    let config = ProptestConfig {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: 1000,
        ..ProptestConfig::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let tally = RefCell::default();
    let outcome = TestRunner::new_with_rng(config, rng).run(&case(), |case| {
        *tally.borrow_mut() = case.run();
        Ok(())
    });
    match outcome {
        Ok(()) => tally.into_inner(),
        Err(TestError::Abort(reason)) => panic!("seed {seed} was not tried: {reason}"),
        Err(TestError::Fail(reason, case)) => panic!(
            "seed {seed} fails: {reason}\n{case:#?}\nreplay it with TIDAL_SIM_SEED={seed} \
             cargo test -p tidal-db --test it rank::random"
        ),
    }
}

fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {value}")))
}

/// G113: whatever happened to the database, and by whichever way a page was found.
#[test]
fn ten_thousand_random_queries_equal_everyone_evaluated_and_sorted() {
    let first = number("TIDAL_SIM_SEED");
    let count = number("TIDAL_SIM_SEEDS").or_else(|| first.map(|_| 1));
    let mut tally = Tally::default();
    let mut seed = first.unwrap_or_default();
    let last = count.map(|count| seed + count);
    while last.map_or(tally.questions < QUESTIONS, |last| seed < last) {
        tally.add(&run(seed));
        seed += 1;
    }
    println!("up to seed {}: {tally:?}", seed - 1);
    if tally.questions >= QUESTIONS {
        tally.expect_all_kinds();
    }
}
