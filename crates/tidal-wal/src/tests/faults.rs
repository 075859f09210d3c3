//! Disks that fail: the n-th operation of each kind, for every n of a workload.

use std::future::Future as _;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use tidal_types::{Seq, WalError};

use crate::disk::Disk;
use crate::sim::{Fault, SimDisk};
use crate::testing::{FailingDisk, Operation, batch, contents, numbered, small};
use crate::{Wal, WalOptions};

/// Forty records of 1,500 bytes over several segments; returns how many were
/// acknowledged before the first failure, and that failure.
fn workload(log: &Wal) -> (usize, Option<WalError>) {
    for index in 0..40 {
        let outcome =
            log.append(&batch(&[&numbered(index, 1500)])).and_then(|ticket| ticket.wait());
        if let Err(error) = outcome {
            return (index, Some(error));
        }
    }
    (40, None)
}

fn open(disk: &Arc<FailingDisk>, options: WalOptions) -> Result<Wal, WalError> {
    Wal::open_on(Arc::<FailingDisk>::clone(disk) as Arc<dyn Disk>, options)
}

fn expect_prefix(dir: &Path, acknowledged: usize, context: &str) {
    let contents = contents(dir).unwrap_or_else(|error| panic!("{context}: {error}"));
    let expected: Vec<_> = (0..contents.len()).map(|index| numbered(index, 1500)).collect();
    assert_eq!(contents, expected, "{context}");
    assert!(
        contents.len() >= acknowledged && contents.len() <= acknowledged + 1,
        "{context}: {} there, {acknowledged} acknowledged",
        contents.len()
    );
}

/// R8, R9: after a failed write, sync, rename or directory sync nobody gets a
/// good answer, and what was acknowledged is there after reopening.
#[test]
fn any_failed_operation_ends_the_log_and_loses_nothing_acknowledged() {
    for operation in [Operation::Write, Operation::Sync, Operation::Rename, Operation::SyncDir] {
        for countdown in 0.. {
            let dir = tempfile::tempdir().unwrap();
            let disk = Arc::new(FailingDisk::new(dir.path(), operation, io::ErrorKind::Other));
            let log = open(&disk, small()).unwrap();
            disk.arm(countdown);
            let context = format!("{operation:?} number {countdown}");
            let (acknowledged, error) = workload(&log);
            if !disk.fired() {
                // The workload has no such operation any more.
                assert!(countdown > 1, "{context}");
                break;
            }
            if let Some(error) = error {
                // An append that finds an idle log failed was not taken at all.
                assert!(
                    matches!(error, WalError::Indeterminate { .. } | WalError::Poisoned { .. }),
                    "{context}: {error}"
                );
                let again = log.append(&batch(&[b"after"])).and_then(|ticket| ticket.wait());
                assert!(matches!(again, Err(WalError::Poisoned { .. })), "{context}: {again:?}");
            }
            drop(log);
            expect_prefix(dir.path(), acknowledged, &context);
        }
    }
}

/// R10: a full disk is told before anything is written, and the log goes on when
/// there is room.
#[test]
fn a_full_disk_is_retriable() {
    for countdown in 0..4 {
        let dir = tempfile::tempdir().unwrap();
        let disk =
            Arc::new(FailingDisk::new(dir.path(), Operation::Create, io::ErrorKind::StorageFull));
        let log = open(&disk, small()).unwrap();
        disk.arm(countdown);
        let (acknowledged, error) = workload(&log);
        assert!(matches!(error, Some(WalError::NoSpace { .. })), "{error:?}");
        let lost = log.append(&batch(&[&numbered(acknowledged, 1500)])).unwrap().wait().unwrap();
        assert_eq!(lost.first.get(), acknowledged as u64 + 1);
        log.close().unwrap();
        expect_prefix(dir.path(), acknowledged + 1, &format!("create number {countdown}"));
    }
}

/// R10: the numbers of what had no room are given out again, and who counts along
/// is told.
#[test]
fn what_follows_on_records_that_had_no_room_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let disk =
        Arc::new(FailingDisk::new(dir.path(), Operation::Create, io::ErrorKind::StorageFull));
    let log = open(&disk, small()).unwrap();
    disk.arm(0);
    let mut next = Seq::FIRST;
    let payload = numbered(0, 1500);
    loop {
        let ticket = log.append_at(&batch(&[&payload]), next).unwrap();
        if let Err(error) = ticket.wait() {
            assert!(matches!(error, WalError::NoSpace { .. }), "{error:?}");
            break;
        }
        next = next.next();
    }
    let refused = log.append_at(&batch(&[&payload]), next.next()).unwrap_err();
    assert!(
        matches!(refused, WalError::OutOfPlace { next: given, .. } if given == next),
        "{refused:?}"
    );
    log.append_at(&batch(&[&payload]), next).unwrap().wait().unwrap();
    assert_eq!(log.head().position.seq, next);
}

/// Nobody waited for the records that did not fit, so the next sync says so.
#[test]
fn a_full_disk_is_told_to_whoever_syncs_when_nobody_listened() {
    for by_close in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let disk =
            Arc::new(FailingDisk::new(dir.path(), Operation::Create, io::ErrorKind::StorageFull));
        let log = open(&disk, small()).unwrap();
        disk.arm(0);
        let mut index = 0;
        while !disk.fired() {
            drop(log.append(&batch(&[&numbered(index, 1500)])).unwrap());
            index += 1;
        }
        let told = if by_close { log.close() } else { log.sync() };
        assert!(matches!(told, Err(WalError::NoSpace { .. })), "{told:?}");
        log.close().unwrap();
    }
}

/// R8, R15: a truncation that fails anywhere ends the log, and leaves it such that it
/// opens with everything from the cut on.
#[test]
fn truncation_can_be_cut_short_anywhere() {
    for operation in [Operation::Write, Operation::Sync, Operation::Remove, Operation::SyncDir] {
        for countdown in 0.. {
            let dir = tempfile::tempdir().unwrap();
            let disk = Arc::new(FailingDisk::new(dir.path(), operation, io::ErrorKind::Other));
            let log = open(&disk, small()).unwrap();
            assert_eq!(workload(&log).0, 40);
            // So that the writer has nothing of its own to write any more.
            log.sync().unwrap();
            disk.arm(countdown);
            let truncated = log.truncate_before(Seq::new(30));
            let fired = disk.fired();
            let context = format!("{operation:?} number {countdown}");
            if fired {
                truncated.as_ref().unwrap_err();
                let after = log.append(&batch(&[b"after"]));
                assert!(matches!(after, Err(WalError::Poisoned { .. })), "{context}: {after:?}");
            }
            drop(log);
            let contents = contents(dir.path()).unwrap();
            assert!(contents.len() >= 11, "{context}: {}", contents.len());
            let expected: Vec<_> =
                (40 - contents.len()..40).map(|index| numbered(index, 1500)).collect();
            assert_eq!(contents, expected, "{context}");
            if !fired {
                assert!(truncated.unwrap() > 0);
                assert!(countdown > 0, "a truncation has no {operation:?}");
                break;
            }
        }
    }
}

/// Tries to append when it is woken.
struct Woken {
    log: Arc<Wal>,
    found: Mutex<Vec<Result<(), WalError>>>,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        let found = self.log.append(&batch(&[b"after"])).map(drop);
        self.found.lock().unwrap().push(found);
    }
}

/// R8: the failure is set before anyone is woken, whether its records were in the
/// group that failed or wait for the next one.
#[test]
fn whoever_is_woken_by_a_failure_finds_the_log_failed() {
    for fails_at in 0..2 {
        let disk = SimDisk::new(1);
        let log = Arc::new(Wal::open_simulated(&disk, small()).unwrap());
        let woken = Arc::new(Woken { log: Arc::clone(&log), found: Mutex::default() });
        let waker = Waker::from(Arc::clone(&woken));
        let mut tickets: Vec<_> =
            (0..3).map(|index| log.append(&batch(&[&numbered(index, 9)])).unwrap()).collect();
        for ticket in &mut tickets {
            assert!(Pin::new(ticket).poll(&mut Context::from_waker(&waker)).is_pending());
        }
        disk.arm(fails_at, Fault::Fail);
        log.step();
        let found = woken.found.lock().unwrap();
        assert_eq!(found.len(), 3);
        for found in &*found {
            assert!(matches!(found, Err(WalError::Poisoned { .. })), "{found:?}");
        }
    }
}

/// R14: opening can itself fail at any operation; the next opening finds the
/// same records.
#[test]
fn opening_can_be_cut_short_anywhere() {
    for operation in [
        Operation::Create,
        Operation::Write,
        Operation::Sync,
        Operation::Rename,
        Operation::Remove,
        Operation::SyncDir,
    ] {
        for countdown in 0.. {
            let dir = tempfile::tempdir().unwrap();
            let log = Wal::open(dir.path(), small()).unwrap();
            assert_eq!(workload(&log).0, 40);
            drop(log);
            tear_last_group(dir.path());
            let disk = Arc::new(FailingDisk::new(dir.path(), operation, io::ErrorKind::Other));
            disk.arm(countdown);
            let opened = open(&disk, small());
            if !disk.fired() {
                opened.unwrap();
                break;
            }
            drop(opened);
            let context = format!("{operation:?} number {countdown}");
            assert_eq!(contents(dir.path()).unwrap().len(), 39, "{context}");
            assert_eq!(contents(dir.path()).unwrap().len(), 39, "{context}, again");
        }
    }
}

/// Makes the last group look as if its write had been cut off, and the floor as
/// if it had not been written since.
fn tear_last_group(dir: &Path) {
    std::fs::remove_file(dir.join("FLOOR")).unwrap();
    let newest = crate::recovery::test_segments(dir).pop().unwrap();
    let mut bytes = std::fs::read(&newest).unwrap();
    let last = bytes.iter().rposition(|&byte| byte != 0).unwrap();
    bytes[last] = 0;
    std::fs::write(newest, bytes).unwrap();
}

/// R12: the order of operations: a segment is created, synced, renamed and its
/// directory synced before anything else is written.
#[test]
fn a_segment_is_durable_before_it_is_entered() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(FailingDisk::new(dir.path(), Operation::Remove, io::ErrorKind::Other));
    let log = open(&disk, small()).unwrap();
    workload(&log);
    drop(log);
    let operations = disk.operations();
    let creations = operations.iter().filter(|&&operation| operation == Operation::Create).count();
    assert!(creations > 3);
    for (index, operation) in operations.iter().enumerate() {
        if *operation != Operation::Create {
            continue;
        }
        let steps = &operations[index + 1..index + 5];
        if steps[..3] == [Operation::Sync, Operation::Rename, Operation::SyncDir] {
            continue; // The floor file, which begins as zeros.
        }
        assert_eq!(
            steps,
            [Operation::Write, Operation::Sync, Operation::Rename, Operation::SyncDir]
        );
        if index > 0 {
            assert_eq!(operations[index - 1], Operation::Sync, "the segment before is synced");
        }
    }
}
