//! A backup onto a disk whose operations fail, each in turn.

use std::cell::Cell;
use std::io;

use tidal_types::{ErrorKind, StorageError};

use super::*;
use crate::backup::folder::{Folder, RealFolder};
use crate::backup::write::write_to;

/// How an operation fails.
#[derive(Debug, Clone, Copy)]
enum Failure {
    /// Half of the bytes are written, and then the disk is full.
    Full,
    /// The process is gone: nothing happens any more.
    Killed,
}

/// A folder that fails at one operation.
#[derive(Debug)]
struct FailingFolder {
    inner: RealFolder,
    operations_left: Cell<u32>,
    failure: Failure,
    is_dead: Cell<bool>,
}

impl FailingFolder {
    fn new(path: &Path, operations: u32, failure: Failure) -> Self {
        let inner = RealFolder::new_empty(path).unwrap();
        let is_dead = Cell::new(false);
        Self { inner, operations_left: Cell::new(operations), failure, is_dead }
    }

    /// Whether this operation fails.
    fn fails(&self) -> bool {
        let left = self.operations_left.get();
        self.operations_left.set(left.saturating_sub(1));
        let fails = left == 0 && !self.is_dead.get();
        self.is_dead.set(self.is_dead.get() || left == 0);
        fails || self.is_killed()
    }

    fn is_killed(&self) -> bool {
        self.is_dead.get() && matches!(self.failure, Failure::Killed)
    }
}

impl Folder for FailingFolder {
    fn create(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let was_dead = self.is_dead.get();
        if self.fails() {
            if !was_dead {
                self.inner.create(name, &bytes[..bytes.len() / 2])?;
            }
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.inner.create(name, bytes)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        if self.fails() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.inner.rename(from, to)
    }

    fn sync(&self) -> io::Result<()> {
        if self.fails() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.inner.sync()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        if self.is_killed() {
            return Err(io::ErrorKind::Other.into());
        }
        self.inner.remove(name)
    }

    fn path(&self) -> &Path {
        self.inner.path()
    }
}

/// G51: whichever operation finds the disk full or is the last of the process, what is
/// left is no backup, and after a full disk nothing is left.
#[test]
fn a_backup_that_failed_never_verifies() {
    for failure in [Failure::Full, Failure::Killed] {
        let mut failed = 0;
        for operations in 0.. {
            let dir = tempfile::tempdir().unwrap();
            let folder = FailingFolder::new(dir.path(), operations, failure);
            let storage = small();
            let snapshot = storage.snapshot().unwrap();
            let outcome = write_to(&storage, &*snapshot, &folder, &options(), &mut |_| ());
            let Err(error) = outcome else {
                assert_eq!(verify_backup(dir.path()).unwrap(), outcome.unwrap());
                break;
            };
            failed += 1;
            assert_eq!(error.kind(), ErrorKind::Space, "{error}");
            // The very last sync comes behind the rename: who is killed there has a
            // whole backup that nobody was told of.
            if matches!(failure, Failure::Killed) && operations == 5 {
                assert_eq!(verify_backup(dir.path()).unwrap().keys, 3);
                continue;
            }
            let error = verify_backup(dir.path()).unwrap_err();
            assert!(matches!(error, StorageError::NoBackup { .. }), "{operations}: {error}");
            let error = restored(dir.path()).unwrap_err();
            assert!(matches!(error, StorageError::NoBackup { .. }), "{error}");
            if matches!(failure, Failure::Full) {
                assert!(std::fs::read_dir(dir.path()).unwrap().next().is_none());
            }
        }
        // Two chunks, the manifest, a sync, its renaming, a sync.
        assert_eq!(failed, 6);
    }
}

/// G51: a backup that another one got in the way of takes nothing of it.
#[test]
fn a_place_that_is_taken_meanwhile_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let folder = RealFolder::new_empty(dir.path()).unwrap();
    let report = backup(&small(), dir.path(), &options()).unwrap();
    let storage = small();
    let snapshot = storage.snapshot().unwrap();
    let error = write_to(&storage, &*snapshot, &folder, &options(), &mut |_| ()).unwrap_err();
    assert!(
        matches!(&error, StorageError::DestinationNotEmpty { found, .. } if found == "chunk-00000000"),
        "{error}"
    );
    assert_eq!(verify_backup(dir.path()).unwrap(), report);
}
