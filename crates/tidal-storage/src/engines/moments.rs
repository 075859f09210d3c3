//! The moments of a driver that are open.
//!
//! An engine is closed with whoever borrows it last, so a snapshot that is forgotten
//! would keep the directory. A driver of such an engine knows its moments, and takes
//! them back when it is dropped.

use std::sync::{Arc, Mutex, Weak};

use crate::sync::lock;

/// What a driver can take back.
pub(super) trait Recall {
    /// Gives up what is borrowed from the engine; reads find nothing from then on.
    fn end(&self);
}

/// The moments that are open.
pub(super) struct Moments<M> {
    open: Mutex<Vec<Weak<M>>>,
}

/// Moments that are listed before those that are gone are first struck out.
const MOMENTS_BEFORE_SWEEP: usize = 32;

impl<M> Default for Moments<M> {
    fn default() -> Self {
        Self { open: Mutex::default() }
    }
}

impl<M: Recall> Moments<M> {
    pub(super) fn add(&self, moment: M) -> Arc<M> {
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
impl<M> Moments<M> {
    pub(super) fn listed(&self) -> usize {
        lock(&self.open).len()
    }
}
