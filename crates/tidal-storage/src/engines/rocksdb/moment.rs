//! A moment of all keyspaces, which the driver can take back.
//!
//! A snapshot borrows its database, and a database is closed when nobody has it any
//! more. So a moment has both, the one within the other, and gives them up when the
//! driver is dropped: a forgotten snapshot keeps no directory.

use std::sync::{Arc, RwLock};

use ::rocksdb::{DB, Snapshot};
use self_cell::self_cell;

use crate::engines::moments::Recall;
use crate::sync::{read, write};

self_cell!(
    struct Pinned {
        owner: Arc<DB>,
        #[covariant]
        dependent: Snapshot,
    }
);

/// A snapshot, until the driver is gone.
pub struct Moment {
    pinned: RwLock<Option<Pinned>>,
}

impl Moment {
    pub(super) fn new(database: Arc<DB>) -> Self {
        let pinned = Pinned::new(database, |database| database.snapshot());
        Self { pinned: RwLock::new(Some(pinned)) }
    }

    /// Runs a read in it; `None` once the driver is gone.
    pub(super) fn read<T>(&self, look: impl FnOnce(&DB, &Snapshot<'_>) -> T) -> Option<T> {
        read(&self.pinned)
            .as_ref()
            .map(|pinned| pinned.with_dependent(|database, snapshot| look(database, snapshot)))
    }
}

impl Recall for Moment {
    fn end(&self) {
        let pinned = write(&self.pinned).take();
        drop(pinned);
    }
}
