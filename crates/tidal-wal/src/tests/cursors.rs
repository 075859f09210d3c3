//! Durable named cursors.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use tidal_types::{ErrorKind, Seq, WalError};

use crate::limits::CURSORS_MAX;
use crate::names;
use crate::sim::{Fault, SimDisk};
use crate::testing::{append_each, batch, numbered, read_from, small};
use crate::{CursorStart, Wal};

/// How many records the logs here have; they take several segments.
const RECORDS: u64 = 40;

fn filled(disk: &SimDisk) -> Wal {
    let log = Wal::open_simulated(disk, small()).unwrap();
    for index in 1..=RECORDS {
        let ticket = log.append(&batch(&[&numbered(index as usize, 1500)])).unwrap();
        log.step();
        ticket.wait().unwrap();
    }
    log.sync().unwrap();
    log
}

fn place(log: &Wal, name: &str) -> Option<u64> {
    log.cursors().iter().find(|cursor| cursor.name == name).map(|cursor| cursor.place.get())
}

/// Ends the process at once, and with a power cut or not lets another begin.
fn crash(disk: &SimDisk, log: Wal, is_cut: bool) -> Wal {
    disk.die();
    drop(log);
    if is_cut {
        disk.power_cut();
    } else {
        disk.kill();
    }
    Wal::open_simulated(disk, small()).unwrap()
}

/// G29: a cursor goes on behind the last place it committed, over restarts.
#[test]
fn a_cursor_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    let mut cursor = log.cursor("feed").unwrap();
    assert!(cursor.next_record().unwrap().is_none());
    append_each(&log, (1..=30).map(|index| numbered(index, 1500)));
    for index in 1..=20 {
        let record = cursor.next_record().unwrap().unwrap();
        assert_eq!(
            (record.seq.get(), record.payload),
            (index, &numbered(index as usize, 1500)[..])
        );
    }
    cursor.commit(Seq::new(12)).unwrap();
    log.close().unwrap();
    drop((cursor, log));

    let log = Wal::open(dir.path(), small()).unwrap();
    let mut cursor = log.cursor_from("feed", CursorStart::Head).unwrap();
    assert_eq!((cursor.name(), cursor.place()), ("feed", Seq::new(12)));
    for index in 13..=30 {
        assert_eq!(cursor.next_record().unwrap().unwrap().seq, Seq::new(index));
    }
    assert!(cursor.next_record().unwrap().is_none());
}

/// G29: a place never falls, and never passes what is durable.
#[test]
fn a_place_is_monotone_and_durable() {
    let disk = SimDisk::new(1);
    let log = filled(&disk);
    let cursor = log.cursor("feed").unwrap();
    cursor.commit(Seq::new(9)).unwrap();
    cursor.commit(Seq::new(3)).unwrap();
    assert_eq!(cursor.place(), Seq::new(9));
    let ticket = log.append(&batch(&[b"not durable"])).unwrap();
    let error = cursor.commit(Seq::new(RECORDS + 1)).unwrap_err();
    assert!(
        matches!(&error, WalError::CursorAhead { durable, .. } if durable.get() == RECORDS),
        "{error}"
    );
    log.step();
    ticket.wait().unwrap();
    cursor.commit(Seq::new(RECORDS + 1)).unwrap();
}

#[test]
fn a_new_cursor_begins_where_it_is_asked_to() {
    let disk = SimDisk::new(1);
    let log = filled(&disk);
    log.truncate_before(Seq::new(30)).unwrap();
    let first = log.first_seq();
    assert!(first > Seq::FIRST);
    let mut early = log.cursor("early").unwrap();
    assert_eq!(early.next_record().unwrap().unwrap().seq, first);
    let mut late = log.cursor_from("late", CursorStart::Head).unwrap();
    assert!(late.next_record().unwrap().is_none());
    assert_eq!(late.place(), Seq::new(RECORDS));
}

#[test]
fn what_cannot_be_is_refused() {
    let disk = SimDisk::new(1);
    let log = filled(&disk);
    for name in ["", "A", "a/b", &"x".repeat(65)] {
        let error = log.cursor(name).unwrap_err();
        assert!(matches!(error, WalError::CursorName { .. }), "{error}");
        assert_eq!(error.kind(), ErrorKind::Input);
    }
    let cursor = log.cursor("feed").unwrap();
    let error = log.cursor("feed").unwrap_err();
    assert!(matches!(error, WalError::CursorInUse { .. }), "{error}");
    let error = log.remove_cursor("feed").unwrap_err();
    assert!(matches!(error, WalError::CursorInUse { .. }), "{error}");
    drop(cursor);
    drop(log.cursor("feed").unwrap());
    let error = log.remove_cursor("food").unwrap_err();
    assert!(matches!(error, WalError::NoSuchCursor { .. }), "{error}");
    for index in 1..CURSORS_MAX {
        drop(log.cursor(&format!("c{index}")).unwrap());
    }
    let error = log.cursor("one-more").unwrap_err();
    assert!(matches!(error, WalError::TooManyCursors { .. }), "{error}");
    log.remove_cursor("c1").unwrap();
    drop(log.cursor("one-more").unwrap());
}

/// G29, R15: truncation keeps what a cursor has not come past, also when nobody has
/// opened it since the log was.
#[test]
fn truncation_never_passes_a_cursor() {
    let disk = SimDisk::new(1);
    let log = filled(&disk);
    let [slow, fast] = ["slow", "fast"].map(|name| log.cursor(name).unwrap());
    assert_eq!(log.truncate_before(Seq::new(RECORDS)).unwrap(), 0);
    fast.commit(Seq::new(RECORDS)).unwrap();
    assert_eq!(log.truncate_before(Seq::new(RECORDS)).unwrap(), 0);
    slow.commit(Seq::new(25)).unwrap();
    drop((slow, fast));

    let log = crash(&disk, log, true);
    assert!(log.truncate_before(Seq::new(RECORDS)).unwrap() > 0);
    let first = log.first_seq();
    assert!(first > Seq::FIRST && first <= Seq::new(26), "{first}");
    let mut slow = log.cursor("slow").unwrap();
    assert_eq!(slow.next_record().unwrap().unwrap().seq, Seq::new(26));
    drop(slow);
    log.remove_cursor("slow").unwrap();
    assert!(log.truncate_before(Seq::new(RECORDS)).unwrap() > 0);
    assert!(log.first_seq() > Seq::new(26));
}

/// G29: after a crash at any operation of a commit the cursor is where it was or where
/// it was to go, and where it was to go if the commit returned.
#[test]
fn a_commit_can_be_cut_short_anywhere() {
    for fault in [Fault::Die, Fault::Fail] {
        for (seed, is_cut) in [(1, true), (2, true), (3, true), (4, false)] {
            for count in 0.. {
                let disk = SimDisk::new(seed);
                let log = filled(&disk);
                let cursor = log.cursor("feed").unwrap();
                drop(log.cursor("other").unwrap());
                cursor.commit(Seq::new(5)).unwrap();
                disk.arm(count, fault);
                let faults = disk.faults();
                let committed = cursor.commit(Seq::new(20));
                let hit = disk.faults() > faults;
                if committed.is_err() {
                    // R8: nothing is promised by a log that failed to write.
                    let again = cursor.commit(Seq::new(21)).unwrap_err();
                    assert!(matches!(again, WalError::Poisoned { .. }), "{again}");
                    let append = log.append(&batch(&[b"more"])).unwrap_err();
                    assert!(matches!(append, WalError::Poisoned { .. }), "{append}");
                }
                drop(cursor);
                let log = crash(&disk, log, is_cut);
                let found = place(&log, "feed");
                let context = format!("{fault:?} {count}, seed {seed}");
                assert_eq!(committed.is_ok(), !hit, "{context}");
                assert!(found == Some(20) || found == Some(5) && hit, "{context}: {found:?}");
                assert_eq!(place(&log, "other"), Some(0), "{context}");
                // Once shown, it stays.
                let log = crash(&disk, log, true);
                assert_eq!(place(&log, "feed"), found, "{context}");
                if !hit {
                    assert_eq!(count, 2, "a commit is a write and a sync");
                    break;
                }
            }
        }
    }
}

/// G29: cursors are made and removed whole or not at all, and the others stay.
#[test]
fn making_and_removing_can_be_cut_short_anywhere() {
    for seed in 0..6 {
        for is_removal in [false, true] {
            for has_file in [false, true] {
                for count in 0.. {
                    let disk = SimDisk::new(seed);
                    let log = filled(&disk);
                    if has_file || is_removal {
                        log.cursor("other").unwrap().commit(Seq::new(7)).unwrap();
                    }
                    if is_removal {
                        drop(log.cursor("feed").unwrap());
                    }
                    disk.arm(count, Fault::Die);
                    let faults = disk.faults();
                    let outcome = if is_removal {
                        log.remove_cursor("feed")
                    } else {
                        log.cursor("feed").map(drop)
                    };
                    let hit = disk.faults() > faults;
                    let log = crash(&disk, log, true);
                    let is_there = place(&log, "feed").is_some();
                    let context = format!("operation {count}, seed {seed}");
                    assert!(outcome.is_err() || is_there != is_removal, "{context}");
                    let other = place(&log, "other");
                    assert_eq!(other, (has_file || is_removal).then_some(7), "{context}");
                    assert_eq!(read_from(&log, Seq::FIRST).unwrap().len() as u64, RECORDS);
                    if !hit {
                        outcome.unwrap();
                        break;
                    }
                }
            }
        }
    }
}

/// G29: damage to one copy falls back to the other, which holds back at least as much;
/// damage to both is refused, and so are the cursors of another log.
#[test]
fn damaged_cursors_hold_back_more_or_are_refused() {
    let disk = SimDisk::new(1);
    let log = filled(&disk);
    let cursor = log.cursor("feed").unwrap();
    cursor.commit(Seq::new(5)).unwrap();
    cursor.commit(Seq::new(20)).unwrap();
    log.truncate_before(Seq::new(18)).unwrap();
    let first = log.first_seq();
    assert!(first > Seq::new(6), "{first}");
    drop(cursor);
    log.close().unwrap();
    drop(log);
    let sound = disk.durable(names::CURSORS).unwrap();
    let mut places = Vec::new();
    for slot in 0..2 {
        for byte in (0..200).chain(8188..8192) {
            let mut bytes = sound.clone();
            bytes[slot * 8192 + byte] ^= 1 << (byte % 8);
            let disk = disk.copy();
            disk.put(names::CURSORS, &bytes);
            let log = Wal::open_simulated(&disk, small()).unwrap();
            let found = place(&log, "feed").unwrap();
            // The records before it are gone, so it had come past them.
            assert!(found == 20 || found == first.get() - 1, "{found}");
            places.push(found);
            let mut cursor = log.cursor("feed").unwrap();
            assert_eq!(cursor.next_record().unwrap().unwrap().seq.get(), found + 1);
            bytes[(1 - slot) * 8192 + byte] ^= 1;
            let disk = disk.copy();
            disk.put(names::CURSORS, &bytes);
            let error = Wal::open_simulated(&disk, small()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Damage, "{error}");
        }
    }
    places.sort_unstable();
    places.dedup();
    assert_eq!(places, [first.get() - 1, 20]);

    let other = SimDisk::new(2);
    drop(filled(&other));
    other.put(names::CURSORS, &sound);
    let error = Wal::open_simulated(&other, small()).unwrap_err();
    assert!(matches!(error, WalError::Foreign { .. }), "{error}");
    let empty = SimDisk::new(3);
    empty.put(names::CURSORS, &sound);
    let error = Wal::open_simulated(&empty, small()).unwrap_err();
    assert!(matches!(error, WalError::Missing { .. }), "{error}");
    assert_eq!(empty.names(), [names::CURSORS]);
}

/// G19: `verify` says what opening would.
#[test]
fn verify_finds_damaged_cursors() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    drop(log.cursor("feed").unwrap());
    log.close().unwrap();
    assert!(crate::verify(dir.path(), &mut |_| None).unwrap().ok());
    let path = dir.path().join(names::CURSORS);
    std::fs::write(&path, [1; 100]).unwrap();
    let report = crate::verify(dir.path(), &mut |_| None).unwrap();
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.problems[0].path, path);
    let error = Wal::open(dir.path(), small()).unwrap_err();
    assert!(matches!(error, WalError::Damaged { .. }), "{error}");
}

/// R10: no room for the file of the first cursor changes nothing.
#[test]
fn a_full_disk_has_no_cursor_and_goes_on() {
    let disk = SimDisk::new(1);
    let log = filled(&disk);
    disk.limit_space(disk.used());
    let error = log.cursor("feed").unwrap_err();
    assert!(matches!(error, WalError::NoSpace { .. }), "{error}");
    assert!(log.cursors().is_empty());
    disk.limit_space(u64::MAX);
    log.cursor("feed").unwrap().commit(Seq::new(3)).unwrap();
}

/// Drops the log when it is woken.
struct Last(Mutex<Option<Wal>>);

impl Wake for Last {
    fn wake(self: Arc<Self>) {
        drop(self.0.lock().unwrap().take());
    }
}

/// R18: who is told of a failed commit may be the last to have the log, and drop it.
#[test]
fn a_failed_commit_lets_go_of_the_log() {
    let disk = SimDisk::new(1);
    let log = filled(&disk);
    let cursor = log.cursor("feed").unwrap();
    let mut ticket = log.append(&batch(&[b"waits"])).unwrap();
    let last = Arc::new(Last(Mutex::new(Some(log))));
    let waker = Waker::from(Arc::clone(&last));
    assert!(Pin::new(&mut ticket).poll(&mut Context::from_waker(&waker)).is_pending());
    disk.arm(0, Fault::Fail);
    let (done, committed) = mpsc::channel();
    // On a thread of its own: should it hang, the test does not.
    let committing = thread::spawn(move || done.send(cursor.commit(Seq::new(5))));
    let error = committed.recv_timeout(Duration::from_secs(60)).unwrap().unwrap_err();
    committing.join().unwrap().unwrap();
    assert!(matches!(error, WalError::Io { .. }), "{error}");
    assert!(last.0.lock().unwrap().is_none());
    let error = ticket.wait().unwrap_err();
    assert!(matches!(error, WalError::Indeterminate { .. }), "{error}");
}

#[test]
fn a_closed_log_moves_no_cursor() {
    let disk = SimDisk::new(1);
    let log = filled(&disk);
    let cursor = log.cursor("feed").unwrap();
    log.close().unwrap();
    for error in [
        cursor.commit(Seq::FIRST).unwrap_err(),
        log.cursor("other").unwrap_err(),
        log.remove_cursor("feed").unwrap_err(),
    ] {
        assert!(matches!(error, WalError::Closed { .. }), "{error}");
    }
}

/// G32: the statistics say which cursor is how far behind, and which holds truncation
/// back.
#[test]
fn stats_say_who_holds_truncation_back() {
    let disk = SimDisk::new(1);
    let log = filled(&disk);
    let empty = log.stats();
    assert_eq!((empty.held_by, empty.cursors), (None, Vec::new()));
    log.cursor("slow").unwrap().commit(Seq::new(10)).unwrap();
    let fast = log.cursor_from("fast", CursorStart::Head).unwrap();
    let stats = log.stats();
    assert_eq!((stats.first_seq, stats.head), (Seq::FIRST, log.head().position));
    assert_eq!((stats.segments, stats.bytes_on_disk), (log.segment_count(), log.bytes_on_disk()));
    assert_eq!(stats.held_by.as_deref(), Some("slow"));
    let [fast_stats, slow_stats] = &stats.cursors[..] else {
        panic!("{stats:?}");
    };
    assert_eq!((fast_stats.records_behind, fast_stats.bytes_behind), (0, 0));
    assert_eq!((fast_stats.in_use, slow_stats.in_use), (true, false));
    assert_eq!((slow_stats.place.get(), slow_stats.records_behind), (10, 30));
    // From the segment with record 11, which is the first or the second.
    assert!(slow_stats.bytes_behind > 30 * 1500 && slow_stats.bytes_behind <= stats.bytes_on_disk);
    drop(log.append(&batch(&[&numbered(0, 100)])).unwrap());
    assert!(log.stats().queued_bytes >= 100);
    log.step();
    assert_eq!(log.stats().queued_bytes, 0);
    fast.commit(log.head().position.seq).unwrap();
    log.remove_cursor("slow").unwrap();
    assert_eq!(log.stats().held_by, None);
}

/// G29: a cursor that was just made, or removed, is so in both copies.
#[test]
fn either_copy_knows_which_cursors_there_are() {
    for is_removed in [false, true] {
        let disk = SimDisk::new(1);
        let log = filled(&disk);
        drop(log.cursor("old").unwrap());
        drop(log.cursor("feed").unwrap());
        if is_removed {
            log.remove_cursor("feed").unwrap();
        }
        let sound = disk.durable(names::CURSORS).unwrap();
        let _log = crash(&disk, log, true);
        for slot in 0..2 {
            let mut bytes = sound.clone();
            bytes[slot * 8192] ^= 1;
            let disk = disk.copy();
            disk.put(names::CURSORS, &bytes);
            let log = Wal::open_simulated(&disk, small()).unwrap();
            assert_eq!(place(&log, "feed"), (!is_removed).then_some(0));
            assert_eq!(place(&log, "old"), Some(0));
        }
    }
}
