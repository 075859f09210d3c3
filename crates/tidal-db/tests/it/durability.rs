//! Reopening, checkpoints, replay, retention.

use std::sync::Arc;

use tidal_db::{
    Batch, By, Durability, EntityKind, MemoryStorage, Outcome, Retention, Seq, TidalDB, TidalError,
    Window,
};

use crate::fixture::{NOW, ago, builder, config, declare, event, id, open, schema};

fn feed(db: &TidalDB, range: std::ops::Range<u64>) {
    for index in range {
        db.submit(Batch::new().event(event(index))).unwrap().wait().unwrap();
    }
}

fn feed_in_batches(db: &TidalDB, range: std::ops::Range<u64>, batch: usize) {
    let events: Vec<_> = range.map(event).collect();
    for events in events.chunks(batch) {
        db.signals(events).unwrap();
    }
}

/// A database that was fed the same in memory.
fn twin(range: std::ops::Range<u64>) -> TidalDB {
    let db = TidalDB::in_memory(schema()).unwrap();
    feed_in_batches(&db, range, 1000);
    db
}

/// C1: what was answered is there after the database was dropped, with and
/// without a shutdown, and reads the same.
#[test]
fn answered_events_are_there_after_reopening() {
    for shut_down in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let db = open(dir.path());
        db.signal("view", id(7), 2.0, ago(10)).unwrap();
        db.signal("view", id(7), 1.0, NOW).unwrap();
        db.signal("follow", id(3), 5.0, NOW).unwrap();
        let score = db.decay_score("view", id(7)).unwrap();
        assert!(score > 2.99 && score < 3.0, "{score}");
        let checksum = db.checksum().unwrap();
        if shut_down {
            db.shutdown().unwrap();
        }
        drop(db);
        let db = open(dir.path());
        assert_eq!(db.decay_score("view", id(7)).unwrap().to_bits(), score.to_bits());
        assert_eq!(db.windowed_count("view", id(7), Window::OneHour).unwrap(), 2);
        assert_eq!(db.top("follow", By::Score, 9).unwrap()[0].value, 5.0);
        assert_eq!(db.newest_event(), Some(NOW));
        assert_eq!(db.checksum().unwrap(), checksum);
    }
}

/// L2, C5: the checksum does not depend on engine, checkpoints, batch sizes,
/// reopening, or the identity of the log.
#[test]
fn equal_records_make_equal_checksums() {
    let expected = twin(0..500).checksum().unwrap();

    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    feed_in_batches(&db, 0..200, 7);
    db.checkpoint().unwrap();
    feed_in_batches(&db, 200..300, 100);
    drop(db);
    let db = open(dir.path());
    feed_in_batches(&db, 300..400, 1);
    db.checkpoint().unwrap();
    feed_in_batches(&db, 400..450, 50);
    db.shutdown().unwrap();
    let db = open(dir.path());
    feed(&db, 450..500);
    assert_eq!(db.checksum().unwrap(), expected);

    let dir = tempfile::tempdir().unwrap();
    let storage = Arc::new(MemoryStorage::new());
    let db = builder(dir.path()).storage(storage).durability(Durability::Buffered).open().unwrap();
    feed_in_batches(&db, 0..500, 500);
    assert_eq!(db.checksum().unwrap(), expected);
    assert_ne!(twin(0..499).checksum().unwrap(), expected);
}

/// L2: a golden checksum. It changes only when the state or its canonical bytes
/// are meant to change.
#[test]
fn the_checksum_of_a_fixed_stream_is_what_it_was() {
    let db = twin(0..5000);
    db.write_item(id(1), "metadata").unwrap();
    db.entity_id(EntityKind::User, "never used as an id").unwrap_err();
    assert_eq!(db.checksum().unwrap().to_string(), include_str!("fixtures/checksum-v1.txt").trim());
}

/// L3, C2: a checkpoint in the middle, and then a crash: replay applies nothing
/// twice.
/// L1: what was folded live equals what replay folds.
#[test]
fn replay_from_a_checkpoint_equals_replay_from_the_beginning() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    feed_in_batches(&db, 0..300, 50);
    assert_eq!(db.checkpoint().unwrap().seq, Seq::new(301));
    feed_in_batches(&db, 300..600, 50);
    assert_eq!(db.stats().unwrap().checkpointed, Seq::new(301));
    drop(db);

    let db = open(dir.path());
    assert_eq!(db.checksum().unwrap(), twin(0..600).checksum().unwrap());
    drop(db);
    std::fs::remove_dir_all(dir.path().join("storage")).unwrap();
    let db = open(dir.path());
    assert_eq!(db.stats().unwrap().checkpointed, Seq::ZERO);
    assert_eq!(db.checksum().unwrap(), twin(0..600).checksum().unwrap());
}

/// C2: the log is cut only where it was asked for, and only behind the last checkpoint
/// but one.
#[test]
fn the_log_is_kept_unless_asked_otherwise() {
    for (retention, cut) in [(Retention::Forever, false), (Retention::UntilCheckpoint, true)] {
        let dir = tempfile::tempdir().unwrap();
        let db = builder(dir.path()).segment_bytes(16 << 10).retain(retention).open().unwrap();
        feed_in_batches(&db, 0..5000, 100);
        let first = || db.stats().unwrap().log.first_seq.get();
        db.checkpoint().unwrap();
        // As long as there is no other checkpoint, the log can take this one's place.
        assert_eq!(first(), 1);
        feed_in_batches(&db, 5000..5100, 100);
        db.checkpoint().unwrap();
        assert_eq!(first() > 1, cut);
        drop(db);
        let db = builder(dir.path()).segment_bytes(16 << 10).retain(retention).open().unwrap();
        assert_eq!(db.checksum().unwrap(), twin(0..5100).checksum().unwrap());
    }
}

/// A schema grows; its records keep their meaning, with a checkpoint between or
/// without.
/// G6
#[test]
fn new_signal_types_are_taken_up() {
    for checkpoint in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let db = open(dir.path());
        db.signal("view", id(1), 1.0, NOW).unwrap();
        if checkpoint {
            db.shutdown().unwrap();
        }
        drop(db);

        let mut schema = tidal_db::SchemaBuilder::new();
        schema.signal("share", EntityKind::Item, tidal_db::DecaySpec::Permanent).add();
        declare(&mut schema);
        let mut config = config(dir.path());
        config.schema = schema.build().unwrap();
        let db = TidalDB::open(config).unwrap();
        db.signal("share", id(1), 3.0, NOW).unwrap();
        assert_eq!(db.windowed_count("view", id(1), Window::AllTime).unwrap(), 1);
        drop(db);

        let db = TidalDB::open_existing(dir.path()).unwrap();
        assert_eq!(db.schema().signal_count(), 4);
        assert_eq!(db.decay_score("share", id(1)).unwrap(), 3.0);
        assert_eq!(db.windowed_count("view", id(1), Window::AllTime).unwrap(), 1);
        db.shutdown().unwrap();
        let db = TidalDB::open_existing(dir.path()).unwrap();
        assert_eq!(db.decay_score("share", id(1)).unwrap(), 3.0);
    }
}

#[test]
fn outcomes_are_in_the_order_of_the_batch() {
    let db = TidalDB::in_memory(schema()).unwrap();
    let batch =
        Batch::new().signal("view", id(1), 1.0, NOW).write_item(id(1), "title").delete_item(id(2));
    let committed = db.commit(batch).unwrap();
    let seqs: Vec<_> =
        committed.outcomes.iter().map(|outcome| outcome.seq().unwrap().get()).collect();
    assert_eq!(seqs, [2, 3, 4]); // The schema is record 1.
    assert_eq!(committed.position.seq, Seq::new(4));
    assert_eq!(committed.outcomes[0], Outcome::Appended { seq: Seq::new(2) });
    let empty = db.commit(Batch::new()).unwrap();
    assert_eq!((empty.position.seq, empty.outcomes.len()), (Seq::new(4), 0));
}

/// G20
#[test]
fn after_shutdown_calls_say_so_and_the_lock_is_free() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    db.signal("view", id(1), 1.0, NOW).unwrap();
    db.shutdown().unwrap();
    db.shutdown().unwrap();
    let again = open(dir.path());
    let closed = [
        db.signal("view", id(1), 1.0, NOW).map(|_| ()),
        db.decay_score("view", id(1)).map(|_| ()),
        db.top("view", By::Score, 1).map(|_| ()),
        db.read_item(id(1)).map(|_| ()),
        db.entity_id(EntityKind::User, "x").map(|_| ()),
        db.checkpoint().map(|_| ()),
        db.checksum().map(|_| ()),
        db.stats().map(|_| ()),
    ];
    for outcome in closed {
        assert!(matches!(outcome, Err(TidalError::Closed)), "{outcome:?}");
    }
    assert_eq!(again.windowed_count("view", id(1), Window::AllTime).unwrap(), 1);
}
