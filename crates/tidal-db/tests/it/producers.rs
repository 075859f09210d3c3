//! Producers: what is sent again counts once.

use std::sync::Arc;

use tidal_db::{
    Batch, ErrorKind, Event, MemoryStorage, Outcome, Producer, ProducerId, ProducerState,
    Retention, TidalDB, TidalError, Window,
};

use crate::fixture::{NOW, builder, id, open, schema};
use crate::interrupted::Interrupted;

const ID: ProducerId = ProducerId::from_bytes(*b"producer-of-test");

fn event(epoch: u32, seq: u64) -> Event<'static> {
    Event::new("view", id(1), 1.0, NOW).from_producer(Producer { id: ID, epoch, seq })
}

fn counted(db: &TidalDB) -> u64 {
    db.windowed_count("view", id(1), Window::AllTime).unwrap()
}

/// Sends these events of the first epoch, and answers which were duplicates.
fn send(db: &TidalDB, seqs: impl IntoIterator<Item = u64>) -> Vec<bool> {
    let batch: Batch<'_> = seqs.into_iter().map(|seq| event(0, seq)).collect();
    let outcomes = db.commit(batch).unwrap().outcomes;
    outcomes.iter().map(|outcome| *outcome == Outcome::Duplicate { seq: None }).collect()
}

fn state(epoch: u32, seq: u64, note: &[u8]) -> ProducerState {
    ProducerState { epoch, seq, note: note.to_vec() }
}

/// G23: in memory, over replay, over a checkpoint, and over a log that was cut.
#[test]
fn a_repeat_counts_once_for_ever() {
    let memory = TidalDB::in_memory(schema()).unwrap();
    send(&memory, [1, 2, 5]);
    assert_eq!(send(&memory, [1, 2, 3, 5]), [true; 4]);
    let checksum = memory.checksum().unwrap();

    let dir = tempfile::tempdir().unwrap();
    let reopen = || builder(dir.path()).retain(Retention::UntilCheckpoint).open().unwrap();
    let db = reopen();
    assert_eq!(send(&db, [1, 2, 5]), [false; 3]);
    drop(db);
    for round in 0..3 {
        let db = reopen();
        assert_eq!(send(&db, [1, 2, 5]), [true; 3], "round {round}");
        assert_eq!((counted(&db), db.checksum().unwrap()), (3, checksum), "round {round}");
        assert_eq!(db.producer(ID).unwrap(), Some(state(0, 5, b"")));
        let records = db.stats().unwrap().records;
        assert_eq!(records, 4, "repeats take no place in the log");
        if round == 1 {
            db.shutdown().unwrap();
        }
    }
}

/// G23: outcomes stay in the order of the batch, with and without repeats.
#[test]
fn a_mixed_batch_is_answered_in_its_order() {
    let db = TidalDB::in_memory(schema()).unwrap();
    send(&db, [1, 2]);
    let before = db.stats().unwrap().records;
    let batch = Batch::new()
        .event(event(0, 2))
        .write_item(id(1), "title")
        .event(event(0, 3))
        .event(event(0, 1))
        .event(event(0, 4))
        .signal("view", id(1), 1.0, NOW)
        .event(event(0, 4));
    let committed = db.commit(batch).unwrap();
    let seqs: Vec<_> = committed
        .outcomes
        .iter()
        .map(|outcome| outcome.seq().map_or(0, |seq| seq.get() - before))
        .collect();
    assert_eq!(seqs, [0, 1, 2, 0, 3, 4, 0]);
    assert_eq!(committed.position.seq.get(), before + 4);
    assert_eq!(counted(&db), 5);
    let repeats = db.signals(&[event(0, 4)]).unwrap();
    assert_eq!(repeats.position, committed.position);
}

/// G25
#[test]
fn a_newer_epoch_fences_off_the_older_one() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    db.signals(&[event(1, 10)]).unwrap();
    db.signals(&[event(2, 0)]).unwrap();
    drop(db);
    let db = open(dir.path());
    let error = db.signals(&[event(2, 1), event(1, 11)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    let TidalError::Fenced { producer, epoch, current } = error else {
        panic!("{error:?}");
    };
    assert_eq!((producer, epoch, current), (ID, 1, 2));
    assert_eq!(counted(&db), 2, "a refused batch leaves nothing");
    assert_eq!(db.producer(ID).unwrap(), Some(state(2, 0, b"")));
}

/// G26
#[test]
fn a_note_is_there_with_its_events() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    let noted = |seqs: [u64; 2], note: &[u8]| {
        let batch: Batch<'_> = seqs.into_iter().map(|seq| event(0, seq)).collect();
        batch.producer_note(ID, note)
    };
    db.commit(noted([1, 2], b"two")).unwrap();
    assert_eq!(db.producer(ID).unwrap(), Some(state(0, 2, b"two")));
    let outcomes = db.commit(noted([1, 2], b"other")).unwrap().outcomes;
    assert_eq!(outcomes, [Outcome::Duplicate { seq: None }; 3]);
    let outcomes = db.commit(noted([2, 3], b"three")).unwrap().outcomes;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.seq().is_some()).count(), 2);
    let early = Batch::new().producer_note(ID, "early").event(event(0, 4));
    db.commit(early).unwrap();
    drop(db);
    for round in 0..3 {
        let db = open(dir.path());
        assert_eq!(db.producer(ID).unwrap(), Some(state(0, 4, b"three")), "round {round}");
        if round == 1 {
            db.shutdown().unwrap();
        }
    }
    let db = open(dir.path());
    let longest = [7; tidal_db::NOTE_BYTES_MAX];
    db.commit(noted([5, 6], &longest)).unwrap();
    let error = db.commit(noted([7, 8], &[7; 65])).unwrap_err();
    assert!(matches!(error, TidalError::NoteLength { bytes: 65, max: 64, .. }), "{error:?}");
    assert_eq!(db.producer(ID).unwrap(), Some(state(0, 6, &longest)));
    assert_eq!(db.producer(ProducerId::from_bytes([0; 16])).unwrap(), None);
}

/// The table is part of the state: epoch, number and note.
#[test]
fn the_checksum_covers_producers() {
    let checksum = |batch: Batch<'_>| {
        let db = TidalDB::in_memory(schema()).unwrap();
        db.commit(batch).unwrap();
        db.checksum().unwrap()
    };
    let checksums = [
        checksum(Batch::new().signal("view", id(1), 1.0, NOW)),
        checksum(Batch::new().event(event(0, 1))),
        checksum(Batch::new().event(event(0, 2))),
        checksum(Batch::new().event(event(1, 1))),
        checksum(Batch::new().event(event(0, 1)).producer_note(ID, "a")),
        checksum(Batch::new().event(event(0, 1)).producer_note(ID, "b")),
    ];
    for (place, checksum) in checksums.iter().enumerate() {
        assert!(!checksums[..place].contains(checksum), "{place}");
    }
}

/// C5: a checkpoint that dies between its commits leaves the table as of the
/// checkpoint before, so replay passes over nothing.
#[test]
fn an_interrupted_checkpoint_keeps_the_table_of_the_one_before() {
    const CELLS: u64 = 300_000;
    for commits in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let memory = Arc::new(MemoryStorage::new());
        let open =
            |commits| builder(dir.path()).storage(Interrupted::after(&memory, commits)).open();
        let db = open(usize::MAX).unwrap();
        send(&db, [1, 2]);
        db.shutdown().unwrap();
        let db = open(commits).unwrap();
        // More cells than one commit takes.
        let events = (3..=CELLS).map(|seq| Event { entity: id(seq), ..event(0, seq) });
        db.commit(events.collect::<Batch<'_>>().producer_note(ID, "note")).unwrap();
        let checksum = db.checksum().unwrap();
        let is_finished = db.checkpoint().is_ok();
        drop(db);
        let db = open(usize::MAX).unwrap();
        assert_eq!(db.checksum().unwrap(), checksum, "after {commits} commits");
        assert_eq!(send(&db, [1, 3, CELLS]), [true; 3], "after {commits} commits");
        if is_finished {
            assert!(commits > 1, "the checkpoint takes several commits");
            break;
        }
    }
}
