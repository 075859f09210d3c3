//! The core of the log under loom: tickets, the queue, the durable position, a reader.
//!
//! All orders with up to three preemptions are tried. No segment is left here and none
//! made ahead; that is shuttle's.

use std::sync::Arc;

use tidal_types::{Seq, WalError};

use super::{after_power_cut, is_durable, payload, start, tiny};
use crate::sim::{Fault, SimDisk};
use crate::sync::JoinHandle;
use crate::testing::{batch, read_from};
use crate::{Durability, Wal};

/// How often a running thread may be interrupted in favour of another.
const PREEMPTIONS: usize = 3;

/// Tries all orders of a life of a log, which gets an empty disk.
fn explore(preemptions: usize, life: impl Fn(&SimDisk) + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.max_branches = 100_000;
    let life = Arc::new(life);
    model.check(move || {
        let life = Arc::clone(&life);
        // On a thread with a stack that is large enough.
        start(move || life(&SimDisk::new(1))).join().unwrap();
    });
}

fn open(disk: &SimDisk) -> Arc<Wal> {
    Arc::new(Wal::open_threaded(disk, tiny(), false).unwrap())
}

/// A thread that appends one record and checks what its answer says.
fn appender(log: &Arc<Wal>, disk: &SimDisk, number: usize) -> JoinHandle<Result<Seq, WalError>> {
    let (log, disk) = (Arc::clone(log), disk.clone());
    start(move || {
        let payload = payload(number, 0, 8);
        let appended = log.append(&batch(&[&payload]))?.wait()?;
        assert!(is_durable(&disk, &payload), "R18: an answer before the sync");
        Ok(appended.first)
    })
}

/// R17, R18: two appenders, the writer and a reader. Nobody waits for ever, an answer
/// comes after the sync, and a reader sees no record that a power cut could take.
#[test]
fn answers_and_readers_come_after_the_sync() {
    explore(PREEMPTIONS, |disk| {
        let log = open(disk);
        let appenders = [0, 1].map(|number| appender(&log, disk, number));
        let mut reader = log.reader(Seq::FIRST);
        let mut seen = 0;
        while let Some(record) = reader.next_record().unwrap() {
            seen += 1;
            assert_eq!(record.seq, Seq::new(seen));
            assert!(is_durable(disk, record.payload), "R17: a reader ahead of the sync");
        }
        let mut seqs = appenders.map(|appender| appender.join().unwrap().unwrap());
        seqs.sort_unstable();
        assert_eq!(seqs, [Seq::FIRST, Seq::new(2)]);
        while let Some(record) = reader.next_record().unwrap() {
            seen += 1;
            assert_eq!(record.seq, Seq::new(seen));
        }
        assert_eq!(seen, 2, "R17: a reader misses what was answered");
        log.close().unwrap();
    });
}

/// R8, R18: the sync fails. Whoever is told so finds the log closed to appends, and
/// both are told.
#[test]
fn a_failure_is_known_before_anyone_hears_of_it() {
    explore(PREEMPTIONS, |disk| {
        let log = open(disk);
        // The write goes well, its sync does not.
        disk.arm(1, Fault::Fail);
        let appenders = [0, 1].map(|number| {
            let log = Arc::clone(&log);
            start(move || {
                let payload = payload(number, 0, 8);
                let error = match log.append(&batch(&[&payload])) {
                    Ok(ticket) => ticket.wait().unwrap_err(),
                    Err(error) => error,
                };
                assert!(matches!(
                    error,
                    WalError::Indeterminate { .. } | WalError::Poisoned { .. }
                ));
                let later = log.append(&batch(&[&payload])).map(drop);
                assert!(matches!(later, Err(WalError::Poisoned { .. })), "K3: {later:?}");
            })
        });
        for appender in appenders {
            appender.join().unwrap();
        }
        let closed = log.close();
        assert!(matches!(closed, Err(WalError::Poisoned { .. })), "{closed:?}");
    });
}

/// R18: a close against appends: each is refused, or written, synced and answered, also
/// when nobody waits for the answer.
#[test]
fn a_close_writes_what_was_appended() {
    explore(PREEMPTIONS, |disk| {
        let log = open(disk);
        let dropped = {
            let log = Arc::clone(&log);
            start(move || log.append(&batch(&[&payload(1, 0, 8)])).map(drop))
        };
        let waiting = appender(&log, disk, 0);
        log.close().unwrap();
        for (appended, payload) in [
            (waiting.join().unwrap().map(drop), payload(0, 0, 8)),
            (dropped.join().unwrap(), payload(1, 0, 8)),
        ] {
            match appended {
                Ok(()) => assert!(is_durable(disk, &payload), "R18: a close that does not write"),
                Err(error) => assert!(matches!(error, WalError::Closed { .. }), "{error}"),
            }
        }
    });
}

/// R18: a sync of a log that has answered already covers all that was appended before.
#[test]
fn a_sync_covers_what_was_appended_before() {
    explore(PREEMPTIONS, |disk| {
        let options = crate::WalOptions { durability: Durability::Buffered, ..tiny() };
        let log = Arc::new(Wal::open_threaded(disk, options, false).unwrap());
        let other = {
            let log = Arc::clone(&log);
            start(move || log.append(&batch(&[&payload(1, 0, 8)])).unwrap().wait().map(drop))
        };
        let payload = payload(0, 0, 8);
        log.append(&batch(&[&payload])).unwrap().wait().unwrap();
        log.sync().unwrap();
        assert!(is_durable(disk, &payload), "R18: a sync that covers too little");
        other.join().unwrap().unwrap();
        log.close().unwrap();
    });
}

/// C1, R22: of two appends that race, both survive a power cut under their numbers.
#[test]
fn what_was_answered_survives() {
    explore(1, |disk| {
        let log = open(disk);
        let appenders = [0, 1].map(|number| appender(&log, disk, number));
        let seqs = appenders.map(|appender| appender.join().unwrap().unwrap());
        let order = read_from(&log, Seq::FIRST).unwrap();
        disk.die();
        drop(log);
        assert_eq!(after_power_cut(disk), order);
        for (number, seq) in seqs.into_iter().enumerate() {
            assert_eq!(order[seq.get() as usize - 1], payload(number, 0, 8));
        }
    });
}
