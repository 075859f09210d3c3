//! The storage that a case works on, and how a case reads it.
//!
//! What is read is made text, with bytes that are none as `\xff`: cases compare short
//! strings, and a failure can be read.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tidal_types::EntityKind;

use super::{Factory, Failure, Verdict};
use crate::{PrefixIterator, Result, Storage, StorageEngine};

/// A storage in a directory of its own, removed afterwards.
pub(super) struct Subject<'f> {
    // Dropped before the directory.
    storage: Option<Box<dyn Storage>>,
    factory: &'f dyn Factory,
    directory: TempDir,
}

impl<'f> Subject<'f> {
    pub(super) fn new(factory: &'f dyn Factory) -> Verdict<Self> {
        let directory = tempfile::tempdir()
            .map_err(|error| Failure::new(format!("cannot make a temporary folder: {error}")))?;
        let storage = Some(factory.open(&directory.path().join("storage"))?);
        Ok(Self { storage, factory, directory })
    }

    pub(super) fn storage(&self) -> &dyn Storage {
        self.storage.as_deref().expect("a case that takes the storage asks for it no more")
    }

    pub(super) fn items(&self) -> &dyn StorageEngine {
        self.storage().backend(EntityKind::Item)
    }

    pub(super) fn users(&self) -> &dyn StorageEngine {
        self.storage().backend(EntityKind::User)
    }

    /// Where the storage is.
    pub(super) fn path(&self) -> PathBuf {
        self.directory.path().join("storage")
    }

    /// A path beside the storage, where nothing is yet.
    pub(super) fn beside(&self) -> PathBuf {
        self.directory.path().join("beside")
    }

    /// Opens a storage somewhere.
    pub(super) fn open_at(&self, path: &Path) -> Result<Box<dyn Storage>> {
        self.factory.open(path)
    }

    /// Takes the storage out, to close or drop it.
    pub(super) fn take(&mut self) -> Box<dyn Storage> {
        self.storage.take().expect("a case takes the storage once")
    }

    /// Opens what was taken out and closed.
    pub(super) fn open_again(&mut self) -> Result<()> {
        self.storage = Some(self.factory.open(&self.path())?);
        Ok(())
    }

    pub(super) fn reopen(&mut self) -> Result<()> {
        let (storage, path) = (self.take(), self.path());
        self.storage = Some(self.factory.reopen(storage, &path)?);
        Ok(())
    }
}

/// The entries of a scan: `a=1 b=2`.
pub(super) fn shown(scan: Result<PrefixIterator<'_>>) -> Result<String> {
    listed(scan, |(key, value)| format!("{}={}", key.escape_ascii(), value.escape_ascii()))
}

/// The keys of a scan: `a b`.
pub(super) fn keys(scan: Result<PrefixIterator<'_>>) -> Result<String> {
    listed(scan, |(key, _)| key.escape_ascii().to_string())
}

fn listed(
    scan: Result<PrefixIterator<'_>>,
    show: impl Fn((Vec<u8>, Vec<u8>)) -> String,
) -> Result<String> {
    let entries = scan?.map(|entry| entry.map(&show)).collect::<Result<Vec<_>>>()?;
    Ok(entries.join(" "))
}

/// The value of a key, `-` if it is absent.
pub(super) fn value(engine: &dyn StorageEngine, key: &[u8]) -> Result<String> {
    engine.get(key).map(text)
}

/// A value, `-` for none.
pub(super) fn text(value: Option<Vec<u8>>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.escape_ascii().to_string())
}
