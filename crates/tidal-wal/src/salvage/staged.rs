//! A directory under construction: every file has a name that no log knows.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::disk::{Disk, DiskFile};
use crate::names::staged;

/// The disk of a log that is not to be found yet.
#[derive(Debug)]
pub(super) struct Staged {
    disk: Arc<dyn Disk>,
}

impl Staged {
    pub(super) fn new(disk: &Arc<dyn Disk>) -> Self {
        Self { disk: Arc::clone(disk) }
    }
}

impl Disk for Staged {
    fn path(&self, name: &str) -> PathBuf {
        self.disk.path(&staged(name))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.create(&staged(name), bytes)
    }

    fn open_read(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open_read(&staged(name))
    }

    fn open_write(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open_write(&staged(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(&staged(from), &staged(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(&staged(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.disk.sync_dir()
    }

    fn random_u64(&self) -> io::Result<u64> {
        self.disk.random_u64()
    }
}
