//! Databases whose log is damaged, and what is left of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidal_db::{
    Batch, Checksum, ErrorKind, MemoryStorage, Retention, SalvageOptions, Seq, StorageFit,
    TidalError, WalError, inspect_log, salvage, salvage_log, survey, verify,
};

use crate::fixture::{builder, event, id, open};
use crate::interrupted::Interrupted;

const EVENTS: u64 = 300;
const REBUILD: SalvageOptions = SalvageOptions { rebuild_storage: true };

/// A database of one event a group, with a checkpoint after some of them.
fn fed(checkpoint_at: u64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    for index in 0..EVENTS {
        if index == checkpoint_at {
            db.checkpoint().unwrap();
        }
        db.signals(&[event(index)]).unwrap();
    }
    if checkpoint_at == EVENTS {
        db.checkpoint().unwrap();
    }
    dir
}

/// The checksum of a database that was fed so many events.
fn checksum_of(events: u64) -> Checksum {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    db.signals(&(0..events).map(event).collect::<Vec<_>>()).unwrap();
    db.checksum().unwrap()
}

/// Flips a byte of the n-th segment of a log, in the middle of what it holds.
fn damage(dir: &Path, segment: usize) -> PathBuf {
    let stat = inspect_log(dir).unwrap();
    let segment = &stat.segments[segment];
    let mut bytes = fs::read(&segment.path).unwrap();
    let used = usize::try_from(segment.content.unwrap().bytes).unwrap();
    bytes[4096 + used / 2 / 512 * 512 + 90] ^= 1;
    fs::write(&segment.path, bytes).unwrap();
    let refusal = builder(dir).open().map(drop).map_err(|error| error.kind());
    assert_eq!(refusal, Err(ErrorKind::Damage));
    segment.path.clone()
}

fn expect_events(dir: &Path, events: u64) {
    let db = open(dir);
    assert_eq!(db.stats().unwrap().records, events + 1);
    assert_eq!(db.checksum().unwrap(), checksum_of(events));
    db.signals(&[event(events)]).unwrap();
    assert_eq!(db.checksum().unwrap(), checksum_of(events + 1));
    db.shutdown().unwrap();
    assert_eq!(open(dir).checksum().unwrap(), checksum_of(events + 1));
}

fn refusal(dir: &Path) -> TidalError {
    builder(dir).open().map(drop).unwrap_err()
}

/// G33, G36: what came before the damage is there, and nothing else; the damaged log is
/// kept.
#[test]
fn a_database_opens_as_of_the_record_before_the_damage() {
    let dir = fed(100);
    let path = damage(dir.path(), 1);
    let damaged = fs::read(&path).unwrap();
    let plan = survey(dir.path()).unwrap();
    assert_eq!(plan.fit, StorageFit::Fits);
    let done = salvage(dir.path(), SalvageOptions::default()).unwrap();
    let log_id = done.plan.log.log_id;
    assert!(log_id.is_some());
    assert_eq!(done.plan.log.parent, plan.log.parent);
    let last = plan.log.parent.position.seq;
    assert!(last > Seq::new(120) && last < Seq::new(250), "{last}");
    assert_eq!(plan.log.damage.path, path);
    assert_eq!(plan.log.lost.known, Some((last.next(), Seq::new(EVENTS + 1))));
    assert_eq!(plan.log.lost.readable_records, EVENTS + 1 - last.get() - 1);
    let aside = done.log_aside.unwrap();
    assert_eq!(fs::read(aside.join(path.file_name().unwrap())).unwrap(), damaged);
    assert_eq!(done.storage_aside, None);
    expect_events(dir.path(), last.get() - 1);
    let error = salvage(dir.path(), SalvageOptions::default()).unwrap_err();
    assert!(matches!(error, TidalError::Wal(WalError::Sound { .. })), "{error}");
}

/// G36: storage that holds more is not opened with what is left of the log; asked to, it
/// is put aside and made again.
#[test]
fn storage_that_holds_more_is_made_again_or_refused() {
    let dir = fed(EVENTS);
    damage(dir.path(), 2);
    let before = inspect_log(dir.path()).unwrap();
    let done = salvage(dir.path(), SalvageOptions::default()).unwrap();
    assert_eq!((done.log_aside, done.storage_aside), (None, None));
    assert_eq!(done.plan.fit, StorageFit::MustBeRebuilt);
    assert_eq!(done.plan.storage.unwrap().seq, Seq::new(EVENTS + 1));
    assert_eq!(inspect_log(dir.path()).unwrap(), before);
    assert!(!dir.path().join("log.salvaged").exists());

    let done = salvage(dir.path(), REBUILD).unwrap();
    assert!(done.storage_aside.unwrap().is_dir());
    expect_events(dir.path(), done.plan.log.parent.position.seq.get() - 1);
}

/// G36: also when someone put the salvaged log there by hand, and the damaged one back.
#[test]
fn storage_is_never_opened_with_a_log_that_took_over_less() {
    let dir = fed(EVENTS);
    damage(dir.path(), 2);
    let (log, new) = (dir.path().join("log"), dir.path().join("new"));
    let report = salvage_log(dir.path(), &new).unwrap();
    fs::rename(&log, dir.path().join("old")).unwrap();
    fs::rename(&new, &log).unwrap();
    let error = refusal(dir.path());
    assert_eq!(error.kind(), ErrorKind::Damage);
    match error {
        TidalError::SalvagedShort { applied, taken_over, .. } => {
            assert_eq!(applied, Seq::new(EVENTS + 1));
            assert_eq!(taken_over, report.parent.position.seq);
        }
        other => panic!("{other}"),
    }
    fs::rename(dir.path().join("storage"), dir.path().join("older")).unwrap();
    expect_events(dir.path(), report.parent.position.seq.get() - 1);
    // Storage belongs to the new log now.
    fs::remove_dir_all(&log).unwrap();
    fs::rename(dir.path().join("old"), &log).unwrap();
    let error = refusal(dir.path());
    assert_eq!(error.kind(), ErrorKind::Damage, "{error}");
}

/// G36: once storage goes on with the salvaged log, it never goes back to the parent,
/// though that be mended.
#[test]
fn storage_belongs_to_the_salvaged_log_from_its_first_opening_on() {
    let dir = fed(100);
    let path = damage(dir.path(), 1);
    let damaged = fs::read(&path).unwrap();
    let done = salvage(dir.path(), SalvageOptions::default()).unwrap();
    let log_id = done.plan.log.log_id.unwrap();
    // Nothing is written and no checkpoint made.
    drop(open(dir.path()));
    let (log, child) = (dir.path().join("log"), dir.path().join("child"));
    fs::rename(&log, &child).unwrap();
    fs::rename(done.log_aside.unwrap(), &log).unwrap();
    let mut mended = damaged.clone();
    let offset = usize::try_from(done.plan.log.damage.offset).unwrap() + 90;
    mended[offset] ^= 1;
    fs::write(&path, mended).unwrap();
    assert!(inspect_log(dir.path()).unwrap().problem.is_none());
    match refusal(dir.path()) {
        TidalError::LogMismatch { storage, log, .. } => {
            assert_eq!((storage, log), (log_id, done.plan.log.parent.position.log_id));
        }
        other => panic!("{other}"),
    }
    fs::remove_dir_all(&log).unwrap();
    fs::rename(&child, &log).unwrap();
    expect_events(dir.path(), done.plan.log.parent.position.seq.get() - 1);
}

/// G35: between any two renames the database does not open, and one more call finishes.
#[test]
fn a_salvage_that_is_cut_short_is_finished() {
    for (checkpoint_at, options) in [(100, SalvageOptions::default()), (EVENTS, REBUILD)] {
        let dir = fed(checkpoint_at);
        let path = |name: &str| dir.path().join(name);
        // Opening verifies what is behind the checkpoint.
        damage(dir.path(), if checkpoint_at == EVENTS { 2 } else { 1 });
        // Nothing is named yet, and what was made is not whole.
        fs::create_dir(path("log.salvaged")).unwrap();
        fs::write(path("log.salvaged").join("FLOOR"), [0; 8192]).unwrap();
        refusal(dir.path());
        let done = salvage(dir.path(), options).unwrap();
        let last = done.plan.log.parent.position.seq;
        // Before the last rename, and before that of storage.
        for storage_is_back in [false, true] {
            if storage_is_back && options == REBUILD {
                let aside = path("storage.aside.0");
                if path("storage").exists() {
                    fs::remove_dir_all(path("storage")).unwrap();
                }
                fs::rename(aside, path("storage")).unwrap();
            }
            fs::rename(path("log"), path("log.salvaged")).unwrap();
            let error = refusal(dir.path());
            assert!(matches!(error, TidalError::SalvageInterrupted { .. }), "{error}");
            let error = inspect_log(dir.path()).unwrap_err();
            assert!(matches!(error, TidalError::SalvageInterrupted { .. }), "{error}");
            let error = verify(dir.path()).unwrap_err();
            assert!(matches!(error, TidalError::SalvageInterrupted { .. }), "{error}");
            let done = salvage(dir.path(), options).unwrap();
            assert_eq!(done.plan.log.parent.position.seq, last);
            assert!(path("log.damaged.0").exists() && !path("log.damaged.1").exists());
        }
        expect_events(dir.path(), last.get() - 1);
    }
}

/// G36: what a checkpoint that was cut short left in storage counts, though its head
/// does not speak of it.
#[test]
fn what_an_interrupted_checkpoint_left_counts() {
    let dir = tempfile::tempdir().unwrap();
    let storage = Arc::new(MemoryStorage::new());
    // It is bound, has one checkpoint, and a part of another.
    let db = builder(dir.path()).storage(Interrupted::after(&storage, 3)).open().unwrap();
    let applied = db.checkpoint().unwrap().seq;
    for index in 0..EVENTS {
        db.signals(&[event(index)]).unwrap();
    }
    for item in 0..6 {
        db.commit(Batch::new().write_item(id(item), vec![b'x'; 1 << 20])).unwrap();
    }
    db.checkpoint().unwrap_err();
    drop(db);
    let reopen = || builder(dir.path()).storage(Interrupted::never(&storage)).open();
    drop(reopen().unwrap());
    damage_of(dir.path(), 1);
    let new = dir.path().join("new");
    let report = salvage_log(dir.path(), &new).unwrap();
    assert!(report.parent.position.seq > applied);
    fs::rename(dir.path().join("log"), dir.path().join("old")).unwrap();
    fs::rename(&new, dir.path().join("log")).unwrap();
    let error = reopen().map(drop).unwrap_err();
    assert!(matches!(error, TidalError::SalvagedShort { .. }), "{error}");
}

fn damage_of(dir: &Path, segment: usize) {
    let path = inspect_log(dir).unwrap().segments[segment].path.clone();
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096 + 5 * 512 + 90] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// G36: where the log was cut behind checkpoints, storage is what comes before it.
#[test]
fn a_log_that_was_cut_is_salvaged_with_its_storage() {
    let dir = tempfile::tempdir().unwrap();
    let cut = || builder(dir.path()).retain(Retention::UntilCheckpoint);
    let db = cut().open().unwrap();
    for index in 0..EVENTS {
        // The log is cut behind the one before the last.
        if index == 150 || index == 200 {
            db.checkpoint().unwrap();
        }
        db.signals(&[event(index)]).unwrap();
    }
    drop(db);
    let stat = inspect_log(dir.path()).unwrap();
    assert!(stat.first_seq > Some(Seq::FIRST));
    let last = stat.segments.len() - 1;
    damage_of(dir.path(), last);
    let done = salvage(dir.path(), REBUILD).unwrap();
    assert_eq!((done.plan.fit, done.storage_aside), (StorageFit::Fits, None));
    expect_events(dir.path(), done.plan.log.parent.position.seq.get() - 1);

    // Without its storage such a log is of no use.
    let storage = dir.path().join("storage");
    damage_of(dir.path(), last.min(inspect_log(dir.path()).unwrap().segments.len() - 1));
    fs::rename(&storage, dir.path().join("gone")).unwrap();
    let done = salvage(dir.path(), REBUILD).unwrap();
    assert_eq!((done.plan.fit, done.log_aside), (StorageFit::Unusable, None));
    assert!(!storage.exists());
}
