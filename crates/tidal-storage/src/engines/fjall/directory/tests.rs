use tidal_types::StorageError;

use super::*;
use crate::{FjallStorage, Storage};
use tidal_types::EntityKind;

/// A directory with one item in it, closed.
fn database() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let storage = FjallStorage::open(directory.path()).unwrap();
    storage.backend(EntityKind::Item).put(b"key", b"value").unwrap();
    storage.close().unwrap();
    assert_eq!(inspect(directory.path()).unwrap(), Verdict::Open);
    directory
}

/// What fjall leaves when its creation stops after these files.
fn interrupted(version: Option<&[u8]>, files: &[&str]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for file in files {
        let path = directory.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, [0; 64]).unwrap();
    }
    if let Some(version) = version {
        fs::write(directory.path().join(VERSION), version).unwrap();
    }
    directory
}

/// Every path below a directory, to see that nothing has changed.
fn tree(directory: &Path) -> Vec<PathBuf> {
    let mut paths = entries(directory).unwrap();
    for path in paths.clone() {
        if path.is_dir() {
            paths.extend(tree(&path));
        }
    }
    paths.sort();
    paths
}

fn refused(directory: &Path) -> StorageError {
    let before = tree(directory);
    let error = FjallStorage::open(directory).unwrap_err();
    assert_eq!(tree(directory), before, "{error}");
    error
}

#[test]
fn what_a_creation_cut_short_has_left_is_cleared() {
    let cases = [
        interrupted(None, &[]),
        interrupted(None, &[FJALL_LOCK]),
        interrupted(None, &[FJALL_LOCK, "0.jnl"]),
        interrupted(Some(b""), &[FJALL_LOCK, "0.jnl"]),
        interrupted(Some(b"FJL\x03"), &[FJALL_LOCK, "0.jnl"]),
        interrupted(Some(b"FJL\x03"), &["0.jnl", "keyspaces/0/v0"]),
    ];
    for directory in cases {
        let storage = FjallStorage::open(directory.path()).unwrap();
        storage.backend(EntityKind::Item).put(b"key", b"value").unwrap();
        storage.close().unwrap();
        let storage = FjallStorage::open(directory.path()).unwrap();
        assert!(storage.backend(EntityKind::Item).contains(b"key").unwrap());
    }
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let cases = [
        interrupted(None, &["thesis.tex"]),
        interrupted(None, &["music.jnl"]),
        interrupted(None, &["keyspaces/cathedral.jpg"]),
        interrupted(Some(b"1.0.2\n"), &[]),
        interrupted(Some(b"FJL\x03"), &["thesis.tex"]),
    ];
    for directory in cases {
        let error = refused(directory.path());
        assert!(matches!(error, StorageError::NotStorage { .. }), "{error}");
    }
}

#[test]
fn another_version_is_refused_by_its_number() {
    let directory = database();
    fs::write(directory.path().join(VERSION), b"FJL\x02").unwrap();
    let error = refused(directory.path());
    assert!(
        matches!(error, StorageError::UnsupportedVersion { found: 2, supported: 3, .. }),
        "{error}"
    );
}

#[test]
fn a_database_that_lacks_a_part_is_damaged_and_never_cleared() {
    type Break = fn(&Path);
    let cases: [(&str, Break); 6] = [
        ("no version", |path| fs::remove_file(path.join(VERSION)).unwrap()),
        ("empty version", |path| fs::write(path.join(VERSION), b"").unwrap()),
        ("other version", |path| fs::write(path.join(VERSION), b"FJX\x03").unwrap()),
        ("no keyspaces", |path| fs::remove_dir_all(path.join(KEYSPACES)).unwrap()),
        ("no catalog", |path| {
            fs::remove_dir_all(path.join("keyspaces/0")).unwrap();
            fs::write(path.join("0.jnl"), [0; 64]).unwrap();
        }),
        ("strange keyspace", |path| fs::create_dir(path.join("keyspaces/lost+found")).unwrap()),
    ];
    for (case, break_it) in cases {
        let directory = database();
        break_it(directory.path());
        let error = refused(directory.path());
        assert!(matches!(error, StorageError::Damaged { .. }), "{case}: {error}");
    }
}

#[test]
fn a_copy_without_lock_files_opens() {
    let directory = database();
    fs::remove_file(directory.path().join(FJALL_LOCK)).unwrap();
    fs::remove_file(directory.path().join(LOCK_FILE)).unwrap();
    let storage = FjallStorage::open(directory.path()).unwrap();
    assert!(storage.backend(EntityKind::Item).contains(b"key").unwrap());
}
