//! The whole database on a simulated disk and a storage that crashes, against a model of
//! what it must answer.
//!
//! A seed stands for a case: a list of actions that proptest draws from it (signals in
//! batches, metadata, attributes, names, entities that are forgotten, producers, keys, checkpoints, cells that are written and
//! leave memory, a growing schema, waiting, reopening), among them failing disks and storages, and crashes: of the process, with
//! what the page cache has, and of the machine, with what was synced and any prefix of
//! the commits to storage behind the last sync; also several in a row, while the database
//! is being opened. Each time it was opened, what was answered is there, the records are
//! a prefix of what was sent, in whole batches, and everything that can be read is what
//! the definitions say of these records, to the checksum.
//!
//! When a case fails, proptest looks for a shorter one that fails too, and shows it. The
//! seed is printed and comes to the same:
//!
//! ```text
//! TIDAL_SIM_SEED=123 cargo test -p tidal-db --lib model -- --nocapture
//! ```
//!
//! `TIDAL_SIM_SEEDS=1000` beside it tries so many from there on.
//!
//! What the database writes by itself comes when threads come to it, so
//! where they are on ([`crashes_with_checkpoints_of_its_own`]) a seed says what is done
//! and not when; such a case is not made shorter.

mod action;
mod check;
mod facts;
mod forgetting;
mod history;
mod judge;
mod resolve;
mod run;
mod schemas;
mod tally;
mod twin;
mod world;
mod writing;

use std::cell::RefCell;
use std::env;

use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use self::run::Run;
use self::tally::Tally;
use self::world::World;

/// How many cases an ordinary test run tries.
const CASES: u64 = 1000;

/// In a case with checkpoints of their own one comes after so many records.
const CHECKPOINT_EVERY: u64 = 7;

/// How cases are run.
#[derive(Debug, Clone, Copy)]
struct Trial {
    test: &'static str,
    checkpoint_every: u64,
    max_shrink_iters: u32,
}

/// What a case has left.
#[derive(Debug, Default)]
struct Left {
    tally: Tally,
    /// `None` before the end.
    world: Option<World>,
}

/// Checkpoints are those that were asked for.
const EXACT: Trial = Trial {
    test: "the_database_keeps_its_promises_through_any_crash",
    checkpoint_every: u64::MAX,
    max_shrink_iters: 4096,
};

impl Trial {
    /// Tries the seeds that were asked for, or `count` from zero on.
    fn run(self, count: u64) {
        let asked = number("TIDAL_SIM_SEED");
        let first = asked.unwrap_or_default();
        let count = number("TIDAL_SIM_SEEDS").unwrap_or(if asked.is_some() { 1 } else { count });
        let mut tally = Tally::default();
        for seed in first..first + count {
            tally.add(&self.case(seed).tally);
        }
        println!("seeds {first} to {}: {tally:?}", first + count - 1);
        if count >= CASES {
            tally.expect_all_kinds();
        }
    }

    fn case(self, seed: u64) -> Left {
        let config = Config {
            cases: 1,
            failure_persistence: None,
            max_shrink_iters: self.max_shrink_iters,
            ..Config::default()
        };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let left = RefCell::default();
        let outcome = TestRunner::new_with_rng(config, rng).run(
            &(action::setting(), action::actions()),
            |(setting, actions)| {
                let mut run = Run::new(&setting, self.checkpoint_every);
                run.live(&setting, &actions);
                *left.borrow_mut() = Left { tally: run.tally, world: Some(run.world) };
                Ok(())
            },
        );
        match outcome {
            Ok(()) => left.into_inner(),
            Err(TestError::Abort(reason)) => panic!("seed {seed} was not tried: {reason}"),
            Err(TestError::Fail(reason, (setting, actions))) => panic!(
                "seed {seed} fails: {reason}\n{setting:#?}\n{actions:#?}\n\
                 replay it with TIDAL_SIM_SEED={seed} cargo test -p tidal-db --lib model::{}",
                self.test
            ),
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {value}")))
}

/// C1, C2, C5, L1, L2, L3, R1, R3, R13, R14, G2, G5, G6, G7, G8, G9, G10, G12, G13, G15, G16,
/// G17, G23, G25, G26, G80, G81, G83, G86, G94, G95, G98, G100, G101, R20: whatever happens, what was answered is there, and the state is the
/// fold of a prefix of what was sent.
#[test]
fn the_database_keeps_its_promises_through_any_crash() {
    EXACT.run(CASES);
}

/// The same seed gives the same operations on the disk and the same commits to storage.
#[test]
fn a_case_is_replayed_by_its_seed() {
    for seed in 0..20 {
        let [first, second] = [(); 2].map(|()| EXACT.case(seed).world.unwrap());
        assert_eq!(first.disk.trace(), second.disk.trace());
        assert!(first.storage.commits() == second.storage.commits(), "seed {seed}");
    }
}

/// The same, with checkpoints and cells that are written without being asked for, at moments
/// that threads decide.
#[test]
fn crashes_with_checkpoints_of_its_own() {
    Trial {
        test: "crashes_with_checkpoints_of_its_own",
        checkpoint_every: CHECKPOINT_EVERY,
        max_shrink_iters: 0,
    }
    .run(CASES / 4);
}
