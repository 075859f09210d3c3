//! Checkpoints that are written while commits go on.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use tidal_db::{
    Batch, Checksum, Config, DecaySpec, Durability, EntityKind, Event, MemoryStorage, Producer,
    ProducerId, Schema, SchemaBuilder, Storage, TidalDB, Window,
};

use crate::fixture::{NOW, id};
use crate::stepped::{Hooked, Stepped, Verdict};

fn schema() -> Schema {
    let mut builder = SchemaBuilder::new();
    builder
        .signal("view", EntityKind::Item, DecaySpec::Permanent)
        .windows(&[Window::AllTime])
        .add()
        .signal("follow", EntityKind::Creator, DecaySpec::Permanent)
        .windows(&[Window::AllTime])
        .add();
    builder.build().unwrap()
}

/// A database over a storage that outlives it. Its log is not synced, to be quick:
/// nothing here cuts the power.
fn open(dir: &Path, storage: Arc<dyn Storage>) -> TidalDB {
    TidalDB::builder(Config { data_dir: dir.into(), schema: schema() })
        .storage(storage)
        .durability(Durability::Written)
        .checkpoint_interval(Duration::MAX)
        .open()
        .unwrap()
}

const PRODUCER: ProducerId = ProducerId::from_bytes([3; 16]);

/// The metadata of an item after a round; long, so that a checkpoint takes several
/// commits.
fn metadata(round: u64) -> Vec<u8> {
    vec![round.to_le_bytes()[0]; 900_000]
}

/// What is written in a round: everything that a checkpoint has to do with.
fn write(db: &TidalDB, round: u64) {
    let seq = round + 1;
    let sent = |signal: &'static str, number: u64, seq: u64| -> Event<'static> {
        let producer = Producer { id: PRODUCER, epoch: 1, seq };
        Event::new(signal, id(number), 1.0, NOW).from_producer(producer)
    };
    let batch = Batch::new()
        .event(sent("view", 1, 3 * seq))
        .event(sent("view", 100 + round, 3 * seq + 1))
        .event(sent("follow", 1 + round % 3, 3 * seq + 2))
        .producer_note(PRODUCER, round.to_le_bytes())
        .write_item(id(1 + round % 7), metadata(round))
        .delete_item(id(1 + (round + 3) % 7));
    db.commit(batch).unwrap();
    // The second name is new in every other round.
    let names = [format!("user {round}"), format!("every other {}", round / 2)];
    db.entity_ids(EntityKind::User, &names).unwrap();
}

/// Reads everything that `write` wrote in the rounds up to this one.
fn check(db: &TidalDB, rounds: u64) {
    let count = |signal, number| db.windowed_count(signal, id(number), Window::AllTime).unwrap();
    assert_eq!(count("view", 1), rounds);
    let followed: u64 = (1..=3).map(|creator| count("follow", creator)).sum();
    assert_eq!(followed, rounds);
    for round in 0..rounds {
        assert_eq!(count("view", 100 + round), 1);
        let name = format!("user {round}");
        let user = db.find_entity(EntityKind::User, &name).unwrap().expect("it has an id");
        assert_eq!(db.entity_name(EntityKind::User, user).unwrap().unwrap(), name.as_bytes());
    }
    let mut items = [None; 7];
    for round in 0..rounds {
        items[(round % 7) as usize] = Some(round);
        items[((round + 3) % 7) as usize] = None;
    }
    for (number, round) in (1..).zip(items) {
        assert_eq!(db.read_item(id(number)).unwrap(), round.map(metadata), "item {number}");
        assert_eq!(db.item_exists(id(number)).unwrap(), round.is_some());
    }
    let producer = db.producer(PRODUCER).unwrap();
    let note = producer.as_ref().map(|producer| producer.note.clone());
    assert_eq!(
        producer.map(|producer| producer.seq),
        rounds.checked_sub(1).map(|_| 3 * rounds + 2)
    );
    assert_eq!(note, rounds.checked_sub(1).map(|last| last.to_le_bytes().to_vec()));
}

/// The checksum of a database that was written to in so many rounds and never
/// checkpointed.
fn checksum_of(rounds: u64) -> Checksum {
    let twin = TidalDB::in_memory(schema()).unwrap();
    (0..rounds).for_each(|round| write(&twin, round));
    twin.checksum().unwrap()
}

/// Begins a checkpoint beside the test, and says so when it is over.
fn begin<'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    db: &'scope TidalDB,
    storage: &'scope Stepped,
) -> thread::ScopedJoinHandle<'scope, bool> {
    scope.spawn(move || {
        let written = db.checkpoint().is_ok();
        storage.done();
        written
    })
}

/// C4: while a commit of a checkpoint hangs, writers are answered, and everything that
/// was written before and meanwhile is read; so at each commit of it, and after the last.
#[test]
fn writers_and_readers_do_not_wait_for_a_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let memory = Arc::new(MemoryStorage::new());
    let storage = Stepped::over(&memory);
    let db = open(dir.path(), Arc::clone(&storage) as _);
    let mut rounds = 0;
    for checkpoints in 1..=3 {
        for _ in 0..9 {
            write(&db, rounds);
            rounds += 1;
        }
        let mut steps = 0;
        thread::scope(|scope| {
            let _held = storage.hold();
            let checkpoint = begin(scope, &db, &storage);
            while storage.wait(checkpoints) {
                check(&db, rounds);
                write(&db, rounds);
                rounds += 1;
                check(&db, rounds);
                assert_eq!(db.checksum().unwrap(), checksum_of(rounds), "beside step {steps}");
                storage.step(Verdict::Done);
                steps += 1;
            }
            assert!(checkpoint.join().unwrap());
        });
        assert!(steps >= 3, "a checkpoint took only {steps} commits");
        check(&db, rounds);
    }
    db.shutdown().unwrap();
    let db = open(dir.path(), Stepped::over(&memory));
    check(&db, rounds);
    assert_eq!(db.checksum().unwrap(), checksum_of(rounds));
}

/// C1, C4, C5: a checkpoint ends at any of its commits, with writers before and beside
/// each, and the process with it. What is opened then is what was answered, also where a
/// checkpoint after the failed one was written.
#[test]
fn a_fuzzy_checkpoint_can_die_between_its_commits() {
    for goes_on in [false, true] {
        for last in 0.. {
            let dir = tempfile::tempdir().unwrap();
            let memory = Arc::new(MemoryStorage::new());
            let storage = Stepped::over(&memory);
            let db = open(dir.path(), Arc::clone(&storage) as _);
            let mut rounds = 0;
            for _ in 0..8 {
                write(&db, rounds);
                rounds += 1;
            }
            let finished = thread::scope(|scope| {
                let _held = storage.hold();
                let checkpoint = begin(scope, &db, &storage);
                let mut steps = 0;
                while storage.wait(1) {
                    write(&db, rounds);
                    rounds += 1;
                    storage.step(if steps == last { Verdict::Failed } else { Verdict::Done });
                    steps += 1;
                }
                checkpoint.join().unwrap()
            });
            check(&db, rounds);
            if goes_on {
                write(&db, rounds);
                rounds += 1;
                db.checkpoint().unwrap();
                assert_eq!(db.checksum().unwrap(), checksum_of(rounds));
            }
            drop(db);
            for _ in 0..2 {
                let db = open(dir.path(), Stepped::over(&memory));
                check(&db, rounds);
                assert_eq!(db.checksum().unwrap(), checksum_of(rounds), "after {last} commits");
            }
            if finished {
                assert!(last >= 3, "the checkpoint takes several commits");
                break;
            }
        }
    }
}

/// A checkpoint covers what was answered before it was asked for, also when another is
/// being written; those that are asked for meanwhile share the next one.
#[test]
fn a_checkpoint_covers_what_was_answered_before() {
    let dir = tempfile::tempdir().unwrap();
    let storage = Stepped::over(&Arc::new(MemoryStorage::new()));
    let db = open(dir.path(), Arc::clone(&storage) as _);
    write(&db, 0);
    thread::scope(|scope| {
        let _held = storage.hold();
        let first = scope.spawn(|| db.checkpoint().unwrap());
        assert!(storage.wait(usize::MAX));
        let before = db.stats().unwrap().position;
        write(&db, 1);
        let answered = db.stats().unwrap().position;
        let next: Vec<_> = (0..4).map(|_| scope.spawn(|| db.checkpoint().unwrap())).collect();
        storage.release(Verdict::Done);
        assert_eq!(first.join().unwrap(), before);
        for checkpoint in next {
            assert_eq!(checkpoint.join().unwrap(), answered);
        }
    });
    assert_eq!(db.stats().unwrap().checkpointed, db.stats().unwrap().position.seq);
}

/// Checkpoints are written by themselves after so many records, after so many bytes, and
/// after some time, and only then when there is anything new.
#[test]
fn checkpoints_are_written_by_themselves() {
    type Choose = fn(tidal_db::Builder) -> tidal_db::Builder;
    let choices: [Choose; 3] = [
        |builder| builder.checkpoint_every(20),
        |builder| builder.checkpoint_log_bytes(2_000_000),
        |builder| builder.checkpoint_interval(Duration::from_millis(1)),
    ];
    for choose in choices {
        let dir = tempfile::tempdir().unwrap();
        let storage = Stepped::over(&Arc::new(MemoryStorage::new()));
        let builder = TidalDB::builder(Config { data_dir: dir.path().into(), schema: schema() });
        let builder = builder.durability(Durability::Written).checkpoint_interval(Duration::MAX);
        let builder = builder.storage(Arc::clone(&storage) as _);
        let db = choose(builder).open().unwrap();
        // The first durable commit binds storage to the log.
        for checkpoint in 1..=3 {
            (0..5).for_each(|round| write(&db, 5 * (checkpoint - 1) + round));
            storage.wait_for_synced(1 + checkpoint as usize);
        }
        // The third has begun behind the second.
        assert!(db.stats().unwrap().checkpointed.get() > 1);
    }
    let dir = tempfile::tempdir().unwrap();
    let storage = Stepped::over(&Arc::new(MemoryStorage::new()));
    let db = open(dir.path(), Arc::clone(&storage) as _);
    (0..5).for_each(|round| write(&db, round));
    assert_eq!(storage.commits(), 1, "nothing was due");
}

/// A panic of the checkpointer is told to whoever asks for a checkpoint and to shutdown,
/// writes and reads go on, and nothing is lost.
#[test]
fn a_panic_of_the_checkpointer_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let memory = Arc::new(MemoryStorage::new());
    let panics = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&panics);
    let before_commit = Box::new(move || assert!(!told.load(Ordering::SeqCst), "as it was told"));
    let storage = Arc::new(Hooked { storage: Stepped::over(&memory), before_commit });
    let db = open(dir.path(), storage);
    write(&db, 0);
    db.checkpoint().unwrap();
    panics.store(true, Ordering::SeqCst);
    write(&db, 1);
    for _ in 0..2 {
        let error = db.checkpoint().unwrap_err();
        assert_eq!(error.kind(), tidal_db::ErrorKind::Bug, "{error}");
        assert!(error.to_string().contains("as it was told"), "{error}");
    }
    write(&db, 2);
    check(&db, 3);
    assert_eq!(db.shutdown().unwrap_err().kind(), tidal_db::ErrorKind::Bug);
    let db = open(dir.path(), Stepped::over(&memory));
    assert_eq!(db.checksum().unwrap(), checksum_of(3));
}

/// The checkpointer ends also when the database is dropped by its own storage, on the
/// checkpointer's thread.
#[test]
fn the_checkpointer_may_drop_the_database() {
    let dir = tempfile::tempdir().unwrap();
    let memory = Arc::new(MemoryStorage::new());
    let slot = Arc::new(Mutex::new(None::<TidalDB>));
    let (dropped, was_dropped) = mpsc::channel();
    let held = Arc::clone(&slot);
    let before_commit = Box::new(move || {
        let db = held.lock().unwrap().take();
        if let Some(db) = db {
            drop(db);
            dropped.send(thread::current().name().map(str::to_owned)).unwrap();
        }
    });
    let storage = Arc::new(Hooked { storage: Stepped::over(&memory), before_commit });
    let builder = TidalDB::builder(Config { data_dir: dir.path().into(), schema: schema() });
    let db = builder.storage(storage).checkpoint_every(2).open().unwrap();
    // Held until the database is in it, so that no commit of the checkpoint passes by.
    let mut slot = slot.lock().unwrap();
    let view = || Batch::new().signal("view", id(1), 1.0, NOW);
    db.commit(view()).unwrap();
    db.commit(view()).unwrap();
    *slot = Some(db);
    drop(slot);
    assert_eq!(was_dropped.recv().unwrap().as_deref(), Some("tidal-checkpoint"));
    // The commit before which it was dropped may be on its way still.
    let db = open(dir.path(), Stepped::over(&Arc::new(MemoryStorage::new())));
    assert_eq!(db.windowed_count("view", id(1), Window::AllTime).unwrap(), 2);
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Write,
    /// Begins a checkpoint, unless one is going on.
    Begin,
    /// Lets one commit of it through.
    Go,
    /// Makes one commit of it fail.
    Fail,
    /// Opens the database again, whatever is going on.
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Write),
        2 => Just(Step::Begin),
        6 => Just(Step::Go),
        1 => Just(Step::Fail),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// C1, C4, C5: whatever comes between the commits of checkpoints, everything that
    /// was answered is read, and is there when the database is opened again.
    #[test]
    fn any_order_of_writes_and_checkpoints_is_as_good_as_none(steps in steps()) {
        let dir = tempfile::tempdir().unwrap();
        let memory = Arc::new(MemoryStorage::new());
        let (mut rounds, mut steps) = (0, steps.into_iter().peekable());
        while steps.peek().is_some() {
            let storage = Stepped::over(&memory);
            let db = open(dir.path(), Arc::clone(&storage) as _);
            prop_assert_eq!(db.checksum().unwrap(), checksum_of(rounds));
            thread::scope(|scope| {
                let _held = storage.hold();
                let (mut begun, mut waits) = (0, false);
                for step in steps.by_ref() {
                    match step {
                        Step::Write => {
                            write(&db, rounds);
                            rounds += 1;
                        }
                        Step::Begin if !waits => {
                            begin(scope, &db, &storage);
                            begun += 1;
                            waits = storage.wait(begun);
                        }
                        Step::Go | Step::Fail if waits => {
                            let failed = matches!(step, Step::Fail);
                            storage.step(if failed { Verdict::Failed } else { Verdict::Done });
                            waits = storage.wait(begun);
                        }
                        Step::Reopen => break,
                        Step::Begin | Step::Go | Step::Fail => {}
                    }
                    check(&db, rounds);
                }
            });
        }
        let db = open(dir.path(), Stepped::over(&memory));
        check(&db, rounds);
        prop_assert_eq!(db.checksum().unwrap(), checksum_of(rounds));
    }
}
