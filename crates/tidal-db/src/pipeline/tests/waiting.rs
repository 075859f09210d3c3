//! Waiting for a record to be folded, and commits that never wait.

use std::time::Duration;

use tidal_types::{LogId, Position, WalError};

use tidal_wal::WalOptions;
use tidal_wal::sim::{Fault, SimDisk};

use super::*;
use crate::log::SimulatedLog;
use crate::pipeline::COMMITS_IN_FLIGHT_MAX;

/// Longer than any test takes: what is waited for comes.
const LONG: Duration = Duration::from_secs(600);

fn plain() -> Batch<'static> {
    Batch::new().signal("view", EntityId::new(1), 1.0, Timestamp::from_secs(1))
}

#[track_caller]
fn would_block<T: std::fmt::Debug>(answer: Result<T>) {
    let error = answer.unwrap_err();
    assert!(matches!(error, TidalError::Wal(WalError::WouldBlock { .. })), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Retry);
}

/// G30: a position is waited for until it is folded, and can be read then.
#[test]
fn a_position_is_waited_for_until_it_is_folded() {
    let (log, db) = over_script();
    log.hold();
    let begin = db.stats().unwrap().position;
    let next = Position { seq: begin.seq.plus(2), ..begin };
    let tickets = [db.submit(plain()).unwrap(), db.submit(plain()).unwrap()];
    let error = db.wait_applied(next, Duration::ZERO).unwrap_err();
    assert!(
        matches!(
            error,
            TidalError::Wal(WalError::TimedOut { wanted, reached })
                if (reached, wanted) == (begin.seq, next.seq)
        ),
        "{error:?}"
    );
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            db.wait_applied(next, LONG).unwrap();
            counted(&db)
        });
        log.release();
        assert_eq!(waiter.join().unwrap(), 2);
    });
    for ticket in tickets {
        let position = ticket.wait().unwrap().position;
        db.wait_applied(position, Duration::ZERO).unwrap();
    }
    let other = Position { log_id: LogId::from_bytes([9; 16]), ..next };
    let error = db.wait_applied(other, LONG).unwrap_err();
    assert!(matches!(error, TidalError::Wal(WalError::OtherLog { .. })), "{error:?}");
}

/// G30: nobody waits for what will not be folded any more.
#[test]
fn a_shutdown_wakes_who_waits() {
    let (_log, db) = over_script();
    let begin = db.stats().unwrap().position;
    let next = Position { seq: begin.seq.next(), ..begin };
    thread::scope(|scope| {
        let waiter = scope.spawn(|| db.wait_applied(next, LONG).unwrap_err());
        db.shutdown().unwrap();
        assert!(matches!(waiter.join().unwrap(), TidalError::Closed));
    });
}

/// G30: nor for what a log that failed will never have: whether it fails while somebody
/// appends, or while nobody does, before the wait or during it. What was folded before is
/// still told so.
#[test]
fn a_failure_of_the_log_wakes_who_waits() {
    for fails_idle in [false, true] {
        let disk = SimDisk::new(1);
        let log = Arc::new(SimulatedLog::open(&disk, WalOptions::default()).unwrap());
        let db = open::open_over(Arc::clone(&log) as _, schema()).unwrap();
        let done = db.commit(plain()).unwrap().position;
        let next = Position { seq: done.seq.next(), ..done };
        thread::scope(|scope| {
            let waiter = scope.spawn(|| db.wait_applied(next, LONG).unwrap_err());
            disk.arm(0, Fault::Fail);
            if fails_idle {
                log.step();
            } else {
                db.commit(plain()).unwrap_err();
            }
            for error in [waiter.join().unwrap(), db.wait_applied(next, LONG).unwrap_err()] {
                assert!(matches!(error, TidalError::Wal(WalError::Poisoned { .. })), "{error:?}");
            }
        });
        db.wait_applied(done, LONG).unwrap();
    }
}

/// G31: what would have to wait for room is refused, also while somebody else waits for
/// it, and leaves nothing behind.
#[test]
fn a_commit_that_would_wait_is_refused() {
    let (log, db) = over_script();
    log.hold();
    let tickets: Vec<_> =
        (0..COMMITS_IN_FLIGHT_MAX).map(|_| db.try_submit(plain()).unwrap()).collect();
    would_block(db.try_submit(plain()));
    thread::scope(|scope| {
        let patient = scope.spawn(|| db.commit(plain()).unwrap());
        would_block(db.try_submit(plain()));
        would_block(db.try_submit([event(1, 1)].into_iter().collect::<Batch<'_>>()));
        log.release();
        patient.join().unwrap();
    });
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    db.try_submit(plain()).unwrap().wait().unwrap();
    assert_eq!(counted(&db), COMMITS_IN_FLIGHT_MAX as u64 + 2);
}

/// G24, G31: a producer that does not wait goes back like any other, once it is known
/// what became of its commits.
#[test]
fn a_producer_that_does_not_wait_goes_back() {
    let (log, db) = over_script();
    let try_submit = |seqs: std::ops::RangeInclusive<u64>| {
        db.try_submit(seqs.map(|seq| event(1, seq)).collect::<Batch<'_>>())
    };
    log.hold();
    let failing = try_submit(1..=2).unwrap();
    log.rewind();
    would_block(try_submit(3..=4));
    log.refuse();
    assert_eq!(failing.wait().unwrap_err().kind(), ErrorKind::Space);
    goes_back_to(try_submit(3..=4), 1);
    try_submit(1..=4).unwrap().wait().unwrap();
    assert_eq!(counted(&db), 4);
}

/// G81: who forgets waits for what is on its way, and so does who uses what is being
/// forgotten; who does not want to wait is refused.
#[test]
fn the_order_of_the_log_decides_what_is_forgotten() {
    let (log, db) = over_script();
    let entity = |number| EntityId::new(number);
    let forget = |number| Batch::new().forget(EntityKind::Item, entity(number));
    let view = |number| Batch::new().signal("view", entity(number), 1.0, Timestamp::from_secs(1));
    log.hold();
    let before = db.submit(view(1)).unwrap();
    let at_once = db.try_submit(forget(1));
    log.release();
    would_block(at_once);
    before.wait().unwrap();

    log.hold();
    let forgotten = db.try_submit(forget(1)).unwrap();
    let at_once = db.try_submit(view(1));
    let other = db.try_submit(view(2)).unwrap();
    log.release();
    would_block(at_once);
    forgotten.wait().unwrap();
    other.wait().unwrap();
    assert_eq!(db.entities(EntityKind::Item).unwrap(), [entity(2)]);

    // What could not be forgotten is there and can be used.
    log.hold();
    let forgotten = db.try_submit(forget(2)).unwrap();
    log.rewind();
    log.refuse();
    forgotten.wait().unwrap_err();
    db.submit(view(2)).unwrap().wait().unwrap();
    assert!(!db.is_forgotten(EntityKind::Item, entity(2)).unwrap());
}
