//! How the suite opens an engine.

use std::path::Path;

use crate::{Capabilities, Result, Storage};

/// Opens the engine under test. A case calls it with directories of its own, one or
/// several times.
pub trait Factory: Sync {
    /// What the engine can do. It decides which cases apply, before anything is opened.
    fn capabilities(&self) -> Capabilities;

    /// Opens the storage in `directory`, and creates it if it is not there; the folder
    /// above it is. An engine in memory ignores the path.
    ///
    /// # Errors
    ///
    /// What the engine answers. Cases look at it.
    fn open(&self, directory: &Path) -> Result<Box<dyn Storage>>;

    /// Closes the storage of `directory` and opens it again. An engine that keeps
    /// nothing hands `storage` back as it is, so that the cases about what is there
    /// afterwards ask it for what it can give.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and what closing answers.
    fn reopen(&self, storage: Box<dyn Storage>, directory: &Path) -> Result<Box<dyn Storage>> {
        storage.close()?;
        drop(storage);
        self.open(directory)
    }
}
