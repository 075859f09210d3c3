//! Power cuts on a real file system.
//!
//! A process appends to a log on an [`Ext4`] of its own, whose power is cut. Mounted again,
//! the log must hold what was answered.

use super::child::{Sending, Story, check, run};
use crate::ext4::{Ext4, Place, alone};
use crate::sim::Rng;

const IMAGE_BYTES: u64 = 64 << 20;
const ROUNDS: u64 = 10;

/// R1, R12, R20: what was answered survives a power cut on a real file system, files and
/// directories, whenever it comes; and is there once, where it is sent again.
#[test]
fn power_cuts_on_ext4_lose_nothing_that_was_answered() {
    let test = "tests::ext4::power_cuts_on_ext4_lose_nothing_that_was_answered";
    match alone(test) {
        Ok(Place::Alone) => cut_power_again_and_again(),
        Ok(Place::Ran(said)) => println!("{said}"),
        Ok(Place::Skipped(reason)) => println!("skipped: {reason}"),
        Err(complaint) => panic!("{complaint}"),
    }
}

/// In the mount namespace.
fn cut_power_again_and_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut image = match Ext4::new(dir.path(), IMAGE_BYTES) {
        Ok(image) => image,
        Err(reason) => {
            println!("skipped: no ext4 to cut the power of: {reason}");
            return;
        }
    };
    let seed = 0x5eed_0004;
    println!("seed {seed:#x}");
    let mut rng = Rng::new(seed);
    let mut there = 0;
    for (name, sending) in [("durable", Sending::Durable), ("keyed", Sending::Keyed)] {
        let log = image.path().join(name);
        let mut story = Story::default();
        there = 0;
        for round in 0..ROUNDS {
            run(&log, sending, &mut story, 1 + rng.below(200), &|_| {
                image.cut_power().unwrap();
            });
            image.restart().unwrap();
            let before = there;
            there = check(&log, &story);
            assert!(there >= story.answered.max(before), "R1: {name} {round}: {there}, {story:?}");
        }
    }
    // The same cuts take away what was only written, or they would prove nothing.
    let log = image.path().join("written");
    let mut lost = 0;
    for _ in 0..3 {
        let mut story = Story::default();
        run(&log, Sending::Written, &mut story, 1 + rng.below(200), &|_| {
            image.cut_power().unwrap();
        });
        image.restart().unwrap();
        let there = check(&log, &story);
        lost += story.answered.saturating_sub(there);
        std::fs::remove_dir_all(&log).unwrap();
    }
    assert!(lost > 0, "the power was not cut");
    println!("{there} durable records over {ROUNDS} cuts; {lost} lost that were only written");
}
