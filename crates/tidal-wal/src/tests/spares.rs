//! Segments that are made ahead.

use tidal_types::WalError;

use crate::sim::{Fault, SimDisk};
use crate::testing::{append_each, batch, contents, numbered, read_from, small};
use crate::{Ticket, Wal};

/// A log whose first segment is more than half full.
fn half_full() -> (SimDisk, Wal) {
    let disk = SimDisk::new(1);
    let log = Wal::open_simulated(&disk, small()).unwrap();
    for index in 0..5 {
        append(&log, index).wait().unwrap();
    }
    assert_eq!(log.segment_count(), 1);
    (disk, log)
}

fn append(log: &Wal, index: usize) -> Ticket {
    let ticket = log.append(&batch(&[&numbered(index, 1500)])).unwrap();
    log.step();
    ticket
}

/// Appends until a new segment is entered; returns what that did to the disk.
fn rotate(disk: &SimDisk, log: &Wal) -> Vec<String> {
    let segments = log.segment_count();
    for index in 5.. {
        let before = disk.trace();
        append(log, index).wait().unwrap();
        if log.segment_count() > segments {
            let all = disk.trace();
            return all.strip_prefix(&before).unwrap().lines().map(str::to_owned).collect();
        }
    }
    unreachable!()
}

/// R12: a spare is entered like any other segment: header, sync, name, directory.
#[test]
fn a_spare_saves_the_zeros() {
    let (disk, log) = half_full();
    log.step_preallocator();
    let operations = rotate(&disk, &log);
    let segment = "wal-0000000000000001.seg";
    assert_eq!(
        operations[..4],
        [
            format!("write {segment}.tmp 0 4096"),
            format!("sync {segment}.tmp"),
            format!("rename {segment}.tmp {segment}"),
            "sync directory".into(),
        ]
    );
    log.close().unwrap();
    let log = Wal::open_simulated(&disk, small()).unwrap();
    let count = read_from(&log, log.first_seq()).unwrap().len();
    assert_eq!(log.head().position.seq.get(), count as u64);
}

#[test]
fn a_segment_that_was_not_made_ahead_is_made_when_it_is_needed() {
    let (disk, log) = half_full();
    let operations = rotate(&disk, &log);
    assert!(operations[0].starts_with("create wal-0000000000000001.seg.tmp"), "{operations:?}");
    // What was ordered for that segment is no longer.
    log.step_preallocator();
    assert_eq!(disk.names().iter().filter(|name| name.ends_with(".tmp")).count(), 0);
}

#[test]
fn a_spare_that_is_too_small_gives_way() {
    let (disk, log) = half_full();
    log.step_preallocator();
    let ticket = log.append(&batch(&[&numbered(5, 50_000)])).unwrap();
    log.step();
    ticket.wait().unwrap();
    assert!(disk.cached("wal-0000000000000001.seg").unwrap().len() > 50_000);
    assert_eq!(read_from(&log, log.first_seq()).unwrap().len(), 6);
}

/// R10: a disk that is full is told when the segment is needed, and not before.
#[test]
fn failing_to_make_one_ahead_is_no_error_until_it_is_needed() {
    let (disk, log) = half_full();
    disk.limit_space(disk.used() + 1000);
    log.step_preallocator();
    let mut index = 5;
    let error = loop {
        match append(&log, index).wait() {
            Ok(_) => index += 1,
            Err(error) => break error,
        }
    };
    assert!(index > 5);
    assert!(matches!(error, WalError::NoSpace { .. }), "{error}");
    disk.limit_space(u64::MAX);
    append(&log, index).wait().unwrap();
    assert_eq!(read_from(&log, log.first_seq()).unwrap().len(), index + 1);
}

/// R8: a failed sync of a spare ends nothing: nobody relied on it, and it is not used.
#[test]
fn any_failed_operation_on_a_spare_only_loses_the_spare() {
    for count in 0..2 {
        let (disk, log) = half_full();
        disk.arm(count, Fault::Fail);
        log.step_preallocator();
        assert_eq!(disk.faults(), 1);
        let operations = rotate(&disk, &log);
        assert!(operations[0].starts_with("create "), "{operations:?}");
        // The one after it is made ahead again.
        while !disk.names().contains(&"wal-0000000000000002.seg.tmp".to_owned()) {
            assert_eq!(log.segment_count(), 2);
            append(&log, 0).wait().unwrap();
            log.step_preallocator();
        }
        log.close().unwrap();
    }
}

#[test]
fn a_close_removes_the_spare_and_so_does_opening_after_a_crash() {
    let (disk, log) = half_full();
    log.step_preallocator();
    let spare = "wal-0000000000000001.seg.tmp".to_owned();
    assert!(disk.names().contains(&spare));
    let crashed = disk.copy();
    log.close().unwrap();
    assert!(!disk.names().contains(&spare));
    Wal::open_simulated(&crashed, small()).unwrap();
    assert!(!crashed.names().contains(&spare));
}

/// With threads: whatever the order in which spares are made and needed.
#[test]
fn a_thread_makes_spares_while_the_log_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let payloads: Vec<_> = (0..300).map(|index| numbered(index, 1500)).collect();
    let log = Wal::open(dir.path(), small()).unwrap();
    append_each(&log, payloads.iter().cloned());
    assert!(log.segment_count() > 20);
    log.close().unwrap();
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap()).collect();
    assert!(left.iter().all(|entry| entry.path().extension() != Some("tmp".as_ref())));
    assert_eq!(contents(dir.path()).unwrap(), payloads);
}
