//! Transactions: reads at one moment, writes that are seen by nobody before they
//! are committed together.
//!
//! T1. A transaction reads its own writes over the snapshot of its beginning.
//! T2. A scan shows the transaction as it was when the scan began, whatever is
//!     written, or rolled back, while it is open.
//! T3. A commit writes everything or nothing, and only if nobody has written since
//!     what it writes (and, if serializable, what it has read).
//! T4. A transaction that is dropped has never been.

mod isolation;
mod reads;
mod scan;
mod writes;

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

pub use isolation::Isolation;
pub(crate) use reads::Reads;
pub use reads::TRANSACTION_READS_MAX;
use scan::{Covered, TransactionScan};
use writes::Writes;
pub use writes::{Savepoint, TRANSACTION_BYTES_MAX};

use crate::batch::{check_key, check_value};
use crate::shell::{Committer, Start};
use crate::{Direction, Durability, KeyRange, KeyspaceName, PrefixIterator, Result, Snapshot};

/// Reads at one moment, and writes over any keyspaces that are committed together
/// or not at all.
///
/// Reads see the storage as it was when the transaction began, and the
/// transaction's own writes. Nobody else sees these before
/// [`commit`](Self::commit), which fails with
/// [`StorageError::Conflict`](crate::StorageError::Conflict) and writes nothing if somebody else, in a
/// transaction or not, has meanwhile written one of the same keys: run the
/// transaction again then, by hand or with
/// [`transact`](crate::StorageExt::transact). What else it is protected from says
/// its [`Isolation`]. It may move to another thread, but is not shared between
/// threads.
///
/// ```
/// use tidal_storage::{Direction, Durability, MemoryStorage, Storage};
/// use tidal_types::{EntityKind, StorageError};
///
/// let storage = MemoryStorage::new();
/// let tx = storage.begin()?;
/// tx.put(EntityKind::Item, b"song/1", b"So What")?;
/// let before_two = tx.savepoint();
/// tx.put(EntityKind::Item, b"song/2", b"Blue in Green")?;
/// assert_eq!(tx.scan_prefix(EntityKind::Item, b"song/")?.count(), 2);
/// tx.rollback_to(&before_two)?;
///
/// // Written outside, while the transaction is open.
/// storage.backend(EntityKind::Item).put(b"song/1", b"Freddie Freeloader")?;
/// let error = tx.commit(Durability::Buffer).unwrap_err();
/// assert!(matches!(error, StorageError::Conflict { key, .. } if key == b"song/1"));
/// # Ok::<(), StorageError>(())
/// ```
///
/// # Scans and writes
///
/// Writes take `&self`, so a transaction can be written to while it is being
/// scanned. A scan shows the entries as they were when it began: what is put,
/// deleted or rolled back while it is open shows in the next scan.
///
/// # Savepoints
///
/// [`savepoint`](Self::savepoint) marks a place to roll back to, as often as
/// wanted, without ending the transaction. Savepoints nest: rolling back to one,
/// or releasing it, does away with those made after it. What a serializable
/// transaction has read stays read when it rolls back.
///
/// # Limits
///
/// Writes are kept in memory until the commit, at most
/// [`TRANSACTION_BYTES_MAX`]. An open transaction keeps what it may read from
/// being reclaimed and has all other writes noted down, so keep it short: once
/// more than [`CONFLICT_BYTES_MAX`](crate::CONFLICT_BYTES_MAX) have been noted
/// since it began, it can no longer commit writes. Opening the first transaction
/// waits for the writes in progress; a commit has all other writes wait for it.
///
/// # Errors
///
/// As for [`Snapshot`] and [`StorageEngine`](crate::StorageEngine); in particular
/// every call fails with [`Closed`](crate::StorageError::Closed) after the storage was
/// closed, and nothing is written then.
pub struct Transaction<'a> {
    snapshot: Box<dyn Snapshot + 'a>,
    writes: RefCell<Writes>,
    /// What was read, if that matters.
    reads: Option<RefCell<Reads>>,
    start: Start,
    committer: Arc<dyn Committer>,
}

impl fmt::Debug for Transaction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("isolation", &self.isolation()).finish_non_exhaustive()
    }
}

impl<'a> Transaction<'a> {
    /// A transaction that began at `start`; `snapshot` was taken after that.
    pub(crate) fn new(
        isolation: Isolation,
        start: Start,
        snapshot: Box<dyn Snapshot + 'a>,
        committer: Arc<dyn Committer>,
    ) -> Self {
        let reads = match isolation {
            Isolation::Snapshot => None,
            Isolation::Serializable => Some(RefCell::default()),
        };
        let writes = RefCell::new(Writes::new(TRANSACTION_BYTES_MAX));
        Self { snapshot, writes, reads, start, committer }
    }

    /// What it is protected from.
    #[must_use]
    pub const fn isolation(&self) -> Isolation {
        if self.reads.is_some() { Isolation::Serializable } else { Isolation::Snapshot }
    }

    /// The value of a key, if it is there.
    ///
    /// # Errors
    ///
    /// See [`Transaction`].
    pub fn get<'k>(
        &self,
        keyspace: impl Into<KeyspaceName<'k>>,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>> {
        let keyspace = keyspace.into();
        if let Some(own) = self.own(keyspace, key)? {
            return Ok(own);
        }
        self.track(keyspace, key);
        self.snapshot.get(keyspace, key)
    }

    /// Whether a key is there.
    ///
    /// # Errors
    ///
    /// See [`Transaction`].
    pub fn contains<'k>(&self, keyspace: impl Into<KeyspaceName<'k>>, key: &[u8]) -> Result<bool> {
        let keyspace = keyspace.into();
        if let Some(own) = self.own(keyspace, key)? {
            return Ok(own.is_some());
        }
        self.track(keyspace, key);
        self.snapshot.contains(keyspace, key)
    }

    /// The entries whose keys begin with `prefix`, in ascending order; with the
    /// empty prefix, all. They are those of the moment of this call, whatever the
    /// transaction writes while they are read.
    ///
    /// # Errors
    ///
    /// See [`Transaction`].
    pub fn scan_prefix<'k>(
        &self,
        keyspace: impl Into<KeyspaceName<'k>>,
        prefix: &[u8],
    ) -> Result<PrefixIterator<'_>> {
        self.scan_range(keyspace, KeyRange::prefix(prefix), Direction::Forward)
    }

    /// The entries whose keys lie in `range`, in this direction. They are those
    /// of the moment of this call, whatever the transaction writes while they are
    /// read.
    ///
    /// # Errors
    ///
    /// See [`Transaction`].
    pub fn scan_range<'k>(
        &self,
        keyspace: impl Into<KeyspaceName<'k>>,
        range: KeyRange,
        direction: Direction,
    ) -> Result<PrefixIterator<'_>> {
        let keyspace = keyspace.into();
        let snapshot = self.snapshot.scan_range(keyspace, range.clone(), direction)?;
        let Some(range) = range.normalized() else {
            return Ok(snapshot);
        };
        let own = self.writes.borrow().of(keyspace);
        let covered = self
            .reads
            .as_ref()
            .map(|reads| Covered::new(reads, keyspace, range.clone(), direction));
        Ok(Box::new(TransactionScan::new(snapshot, own, range, direction, covered)))
    }

    /// Sets the value of a key.
    ///
    /// # Errors
    ///
    /// See [`Transaction`], and [`StorageError::TransactionTooLarge`](crate::StorageError::TransactionTooLarge); what was
    /// written before stays, and can be committed.
    pub fn put<'k>(
        &self,
        keyspace: impl Into<KeyspaceName<'k>>,
        key: &[u8],
        value: &[u8],
    ) -> Result<()> {
        let keyspace = keyspace.into();
        check_value(keyspace, value)?;
        self.write(keyspace, key, Some(value))
    }

    /// Removes a key, if it is there.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub fn delete<'k>(&self, keyspace: impl Into<KeyspaceName<'k>>, key: &[u8]) -> Result<()> {
        self.write(keyspace.into(), key, None)
    }

    /// Marks this place, to roll back to.
    #[must_use]
    pub fn savepoint(&self) -> Savepoint {
        self.writes.borrow_mut().savepoint()
    }

    /// Takes back what was written since a savepoint. It stays, and can be rolled
    /// back to again; savepoints made after it are gone.
    ///
    /// # Errors
    ///
    /// [`StorageError::NoSavepoint`](crate::StorageError::NoSavepoint) if it was released or rolled back over, or
    /// is another transaction's.
    pub fn rollback_to(&self, savepoint: &Savepoint) -> Result<()> {
        self.writes.borrow_mut().roll_back_to(savepoint)
    }

    /// Does away with a savepoint and with those made after it, and keeps what was
    /// written since.
    ///
    /// # Errors
    ///
    /// As [`rollback_to`](Self::rollback_to).
    pub fn release(&self, savepoint: Savepoint) -> Result<()> {
        self.writes.borrow_mut().release(&savepoint)
    }

    /// Writes everything, or nothing. When it returns without an error, every
    /// later read sees all of it, and it survives what `durability` says; a crash
    /// leaves all of it or nothing. Without writes nothing can conflict, and a
    /// [`Durability::Sync`] makes what others wrote before durable.
    ///
    /// # Errors
    ///
    /// See [`Transaction`], and [`StorageError::Conflict`](crate::StorageError::Conflict) or
    /// [`StorageError::TransactionTooOld`](crate::StorageError::TransactionTooOld), with which nothing was written.
    pub fn commit(self, durability: Durability) -> Result<()> {
        let Self { snapshot, writes, reads, start, committer } = self;
        // An engine that has to make room waits until nobody reads.
        drop(snapshot);
        let reads = reads.map(RefCell::into_inner).unwrap_or_default();
        committer.commit(&start, &reads, writes.into_inner().into_parts(), durability)
    }

    /// Ends the transaction without writing anything, as dropping it does.
    pub fn rollback(self) {
        drop(self);
    }

    /// The value that the transaction has given to a key, if it has.
    fn own(&self, keyspace: KeyspaceName<'_>, key: &[u8]) -> Result<Option<Option<Vec<u8>>>> {
        self.check(keyspace, key)?;
        let writes = self.writes.borrow();
        Ok(writes.get(keyspace, key).map(|value| value.as_ref().map(|value| value.to_vec())))
    }

    fn write(&self, keyspace: KeyspaceName<'_>, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        self.check(keyspace, key)?;
        self.writes.borrow_mut().set(keyspace, key, value)
    }

    fn check(&self, keyspace: KeyspaceName<'_>, key: &[u8]) -> Result<()> {
        keyspace.check()?;
        check_key(keyspace, key)?;
        self.committer.check_open()
    }

    fn track(&self, keyspace: KeyspaceName<'_>, key: &[u8]) {
        if let Some(reads) = &self.reads {
            reads.borrow_mut().add_key(keyspace, key);
        }
    }
}
