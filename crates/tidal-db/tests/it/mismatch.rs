//! C2: log and storage that do not belong together are refused.

use std::fs;
use std::path::Path;

use tidal_db::{ErrorKind, Retention, TidalError};

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

#[test]
fn a_log_that_lost_its_directory_is_refused() {
    let dir = fed(10);
    fs::remove_dir_all(dir.path().join("log")).unwrap();
    let error = refusal(dir.path());
    assert!(matches!(error, TidalError::LogMismatch { .. }), "{error}");
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
    let cut = || builder(dir.path()).segment_bytes(16 << 10).retention(Retention::UntilCheckpoint);
    let db = cut().open().unwrap();
    for start in 0..20 {
        db.signals(&(start * 100..start * 100 + 100).map(event).collect::<Vec<_>>()).unwrap();
    }
    db.shutdown().unwrap();
    cut().open().unwrap().shutdown().unwrap();
    fs::remove_dir_all(dir.path().join("storage")).unwrap();
    let error = refusal(dir.path());
    assert!(matches!(error, TidalError::LogTooShort { .. }), "{error}");
}
