//! A moment of all keyspaces, which the driver can take back.
//!
//! A snapshot borrows its database, and a database is closed when nobody has it any
//! more. So a moment has both, the one within the other, and gives them up when the
//! driver is dropped: a forgotten snapshot keeps no directory.

use std::sync::{Arc, Mutex, RwLock, Weak};

use ::rocksdb::{DB, Snapshot};
use self_cell::self_cell;

use crate::sync::{lock, read, write};

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

    fn end(&self) {
        let pinned = write(&self.pinned).take();
        drop(pinned);
    }
}

/// The moments that are open.
#[derive(Default)]
pub(super) struct Moments {
    open: Mutex<Vec<Weak<Moment>>>,
}

/// Moments that are listed before those that are gone are first struck out.
const MOMENTS_BEFORE_SWEEP: usize = 32;

impl Moments {
    pub(super) fn add(&self, moment: Moment) -> Arc<Moment> {
        let moment = Arc::new(moment);
        let mut open = lock(&self.open);
        if open.len() >= MOMENTS_BEFORE_SWEEP && open.len() == open.capacity() {
            open.retain(|moment| moment.strong_count() > 0);
        }
        open.push(Arc::downgrade(&moment));
        moment
    }

    /// Ends them all.
    pub(super) fn end(&self) {
        for moment in lock(&self.open).drain(..) {
            if let Some(moment) = moment.upgrade() {
                moment.end();
            }
        }
    }
}

#[cfg(test)]
impl Moments {
    pub(super) fn listed(&self) -> usize {
        lock(&self.open).len()
    }
}
