//! The log on a simulated disk, against a model of what it must hold.
//!
//! A run is a sequence of lives of one log, all drawn from one seed. In each it is
//! opened, used, and ends by a close, a kill or a power cut at any operation, also
//! while it is being opened. A seed that fails is printed; this replays it:
//!
//! ```text
//! TIDAL_SIM_SEED=123 cargo test -p tidal-wal simulated -- --nocapture
//! ```

mod checkpoints;
mod keys;
mod model;
mod run;

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use self::run::{Run, Tally};
use crate::sim::SimDisk;

/// How many seeds an ordinary test run tries.
const SEEDS: u64 = 500;

/// Runs one seed, and says which it was when it fails.
fn check(seed: u64) -> (Tally, SimDisk) {
    let disk = SimDisk::new(seed);
    match catch_unwind(AssertUnwindSafe(|| Run::new(seed, &disk).live())) {
        Ok(tally) => (tally, disk),
        Err(panic) => {
            eprintln!("seed {seed} fails: replay it with TIDAL_SIM_SEED={seed}");
            eprintln!("the last operations on its disk:\n{}", disk.trace());
            resume_unwind(panic);
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {value}")))
}

/// R1, R2, R3, R4, R8, R9, R10, R13, R14, R15, R16, R17, R20, R21, R22, R24, R26, C1: whatever
/// happens, what was acknowledged is there, and nothing that was not sent. The model
/// and the run name each number where they check it.
#[test]
fn the_log_keeps_its_promises_through_any_crash() {
    let first = number("TIDAL_SIM_SEED");
    let count = number("TIDAL_SIM_SEEDS").unwrap_or(if first.is_some() { 1 } else { SEEDS });
    let first = first.unwrap_or(0);
    let mut tally = Tally::default();
    for seed in first..first + count {
        tally.add(&check(seed).0);
    }
    println!("seeds {first} to {}: {tally:?}", first + count - 1);
    if count >= SEEDS {
        tally.expect_all_kinds();
    }
}

/// The same seed gives the same operations and the same bytes.
#[test]
fn a_run_is_replayed_by_its_seed() {
    for seed in 0..10 {
        let [first, second] = [check(seed).1, check(seed).1];
        assert_eq!(first.trace(), second.trace());
        assert_eq!(first.names(), second.names());
        for name in first.names() {
            assert_eq!(first.cached(&name), second.cached(&name), "{name}");
            assert_eq!(first.durable(&name), second.durable(&name), "{name}");
        }
    }
}
