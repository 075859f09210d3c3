//! Power cuts on a real file system, under a database on each engine.
//!
//! What the log's own test does for the log (`ext4.rs` of tidal-wal), this does for log and
//! storage together: whatever an engine has not synced is gone, and what is left of both
//! must fit.

use tidal_db::{Durability, Engine};
use tidal_wal::ext4::{Ext4, Place, alone};

use crate::life::{Random, Story};

const IMAGE_BYTES: u64 = 1 << 30;

/// Power cuts on each engine.
const ROUNDS: u64 = 6;

/// C1, C2, C5, G86, R1, R3: on every engine whose commits survive a power cut, what was answered
/// is there after one, and storage and log fit each other.
#[test]
fn power_cuts_on_ext4_lose_nothing_that_was_answered() {
    match alone("ext4::power_cuts_on_ext4_lose_nothing_that_was_answered") {
        Ok(Place::Alone) => cut_power_again_and_again(),
        Ok(Place::Ran(said)) => println!("{said}"),
        Ok(Place::Skipped(reason)) => println!("skipped: {reason}"),
        Err(complaint) => panic!("{complaint}"),
    }
}

fn cut_power_again_and_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut ext4 = match Ext4::new(dir.path(), IMAGE_BYTES) {
        Ok(ext4) => ext4,
        Err(reason) => {
            println!("skipped: no ext4 to cut the power of: {reason}");
            return;
        }
    };
    let seed = 0x5eed_0006;
    println!("seed {seed:#x}");
    let mut random = Random(seed);
    for &engine in Engine::ALL {
        let path = ext4.path().join(engine.name());
        let mut story = Story::new(engine, Durability::Durable);
        let mut there = 0;
        for round in 0..ROUNDS {
            story.run(&path, 1 + random.below(60), &|_| ext4.cut_power().unwrap());
            ext4.restart().unwrap();
            let before = there;
            there = story.check(&path, round % 2 == 0);
            let answered = story.answered;
            assert!(
                there >= answered.max(before),
                "C1: {} round {round}: {answered} answered, {there} there",
                engine.name()
            );
        }
        assert!(story.evicted > 0, "{}: no cell left memory", engine.name());
        println!("{}: {there} records over {ROUNDS} cuts", engine.name());
        std::fs::remove_dir_all(&path).unwrap();
    }
    // The same cuts take away what was only written, or they would prove nothing.
    let mut lost = 0;
    for _ in 0..3 {
        let path = ext4.path().join("written");
        let mut story = Story::new(Engine::default(), Durability::Written);
        story.run(&path, 1 + random.below(60), &|_| ext4.cut_power().unwrap());
        ext4.restart().unwrap();
        lost += story.answered.saturating_sub(story.check(&path, false));
        std::fs::remove_dir_all(&path).unwrap();
    }
    assert!(lost > 0, "the power was not cut");
}
