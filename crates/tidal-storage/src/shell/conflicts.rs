//! Who wrote what while a transaction was open: what first committer wins is
//! decided by.
//!
//! Every write goes through the gate. A write outside of transactions shares it
//! with others of its kind; a transaction's commit, and a comparison with the swap
//! that follows, have it to themselves, so nothing is written between the check
//! and the write.
//!
//! K1. A write that began while a transaction was open is recorded after the
//!     engine has it and before it leaves the gate, whatever came of it. So what a
//!     transaction's snapshot does not see has a higher number than its start.
//! K2. While no transaction is open nothing is recorded, and a write pays for the
//!     gate and one look at a flag.
//! K3. The flag goes up only while nobody is inside the gate: the first
//!     transaction waits for the writes in progress, which record nothing.
//! K4. Locks are taken in this order: the gate, the driver, the history. The
//!     caller's code never runs under any of them.

mod history;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};

pub(super) use history::History;
use history::{CommitNumber, Key};

use crate::sync::{lock, read, write};
use crate::{SpaceId, SpaceOp};

/// What is kept about the writes made while transactions are open, in bytes: 64
/// MiB. Beyond it the oldest are forgotten, and a transaction that began before
/// them can no longer commit writes
/// ([`TransactionTooOld`](crate::StorageError::TransactionTooOld)).
///
/// A write takes its key and about a hundred bytes; what no open transaction can
/// conflict with takes nothing.
pub const CONFLICT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The conflict layer of one storage.
#[derive(Debug)]
pub(crate) struct Conflicts {
    gate: RwLock<()>,
    /// Whether a transaction is open.
    recording: AtomicBool,
    history: Mutex<History>,
}

impl Conflicts {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            gate: RwLock::new(()),
            recording: AtomicBool::new(false),
            history: Mutex::new(History::new(bytes_max)),
        }
    }

    /// Opens a transaction. A snapshot that is taken from now on sees whatever
    /// is not recorded as newer than it.
    pub(super) fn begin(self: &Arc<Self>) -> Start {
        let beside_others = {
            let mut history = lock(&self.history);
            history.has_open().then(|| history.begin())
        };
        let number = beside_others.unwrap_or_else(|| {
            // K3.
            let _gate = write(&self.gate);
            let mut history = lock(&self.history);
            self.recording.store(true, Ordering::Release);
            history.begin()
        });
        Start { conflicts: Arc::clone(self), number }
    }

    /// The gate, shared with other writes.
    pub(super) fn enter(&self) -> RwLockReadGuard<'_, ()> {
        read(&self.gate)
    }

    /// The gate, with nobody else in it.
    pub(super) fn enter_alone(&self) -> RwLockWriteGuard<'_, ()> {
        write(&self.gate)
    }

    /// Records these writes when it is dropped, which is to be after the engine
    /// has them, and inside the gate.
    pub(super) fn recording(&self, ops: &[SpaceOp]) -> Recording<'_> {
        let keys = if self.recording.load(Ordering::Acquire) {
            ops.iter().map(|op| (op.space, Key::from(op.op.key()))).collect()
        } else {
            Vec::new()
        };
        Recording { conflicts: self, keys }
    }

    /// Looks for what was written since a transaction began.
    pub(super) fn look<T>(&self, look: impl FnOnce(&History) -> T) -> T {
        look(&lock(&self.history))
    }
}

#[cfg(test)]
impl Conflicts {
    /// Whether nobody is inside the gate.
    pub(super) fn is_free(&self) -> bool {
        self.gate.try_write().is_ok()
    }

    /// Whether whoever is inside the gate would let another write in.
    pub(super) fn is_shared(&self) -> bool {
        self.gate.try_read().is_ok()
    }

    pub(super) fn is_recording(&self) -> bool {
        self.recording.load(Ordering::Acquire)
    }
}

/// Writes that will be recorded.
pub(super) struct Recording<'a> {
    conflicts: &'a Conflicts,
    keys: Vec<(SpaceId, Key)>,
}

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        if !self.keys.is_empty() {
            lock(&self.conflicts.history).record(std::mem::take(&mut self.keys));
        }
    }
}

/// When a transaction began; the transaction is open until this is dropped.
#[derive(Debug)]
pub(crate) struct Start {
    conflicts: Arc<Conflicts>,
    number: CommitNumber,
}

impl Start {
    pub(super) const fn number(&self) -> CommitNumber {
        self.number
    }
}

impl Drop for Start {
    fn drop(&mut self) {
        let mut history = lock(&self.conflicts.history);
        history.end(self.number);
        if !history.has_open() {
            self.conflicts.recording.store(false, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests;
