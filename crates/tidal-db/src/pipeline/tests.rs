//! Producers whose commits are on their way, or fail there.

mod stuck;
mod waiting;

use std::sync::Arc;
use std::thread;

use tidal_types::{
    DecaySpec, EntityId, EntityKind, ErrorKind, Event, Producer, ProducerId, Schema, SchemaBuilder,
    TidalError, Timestamp, Window,
};

use crate::log::ScriptedLog;
use crate::{Batch, Outcome, Result, Ticket, TidalDB, open};

fn schema() -> Schema {
    let mut builder = SchemaBuilder::new();
    builder
        .signal("view", EntityKind::Item, DecaySpec::Permanent)
        .windows(&[Window::AllTime])
        .add();
    builder.build().unwrap()
}

fn over_script() -> (Arc<ScriptedLog>, TidalDB) {
    let log = Arc::new(ScriptedLog::new());
    let db = open::open_over(Arc::clone(&log) as _, schema()).unwrap();
    (log, db)
}

fn event(producer: u8, seq: u64) -> Event<'static> {
    let id = ProducerId::from_bytes([producer; 16]);
    Event::new("view", EntityId::new(1), 1.0, Timestamp::from_secs(1)).from_producer(Producer {
        id,
        epoch: 1,
        seq,
    })
}

fn submit(db: &TidalDB, producer: u8, seqs: impl IntoIterator<Item = u64>) -> Result<Ticket> {
    db.submit(seqs.into_iter().map(|seq| event(producer, seq)).collect::<Batch<'_>>())
}

fn counted(db: &TidalDB) -> u64 {
    db.windowed_count("view", EntityId::new(1), Window::AllTime).unwrap()
}

fn are_duplicates(outcomes: &[Outcome]) -> Vec<bool> {
    outcomes.iter().map(|outcome| matches!(outcome, Outcome::Duplicate { .. })).collect()
}

/// The answer that sends a producer back to an event.
#[track_caller]
fn goes_back_to<T: std::fmt::Debug>(answer: Result<T>, expected: u64) {
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Retry);
    assert!(
        matches!(error, TidalError::ProducerBehind { seq, epoch: 1, .. } if seq == expected),
        "{error:?}"
    );
}

/// G23
#[test]
fn a_repeat_is_answered_behind_its_original() {
    let (log, db) = over_script();
    log.hold();
    let original = submit(&db, 1, [1, 2]).unwrap();
    let repeat = submit(&db, 1, [1, 2]).unwrap();
    let mixed = submit(&db, 1, [2, 3]).unwrap();
    assert!(!repeat.is_done());
    log.release();
    assert_eq!(are_duplicates(&original.wait().unwrap().outcomes), [false, false]);
    assert_eq!(are_duplicates(&repeat.wait().unwrap().outcomes), [true, true]);
    assert_eq!(are_duplicates(&mixed.wait().unwrap().outcomes), [true, false]);
    assert_eq!(counted(&db), 3);
}

/// G24: whoever sent it again is not told that it is there.
#[test]
fn a_repeat_of_what_failed_is_no_duplicate() {
    let (log, db) = over_script();
    submit(&db, 1, [1]).unwrap().wait().unwrap();
    log.hold();
    let original = submit(&db, 1, [2, 3]).unwrap();
    let repeat = submit(&db, 1, [1, 2]).unwrap();
    log.rewind();
    log.refuse();
    assert_eq!(original.wait().unwrap_err().kind(), ErrorKind::Space);
    goes_back_to(repeat.wait(), 2);
    goes_back_to(submit(&db, 1, [4]), 2);
    let again = submit(&db, 1, [1, 2, 3]).unwrap().wait().unwrap();
    assert_eq!(are_duplicates(&again.outcomes), [true, false, false]);
    submit(&db, 1, [4]).unwrap().wait().unwrap();
    assert_eq!(counted(&db), 4);
}

/// G24: the log has given up a commit, and the applier does not know it yet.
#[test]
fn nothing_follows_on_a_commit_that_is_about_to_fail() {
    let (log, db) = over_script();
    log.hold();
    let original = submit(&db, 1, [1, 2]).unwrap();
    let other = submit(&db, 2, [1]).unwrap();
    log.rewind();
    let late = thread::scope(|scope| {
        let late = scope.spawn(|| submit(&db, 1, [3]));
        // The schema, the original, the other one, and the late one.
        log.wait_for_attempts(4);
        log.refuse();
        late.join().unwrap()
    });
    goes_back_to(late, 1);
    assert_eq!(original.wait().unwrap_err().kind(), ErrorKind::Space);
    assert_eq!(other.wait().unwrap_err().kind(), ErrorKind::Space);
    // A producer that had nothing on its way goes on.
    submit(&db, 3, [7]).unwrap().wait().unwrap();
    goes_back_to(submit(&db, 2, [2]), 1);
    submit(&db, 1, [1, 2, 3]).unwrap().wait().unwrap();
    submit(&db, 2, [1, 2]).unwrap().wait().unwrap();
    assert_eq!(counted(&db), 6);
}

/// G24: what failed is no longer pending, also when the gate is never idle.
#[test]
fn what_failed_can_be_sent_again_while_others_are_on_their_way() {
    // Whether the gate is still busy then is up to the scheduler.
    for _ in 0..50 {
        let (log, db) = over_script();
        log.hold();
        let original = submit(&db, 1, [1]).unwrap();
        log.rewind();
        let plain = Event { producer: None, ..event(1, 1) };
        let other = db.submit(Batch::new().event(plain)).unwrap();
        log.refuse_first();
        original.wait().unwrap_err();
        let again = thread::scope(|scope| {
            let again = scope.spawn(|| submit(&db, 1, [1]));
            thread::yield_now();
            log.release();
            again.join().unwrap()
        });
        other.wait().unwrap();
        assert_eq!(are_duplicates(&again.unwrap().wait().unwrap().outcomes), [false]);
        assert_eq!(counted(&db), 2);
    }
}

#[test]
fn a_newer_epoch_leaves_what_failed_behind() {
    let (log, db) = over_script();
    log.hold();
    let failed = submit(&db, 1, [1]).unwrap();
    log.rewind();
    log.refuse();
    failed.wait().unwrap_err();
    let mut newer = event(1, 2);
    newer.producer.as_mut().unwrap().epoch = 2;
    db.signals(&[newer]).unwrap();
    assert_eq!(counted(&db), 1);
    assert!(matches!(submit(&db, 1, [1]), Err(TidalError::Fenced { epoch: 1, current: 2, .. })));
}

/// G24: a commit without producers that gets the numbers of a failed one does not
/// hide the failure from the producer's next event.
#[test]
fn a_commit_without_producers_hides_no_failure() {
    let (log, db) = over_script();
    log.hold();
    let original = submit(&db, 1, [1]).unwrap();
    log.rewind();
    let plain = Event { producer: None, ..event(1, 1) };
    let other = db.submit(Batch::new().event(plain)).unwrap();
    thread::scope(|scope| {
        let late = scope.spawn(|| submit(&db, 1, [2]).and_then(Ticket::wait));
        log.refuse_first();
        original.wait().unwrap_err();
        log.release();
        late.join().unwrap().unwrap_err();
    });
    other.wait().unwrap();
    let again = submit(&db, 1, [1]).unwrap().wait().unwrap();
    assert!(matches!(again.outcomes[..], [Outcome::Appended { .. }]), "{again:?}");
    assert_eq!(counted(&db), 2);
}

fn in_epoch(epoch: u32, seq: u64) -> Batch<'static> {
    let mut event = event(1, seq);
    event.producer.as_mut().unwrap().epoch = epoch;
    Batch::new().event(event)
}

/// S1 of the setbacks: epochs that fail together are remembered each.
#[test]
fn two_epochs_that_failed_are_both_remembered() {
    let (log, db) = over_script();
    log.hold();
    let older = db.submit(in_epoch(1, 5)).unwrap();
    let newer = db.submit(in_epoch(2, 1)).unwrap();
    log.rewind();
    log.refuse();
    older.wait().unwrap_err();
    newer.wait().unwrap_err();
    let late = db.submit(in_epoch(2, 2)).and_then(Ticket::wait);
    assert!(matches!(late, Err(TidalError::ProducerBehind { seq: 1, .. })), "{late:?}");
    db.submit(in_epoch(2, 1)).unwrap().wait().unwrap();
    db.submit(in_epoch(2, 2)).unwrap().wait().unwrap();
    assert_eq!(counted(&db), 2);
}

/// S1 of the setbacks: a newer epoch that fails too takes nothing back.
#[test]
fn a_newer_epoch_that_fails_too_forgets_nothing() {
    let (log, db) = over_script();
    for (epoch, seq) in [(1, 5), (2, 1)] {
        log.hold();
        let ticket = db.submit(in_epoch(epoch, seq)).unwrap();
        log.rewind();
        log.refuse();
        ticket.wait().unwrap_err();
    }
    let late = db.submit(in_epoch(1, 6)).and_then(Ticket::wait);
    assert!(matches!(late, Err(TidalError::ProducerBehind { seq: 5, .. })), "{late:?}");
    db.submit(in_epoch(1, 5)).unwrap().wait().unwrap();
    assert_eq!(counted(&db), 1);
}
