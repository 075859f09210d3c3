//! C2: log and storage that do not belong together are refused.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tidal_db::{ErrorKind, MemoryStorage, Retention, TidalError, WalError};

use crate::fixture::{builder, event, open};

fn fed(records: u64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    db.signals(&(0..records).map(event).collect::<Vec<_>>()).unwrap();
    db.shutdown().unwrap();
    dir
}

fn replace(target: &Path, source: &Path) {
    if target.exists() {
        fs::remove_dir_all(target).unwrap();
    }
    copy(source, target);
}

fn copy(source: &Path, target: &Path) {
    fs::create_dir_all(target).unwrap();
    for entry in fs::read_dir(source).unwrap() {
        let entry = entry.unwrap();
        let to = target.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn refusal(dir: &Path) -> TidalError {
    let error = builder(dir).open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damage, "{error}");
    error
}

#[test]
fn the_log_of_another_database_is_refused() {
    let (dir, other) = (fed(10), fed(10));
    replace(&dir.path().join("log"), &other.path().join("log"));
    let error = refusal(dir.path());
    assert!(matches!(error, TidalError::LogMismatch { .. }), "{error}");
}

/// Also before the first checkpoint, and nothing is made in its place.
#[test]
fn a_log_that_lost_its_directory_is_refused() {
    for shut_down in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let db = open(dir.path());
        db.signals(&[event(1)]).unwrap();
        if shut_down {
            db.shutdown().unwrap();
        }
        drop(db);
        let (log, aside) = (dir.path().join("log"), dir.path().join("aside"));
        fs::rename(&log, &aside).unwrap();
        let error = refusal(dir.path());
        assert!(matches!(error, TidalError::Wal(WalError::Missing { .. })), "{error}");
        assert!(!log.exists());
        assert!(!tidal_db::verify(dir.path()).unwrap().ok());
        replace(&log, &aside);
        assert_eq!(open(dir.path()).stats().unwrap().records, 2);
    }
}

#[test]
fn the_log_of_another_database_is_refused_before_the_first_checkpoint() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for dir in &dirs {
        open(dir.path()).signals(&[event(1)]).unwrap();
    }
    replace(&dirs[0].path().join("log"), &dirs[1].path().join("log"));
    let error = refusal(dirs[0].path());
    assert!(matches!(error, TidalError::LogMismatch { .. }), "{error}");
}

/// C2: a storage that keeps nothing does not let the log be cut.
#[test]
fn the_log_is_kept_where_storage_keeps_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let open = || {
        builder(dir.path())
            .storage(Arc::new(MemoryStorage::new()))
            .segment_bytes(16 << 10)
            .retain(Retention::UntilCheckpoint)
            .open()
            .unwrap()
    };
    let db = open();
    db.signals(&(0..5000).map(event).collect::<Vec<_>>()).unwrap();
    let checksum = db.checksum().unwrap();
    db.shutdown().unwrap();
    assert_eq!(open().checksum().unwrap(), checksum);
}

#[test]
fn storage_ahead_of_the_log_is_refused() {
    let dir = fed(10);
    let older = tempfile::tempdir().unwrap();
    copy(&dir.path().join("log"), older.path());
    let db = open(dir.path());
    db.signals(&[event(11)]).unwrap();
    db.shutdown().unwrap();
    replace(&dir.path().join("log"), older.path());
    let error = refusal(dir.path());
    assert!(matches!(error, TidalError::StorageAhead { .. }), "{error}");
}

#[test]
fn a_log_that_begins_too_late_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let cut = || builder(dir.path()).segment_bytes(16 << 10).retain(Retention::UntilCheckpoint);
    let db = cut().open().unwrap();
    for start in 0..20 {
        db.signals(&(start * 100..start * 100 + 100).map(event).collect::<Vec<_>>()).unwrap();
    }
    db.shutdown().unwrap();
    let db = cut().open().unwrap();
    db.signals(&[event(1)]).unwrap();
    db.shutdown().unwrap();
    fs::remove_dir_all(dir.path().join("storage")).unwrap();
    let error = refusal(dir.path());
    assert!(matches!(error, TidalError::LogTooShort { .. }), "{error}");
}
