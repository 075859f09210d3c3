//! Backups of whole databases, and what is restored from them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use tidal_db::{
    Batch, Checksum, DedupKey, Engine, ErrorKind, ManualClock, MemoryStorage, Outcome, Retention,
    Seq, StorageError, TidalDB, TidalError, Timestamp, WalError, inspect_log, migrate, read_backup,
    restore, restore_until, verify_backup,
};

use crate::fixture::{NOW, builder, event, id, schema};
use crate::kill;

fn batch(index: u64) -> Batch<'static> {
    Batch::new().event(event(index)).write_item(id(index % 50), format!("metadata {index}"))
}

fn feed(db: &TidalDB, range: std::ops::Range<u64>) {
    for index in range {
        db.commit(batch(index)).unwrap();
    }
}

/// A checksum of the database in a directory, which is opened and closed.
fn checksum(dir: &Path) -> Checksum {
    let db = TidalDB::open_existing(dir).unwrap();
    let checksum = db.checksum().unwrap();
    db.shutdown().unwrap();
    checksum
}

/// G54: what is restored is what was backed up, on every engine, and goes on from there.
#[test]
fn a_restored_database_has_the_checksum_of_its_source() {
    let dir = tempfile::tempdir().unwrap();
    for &from in Engine::ALL {
        let source = dir.path().join(from.name());
        let db = builder(&source).engine(from).checkpoint_every(u64::MAX).open().unwrap();
        feed(&db, 0..140);
        db.checkpoint().unwrap();
        feed(&db, 140..250);
        let expected = db.checksum().unwrap();
        let dest = dir.path().join(format!("{}-backup", from.name()));
        let info = db.backup(&dest).unwrap();
        assert_eq!(info.head.position.seq.get(), db.stats().unwrap().records);
        assert!(info.applied.seq < info.head.position.seq && info.applied.seq > Seq::ZERO);
        assert_eq!(info.engine, from.name());
        // What comes later is not in it.
        feed(&db, 250..260);
        drop(db);
        assert_eq!(verify_backup(&dest).unwrap(), info);
        assert_eq!(read_backup(&dest).unwrap(), info);
        for &to in Engine::ALL {
            let target = dir.path().join(format!("{}-{}", from.name(), to.name()));
            let restored = restore(&dest, &target, to).unwrap();
            assert_eq!(restored.backup, info);
            assert_eq!(restored.log.parent.position, info.head.position);
            assert_eq!(restored.log.parent.digest, info.head.digest);
            assert_ne!(restored.log.log_id, info.head.position.log_id);
            assert_eq!(checksum(&target), expected, "{from:?} to {to:?}");
            let db = builder(&target).open().unwrap();
            assert_eq!(db.stats().unwrap().engine, to.name());
            feed(&db, 250..260);
            drop(db);
            assert_eq!(checksum(&target), checksum(&source));
        }
    }
}

/// Ends the writers also when a check fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// G54: a backup beside two writers, checkpoints and truncation is of a prefix of the log
/// that has everything answered before it began.
#[test]
fn a_backup_beside_writers_is_of_a_prefix() {
    const BACKUPS: usize = 8;
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("source");
    let db = builder(&source)
        .retain(Retention::UntilCheckpoint)
        // So often that one falls into each step of a backup.
        .checkpoint_every(10)
        .segment_bytes(16 << 10)
        .open()
        .unwrap();
    feed(&db, 0..400);
    // What the state was behind each record, by a database that is fed the same.
    let reference = TidalDB::in_memory(schema()).unwrap();
    let (stop, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let turn = std::sync::Mutex::new(400);
    let backups: Vec<_> = thread::scope(|scope| {
        let _stopped = Stop(&stop);
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    // Submitted in turn, so that a number of records is a prefix.
                    let mut next = turn.lock().unwrap();
                    let ticket = db.submit(batch(*next)).unwrap();
                    *next += 1;
                    let number = *next;
                    drop(next);
                    ticket.wait().unwrap();
                    answered.fetch_max(number, Ordering::SeqCst);
                }
            });
        }
        (0..BACKUPS)
            .map(|index| {
                let before = answered.load(Ordering::SeqCst);
                let dest = dir.path().join(format!("backup-{index}"));
                (db.backup(&dest).unwrap(), before, dest)
            })
            .collect()
    });
    assert!(db.stats().unwrap().log.first_seq > Seq::FIRST, "the log was never cut");
    let mut fed = 0;
    for (index, (info, before, dest)) in backups.into_iter().enumerate() {
        // A record for the schema, and two for each batch.
        let batches = (info.head.position.seq.get() - 1) / 2;
        assert_eq!((info.head.position.seq.get() - 1) % 2, 0, "half of a batch");
        assert!(batches >= before, "an answered batch is missing");
        feed(&reference, fed..batches);
        fed = batches;
        let target = dir.path().join(format!("target-{index}"));
        verify_backup(&dest).unwrap();
        restore(&dest, &target, Engine::Fjall).unwrap();
        assert_eq!(checksum(&target), reference.checksum().unwrap(), "backup {index}");
    }
}

/// G55: the state as of any log time since the checkpoint, under a new identity.
#[test]
fn a_database_is_restored_to_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(NOW));
    let later = |secs: u64| NOW.saturating_add(Duration::from_secs(secs));
    let db = builder(&dir.path().join("source"))
        .clock(Arc::<ManualClock>::clone(&clock))
        .open()
        .unwrap();
    let mut checksums = Vec::new();
    for step in 0..20 {
        clock.set(later(step * 10));
        feed(&db, step * 10..step * 10 + 10);
        checksums.push(db.checksum().unwrap());
        if step == 7 {
            db.checkpoint().unwrap();
        }
    }
    let dest = dir.path().join("backup");
    let info = db.backup(&dest).unwrap();
    assert_eq!(info.created, later(190));
    for step in [7, 8, 13, 19] {
        let target = dir.path().join(format!("at-{step}"));
        let restored = restore_until(&dest, &target, Engine::Fjall, later(step * 10 + 9)).unwrap();
        assert_eq!(restored.log.log_time, Some(later(step * 10)));
        assert_eq!(checksum(&target), checksums[step as usize], "{step}");
        let stat = inspect_log(&target).unwrap();
        assert_eq!(stat.parent, Some(restored.log.parent));
        assert_eq!(restored.log.parent.position.log_id, info.head.position.log_id);
    }
    let target = dir.path().join("before");
    let error = restore_until(&dest, &target, Engine::Fjall, later(69)).unwrap_err();
    let expected = later(70);
    assert!(
        matches!(error, TidalError::Wal(WalError::BeforeBackup { earliest, .. }) if earliest == expected),
        "{error}"
    );
    assert_eq!(error.kind(), ErrorKind::Input);
    TidalDB::open_existing(&target).unwrap_err();
    let epoch = dir.path().join("epoch");
    restore_until(&dest, &epoch, Engine::Fjall, Timestamp::MIN).unwrap_err();
}

/// G55: before the first record there was no database, so none is made that does not open.
#[test]
fn a_time_before_the_first_record_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let db = builder(&dir.path().join("source")).open().unwrap();
    feed(&db, 0..3);
    let dest = dir.path().join("backup");
    // Storage holds nothing yet, so every time would do for it.
    assert_eq!(db.backup(&dest).unwrap().applied.seq, Seq::ZERO);
    let target = dir.path().join("target");
    let before = NOW.saturating_sub(Duration::from_secs(1));
    let error = restore_until(&dest, &target, Engine::Fjall, before).unwrap_err();
    assert!(
        matches!(error, TidalError::Wal(WalError::BeforeBackup { earliest, .. }) if earliest == NOW),
        "{error}"
    );
    fs::remove_dir_all(&target).unwrap();
    restore_until(&dest, &target, Engine::Fjall, NOW).unwrap();
    assert_eq!(checksum(&target), db.checksum().unwrap());
}

/// G54: a database without an event, and one whose storage is elsewhere.
#[test]
fn there_is_always_something_to_back_up() {
    let dir = tempfile::tempdir().unwrap();
    let db = builder(&dir.path().join("empty")).open().unwrap();
    db.backup(dir.path().join("of-empty")).unwrap();
    let expected = db.checksum().unwrap();
    restore(dir.path().join("of-empty"), dir.path().join("restored"), Engine::Fjall).unwrap();
    assert_eq!(checksum(&dir.path().join("restored")), expected);

    let storage = Arc::new(MemoryStorage::new());
    let db = builder(&dir.path().join("beside")).storage(storage).open().unwrap();
    feed(&db, 0..20);
    db.checkpoint().unwrap();
    assert_eq!(db.backup(dir.path().join("of-memory")).unwrap().engine, "memory");
    restore(dir.path().join("of-memory"), dir.path().join("on-disk"), Engine::Fjall).unwrap();
    assert_eq!(checksum(&dir.path().join("on-disk")), db.checksum().unwrap());

    let db = TidalDB::in_memory(schema()).unwrap();
    let dest = dir.path().join("of-nothing");
    let error = db.backup(&dest).unwrap_err();
    assert!(matches!(error, TidalError::InMemory), "{error}");
    assert!(fs::read_dir(&dest).unwrap().next().is_none());
    db.shutdown().unwrap();
    let error = db.backup(&dest).unwrap_err();
    assert!(matches!(error, TidalError::Closed), "{error}");
}

/// G54: what a restored log holds the keys of is a repeat there too.
#[test]
fn keys_are_known_after_a_restore() {
    let dir = tempfile::tempdir().unwrap();
    let sent = [DedupKey::Client([7; 16]), DedupKey::Content].map(|key| event(3).key(key));
    let db = builder(&dir.path().join("source")).open().unwrap();
    db.signals(&sent).unwrap();
    db.backup(dir.path().join("backup")).unwrap();
    let target = dir.path().join("target");
    restore(dir.path().join("backup"), &target, Engine::Fjall).unwrap();
    let restored = builder(&target).open().unwrap();
    let again = restored.signals(&sent).unwrap().outcomes;
    let first = [2, 3].map(|seq| Outcome::Duplicate { seq: Some(Seq::new(seq)) });
    assert_eq!(again, first);
}

/// A backup of a log of several segments.
fn written(dir: &Path) -> PathBuf {
    let db = builder(&dir.join("source")).segment_bytes(16 << 10).open().unwrap();
    feed(&db, 0..120);
    db.checkpoint().unwrap();
    feed(&db, 120..300);
    let dest = dir.join("backup");
    db.backup(&dest).unwrap();
    dest
}

/// Neither checked nor restored, and what was begun does not open.
fn assert_refused(dir: &Path, dest: &Path, what: &str) {
    let error = verify_backup(dest).expect_err(what);
    assert!(
        matches!(
            error,
            TidalError::Storage(StorageError::BackupDamaged { .. } | StorageError::NoBackup { .. })
        ),
        "{what}: {error}"
    );
    let target = dir.join("target");
    restore(dest, &target, Engine::Fjall).expect_err(what);
    if target.exists() {
        let error = TidalDB::open_existing(&target).expect_err(what);
        assert!(matches!(error, TidalError::RestoreUnfinished { .. }), "{what}: {error}");
        let error = builder(&target).open().expect_err(what);
        assert!(matches!(error, TidalError::RestoreUnfinished { .. }), "{what}: {error}");
        fs::remove_dir_all(&target).unwrap();
    }
}

fn files(dest: &Path) -> Vec<PathBuf> {
    let parts = ["log", "storage"].map(|part| dest.join(part));
    let entries = parts.iter().flat_map(|part| fs::read_dir(part).unwrap());
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// G52: every file of a backup, of the log as of storage, is as it was written, or the
/// backup is refused.
#[test]
fn a_damaged_backup_is_never_restored() {
    let dir = tempfile::tempdir().unwrap();
    let dest = written(dir.path());
    let all = files(&dest);
    assert!(all.len() >= 7, "{all:?}");
    for path in &all {
        let bytes = fs::read(path).unwrap();
        let name = path.display();
        for part in 0..5 {
            let offset = (bytes.len() - 1) * part / 4;
            let mut damaged = bytes.clone();
            damaged[offset] ^= 1 << part;
            fs::write(path, &damaged).unwrap();
            assert_refused(dir.path(), &dest, &format!("{name} at {offset}"));
        }
        fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        assert_refused(dir.path(), &dest, &format!("half of {name}"));
        fs::remove_file(path).unwrap();
        assert_refused(dir.path(), &dest, &format!("{name} missing"));
        fs::write(path, &bytes).unwrap();
    }
    let segments: Vec<_> =
        all.iter().filter(|path| path.extension().is_some_and(|ext| ext == "seg")).collect();
    let aside = dir.path().join("aside");
    for (from, to) in [(segments[0], &aside), (segments[1], segments[0]), (&aside, segments[1])] {
        fs::rename(from, to).unwrap();
    }
    assert_refused(dir.path(), &dest, "swapped");
    for (from, to) in [(segments[0], &aside), (segments[1], segments[0]), (&aside, segments[1])] {
        fs::rename(from, to).unwrap();
    }
    for extra in ["notes", "log/wal-00000000000000ff.seg", "storage/notes"] {
        fs::write(dest.join(extra), b"").unwrap();
        assert_refused(dir.path(), &dest, extra);
        fs::remove_file(dest.join(extra)).unwrap();
    }
    verify_backup(&dest).unwrap();
}

/// G52: a sound log of another backup is not taken for this one's.
#[test]
fn the_log_of_another_backup_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let (dest, other) = (written(dir.path()), written(other.path()));
    fs::remove_dir_all(dest.join("log")).unwrap();
    fs::rename(other.join("log"), dest.join("log")).unwrap();
    assert_refused(dir.path(), &dest, "the log of another");
}

/// G51: nothing is overwritten, neither by a backup nor by a restore.
#[test]
fn what_is_there_already_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let dest = written(dir.path());
    let source = dir.path().join("source");
    let before = checksum(&source);
    let db = TidalDB::open_existing(&source).unwrap();
    let error = db.backup(&dest).unwrap_err();
    assert!(
        matches!(error, TidalError::Storage(StorageError::DestinationNotEmpty { .. })),
        "{error}"
    );
    drop(db);
    verify_backup(&dest).unwrap();
    let error = restore(&dest, &source, Engine::Fjall).unwrap_err();
    assert!(
        matches!(error, TidalError::Storage(StorageError::DestinationNotEmpty { .. })),
        "{error}"
    );
    assert_eq!(checksum(&source), before);
    let mine = dir.path().join("mine");
    fs::create_dir(&mine).unwrap();
    fs::write(mine.join("notes"), "mine").unwrap();
    let error = restore(&dest, &mine, Engine::Fjall).unwrap_err();
    assert!(matches!(error, TidalError::NotADatabase { .. }), "{error}");
    assert_eq!(fs::read_dir(&mine).unwrap().count(), 1);
}

/// G51: of two backups that come to one place at once, one is whole and the other is
/// refused, and removes nothing of the first.
#[test]
fn of_two_backups_to_one_place_one_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let db = builder(&dir.path().join("source")).open().unwrap();
    feed(&db, 0..50);
    db.checkpoint().unwrap();
    for round in 0..20 {
        let dest = dir.path().join(format!("backup-{round}"));
        let begin = Barrier::new(2);
        let done = thread::scope(|scope| {
            let backups = [(); 2].map(|()| {
                scope.spawn(|| {
                    begin.wait();
                    db.backup(&dest)
                })
            });
            backups.map(|backup| backup.join().unwrap())
        });
        let refused: Vec<_> = done.iter().filter_map(|done| done.as_ref().err()).collect();
        assert!(
            matches!(refused[..], [TidalError::Storage(StorageError::DestinationNotEmpty { .. })]),
            "{refused:?}"
        );
        verify_backup(&dest).unwrap();
    }
}

/// G56: a copy onto any engine has the same checksum, and the source is as it was.
#[test]
fn a_database_moves_to_any_engine() {
    let dir = tempfile::tempdir().unwrap();
    for &from in Engine::ALL {
        let source = dir.path().join(from.name());
        let db = builder(&source)
            .engine(from)
            .checkpoint_every(100)
            .retain(Retention::UntilCheckpoint)
            .segment_bytes(16 << 10)
            .open()
            .unwrap();
        feed(&db, 0..400);
        // So the copy needs storage too.
        assert!(db.stats().unwrap().log.first_seq > Seq::FIRST);
        let expected = db.checksum().unwrap();
        let error = migrate(&source, dir.path().join("locked"), from).unwrap_err();
        assert!(matches!(error, TidalError::Locked { .. }), "{error}");
        drop(db);
        for &to in Engine::ALL {
            let target = dir.path().join(format!("{}-{}", from.name(), to.name()));
            let migrated = migrate(&source, &target, to).unwrap();
            assert_eq!((migrated.from, migrated.to), (from, to));
            assert_eq!(checksum(&target), expected, "{from:?} to {to:?}");
            let db = TidalDB::open_existing(&target).unwrap();
            assert_eq!(db.stats().unwrap().engine, to.name());
            drop(db);
            let error = migrate(&source, &target, to).unwrap_err();
            assert!(
                matches!(error, TidalError::Storage(StorageError::DestinationNotEmpty { .. })),
                "{error}"
            );
        }
        assert_eq!(checksum(&source), expected);
    }
}

/// G56, Z3: also one that nobody has opened since it was restored or copied, whose storage
/// still names the parent of its log.
#[test]
fn a_database_moves_on_before_it_was_opened() {
    let dir = tempfile::tempdir().unwrap();
    let dest = written(dir.path());
    let expected = checksum(&dir.path().join("source"));
    let step = |name: &str| dir.path().join(name);
    let restored = restore(&dest, step("restored"), Engine::Fjall).unwrap();
    let one = migrate(step("restored"), step("one"), Engine::Fjall).unwrap();
    assert_eq!(one.log.parent.position.log_id, restored.log.log_id);
    let two = migrate(step("one"), step("two"), Engine::Fjall).unwrap();
    assert_eq!(two.log.parent.position.log_id, one.log.log_id);
    for name in ["two", "one", "restored"] {
        assert_eq!(checksum(&step(name)), expected, "{name}");
    }
    // A log of another line is no parent.
    let other = tempfile::tempdir().unwrap();
    written(other.path());
    fs::remove_dir_all(step("two").join("log")).unwrap();
    fs::rename(other.path().join("source/log"), step("two").join("log")).unwrap();
    let error = migrate(step("two"), step("mixed"), Engine::Fjall).unwrap_err();
    assert!(matches!(error, TidalError::LogMismatch { .. }), "{error}");
}

/// G56, C2: what does not open is not copied either.
#[test]
fn a_log_that_begins_behind_what_storage_needs_is_not_moved() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("source");
    let db = builder(&source)
        .checkpoint_every(100)
        .retain(Retention::UntilCheckpoint)
        .segment_bytes(16 << 10)
        .open()
        .unwrap();
    feed(&db, 0..400);
    db.shutdown().unwrap();
    fs::remove_dir_all(source.join("storage")).unwrap();
    let error = migrate(&source, dir.path().join("to"), Engine::Fjall).unwrap_err();
    assert!(matches!(error, TidalError::LogTooShort { needed: Seq::FIRST, .. }), "{error}");
}

/// G56
#[test]
fn an_engine_that_this_program_lacks_is_told_with_its_feature() {
    let error = Engine::require("pebble").unwrap_err();
    assert!(error.to_string().contains("fjall"), "{error}");
    for engine in ["lmdb", "redb"] {
        match Engine::require(engine) {
            Ok(known) => assert_eq!(known.name(), engine),
            Err(error) => {
                assert!(error.to_string().contains(&format!("the feature {engine:?}")), "{error}");
            }
        }
    }
    let dir = tempfile::tempdir().unwrap();
    drop(builder(dir.path()).open().unwrap());
    fs::write(dir.path().join("TIDALDB"), "tidalDB format 1\nengine pebble\n").unwrap();
    let error = migrate(dir.path(), dir.path().join("to"), Engine::Fjall).unwrap_err();
    assert!(matches!(error, TidalError::EngineMissing { .. }), "{error}");
}

const KILLS: u64 = 14;

/// What the killed process does with `source`, `backup` and `target` in its folder.
pub(crate) fn child(what: &str, dir: &Path) {
    if what == "backup" {
        let db = TidalDB::open_existing(dir.join("source")).unwrap();
        println!("\nbegun");
        db.backup(dir.join("backup")).unwrap();
    } else {
        println!("\nbegun");
        restore(dir.join("backup"), dir.join("target"), Engine::Fjall).unwrap();
    }
    println!("\ndone");
}

/// Kills it a moment after it began; whether it came to its end.
fn killed(what: &str, dir: &Path, round: u64) -> bool {
    let mut child =
        kill::child(what, dir).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.by_ref().map_while(Result::ok).any(|line| line == "begun"));
    // A moment that follows from the round, and falls anywhere.
    for spin in 0..round * round * 400_000 {
        std::hint::black_box(spin);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    lines.map_while(Result::ok).any(|line| line == "done")
}

/// G51: whatever a kill leaves is whole or refused.
#[test]
fn a_killed_backup_or_restore_is_whole_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dest = written(dir.path());
    let expected = checksum(&dir.path().join("source"));
    let mut refused = [0, 0];
    for round in 0..KILLS {
        let target = dir.path().join("target");
        let is_done = killed("restore", dir.path(), round);
        match TidalDB::open_existing(&target) {
            Ok(db) => assert_eq!(db.checksum().unwrap(), expected, "round {round}"),
            Err(TidalError::RestoreUnfinished { .. } | TidalError::NotFound { .. }) => {
                assert!(!is_done, "round {round}");
                refused[0] += 1;
            }
            Err(error) => panic!("round {round}: {error}"),
        }
        if target.exists() {
            fs::remove_dir_all(&target).unwrap();
        }
    }
    for round in 0..KILLS {
        fs::remove_dir_all(&dest).unwrap();
        let is_done = killed("backup", dir.path(), round);
        match verify_backup(&dest) {
            Ok(_) => {
                let target = dir.path().join("target");
                restore(&dest, &target, Engine::Fjall).unwrap();
                assert_eq!(checksum(&target), expected, "round {round}");
                fs::remove_dir_all(&target).unwrap();
            }
            Err(TidalError::Storage(StorageError::NoBackup { .. })) => {
                assert!(!is_done, "round {round}");
                refused[1] += 1;
            }
            Err(error) => panic!("round {round}: {error}"),
        }
        fs::create_dir_all(&dest).unwrap();
    }
    assert!(refused[0] > 0 && refused[1] > 0, "{refused:?}");
}
