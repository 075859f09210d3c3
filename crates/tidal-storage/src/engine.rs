//! One ordered keyspace.

use std::fmt::Debug;

use crate::{Direction, Durability, EngineStats, KeyRange, Result, WriteBatch};

/// An entry: a key and its value.
pub type KeyValue = (Vec<u8>, Vec<u8>);

/// A scan: entries of one keyspace at one moment, in order. After an error it
/// ends.
///
/// A scan keeps what it may still hand out from being reclaimed, so drop it once
/// it is no longer needed.
pub type PrefixIterator<'a> = Box<dyn Iterator<Item = Result<KeyValue>> + 'a>;

/// One ordered keyspace: a map from keys to values in the byte order of its keys.
///
/// Object-safe, and shared between threads. Keys have 1 to
/// [`KEY_BYTES_MAX`](crate::KEY_BYTES_MAX) bytes, values at most
/// [`VALUE_BYTES_MAX`](crate::VALUE_BYTES_MAX).
///
/// # Errors
///
/// Every function can fail with [`Closed`](crate::StorageError::Closed) after
/// the storage was closed and with what the engine or the operating system ran
/// into; where a key is given, with
/// [`KeyLength`](crate::StorageError::KeyLength); and those that write with
/// [`ValueLength`](crate::StorageError::ValueLength),
/// [`NoSpace`](crate::StorageError::NoSpace) and
/// [`Poisoned`](crate::StorageError::Poisoned), with
/// [`ReadOnly`](crate::StorageError::ReadOnly) if the storage was opened so, and with
/// [`Busy`](crate::StorageError::Busy), after which nothing has happened and trying again
/// is fine. Any other write that failed in the
/// engine may have happened: after opening again it is there whole or not at
/// all.
pub trait StorageEngine: Debug + Send + Sync {
    /// The name of the keyspace.
    fn name(&self) -> &str;

    /// The value of a key, if it is there.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>>;

    /// Whether a key is there.
    fn contains(&self, key: &[u8]) -> Result<bool>;

    /// Sets the value of a key, with the durability
    /// [`Buffer`](crate::Durability::Buffer).
    fn put(&self, key: &[u8], value: &[u8]) -> Result<()>;

    /// Removes a key, if it is there, with the durability
    /// [`Buffer`](crate::Durability::Buffer).
    fn delete(&self, key: &[u8]) -> Result<()>;

    /// The entries whose keys begin with `prefix`, in ascending order; with the
    /// empty prefix, all. They are those of the moment of this call, whatever is
    /// written while they are read.
    fn scan_prefix(&self, prefix: &[u8]) -> Result<PrefixIterator<'_>>;

    /// The entries whose keys lie in `range`, in this direction. They are those
    /// of the moment of this call, whatever is written while they are read.
    fn scan_range(&self, range: KeyRange, direction: Direction) -> Result<PrefixIterator<'_>>;

    /// Applies a batch: all of it or nothing, with the durability
    /// [`Buffer`](crate::Durability::Buffer). For another durability, or several
    /// keyspaces, see [`Storage::commit`](crate::Storage::commit).
    fn write_batch(&self, batch: WriteBatch) -> Result<()>;

    /// Sets the value of a key, or removes it if `new` is `None`, provided that it
    /// has the value `expected`, or is absent if that is `None`; says whether it
    /// did. Nothing is written in between, by anyone. What is made of it are
    /// counters, [`StorageEngineExt`](crate::StorageEngineExt).
    fn compare_and_swap(
        &self,
        key: &[u8],
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
        durability: Durability,
    ) -> Result<bool>;

    /// Makes everything that was written before this call survive a power cut,
    /// in this keyspace and in every other of the same storage.
    fn flush(&self) -> Result<()>;

    /// Asks the engine to give back the space of what was overwritten and
    /// deleted. Takes as long as rewriting the keyspace. Reads and writes go on, except
    /// on redb, where they wait and the whole file is rewritten, and so on hybrid for
    /// what redb has. An engine may give back less than all, or nothing: redb while
    /// snapshots or scans are open, LMDB always, since it uses the space again by
    /// itself.
    fn compact(&self) -> Result<()>;

    /// Numbers about this keyspace. For a report and not for each request: an engine
    /// may have to walk it.
    fn stats(&self) -> Result<EngineStats>;
}
