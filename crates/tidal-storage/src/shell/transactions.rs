//! The writes that depend on what is there: commits of transactions, and
//! comparisons with the swap that follows.

use tidal_types::StorageError;

use super::conflicts::{History, Start};
use super::shared::{Open, Shared, Space};
use crate::batch::check_key;
use crate::transaction::Reads;
use crate::{BatchOp, Driver, Durability, Result, WriteBatch};

/// What a transaction needs of the storage that it began in.
pub(crate) trait Committer: Send + Sync {
    /// Refuses if the storage was closed.
    fn check_open(&self) -> Result<()>;

    /// Applies checked writes to each of these keyspaces, provided that nobody
    /// has written since `start` what is written or was read.
    fn commit(
        &self,
        start: &Start,
        reads: &Reads,
        writes: Vec<(String, Vec<BatchOp>)>,
        durability: Durability,
    ) -> Result<()>;
}

impl<D: Driver> Committer for Shared<D> {
    fn check_open(&self) -> Result<()> {
        if self.is_closed() { Err(self.closed_error()) } else { Ok(()) }
    }

    fn commit(
        &self,
        start: &Start,
        reads: &Reads,
        writes: Vec<(String, Vec<BatchOp>)>,
        durability: Durability,
    ) -> Result<()> {
        if writes.is_empty() {
            // What was read is the state at the start: nothing can conflict, and
            // nothing is written to a storage that is only read.
            return match durability {
                Durability::Buffer => self.check_open(),
                Durability::Sync => self.sync(),
            };
        }
        let _gate = self.conflicts.enter_alone();
        self.with(|open| {
            self.conflicts.look(|history| check(open, history, start, reads, &writes))
        })?;
        self.apply(self.prepare(writes)?, durability)
    }
}

impl<D: Driver> Shared<D> {
    /// Applies a batch to one keyspace, provided that a key has this value; says
    /// whether it did.
    pub(super) fn compare_and_write(
        &self,
        space: &Space,
        key: &[u8],
        expected: Option<&[u8]>,
        batch: WriteBatch,
        durability: Durability,
    ) -> Result<bool> {
        check_key(space.name(), key)?;
        let checked = batch.into_checked(space.name())?;
        let _gate = self.conflicts.enter_alone();
        let found = self.writing(|open| open.driver.get(None, space.id, key))?;
        space.counters.add_reads(1);
        let same = found.as_deref() == expected;
        if same {
            self.apply_to(space, checked, durability)?;
        }
        Ok(same)
    }
}

/// Refuses if what is written, or was read, has been written since.
fn check<D: Driver>(
    open: &Open<D>,
    history: &History,
    start: &Start,
    reads: &Reads,
    writes: &[(String, Vec<BatchOp>)],
) -> Result<()> {
    let start = start.number();
    if history.is_forgotten(start) {
        return Err(StorageError::TransactionTooOld { max: history.bytes_max() });
    }
    let conflict = |keyspace: &str, key: &[u8]| {
        Err(StorageError::Conflict { keyspace: keyspace.to_owned(), key: key.to_vec() })
    };
    for (keyspace, ops) in writes {
        // Nobody has written to a keyspace that is not there.
        let Some(space) = open.spaces.get(keyspace) else { continue };
        if let Some(op) = ops.iter().find(|op| history.has_newer(start, space.id, op.key())) {
            return conflict(keyspace, op.key());
        }
    }
    for (keyspace, reads) in reads.spaces() {
        let Some(space) = open.spaces.get(keyspace) else { continue };
        if let Some(key) = reads.keys.iter().find(|key| history.has_newer(start, space.id, key)) {
            return conflict(keyspace, key);
        }
        let mut ranges = reads.ranges.iter();
        if let Some(key) = ranges.find_map(|range| history.newer_in(start, space.id, range)) {
            return conflict(keyspace, key);
        }
    }
    Ok(())
}
