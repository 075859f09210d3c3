//! Entities that are forgotten around checkpoints: beside one, before one that dies, and
//! with cells that are in storage only.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use tidal_db::{
    Batch, By, Checksum, Durability, EntityKind, Event, MemoryStorage, Storage, StorageError,
    TidalDB, TidalError, Window,
};

use super::{ITEM, USER};
use crate::fixture::{NOW, ago, builder, id, schema};
use crate::interrupted::Interrupted;
use crate::stepped::{Stepped, Verdict};

fn open(dir: &Path, storage: Arc<dyn Storage>) -> TidalDB {
    let builder = builder(dir).storage(storage).durability(Durability::Written);
    builder.checkpoint_interval(Duration::MAX).open().unwrap()
}

/// Two users with names, nine items with more metadata than a commit takes, and ten cells.
fn populate(db: &TidalDB) {
    db.entity_ids(USER, &["ada", "bob"]).unwrap();
    let items = (1..=9).fold(Batch::new(), |batch, number| {
        let seen = Event::new("view", id(number), 1.0, ago(number)).by(id(1 + number % 2));
        batch.event(seen).write_item(id(number), "x".repeat(900_000))
    });
    db.commit(items.signal("like", id(1), 1.0, NOW)).unwrap();
}

/// Item 1 and user 1 are forgotten, and the user's name comes back.
fn forget(db: &TidalDB) {
    db.forget(ITEM, id(1)).unwrap();
    db.forget(USER, id(1)).unwrap();
    assert_eq!(db.entity_id(USER, "ada").unwrap(), id(3));
    db.signals(&[Event::new("view", id(2), 1.0, NOW).by(id(3))]).unwrap();
}

#[track_caller]
fn check(db: &TidalDB, expected: Checksum) {
    for signal in ["view", "like"] {
        assert_eq!(db.windowed_count(signal, id(1), Window::AllTime).unwrap(), 0);
    }
    assert_eq!(db.decay_score("view", id(1)).unwrap(), 0.0);
    assert_eq!(db.windowed_count("view", id(2), Window::AllTime).unwrap(), 2);
    assert_eq!(db.read_item(id(1)).unwrap(), None);
    assert!(db.item_exists(id(2)).unwrap());
    assert_eq!(db.entity_name(USER, id(1)).unwrap(), None);
    assert_eq!(db.find_entity(USER, "ada").unwrap(), Some(id(3)));
    assert_eq!(db.entities(ITEM).unwrap(), (2..=9).map(id).collect::<Vec<_>>());
    assert!(db.top("view", By::Score, 20).unwrap().iter().all(|ranked| ranked.id != id(1)));
    let stats = db.stats().unwrap();
    assert_eq!((stats.cells, stats.entities, stats.forgotten), (8, 8, 2));
    assert_eq!(db.checksum().unwrap(), expected);
}

/// Storage has no key and no value of what was forgotten, but that it was.
#[track_caller]
fn check_storage(storage: &MemoryStorage) {
    let of_item = storage.backend(ITEM).scan_prefix(&id(1).to_be_bytes()).unwrap();
    assert_eq!(of_item.count(), 0);
    let system = storage.keyspace("system").unwrap();
    let mut named = Vec::new();
    for entry in system.scan_prefix(&[]).unwrap() {
        let (key, value) = entry.unwrap();
        if key.ends_with(b"ada") {
            named.push(value);
        } else if value == b"ada" {
            assert!(key.contains(&3), "{key:?} has a name that was forgotten");
        }
    }
    assert_eq!(named, [3_u64.to_le_bytes()], "the name is the new id's");
}

/// C5, L3, G80: beside a checkpoint, at each of its commits, whether or not it gets to its
/// end, and whether or not storage had it all before.
#[test]
fn what_is_forgotten_beside_a_checkpoint_is_forgotten_once_and_for_all() {
    let expected = {
        let twin = TidalDB::in_memory(schema()).unwrap();
        populate(&twin);
        forget(&twin);
        twin.checksum().unwrap()
    };
    for (is_stored, fails) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut steps = 0;
        for at in 0.. {
            let dir = tempfile::tempdir().unwrap();
            let memory = Arc::new(MemoryStorage::new());
            let storage = Stepped::over(&memory);
            let db = open(dir.path(), Arc::clone(&storage) as _);
            populate(&db);
            if is_stored {
                db.checkpoint().unwrap();
                // Everything is to be written again.
                let again = (1..=9).fold(Batch::new(), |batch, number| {
                    batch.write_item(id(number), "x".repeat(900_000))
                });
                db.commit(again.signal("like", id(1), 1.0, NOW)).unwrap();
            }
            steps = 0;
            thread::scope(|scope| {
                let _held = storage.hold();
                let checkpoint = scope.spawn(|| {
                    let written = db.checkpoint().is_ok();
                    storage.done();
                    written
                });
                while storage.wait(1) {
                    if steps == at {
                        forget(&db);
                        check(&db, expected);
                    }
                    storage.step(if fails && steps == at {
                        Verdict::Failed
                    } else {
                        Verdict::Done
                    });
                    steps += 1;
                }
                assert_eq!(checkpoint.join().unwrap(), !(fails && at < steps));
            });
            if at >= steps && !fails {
                break;
            }
            check(&db, expected);
            drop(db);
            let db = open(dir.path(), Stepped::over(&memory));
            check(&db, expected);
            db.shutdown().unwrap();
            drop(db);
            check_storage(&memory);
            check(&open(dir.path(), Stepped::over(&memory)), expected);
            if fails && at == 3 {
                break;
            }
        }
        assert!(steps >= 4, "a checkpoint took only {steps} commits");
    }
}

/// C4, G80: what a checkpoint that failed could not write, the next one writes.
#[test]
fn what_is_forgotten_before_a_checkpoint_that_fails_is_in_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let memory = Arc::new(MemoryStorage::new());
    let storage = Stepped::over(&memory);
    let db = open(dir.path(), Arc::clone(&storage) as _);
    populate(&db);
    db.checkpoint().unwrap();
    forget(&db);
    let expected = db.checksum().unwrap();
    thread::scope(|scope| {
        let _held = storage.hold();
        let checkpoint = scope.spawn(|| db.checkpoint());
        assert!(storage.wait(1));
        storage.step(Verdict::Failed);
        checkpoint.join().unwrap().unwrap_err();
    });
    check(&db, expected);
    db.shutdown().unwrap();
    check_storage(&memory);
    check(&open(dir.path(), Stepped::over(&memory)), expected);
}

#[derive(Debug, Clone)]
enum Step {
    View(u64),
    Write(u64),
    Forget(u64),
    Checkpoint,
    /// An opening and a checkpoint that take so many commits together and then die, and the
    /// process with them.
    Die(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let number = 1..25_u64;
    prop_oneof![
        8 => number.clone().prop_map(Step::View),
        2 => number.clone().prop_map(Step::Write),
        3 => number.prop_map(Step::Forget),
        2 => Just(Step::Checkpoint),
        1 => (0..4_usize).prop_map(Step::Die),
    ]
}

fn same<T: PartialEq + std::fmt::Debug>(one: &TidalDB, two: &TidalDB, of: impl Fn(&TidalDB) -> T) {
    assert_eq!(of(one), of(two));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// G80, G86: with memory for a few cells only, so that what is forgotten is in storage,
    /// everything is as in a database that has all of it in memory, and so is the number
    /// of cells, at any moment and after any crash.
    #[test]
    fn what_is_not_in_memory_is_forgotten_as_well(
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let memory = Arc::new(MemoryStorage::new());
        let try_open = |storage| {
            let builder = builder(dir.path()).storage(storage).durability(Durability::Written);
            builder.memory_budget(2_000).checkpoint_interval(Duration::MAX).open()
        };
        let open = |storage| try_open(storage).unwrap();
        let twin = TidalDB::in_memory(schema()).unwrap();
        let mut db = open(Interrupted::never(&memory));
        for step in steps {
            match step {
                Step::View(number) => {
                    let view = |db: &TidalDB| {
                        let seen = Batch::new().signal("view", id(number), 1.0, ago(number));
                        db.commit(seen.signal("like", id(number), 2.0, NOW)).is_ok()
                    };
                    same(&db, &twin, view);
                }
                Step::Write(number) => {
                    same(&db, &twin, |db| db.write_item(id(number), "text").is_ok());
                }
                Step::Forget(number) => {
                    same(&db, &twin, |db| db.forget(ITEM, id(number)).is_ok());
                }
                Step::Checkpoint => drop(db.checkpoint().unwrap()),
                Step::Die(commits) => {
                    drop(db);
                    match try_open(Interrupted::after(&memory, commits)) {
                        Ok(dying) => {
                            // Without anything new there is nothing to write.
                            let forget = |db: &TidalDB| db.forget(EntityKind::Creator, id(1));
                            same(&dying, &twin, |db| forget(db).is_ok());
                            drop(dying.checkpoint());
                        }
                        // Replay writes cells too, as many as were not written back before
                        // the process ended, which no step decides.
                        Err(TidalError::Storage(StorageError::Poisoned { .. })) => {}
                        Err(error) => panic!("{error}"),
                    }
                    db = open(Interrupted::never(&memory));
                }
            }
            same(&db, &twin, |db| db.stats().unwrap().cells);
        }
        drop(db);
        for _ in 0..2 {
            let db = open(Interrupted::never(&memory));
            same(&db, &twin, |db| db.checksum().unwrap());
            same(&db, &twin, |db| db.stats().unwrap().cells);
            same(&db, &twin, |db| db.entities(ITEM).unwrap());
            for number in 1..25 {
                same(&db, &twin, |db| db.decay_score_at("view", id(number), NOW).unwrap().to_bits());
                same(&db, &twin, |db| db.read_item(id(number)).unwrap());
                same(&db, &twin, |db| db.is_forgotten(ITEM, id(number)).unwrap());
            }
            db.shutdown().unwrap();
        }
    }
}
