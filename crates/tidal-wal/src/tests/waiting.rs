//! Waiting for the writer, for a cursor, and not waiting at all.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tidal_types::{ErrorKind, LogId, Position, Seq, WalError};

use crate::limits::{QUEUE_BYTES_MAX, RECORD_BYTES_MAX};
use crate::sim::{Fault, SimDisk};
use crate::testing::{append_each, batch, numbered, small};
use crate::{Durability, Wal, WalOptions};

/// Longer than any test takes: what is waited for comes.
const LONG: Duration = Duration::from_secs(600);
const NOTHING: Duration = Duration::ZERO;

/// G30, R18: who waits for a record is woken once it is durable, in any order of the two.
#[test]
fn a_record_is_waited_for() {
    for durability in [Durability::Durable, Durability::Written, Durability::Buffered] {
        let dir = tempfile::tempdir().unwrap();
        let options = WalOptions { durability, ..small() };
        let log = Arc::new(Wal::open(dir.path(), options).unwrap());
        let waiters: Vec<_> = (1..=8)
            .map(|seq| {
                let log = Arc::clone(&log);
                thread::spawn(move || {
                    log.wait_durable(Seq::new(seq)).unwrap();
                    log.head().position.seq
                })
            })
            .collect();
        append_each(&log, (1..=8).map(|index| numbered(index, 100)));
        for (index, waiter) in waiters.into_iter().enumerate() {
            assert!(waiter.join().unwrap() >= Seq::new(index as u64 + 1));
        }
        log.wait_durable(Seq::ZERO).unwrap();
    }
}

/// G30, R17, R18: a reader that waits sees every record, once, in order, over segments, and
/// is told of the end.
#[test]
fn a_reader_waits_for_the_writer() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    let mut reader = log.reader(Seq::FIRST);
    let mut cursor = log.cursor("feed").unwrap();
    let reading = thread::spawn(move || {
        let mut seen = Vec::new();
        loop {
            match reader.wait_record(LONG) {
                Ok(record) => seen.push(record.unwrap().seq.get()),
                Err(error) => return (seen, error),
            }
        }
    });
    let following = thread::spawn(move || {
        for seq in 1..=60 {
            assert_eq!(cursor.wait_record(LONG).unwrap().unwrap().seq, Seq::new(seq));
            cursor.commit(Seq::new(seq)).unwrap();
        }
        cursor
    });
    append_each(&log, (1..=60).map(|index| numbered(index, 1500)));
    log.wait_for_cursor("feed", log.head().position, LONG).unwrap();
    log.close().unwrap();
    let (seen, error) = reading.join().unwrap();
    assert_eq!(seen, (1..=60).collect::<Vec<_>>());
    assert!(matches!(error, WalError::Closed { .. }), "{error}");
    assert_eq!(following.join().unwrap().place(), Seq::new(60));
}

/// G30: a position is waited for, at most as long as was asked for, and only in its own
/// log.
#[test]
fn what_does_not_come_in_time_is_told() {
    let disk = SimDisk::new(1);
    let log = Wal::open_simulated(&disk, small()).unwrap();
    let mut reader = log.reader(Seq::FIRST);
    assert!(reader.wait_record(NOTHING).unwrap().is_none());
    let ticket = log.append(&batch(&[b"one"])).unwrap();
    assert!(reader.wait_record(Duration::from_millis(1)).unwrap().is_none());
    log.step();
    ticket.wait().unwrap();
    assert_eq!(reader.wait_record(LONG).unwrap().unwrap().payload, b"one");

    let cursor = log.cursor("feed").unwrap();
    let position = log.head().position;
    let error = log.wait_for_cursor("feed", position, NOTHING).unwrap_err();
    assert!(
        matches!(error, WalError::TimedOut { wanted: Seq::FIRST, reached: Seq::ZERO }),
        "{error}"
    );
    assert_eq!(error.kind(), ErrorKind::Retry);
    cursor.commit(Seq::FIRST).unwrap();
    log.wait_for_cursor("feed", position, NOTHING).unwrap();
    drop(cursor);
    log.wait_for_cursor("feed", position, NOTHING).unwrap();
    let other = Position { log_id: LogId::from_bytes([7; 16]), ..position };
    let error = log.wait_for_cursor("feed", other, LONG).unwrap_err();
    assert!(matches!(error, WalError::OtherLog { .. }), "{error}");
    let error = log.wait_for_cursor("food", position, LONG).unwrap_err();
    assert!(matches!(error, WalError::NoSuchCursor { .. }), "{error}");
}

/// G30, R8, R18: the end of the log, and of a cursor, wakes everyone who waits.
#[test]
fn nobody_waits_for_what_will_not_come() {
    for fails in [true, false] {
        let disk = SimDisk::new(1);
        let log = Arc::new(Wal::open_simulated(&disk, small()).unwrap());
        drop(log.cursor("feed").unwrap());
        drop(log.cursor("gone").unwrap());
        let next = Position { seq: Seq::FIRST, ..log.head().position };
        let mut reader = log.reader(Seq::FIRST);
        let spawn = |wait: fn(&Wal, Position) -> Result<(), WalError>| {
            let log = Arc::clone(&log);
            thread::spawn(move || wait(&log, next).unwrap_err())
        };
        let removed = spawn(|log, next| log.wait_for_cursor("gone", next, LONG));
        let waiters = [
            spawn(|log, next| log.wait_durable(next.seq)),
            spawn(|log, next| log.wait_for_cursor("feed", next, LONG)),
            thread::spawn(move || reader.wait_record(LONG).unwrap_err()),
        ];
        log.remove_cursor("gone").unwrap();
        let error = removed.join().unwrap();
        assert!(matches!(error, WalError::NoSuchCursor { .. }), "{error}");
        if fails {
            drop(log.append(&batch(&[b"one"])).unwrap());
            disk.arm(0, Fault::Fail);
            log.step();
        } else {
            log.close().unwrap();
        }
        for waiter in waiters {
            let error = waiter.join().unwrap();
            assert_eq!(matches!(error, WalError::Poisoned { .. }), fails, "{error}");
            assert_eq!(error.kind(), ErrorKind::Reopen);
        }
    }
}

/// G31: a full queue refuses who does not want to wait, and appends nothing.
#[test]
fn a_full_queue_refuses_who_does_not_wait() {
    let disk = SimDisk::new(1);
    let log = Wal::open_simulated(&disk, WalOptions::default()).unwrap();
    let large = batch(&[&vec![0; RECORD_BYTES_MAX]]);
    let mut tickets = Vec::new();
    let error = loop {
        match log.try_append(&large) {
            Ok(ticket) => tickets.push(ticket),
            Err(error) => break error,
        }
    };
    assert_eq!(tickets.len(), QUEUE_BYTES_MAX / large.byte_len());
    assert!(matches!(error, WalError::WouldBlock { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Retry);
    let next = tickets.last().unwrap().appended().last.next();
    let error = log.try_append_at(&large, next).unwrap_err();
    assert!(matches!(error, WalError::WouldBlock { .. }), "{error}");
    log.step();
    let ticket = log.try_append_at(&batch(&[b"small"]), next).unwrap();
    let error = log.try_append_at(&batch(&[b"small"]), next).unwrap_err();
    assert!(matches!(error, WalError::OutOfPlace { .. }), "{error}");
    log.step();
    assert_eq!(ticket.wait().unwrap().first, next);
    assert_eq!(log.head().position.seq, next);
}
