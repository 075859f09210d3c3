//! A moment of all keyspaces, which the driver can take back.
//!
//! An environment is closed with its last transaction, so one that a forgotten
//! snapshot holds would keep the directory. The driver therefore knows its moments,
//! and ends their transactions when it is dropped.

use std::sync::{Arc, Mutex, Weak};

use heed::{RoTxn, WithoutTls};

use super::gate::Pass;
use crate::SpaceId;
use crate::sync::lock;

/// A read transaction and its pass, dropped in this order.
struct Transaction {
    transaction: RoTxn<'static, WithoutTls>,
    _pass: Pass,
}

/// A read transaction, until the driver is gone. LMDB wants one thread at a time
/// in it.
pub struct Moment {
    transaction: Mutex<Option<Transaction>>,
    /// LMDB refuses to look for a keyspace that was opened later, which was not
    /// there or empty.
    spaces: usize,
}

impl Moment {
    /// A moment in which keyspaces with numbers below `spaces` were open.
    pub(super) const fn new(
        transaction: RoTxn<'static, WithoutTls>,
        pass: Pass,
        spaces: usize,
    ) -> Self {
        let transaction = Mutex::new(Some(Transaction { transaction, _pass: pass }));
        Self { transaction, spaces }
    }

    /// Whether a keyspace was open.
    pub(super) const fn knows(&self, space: SpaceId) -> bool {
        space.index() < self.spaces
    }

    /// Runs a read in it; `None` once the driver is gone.
    pub(super) fn read<T>(&self, look: impl FnOnce(&RoTxn<'_, WithoutTls>) -> T) -> Option<T> {
        lock(&self.transaction).as_ref().map(|open| look(&open.transaction))
    }

    fn end(&self) {
        drop(lock(&self.transaction).take());
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
