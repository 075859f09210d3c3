//! Entities that are forgotten: what is read of them, what is written about them, and
//! that replay comes to the same from every checkpoint.

#[cfg(test)]
mod again;
#[cfg(test)]
mod checkpoints;
#[cfg(test)]
mod purging;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidal_db::{
    Batch, By, Checksum, DedupKey, DumpedRecord, Engine, EntityKind, ErrorKind, Event, IdMode,
    Meaning, MemoryStorage, Outcome, Producer, ProducerId, Seq, Storage, TidalDB, TidalError,
    Window,
};

use crate::fixture::{NOW, ago, builder, event, id, open, schema};
use crate::interrupted::Interrupted;

const ITEM: EntityKind = EntityKind::Item;
const USER: EntityKind = EntityKind::User;

#[track_caller]
fn assert_forgotten<T: std::fmt::Debug>(
    outcome: Result<T, TidalError>,
    kind: EntityKind,
    number: u64,
) {
    let error = outcome.unwrap_err();
    assert!(
        matches!(error, TidalError::Forgotten { kind: found, id: refused } if found == kind && refused == id(number)),
        "{error:?}"
    );
    assert_eq!(error.kind(), ErrorKind::Input);
}

fn sent(number: u64, seq: u64) -> Event<'static> {
    let producer = Producer { id: ProducerId::from_bytes([7; 16]), epoch: 0, seq };
    Event::new("view", id(number), 1.0, NOW).from_producer(producer)
}

/// Item 1 was forgotten, item 2 was not.
#[track_caller]
fn assert_reads(db: &TidalDB) {
    assert_eq!(db.decay_score("view", id(1)).unwrap(), 0.0);
    assert_eq!(db.windowed_count("view", id(1), Window::AllTime).unwrap(), 0);
    assert_eq!(db.windowed_count("like", id(1), Window::AllTime).unwrap(), 0);
    assert_eq!(db.windowed_sum("view", id(1), Window::AllTime).unwrap(), 0.0);
    assert_eq!(db.velocity("view", id(1), Window::OneHour).unwrap(), 0.0);
    assert_eq!(db.read_item(id(1)).unwrap(), None);
    assert!(!db.item_exists(id(1)).unwrap());
    assert_eq!(db.entity_name(ITEM, id(1)).unwrap(), None);
    assert_eq!(db.find_entity(ITEM, "one").unwrap(), None);
    assert_eq!(db.entities(ITEM).unwrap(), [id(2)]);
    assert_eq!(db.stats().unwrap().cells, 1);
    let ranked: Vec<_> = db.top("view", By::Score, 9).unwrap().iter().map(|r| r.id).collect();
    assert_eq!(ranked, [id(2)]);
    assert!(db.is_forgotten(ITEM, id(1)).unwrap());
    assert!(!db.is_forgotten(ITEM, id(2)).unwrap());
    assert_eq!(db.windowed_count("view", id(2), Window::AllTime).unwrap(), 1);
    assert_eq!(db.read_item(id(2)).unwrap().as_deref(), Some(b"second".as_slice()));
    assert_eq!(db.find_entity(ITEM, "two").unwrap(), Some(id(2)));
}

/// G80: at once, after reopening, and after a checkpoint, wherever the entity was.
#[test]
fn a_forgotten_entity_is_gone_from_every_read() {
    for checkpoint_before in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let db = open(dir.path());
        db.entity_ids(ITEM, &["one", "two"]).unwrap();
        let batch = Batch::new()
            .signal("view", id(1), 2.0, ago(60))
            .signal("like", id(1), 1.0, NOW)
            .signal("view", id(2), 1.0, ago(90))
            .write_item(id(1), "first")
            .write_item(id(2), "second");
        db.commit(batch).unwrap();
        let before = db.checksum().unwrap();
        if checkpoint_before {
            db.checkpoint().unwrap();
        }
        let seq = db.forget(ITEM, id(1)).unwrap();
        assert_reads(&db);
        assert_eq!(db.newest_event(), Some(NOW), "time does not go back");
        let checksum = db.checksum().unwrap();
        assert_ne!(checksum, before);
        drop(db);

        let db = open(dir.path());
        assert_reads(&db);
        assert_eq!(db.checksum().unwrap(), checksum);
        db.shutdown().unwrap();
        let db = open(dir.path());
        assert_reads(&db);
        assert_eq!(db.checksum().unwrap(), checksum);
        let records = db.stats().unwrap().records;
        assert_eq!(db.forget(ITEM, id(1)).unwrap(), seq, "it is known when it was forgotten");
        assert_eq!(db.stats().unwrap().records, records);
    }
}

/// G81
#[test]
fn a_name_comes_back_with_a_new_id() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    db.entity_ids(ITEM, &["a", "b", "c"]).unwrap();
    db.checkpoint().unwrap();
    db.forget(ITEM, id(3)).unwrap();
    db.forget(ITEM, id(1)).unwrap();
    assert_eq!(db.entity_id(ITEM, "a").unwrap(), id(4));
    db.forget(ITEM, id(4)).unwrap();
    drop(db);
    for _ in 0..2 {
        let db = open(dir.path());
        assert_eq!(db.find_entity(ITEM, "a").unwrap(), None);
        assert_eq!(db.find_entity(ITEM, "b").unwrap(), Some(id(2)));
        db.shutdown().unwrap();
    }
    let db = open(dir.path());
    assert_eq!(db.entity_ids(ITEM, &["c", "a"]).unwrap(), [id(5), id(6)]);
    db.shutdown().unwrap();
    let db = open(dir.path());
    assert_eq!(db.entity_ids(ITEM, &["a", "c", "b"]).unwrap(), [id(6), id(5), id(2)]);
}

/// G81: whether the ids are tidalDB's or the application's.
#[test]
fn what_was_forgotten_is_never_written_about_again() {
    for named in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let db = open(dir.path());
        if named {
            db.entity_ids(ITEM, &["a", "b"]).unwrap();
            db.entity_ids(USER, &["u", "v"]).unwrap();
        }
        db.signals(&[Event::new("view", id(1), 1.0, NOW).by(id(1))]).unwrap();
        db.forget(ITEM, id(1)).unwrap();
        db.forget(USER, id(1)).unwrap();
        drop(db);
        for round in 0..3 {
            let db = open(dir.path());
            let records = db.stats().unwrap().records;
            assert_forgotten(db.signal("view", id(1), 1.0, NOW), ITEM, 1);
            assert_forgotten(db.write_item(id(1), "x"), ITEM, 1);
            assert_forgotten(db.delete_item(id(1)), ITEM, 1);
            let by = Event::new("view", id(2), 1.0, NOW).by(id(1));
            assert_forgotten(db.signals(&[by]), USER, 1);
            let keyed = Event { key: Some(DedupKey::Client([1; 16])), ..by };
            assert_forgotten(db.signals(&[keyed]), USER, 1);
            assert_forgotten(db.signals(&[sent(1, 9)]), ITEM, 1);
            assert_eq!(db.stats().unwrap().records, records, "nothing of it is in the log");
            db.signals(&[Event::new("view", id(2), 1.0, NOW).by(id(2))]).unwrap();
            if round > 0 {
                db.shutdown().unwrap();
            }
        }
    }
}

/// G81: the order of the log decides, within a batch and among commits in flight.
#[test]
fn what_is_written_before_goes_with_it_and_nothing_is_written_behind() {
    let db = TidalDB::in_memory(schema()).unwrap();
    let view = |batch: Batch<'static>, number| batch.signal("view", id(number), 1.0, NOW);
    db.commit(view(view(Batch::new(), 1).forget(ITEM, id(1)), 2)).unwrap();
    assert_eq!(db.entities(ITEM).unwrap(), [id(2)]);
    let behind = view(Batch::new().forget(ITEM, id(2)), 2);
    assert_forgotten(db.commit(behind), ITEM, 2);
    assert_eq!(db.entities(ITEM).unwrap(), [id(2)], "the batch is refused as a whole");
    for number in 3..50 {
        let before = db.submit(view(Batch::new(), number)).unwrap();
        let forget = db.submit(Batch::new().forget(ITEM, id(number))).unwrap();
        assert_forgotten(db.submit(view(Batch::new(), number)).map(|_| ()), ITEM, number);
        before.wait().unwrap();
        forget.wait().unwrap();
    }
    assert_eq!(db.entities(ITEM).unwrap(), [id(2)]);
}

/// G83: a sender that starts again is not held up by what was forgotten meanwhile.
#[test]
fn what_a_producer_sends_again_is_a_repeat_also_of_what_was_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    db.signals(&[sent(1, 1), sent(2, 2)]).unwrap();
    db.forget(ITEM, id(1)).unwrap();
    drop(db);
    for round in 0..3 {
        let db = open(dir.path());
        let fresh = sent(2, 3 + round);
        let outcomes = db.signals(&[sent(1, 1), sent(2, 2), fresh]).unwrap().outcomes;
        let repeats: Vec<_> =
            outcomes.iter().map(|outcome| *outcome == Outcome::Duplicate { seq: None }).collect();
        assert_eq!(repeats, [true, true, false], "round {round}");
        assert_forgotten(db.signals(&[sent(1, 99)]), ITEM, 1);
        if round > 0 {
            db.shutdown().unwrap();
        }
    }
}

#[test]
fn an_id_that_no_name_ever_had_cannot_be_forgotten() {
    let db = TidalDB::in_memory(schema()).unwrap();
    db.entity_id(ITEM, "a").unwrap();
    let outcome = db.forget(ITEM, id(2));
    assert!(matches!(outcome, Err(TidalError::KindIsNamed { .. })), "{outcome:?}");
    // A number is forgotten before it was used, and counts as its kind's first write.
    assert_eq!(db.id_mode(USER), None);
    db.forget(USER, id(u64::MAX)).unwrap();
    assert_eq!(db.id_mode(USER), Some(IdMode::Numeric));
    let by = Event::new("view", id(1), 1.0, NOW).by(id(u64::MAX));
    assert_forgotten(db.signals(&[by]), USER, u64::MAX);
}

/// The steps of a life in which most things happen to items 1 to 3 around their being
/// forgotten; a step is one commit.
fn steps() -> Vec<Batch<'static>> {
    let view = |number| Batch::new().signal("view", id(number), 1.0, ago(number));
    // More than one commit of storage takes.
    let big = |from: u64| {
        let items = from..from + 5;
        items.fold(Batch::new(), |batch, item| batch.write_item(id(item), "x".repeat(1 << 20)))
    };
    vec![
        view(1).event(Event::new("view", id(2), 3.0, NOW).by(id(1))).write_item(id(1), "one"),
        view(3).event(Event::new("like", id(1), 1.0, NOW)),
        big(1).signal("view", id(1), 1.0, NOW),
        view(1).forget(ITEM, id(1)),
        big(2).signal("view", id(2), 1.0, NOW),
        view(5).forget(USER, id(1)).forget(ITEM, id(3)),
        view(6),
    ]
}

/// L3 and G80: replay comes to the same from a checkpoint anywhere before, between and
/// behind, also from one that was cut short after any of its commits, when storage has
/// deleted, or has not yet deleted, what replay writes and removes once more.
#[test]
fn replay_forgets_the_same_from_every_checkpoint() {
    let expected: Checksum = {
        let db = TidalDB::in_memory(schema()).unwrap();
        steps().into_iter().for_each(|step| drop(db.commit(step).unwrap()));
        db.checksum().unwrap()
    };
    let mut cut_short = 0;
    for whole in [0, 2, 3, 5] {
        for cut in [2, 3, 4, 6].into_iter().filter(|&cut| cut > whole) {
            for commits in [1, 2] {
                let dir = tempfile::tempdir().unwrap();
                let memory = Arc::new(MemoryStorage::new());
                let live = |storage| builder(dir.path()).storage(storage).open().unwrap();
                let db = live(Interrupted::never(&memory));
                let mut steps = steps().into_iter().enumerate();
                for (index, step) in steps.by_ref().take(whole + 1) {
                    db.commit(step).unwrap();
                    if index == whole {
                        db.checkpoint().unwrap();
                    }
                }
                drop(db);
                let db = live(Interrupted::after(&memory, commits));
                for (index, step) in steps.by_ref() {
                    db.commit(step).unwrap();
                    if index == cut {
                        cut_short += usize::from(db.checkpoint().is_err());
                    }
                }
                drop(db);
                for _ in 0..2 {
                    let db = live(Interrupted::never(&memory));
                    let context = format!("checkpoint {whole}, cut {cut} after {commits}");
                    assert_eq!(db.checksum().unwrap(), expected, "{context}");
                    assert_eq!(db.entities(ITEM).unwrap(), [id(2), id(5), id(6)], "{context}");
                    assert_eq!(db.read_item(id(1)).unwrap(), None, "{context}");
                    db.shutdown().unwrap();
                }
            }
        }
    }
    assert!(cut_short > 5, "only {cut_short} checkpoints were cut short");
}

/// G80: what is forgotten is out of storage with the next checkpoint.
#[test]
fn a_checkpoint_deletes_what_was_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let memory = Arc::new(MemoryStorage::new());
    let open = || builder(dir.path()).storage(Interrupted::never(&memory)).open().unwrap();
    let db = open();
    db.entity_id(EntityKind::Creator, "gone").unwrap();
    db.commit((0..200).map(event).filter(|event| event.signal != "follow").collect()).unwrap();
    db.signal("follow", id(1), 1.0, NOW).unwrap();
    db.write_item(id(7), "to be gone").unwrap();
    db.checkpoint().unwrap();
    let entities = db.entities(ITEM).unwrap();
    for entity in entities.into_iter().chain([id(7)]) {
        db.forget(ITEM, entity).unwrap();
    }
    db.forget(EntityKind::Creator, id(1)).unwrap();
    db.checkpoint().unwrap();
    for kind in EntityKind::ALL {
        assert_eq!(memory.backend(kind).scan_prefix(&[]).unwrap().count(), 0, "{kind}");
    }
    let system = memory.keyspace("system").unwrap();
    let holds = |bytes: &[u8]| {
        let mut entries = system.scan_prefix(&[]).unwrap().map(Result::unwrap);
        entries.any(|(key, value)| {
            [key, value].iter().any(|it| it.windows(bytes.len()).any(|part| part == bytes))
        })
    };
    assert!(!holds(b"gone"));
}

/// G82: what is left to purge is known until it was purged.
#[test]
fn what_has_to_be_purged_is_counted_until_it_was() {
    let db = TidalDB::in_memory(schema()).unwrap();
    assert!(db.purge_forgotten().unwrap().is_complete);
    db.signal("view", id(1), 1.0, NOW).unwrap();
    db.forget(ITEM, id(1)).unwrap();
    db.forget(USER, id(2)).unwrap();
    let stats = db.stats().unwrap();
    assert_eq!((stats.forgotten, stats.unpurged), (2, 2));
    let checksum = db.checksum().unwrap();
    let purged = db.purge_forgotten().unwrap();
    assert_eq!((purged.entities, purged.is_complete), (2, true));
    let stats = db.stats().unwrap();
    assert_eq!((stats.forgotten, stats.unpurged), (2, 0));
    assert_eq!(db.purge_forgotten().unwrap().entities, 0);
    db.forget(ITEM, id(3)).unwrap();
    assert_eq!(db.stats().unwrap().unpurged, 1);
    assert_ne!(db.checksum().unwrap(), checksum, "what was forgotten is part of the state");
}

/// The files below a directory that hold these bytes. Others may come and go meanwhile.
fn files_with(dir: &Path, bytes: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, bytes));
        } else if let Ok(content) = fs::read(&path)
            && content.windows(bytes.len()).any(|part| part == bytes)
        {
            found.push(path);
        }
    }
    found
}

/// G80: a copy of what storage has holds nothing of what was forgotten; the engine's own
/// files may.
#[test]
fn a_copy_of_storage_has_nothing_of_what_was_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    let (name, text) = (b"Ada, Countess of Lovelace", b"12 St James's Square");
    let db = open(&from);
    db.entity_ids(ITEM, &[name.as_slice(), b"other"]).unwrap();
    db.write_item(id(1), text).unwrap();
    db.signal("view", id(1), 1.0, NOW).unwrap();
    db.checkpoint().unwrap();
    assert!(!files_with(&from.join("storage"), name).is_empty());
    db.forget(ITEM, id(1)).unwrap();
    db.purge_forgotten().unwrap();
    db.shutdown().unwrap();
    tidal_db::migrate(&from, &to, Engine::Fjall).unwrap();
    assert!(files_with(&to.join("storage"), name).is_empty());
    assert!(files_with(&to.join("storage"), text).is_empty());
    let db = open(&to);
    assert!(db.is_forgotten(ITEM, id(1)).unwrap());
    assert_eq!(db.entity_id(ITEM, name).unwrap(), id(3));
}

/// G82: the log holds nothing of it, replay of what is left comes to the same state, and
/// the log is sound.
#[test]
fn a_purged_log_holds_nothing_of_what_was_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let (name, user) = (b"Teapot of the Countess", b"Ada, Countess of Lovelace");
    let (text, other) = (b"12 St James's Square", b"what stays");
    let db = open(dir.path());
    db.entity_ids(ITEM, &[name.as_slice(), b"cup"]).unwrap();
    db.entity_ids(USER, &[user.as_slice(), b"bob"]).unwrap();
    for _ in 0..5 {
        let view = |item, by| Event::new("view", id(item), 2.0, NOW).by(id(by));
        db.signals(&[view(1, 1), view(1, 2), view(2, 1), view(2, 2)]).unwrap();
        db.signals(&(0..500).map(|at| view(2, 2 - at % 2)).collect::<Vec<_>>()).unwrap();
        db.commit(Batch::new().write_item(id(1), text).write_item(id(2), other)).unwrap();
    }
    db.signals(&[sent(1, 1), sent(2, 2)]).unwrap();
    let log = dir.path().join("log");
    // Before a checkpoint, behind which segments may be compressed.
    assert!(!files_with(&log, text).is_empty() && !files_with(&log, user).is_empty());
    db.checkpoint().unwrap();
    db.forget(ITEM, id(1)).unwrap();
    db.forget(USER, id(1)).unwrap();
    let checksum = db.checksum().unwrap();
    let purged = db.purge_forgotten().unwrap();
    assert!(purged.is_complete && purged.segments > 0, "{purged:?}");
    // Two names, five times two views and a write, and what the producer sent.
    assert_eq!((purged.entities, purged.tombstones), (2, 2 + 5 * 3 + 1));
    assert_eq!(purged.without_actor, 5 * 251);
    for gone in [name.as_slice(), user, text] {
        assert!(files_with(&log, gone).is_empty(), "{}", String::from_utf8_lossy(gone));
    }
    assert_eq!(db.checksum().unwrap(), checksum);
    assert_eq!(db.stats().unwrap().unpurged, 0);
    assert_eq!(db.purge_forgotten().unwrap().entities, 0);
    db.shutdown().unwrap();

    assert!(tidal_db::verify(dir.path()).unwrap().ok());
    // Segments that were written anew are compressed: their records are looked at, too.
    let mut blank = 0;
    let mut look = |record: &DumpedRecord| {
        match &record.meaning {
            Meaning::Purged => blank += 1,
            Meaning::Event { entity, actor, .. } => {
                assert!(entity.get() > 1 && *actor != Some(id(1)))
            }
            Meaning::WriteItem { id: item, .. } => assert_ne!(*item, id(1)),
            Meaning::AssignName { id: given, .. } => assert_ne!(*given, id(1)),
            Meaning::Forget { name, .. } => assert_eq!(*name, None),
            _ => {}
        }
        ControlFlow::Continue(())
    };
    assert_eq!(tidal_db::dump(dir.path(), Seq::ZERO, &mut look).unwrap().problem, None);
    assert_eq!(blank, purged.tombstones);

    // Storage is made again from the log.
    fs::remove_dir_all(dir.path().join("storage")).unwrap();
    let db = open(dir.path());
    assert_eq!(db.checksum().unwrap(), checksum);
    assert_eq!(db.windowed_count("view", id(2), Window::AllTime).unwrap(), 5 * 502 + 1);
    let again = db.signals(&[sent(1, 1), sent(2, 2)]).unwrap().outcomes;
    assert_eq!(again, [Outcome::Duplicate { seq: None }; 2], "G83");
    assert_eq!(db.entity_ids(USER, &[user.as_slice(), b"bob"]).unwrap(), [id(3), id(2)]);
    assert_eq!(db.stats().unwrap().unpurged, 2, "a new storage does not know of the purge");
    assert_eq!(db.purge_forgotten().unwrap().tombstones, 0);
}
