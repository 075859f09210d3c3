//! What of a log could go.

use std::sync::Arc;
use std::time::Duration;

use tidal_types::{ManualClock, Seq, Timestamp};

use crate::sim::SimDisk;
use crate::testing::{batch, numbered, small};
use crate::{Wal, WalOptions};

const START: Timestamp = Timestamp::from_secs(1_000);

fn second(number: u64) -> Timestamp {
    START.saturating_add(Duration::from_secs(number))
}

/// A log of several segments, of which each record was written a second after the last.
fn filled() -> Wal {
    let clock = Arc::new(ManualClock::new(START));
    let options = WalOptions { clock: Arc::<ManualClock>::clone(&clock), ..small() };
    let log = Wal::open_simulated(&SimDisk::new(1), options).unwrap();
    for index in 1..=40 {
        clock.set(second(index));
        let ticket = log.append(&batch(&[&numbered(index as usize, 1500)])).unwrap();
        log.step();
        ticket.wait().unwrap();
    }
    log.sync().unwrap();
    log
}

#[test]
fn what_was_written_by_a_time_goes_as_whole_segments() {
    let log = filled();
    assert!(log.segment_count() > 3);
    assert_eq!(log.written_by(START.saturating_sub(Duration::from_secs(1))), Seq::FIRST);
    let mut firsts = std::collections::BTreeSet::new();
    for number in 0..=40 {
        let first = log.written_by(second(number));
        // Record n was written in second n, so what comes before is not younger; and no
        // further segment would do, since it begins with what is younger.
        assert!(first.get() <= number + 1, "{first} by second {number}");
        firsts.insert(first);
    }
    assert_eq!(firsts.len(), log.segment_count());
}

#[test]
fn what_cutting_would_leave_is_told_before() {
    let log = filled();
    // One checkpoint needs the whole log, so nothing would go.
    log.checkpoint(Seq::new(40), &[]).unwrap();
    assert_eq!(log.truncation_point(Seq::new(41)), Seq::FIRST);
    log.checkpoint(Seq::new(40), &[]).unwrap();
    let all = log.truncation_point(Seq::new(41));
    assert!(all > Seq::FIRST);
    let mut cursor = log.cursor("feed").unwrap();
    assert_eq!(log.truncation_point(Seq::new(41)), Seq::FIRST);
    for _ in 0..25 {
        cursor.next_record().unwrap().unwrap();
    }
    cursor.commit(Seq::new(25)).unwrap();
    let held = log.truncation_point(Seq::new(41));
    assert!(Seq::FIRST < held && held <= Seq::new(26), "{held}");
    assert_eq!(log.truncation_point(Seq::new(5)), Seq::FIRST);
    log.truncate_before(Seq::new(41)).unwrap();
    assert_eq!(log.first_seq(), held);
    drop(cursor);
}

#[test]
fn the_room_that_is_made_ahead_is_not_counted_as_used() {
    let log = filled();
    let stats = log.stats();
    let records = 40 * 1500;
    assert!(stats.used_bytes >= records && stats.used_bytes <= stats.bytes_on_disk);
    let log = Wal::open_simulated(&SimDisk::new(1), small()).unwrap();
    let stats = log.stats();
    assert!(stats.used_bytes <= 4096 && stats.bytes_on_disk >= 16 << 10, "{stats:?}");
}
