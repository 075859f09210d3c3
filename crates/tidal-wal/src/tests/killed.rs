//! A process that is killed at any moment.

use super::child::{Sending, Story, check, run};
use crate::sim::Rng;

/// C1, R1, R20: whatever a killed process was answered is there, by each durability that
/// answers after the operating system has it; and once, where the next process sends it
/// again.
#[test]
fn kills_lose_nothing_that_was_answered() {
    for (sending, seed) in [
        (Sending::Durable, 0x5eed_0001),
        (Sending::Written, 0x5eed_0002),
        (Sending::Keyed, 0x5eed_0003),
    ] {
        println!("seed {seed:#x}");
        let dir = tempfile::tempdir().unwrap();
        let mut rng = Rng::new(seed);
        let (mut there, mut story) = (0, Story::default());
        for round in 0..20 {
            let spins = rng.below(0x3f_ffff);
            run(dir.path(), sending, &mut story, rng.below(60), &|child| {
                // A moment that no event of the process decides.
                for spin in 0..spins {
                    std::hint::black_box(spin);
                }
                child.kill().unwrap();
            });
            let before = there;
            there = check(dir.path(), &story);
            assert!(there >= story.answered.max(before), "round {round}: {there}, {story:?}");
        }
        assert!(there > 100, "{there}");
    }
}
