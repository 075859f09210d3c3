//! Events with keys: sent again within the window, they count once.

use std::sync::Arc;
use std::time::Duration;

use tidal_db::{
    Batch, DedupKey, DedupOptions, ErrorKind, Event, ManualClock, Outcome, Producer, ProducerId,
    Retention, Seq, TidalDB, TidalError, WalError, Window,
};

use crate::fixture::{NOW, builder, event, id, open, schema};

fn keyed(number: u8) -> Event<'static> {
    event(number.into()).key(DedupKey::Client([number; 16]))
}

fn outcomes(db: &TidalDB, events: &[Event<'_>]) -> Vec<Outcome> {
    db.signals(events).unwrap().outcomes
}

fn appended(seq: u64) -> Outcome {
    Outcome::Appended { seq: Seq::new(seq) }
}

fn duplicate(seq: u64) -> Outcome {
    Outcome::Duplicate { seq: Some(Seq::new(seq)) }
}

fn feed(db: &TidalDB, range: std::ops::Range<u64>) {
    for events in range.map(event).collect::<Vec<_>>().chunks(100) {
        db.signals(events).unwrap();
    }
}

/// R20: over restarts too, and also in the middle of a batch with other things. The
/// state is that of a database that was sent each event once, without keys (L2).
#[test]
fn what_is_sent_again_counts_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut db = open(dir.path());
    // The schema is record 1.
    assert_eq!(
        outcomes(&db, &[keyed(1), keyed(2), keyed(1)]),
        [appended(2), appended(3), duplicate(2)]
    );
    for _ in 0..2 {
        drop(db);
        db = open(dir.path());
        assert_eq!(outcomes(&db, &[keyed(2), keyed(1)]), [duplicate(3), duplicate(2)]);
    }
    let mixed = Batch::new()
        .event(keyed(1))
        .write_item(id(1), "one")
        .event(keyed(3))
        .event(event(9))
        .event(keyed(3));
    let committed = db.commit(mixed).unwrap();
    assert_eq!(
        committed.outcomes,
        [duplicate(2), appended(4), appended(5), appended(6), duplicate(5)]
    );
    assert_eq!(committed.position.seq, Seq::new(6));
    let twin = in_memory();
    twin.signals(&[event(1), event(2)]).unwrap();
    twin.commit(Batch::new().write_item(id(1), "one").event(event(3)).event(event(9))).unwrap();
    assert_eq!(db.checksum().unwrap(), twin.checksum().unwrap());
}

fn in_memory() -> TidalDB {
    TidalDB::in_memory(schema()).unwrap()
}

/// A database in memory knows repeats like any other.
#[test]
fn a_database_in_memory_counts_once_too() {
    let db = in_memory();
    let content = event(1).key(DedupKey::Content);
    assert_eq!(outcomes(&db, &[content, keyed(2)]), [appended(2), appended(3)]);
    assert_eq!(
        outcomes(&db, &[keyed(2), content, event(1)]),
        [duplicate(3), duplicate(2), appended(4)]
    );
    let refused = db.signals(&[Event { weight: 7.0, ..keyed(2) }]).unwrap_err();
    assert!(matches!(refused, TidalError::Wal(WalError::KeyReused { .. })), "{refused:?}");
}

/// R20: the key of an event's content is all of the event.
#[test]
fn events_that_differ_in_anything_have_other_contents() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    let first = Event::new("view", id(1), 1.0, NOW).key(DedupKey::Content);
    let others = [
        Event { signal: "like", ..first },
        Event { entity: id(2), ..first },
        Event { weight: 2.0, ..first },
        Event { timestamp: NOW.saturating_sub(Duration::from_nanos(1)), ..first },
        first.by(id(1)),
    ];
    assert_eq!(outcomes(&db, &[first, first]), [appended(2), duplicate(2)]);
    let all = outcomes(&db, &others);
    assert_eq!(all, (3..8).map(appended).collect::<Vec<_>>());
    assert_eq!(db.windowed_count("view", id(1), Window::AllTime).unwrap(), 4);
}

/// R20, G5: and nothing of the batch was written.
#[test]
fn a_key_of_another_event_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    db.signals(&[keyed(1)]).unwrap();
    let before = db.checksum().unwrap();
    let other = Event { weight: 7.5, ..keyed(1) };
    let refused = db.signals(&[keyed(2), other]).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Input);
    let TidalError::Wal(WalError::KeyReused { index: 1, seq }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(seq, Seq::new(2));
    let producer = Producer { id: ProducerId::from_bytes([1; 16]), epoch: 1, seq: 1 };
    let both = db.signals(&[keyed(3).from_producer(producer)]).unwrap_err();
    assert!(matches!(both, TidalError::ProducerAndKey { .. }), "{both:?}");
    assert_eq!(both.kind(), ErrorKind::Input);
    assert_eq!(db.checksum().unwrap(), before);
    assert_eq!(outcomes(&db, &[keyed(2), keyed(3)]), [appended(3), appended(4)]);
}

#[test]
fn the_window_is_as_long_as_it_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(NOW));
    let dedup = DedupOptions { window: Duration::from_secs(3600), max_keys: 2 };
    let open = || builder(dir.path()).clock(Arc::<ManualClock>::clone(&clock)).dedup(dedup).open();
    let db = open().unwrap();
    db.signals(&[keyed(1), keyed(2)]).unwrap();
    let full = db.signals(&[keyed(3)]).unwrap_err();
    assert!(matches!(full, TidalError::Wal(WalError::WindowFull { max: 2 })), "{full:?}");
    assert_eq!(full.kind(), ErrorKind::Retry);
    clock.set(NOW.saturating_add(Duration::from_secs(3600)));
    assert_eq!(outcomes(&db, &[keyed(1)]), [duplicate(2)]);
    clock.set(NOW.saturating_add(Duration::from_secs(2 * 3600)));
    assert_eq!(outcomes(&db, &[keyed(1)]), [appended(4)]);
}

/// R16, R20, C2: the log is cut behind the last checkpoint but one, and no key is
/// forgotten for it.
#[test]
fn keys_outlive_the_log_that_held_them() {
    let dir = tempfile::tempdir().unwrap();
    let open =
        || builder(dir.path()).segment_bytes(16 << 10).retain(Retention::UntilCheckpoint).open();
    let mut db = open().unwrap();
    let keys: Vec<_> = (0..200).map(keyed).collect();
    db.signals(&keys).unwrap();
    feed(&db, 0..3000);
    for round in 0..3 {
        db.checkpoint().unwrap();
        feed(&db, 3000 + round * 100..3100 + round * 100);
        let expected: Vec<_> = (2..202).map(duplicate).collect();
        assert_eq!(outcomes(&db, &keys), expected, "round {round}");
        drop(db);
        db = open().unwrap();
    }
    assert!(!dir.path().join("log/wal-0000000000000000.seg").exists());
    let twin = in_memory();
    twin.signals(&(0..200).map(event).collect::<Vec<_>>()).unwrap();
    feed(&twin, 0..3300);
    assert_eq!(db.checksum().unwrap(), twin.checksum().unwrap());
}

/// R20, R21: whoever sends what others send is answered with the same numbers.
#[test]
fn threads_that_send_the_same_count_once() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    let seqs: Vec<Vec<Seq>> = std::thread::scope(|scope| {
        let send = || {
            let events = (0..100).map(|number| outcomes(&db, &[keyed(number)]));
            events.map(|outcomes| outcomes[0].seq().unwrap()).collect()
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(send)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(seqs.iter().all(|others| *others == seqs[0]));
    assert_eq!(db.stats().unwrap().records, 101);
}
