//! Power cuts that were hard to find: each of these lost or refused something once.

use tidal_types::Seq;

use crate::limits::ALIGNMENTS;
use crate::sim::{Fault, SimDisk};
use crate::testing::{batch, numbered, read_from, small};
use crate::{Durability, Wal, WalOptions};

const FIRST_SEGMENT: &str = "wal-0000000000000000.seg";

/// R14: a name may be in the directory and not on the disk. A floor that outlives the
/// segment it speaks of would forbid to open a log that never had a record.
#[test]
fn a_log_whose_creation_failed_opens_after_a_power_cut_while_it_is_opened() {
    for seed in 0..20 {
        for count in 0..20 {
            let disk = SimDisk::new(seed);
            // Creating, writing, syncing and renaming go well; the directory's sync
            // does not.
            disk.arm(4, Fault::Fail);
            Wal::open_simulated(&disk, small()).unwrap_err();
            assert_eq!(disk.names(), [FIRST_SEGMENT]);
            disk.kill();
            disk.arm(count, Fault::Die);
            drop(Wal::open_simulated(&disk, small()));
            disk.power_cut();
            Wal::open_simulated(&disk, small()).unwrap();
        }
    }
}

/// R4: a tail that was cut, and whose cut failed to sync, is zeros in the page cache
/// and torn bytes on the disk. The next opening cuts it again.
#[test]
fn a_cut_that_failed_to_sync_is_done_again() {
    let mut hidden = 0;
    for seed in 0..50 {
        let disk = SimDisk::new(seed);
        Wal::open_simulated(&disk, small()).unwrap().close().unwrap();
        let mut torn = disk.durable(FIRST_SEGMENT).unwrap();
        torn[4096..7000].fill(b'x');
        disk.put(FIRST_SEGMENT, &torn);
        // The directory, the floor, the segment, the copy, the directory, the cut.
        disk.arm(9, Fault::Fail);
        Wal::open_simulated(&disk, small()).unwrap_err();
        disk.kill();
        assert!(disk.cached(FIRST_SEGMENT).unwrap()[4096..].iter().all(|&byte| byte == 0));
        hidden += usize::from(disk.durable(FIRST_SEGMENT).unwrap()[6999] == b'x');
        Wal::open_simulated(&disk, small()).unwrap();
        let durable = disk.durable(FIRST_SEGMENT).unwrap();
        assert!(durable[4096..].iter().all(|&byte| byte == 0), "seed {seed}");
    }
    assert!(hidden > 10, "{hidden}");
}

/// R13: what a failed sync left in the page cache reads well and is not on the disk.
/// Once it was shown, it survives: opening has written it again.
#[test]
fn what_is_shown_after_a_failed_sync_survives_a_power_cut() {
    let mut shown = 0;
    for seed in 0..50 {
        let disk = SimDisk::new(seed);
        let log = Wal::open_simulated(&disk, small()).unwrap();
        let ticket = log.append(&batch(&[&numbered(0, 3000)])).unwrap();
        disk.arm(1, Fault::Fail);
        log.step();
        ticket.wait().unwrap_err();
        drop(log);
        disk.kill();
        let log = Wal::open_simulated(&disk, small()).unwrap();
        let seen = read_from(&log, Seq::FIRST).unwrap();
        shown += seen.len();
        disk.die();
        drop(log);
        disk.power_cut();
        let log = Wal::open_simulated(&disk, small()).unwrap();
        assert!(read_from(&log, Seq::FIRST).unwrap().starts_with(&seen), "seed {seed}");
    }
    assert_eq!(shown, 50);
}

/// C1, R1: what each durability promises, by a kill and by a power cut.
#[test]
fn each_durability_keeps_what_it_says() {
    for durability in [Durability::Durable, Durability::Written, Durability::Buffered] {
        let (mut after_kill, mut after_cut) = (0, 0);
        for seed in 0..50 {
            for is_cut in [false, true] {
                let disk = SimDisk::new(seed);
                let options = || WalOptions { durability, ..small() };
                let log = Wal::open_simulated(&disk, options()).unwrap();
                let ticket = log.append(&batch(&[&numbered(0, 3000)])).unwrap();
                log.step();
                ticket.wait().unwrap();
                disk.die();
                drop(log);
                if is_cut {
                    disk.power_cut()
                } else {
                    disk.kill()
                }
                let log = Wal::open_simulated(&disk, options()).unwrap();
                let count = read_from(&log, Seq::FIRST).unwrap().len();
                *if is_cut { &mut after_cut } else { &mut after_kill } += count;
            }
        }
        assert_eq!(after_kill, 50, "{durability:?}");
        assert_eq!(after_cut == 50, durability == Durability::Durable, "{after_cut}");
    }
}

/// R4: a group comes with the zeros behind it, so that nothing older shows between it
/// and the next one, and no block that was answered for is written again.
#[test]
fn groups_are_written_in_whole_blocks() {
    for alignment in ALIGNMENTS {
        let disk = SimDisk::new(1);
        let log = Wal::open_simulated(&disk, WalOptions { alignment, ..small() }).unwrap();
        let mut end = 4096;
        // No more than the first segment takes of the largest blocks.
        for index in 0..3 {
            let before = disk.trace();
            let ticket = log.append(&batch(&[&numbered(index, 700 * index)])).unwrap();
            log.step();
            ticket.wait().unwrap();
            let all = disk.trace();
            let length = 88 + 3 + numbered(index, 700 * index).len() as u64;
            let length = length.next_multiple_of(u64::from(alignment));
            let expected = format!("write {FIRST_SEGMENT}.tmp {end} {length}\n");
            assert!(all.strip_prefix(&before).unwrap().starts_with(&expected), "{all}");
            end += length;
        }
    }
}
