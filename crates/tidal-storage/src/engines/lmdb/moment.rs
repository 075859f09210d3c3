//! A moment of all keyspaces, which the driver can take back.
//!
//! An environment is closed with its last transaction, so a moment gives its own up when
//! the driver is dropped.

use std::sync::Mutex;

use heed::{RoTxn, WithoutTls};

use super::gate::Pass;
use crate::SpaceId;
use crate::engines::moments::Recall;
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
}

impl Recall for Moment {
    fn end(&self) {
        drop(lock(&self.transaction).take());
    }
}
