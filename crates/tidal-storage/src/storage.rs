//! A set of keyspaces with atomic writes across them.

use std::fmt::Debug;
use std::sync::Arc;

use tidal_types::EntityKind;

use crate::{
    AtomicBatch, Capabilities, Direction, Durability, Isolation, KeyRange, KeyspaceName,
    PrefixIterator, Result, StorageEngine, StorageStats, Transaction,
};

/// A set of keyspaces with atomic writes and consistent reads across them.
///
/// Object-safe, and shared between threads. Dropping a storage closes it.
///
/// # Errors
///
/// As for [`StorageEngine`], and where a keyspace is named
/// [`KeyspaceName`](crate::StorageError::KeyspaceName).
pub trait Storage: Debug + Send + Sync {
    /// The name of the engine: "memory", "fjall", "hybrid", "lmdb", "redb",
    /// "rocksdb".
    fn name(&self) -> &'static str;

    /// What the engine can do.
    fn capabilities(&self) -> Capabilities;

    /// The keyspace of a kind of entity: "items", "users" or "creators".
    fn backend(&self, kind: EntityKind) -> &dyn StorageEngine;

    /// The keyspace of this name, created if it is new. "system" is tidalDB's
    /// own.
    fn keyspace(&self, name: &str) -> Result<Arc<dyn StorageEngine>>;

    /// Applies a batch to all the keyspaces that it names: all of it or nothing,
    /// for readers and through a crash. Keyspaces that are new are created. A
    /// batch without operations still makes everything before it durable, if
    /// that is asked for.
    fn commit(&self, batch: AtomicBatch, durability: Durability) -> Result<()>;

    /// The state of all keyspaces at this moment.
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>>;

    /// Begins a transaction with snapshot isolation. To have conflicts retried,
    /// see [`StorageExt::transact`](crate::StorageExt::transact).
    fn begin(&self) -> Result<Transaction<'_>> {
        self.begin_with(Isolation::Snapshot)
    }

    /// Begins a transaction with this isolation.
    fn begin_with(&self, isolation: Isolation) -> Result<Transaction<'_>>;

    /// Makes everything that was written before this call survive a power cut.
    fn flush_all(&self) -> Result<()>;

    /// Asks the engine to let the next opening read as little as it may of what was
    /// written before this call, also after a crash: what would be read again from a
    /// journal of its own is put where it need not be. It changes nothing that can be
    /// read, and promises no durability by itself. Takes as long as writing what came
    /// since the last call, while reads and writes go on. Of the engines with a journal
    /// fjall does something, alone and below hybrid; by default nothing is done.
    fn shorten_recovery(&self) -> Result<()> {
        Ok(())
    }

    /// Numbers about every keyspace. Reads the directory, so it is for a report
    /// and not for each request.
    fn stats(&self) -> Result<StorageStats>;

    /// Makes everything durable and frees the directory, once the calls in
    /// progress have returned. Later calls, on this storage, its keyspaces,
    /// snapshots and scans, fail with [`Closed`](crate::StorageError::Closed);
    /// closing again is fine. If making everything durable fails, the error says
    /// so and the storage is closed all the same.
    fn close(&self) -> Result<()>;
}

/// The state of all keyspaces at one moment. A keyspace that is not there reads
/// as empty.
///
/// A snapshot keeps what it may still read from being reclaimed, so keep it no
/// longer than needed. It may move to another thread, but is not shared between
/// threads; take one for each.
///
/// # Errors
///
/// As for the reads of [`StorageEngine`], and
/// [`KeyspaceName`](crate::StorageError::KeyspaceName).
pub trait Snapshot: Send {
    /// The value that a key had, if it was there.
    fn get(&self, keyspace: KeyspaceName<'_>, key: &[u8]) -> Result<Option<Vec<u8>>>;

    /// Whether a key was there.
    fn contains(&self, keyspace: KeyspaceName<'_>, key: &[u8]) -> Result<bool>;

    /// The entries whose keys began with `prefix`, in ascending order; with the
    /// empty prefix, all.
    fn scan_prefix(&self, keyspace: KeyspaceName<'_>, prefix: &[u8]) -> Result<PrefixIterator<'_>>;

    /// The entries whose keys lay in `range`, in this direction.
    fn scan_range(
        &self,
        keyspace: KeyspaceName<'_>,
        range: KeyRange,
        direction: Direction,
    ) -> Result<PrefixIterator<'_>>;
}
