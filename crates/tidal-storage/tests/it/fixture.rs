//! A storage in a directory of its own.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
#[cfg(any(feature = "lmdb", feature = "redb"))]
use tidal_storage::StorageEngine;
use tidal_storage::{KeyValue, PrefixIterator, Result, Storage};
#[cfg(any(feature = "lmdb", feature = "redb"))]
use tidal_types::EntityKind;

/// Opens an engine in a directory, which an engine in memory ignores.
pub(crate) type Open = fn(&Path) -> Result<Box<dyn Storage>>;

pub(crate) struct Fixture {
    // Dropped before the directory.
    storage: Option<Box<dyn Storage>>,
    open: Open,
    directory: TempDir,
}

impl Fixture {
    pub(crate) fn new(open: Open) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let storage = open(&directory.path().join("storage")).unwrap();
        Self { storage: Some(storage), open, directory }
    }

    pub(crate) fn storage(&self) -> &dyn Storage {
        self.storage.as_deref().unwrap()
    }

    /// Where the storage is.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("storage")
    }

    pub(crate) fn reopen(&mut self) {
        if let Some(storage) = self.storage.take() {
            storage.close().unwrap();
        }
        self.storage = Some((self.open)(&self.path()).unwrap());
    }
}

/// What the tests of reading only need.
#[cfg(any(feature = "lmdb", feature = "redb"))]
impl Fixture {
    pub(crate) fn items(&self) -> &dyn StorageEngine {
        self.storage().backend(EntityKind::Item)
    }

    /// A path beside the storage, where nothing is yet.
    pub(crate) fn beside(&self) -> PathBuf {
        self.directory.path().join("beside")
    }

    /// Opens a storage somewhere.
    pub(crate) fn open_at(&self, path: &Path) -> Result<Box<dyn Storage>> {
        (self.open)(path)
    }

    /// Takes the storage out, to close or drop it.
    pub(crate) fn take(&mut self) -> Box<dyn Storage> {
        self.storage.take().unwrap()
    }
}

/// The entries of a scan.
pub(crate) fn entries(scan: Result<PrefixIterator<'_>>) -> Vec<KeyValue> {
    scan.unwrap().collect::<Result<_>>().unwrap()
}

/// The keys of a scan.
#[cfg(any(feature = "lmdb", feature = "redb"))]
pub(crate) fn keys(scan: Result<PrefixIterator<'_>>) -> Vec<Vec<u8>> {
    entries(scan).into_iter().map(|(key, _)| key).collect()
}
