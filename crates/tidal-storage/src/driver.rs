//! What an engine must do. Everything else is [`DriverStorage`], for all of them.
//!
//! D1. Keys that a driver is given have 1 to `KEY_BYTES_MAX` bytes, values at
//!     most `VALUE_BYTES_MAX`; keyspace names are checked; ranges are
//!     [normalized](crate::KeyRange::normalized).
//! D2. A commit is not empty, is sorted by keyspace and key, and names each key
//!     once.
//! D3. [`Driver::open_keyspace`] runs alone: no other call is in progress.
//! D4. Snapshots and scans may outlive the driver. Snapshots are then only
//!     dropped; a scan may be in the middle of an entry, and is dropped after it.
//! D5. Nothing is written to a driver that is read-only: no commit, sync, shortening or
//!     compaction. A keyspace that is not there is opened all the same, and reads
//!     as empty.
//!
//! [`DriverStorage`]: crate::DriverStorage

use std::fmt::Debug;

use crate::{BatchOp, CacheStats, Capabilities, Direction, Durability, KeyRange, KeyValue, Result};

/// The number that a driver gives to a keyspace, for as long as it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpaceId(usize);

impl SpaceId {
    /// The keyspace with this number.
    #[must_use]
    pub const fn new(index: usize) -> Self {
        Self(index)
    }

    /// The number.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}

/// One write to one keyspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceOp {
    /// The keyspace.
    pub space: SpaceId,
    /// The write.
    pub op: BatchOp,
}

/// How large a keyspace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SpaceSize {
    /// How many keys there are, exactly or not, as
    /// [`Capabilities::exact_key_count`] says.
    pub keys: u64,
    /// How many bytes they take.
    pub bytes: u64,
}

/// One database library behind the traits of this crate.
///
/// Errors carry the path of the database and are already
/// [`StorageError`](crate::StorageError)s. Dropping a driver frees its
/// directory, whatever snapshots and scans are still there.
pub trait Driver: Debug + Send + Sync + Sized + 'static {
    /// A moment that reads can go back to, until it is dropped.
    type Snapshot: Send + 'static;
    /// Entries of one moment, which it holds on to by itself.
    type Scan: Iterator<Item = Result<KeyValue>> + 'static;

    /// The name of the engine.
    const NAME: &'static str;

    /// What the engine can do.
    const CAPABILITIES: Capabilities;

    /// Whether it was opened for reading only (D5).
    fn is_read_only(&self) -> bool {
        false
    }

    /// The names of the keyspaces that are there already.
    fn keyspace_names(&self) -> Vec<String>;

    /// Opens a keyspace that is not open yet, and creates it if it is new.
    fn open_keyspace(&mut self, name: &str) -> Result<SpaceId>;

    /// The value of a key at a moment, or now.
    fn get(
        &self,
        at: Option<&Self::Snapshot>,
        space: SpaceId,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>>;

    /// Whether a key is there at a moment, or now.
    fn contains(&self, at: Option<&Self::Snapshot>, space: SpaceId, key: &[u8]) -> Result<bool>;

    /// The entries in a range at a moment, or now.
    fn scan(
        &self,
        at: Option<&Self::Snapshot>,
        space: SpaceId,
        range: KeyRange,
        direction: Direction,
    ) -> Result<Self::Scan>;

    /// Applies all of these or none.
    fn commit(&self, ops: Vec<SpaceOp>, durability: Durability) -> Result<()>;

    /// This moment, after every commit that has returned.
    fn snapshot(&self) -> Result<Self::Snapshot>;

    /// Makes every commit that has returned survive a power cut.
    fn sync(&self) -> Result<()>;

    /// Lets opening read as little as it may of what was committed until now. Commits go
    /// on meanwhile.
    fn shorten_recovery(&self) -> Result<()> {
        Ok(())
    }

    /// Gives back the space of what was overwritten and deleted.
    fn compact(&self, space: SpaceId) -> Result<()>;

    /// How large a keyspace is.
    fn size(&self, space: SpaceId) -> Result<SpaceSize>;

    /// Bytes on disk, of everything together; 0 if nothing is on disk.
    fn disk_bytes(&self) -> Result<u64>;

    /// Numbers about the engine's own cache, if it tells them.
    fn cache(&self) -> Option<CacheStats> {
        None
    }
}
