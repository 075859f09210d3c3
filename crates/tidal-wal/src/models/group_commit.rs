//! Whole lives of a log under shuttle: all its threads, several appenders, a reader
//! that follows, and a disk on which one operation may fail.
//!
//! A seed gives the lives and the order of their threads, drawn at random and by
//! priorities (PCT). One that fails is printed; this replays it:
//!
//! ```text
//! TIDAL_MODEL_SEED=123 cargo xtask models
//! ```

mod life;
mod tally;

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};

use self::life::{Ending, Life, Plan, Trouble};
use self::tally::Tally;

/// How many seeds are tried when nobody says.
const SEEDS: u64 = 150;

/// How many lives a seed has under each scheduler.
const LIVES: usize = 60;

/// At how many places PCT changes priorities: how deep the bugs are that it is made
/// to find.
const PCT_DEPTH: usize = 3;

/// Runs a kind of life under each scheduler, seed by seed, and counts what came up, so
/// that nothing passes for tried that never happened.
fn explore(plan: impl Fn() -> Plan + Copy + Send + Sync + 'static) -> Tally {
    let first = number("TIDAL_MODEL_SEED");
    let count = number("TIDAL_MODEL_SEEDS").unwrap_or(if first.is_some() { 1 } else { SEEDS });
    let first = first.unwrap_or(0);
    let tally = Arc::new(Mutex::new(Tally::default()));
    for seed in first..first + count {
        run(seed, RandomScheduler::new_from_seed(seed, LIVES), plan, &tally);
        run(seed, PctScheduler::new_from_seed(seed, PCT_DEPTH, LIVES), plan, &tally);
    }
    let tally = *tally.lock().unwrap();
    println!("seeds {first} to {}: {tally:?}", first + count - 1);
    assert!(tally.rotated > 0 && tally.followed > 0 && tally.unheard > 0, "{tally:?}");
    tally
}

fn run(
    seed: u64,
    scheduler: impl Scheduler + 'static,
    plan: impl Fn() -> Plan + Send + Sync + 'static,
    tally: &Arc<Mutex<Tally>>,
) {
    let mut config = Config::new();
    config.stack_size = 1 << 20;
    let runner = Runner::new(scheduler, config);
    let tally = Arc::clone(tally);
    let live = move || {
        let lived = Life::begin(plan()).live();
        tally.lock().unwrap().add(lived);
    };
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| runner.run(live))) {
        eprintln!("seed {seed} fails: replay it with TIDAL_MODEL_SEED={seed}");
        resume_unwind(panic);
    }
}

fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {value}")))
}

/// R12, R17, R18, C1: nothing goes wrong on the disk, so everything that was taken is
/// answered, read by who follows, and there after a power cut.
#[test]
fn a_sound_disk_keeps_everything() {
    explore(|| Plan::draw(Trouble::None, Ending::Close));
}

/// R18, G3: the same when the log is closed or dropped while others append.
#[test]
fn an_end_while_others_append_loses_nothing() {
    let tally = explore(|| Plan::draw(Trouble::None, Ending::Early));
    assert!(tally.refused > 0, "{tally:?}");
    explore(|| Plan::draw(Trouble::None, Ending::Drop));
}

/// R8, R9, R18: any operation fails. Nobody waits for ever, a good answer stays true,
/// and after a failure was told nothing is taken.
#[test]
fn a_failing_disk_leaves_nobody_waiting() {
    let tally = explore(|| Plan::draw(Trouble::Failure, Ending::draw()));
    assert!(tally.unknown > 0 && tally.refused > 0, "{tally:?}");
}

/// R10, R18, R22: the disk is full and has room again. Numbers of what found no room
/// are given out again, and only then.
#[test]
fn a_full_disk_loses_nothing_that_was_answered() {
    let tally = explore(|| Plan::draw(Trouble::NoSpace, Ending::draw()));
    assert!(tally.refused > 0, "{tally:?}");
}
