//! Storage on disk with RocksDB, the log-structured merge tree in C++ that most
//! others are measured by: group commit among threads, and compaction for data far
//! beyond memory.
//!
//! | RocksDB                                                   | here                                              |
//! |-----------------------------------------------------------|---------------------------------------------------|
//! | a snapshot and an iterator borrow the database            | [`moment`] holds both, and nothing unsafe         |
//! | one that is still there keeps it open                     | the driver takes it back                          |
//! | every column family must be named to open it              | they are listed first                             |
//! | there is one of the name `default`, asked for or not      | G1: names of keyspaces have a beginning           |
//! | where its list of files is missing a new one is made, over what is there | it is made elsewhere and renamed once it is whole; [`open`] never creates |
//! | an iterator runs past a prefix                            | each has both bounds                              |
//! | its log of events is kept a thousand times                | twice, and small                                  |
//! | a journal ends at its first damage, without a word        | the same, see below                               |
//! | after an error in the background it may try again         | G2: it does not, here                             |
//! | sizes of memory are by keyspace and unbounded together    | [`RocksDbOptions::write_buffer_bytes`] is for all |
//!
//! G1. The column family of a keyspace is its name behind `tidal.`; others are left
//!     alone.
//! G2. After a write or a sync that failed, no other is tried.
//!
//! One trap is left to the user of this crate: a journal with damage in its middle
//! opens as if it ended there. Whoever keeps a log beside the storage finds that by
//! the position it stores with each batch.

mod errors;
mod moment;
mod open;
mod options;
mod scan;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ::rocksdb::{
    BoundColumnFamily, Cache, DB, Options, Snapshot, WriteBatch, WriteOptions, properties,
};
use tidal_types::StorageError;

use errors::storage_error;
use moment::Moment;
pub use options::RocksDbOptions;
use scan::{RocksDbEntries, RocksDbScan};

use super::opening::Layout;
use crate::engines::moments::Moments;
use crate::{
    BatchOp, CacheStats, Capabilities, Direction, DirectoryLock, Driver, DriverBackend,
    DriverStorage, Durability, KeyRange, Result, SpaceId, SpaceOp, SpaceSize, directory_bytes,
};

const LAYOUT: Layout = Layout { data: "data.rocksdb", beside: &[], making: "making.rocksdb" };

/// G1.
const FAMILY_PREFIX: &str = "tidal.";

/// Storage on disk with RocksDB.
pub type RocksDbStorage = DriverStorage<RocksDb>;

/// One keyspace of a [`RocksDbStorage`].
pub type RocksDbBackend = DriverBackend<RocksDb>;

/// One keyspace.
#[derive(Debug)]
struct Space {
    family: String,
    /// Unless it is not, and nothing may be written.
    is_there: bool,
}

/// The driver of [`RocksDbStorage`].
///
/// Fields are dropped in this order: the lock of the directory comes last but for
/// the directory itself.
pub struct RocksDb {
    /// Shared with moments only, which the driver ends when it is dropped.
    database: Arc<DB>,
    spaces: Vec<Space>,
    existing: Vec<String>,
    moments: Moments<Moment>,
    /// How new column families are made.
    family_options: Options,
    cache: Cache,
    cache_bytes: u64,
    read_only: bool,
    /// G2.
    failed: AtomicBool,
    path: PathBuf,
    _lock: DirectoryLock,
    #[cfg(any(test, feature = "testing"))]
    temporary: Option<tempfile::TempDir>,
}

impl fmt::Debug for RocksDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RocksDb").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The column family of a keyspace.
fn family(name: &str) -> String {
    format!("{FAMILY_PREFIX}{name}")
}

impl RocksDb {
    fn error(&self, operation: &'static str) -> impl Fn(::rocksdb::Error) -> StorageError {
        move |error| storage_error(&self.path, operation, error)
    }

    /// The name of a column family, if it is there.
    fn family(&self, space: SpaceId) -> Option<&str> {
        let space = self.spaces.get(space.index()).expect("a keyspace is opened before it is used");
        space.is_there.then_some(&*space.family)
    }

    /// A column family that is there.
    fn handle(&self, space: SpaceId) -> Arc<BoundColumnFamily<'_>> {
        self.family(space)
            .and_then(|family| self.database.cf_handle(family))
            .expect("nothing is written to what is read only")
    }

    /// Runs a read at a moment, or now; `None` if the keyspace is not there.
    fn read<T>(
        &self,
        at: Option<&Arc<Moment>>,
        space: SpaceId,
        at_moment: impl FnOnce(
            &Snapshot<'_>,
            &Arc<BoundColumnFamily<'_>>,
        ) -> Result<T, ::rocksdb::Error>,
        now: impl FnOnce(&DB, &Arc<BoundColumnFamily<'_>>) -> Result<T, ::rocksdb::Error>,
    ) -> Result<Option<T>> {
        let Some(family) = self.family(space) else { return Ok(None) };
        let Some(handle) = self.database.cf_handle(family) else { return Ok(None) };
        let looked = match at {
            Some(moment) => moment
                .read(|_, snapshot| at_moment(snapshot, &handle))
                .ok_or_else(|| StorageError::Closed { path: self.path.clone() })?,
            None => now(&self.database, &handle),
        };
        looked.map(Some).map_err(self.error("read"))
    }

    fn moment(&self) -> Arc<Moment> {
        self.moments.add(Moment::new(Arc::clone(&self.database)))
    }

    fn check_health(&self) -> Result<()> {
        if self.failed.load(Ordering::Acquire) {
            return Err(StorageError::Poisoned { path: self.path.clone() });
        }
        Ok(())
    }

    /// G2: says why, and takes no more writes.
    fn give_up(&self, operation: &'static str) -> impl Fn(::rocksdb::Error) -> StorageError {
        move |error| {
            self.failed.store(true, Ordering::Release);
            storage_error(&self.path, operation, error)
        }
    }

    /// What went wrong while nobody was asking: a flush or a compaction.
    fn check_background(&self) -> Result<()> {
        let errors = self.database.property_int_value(properties::BACKGROUND_ERRORS);
        if errors.map_err(self.error("look into"))?.unwrap_or_default() > 0 {
            self.failed.store(true, Ordering::Release);
        }
        self.check_health()
    }
}

/// Snapshots and scans that are still there must not keep the database open.
impl Drop for RocksDb {
    fn drop(&mut self) {
        self.moments.end();
    }
}

impl Driver for RocksDb {
    type Snapshot = Arc<Moment>;
    type Scan = RocksDbScan;

    const NAME: &'static str = "rocksdb";
    const CAPABILITIES: Capabilities = Capabilities {
        persistent: true,
        exact_key_count: false,
        survives_power_cut: true,
        read_only: true,
        buffer_syncs: false,
    };

    fn is_read_only(&self) -> bool {
        self.read_only
    }

    fn keyspace_names(&self) -> Vec<String> {
        self.existing.clone()
    }

    fn open_keyspace(&mut self, name: &str) -> Result<SpaceId> {
        let known = self.existing.iter().any(|existing| existing == name);
        let family = family(name);
        if !known && !self.read_only {
            self.check_health()?;
            let created = self.database.create_cf(&family, &self.family_options);
            created.map_err(self.error("create a keyspace"))?;
        }
        self.spaces.push(Space { family, is_there: known || !self.read_only });
        Ok(SpaceId::new(self.spaces.len() - 1))
    }

    fn get(
        &self,
        at: Option<&Self::Snapshot>,
        space: SpaceId,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>> {
        let value = self.read(
            at,
            space,
            |snapshot, family| snapshot.get_cf(family, key),
            |database, family| database.get_cf(family, key),
        )?;
        Ok(value.flatten())
    }

    fn contains(&self, at: Option<&Self::Snapshot>, space: SpaceId, key: &[u8]) -> Result<bool> {
        let found = self.read(
            at,
            space,
            |snapshot, family| Ok(snapshot.get_pinned_cf(family, key)?.is_some()),
            |database, family| Ok(database.get_pinned_cf(family, key)?.is_some()),
        )?;
        Ok(found.unwrap_or_default())
    }

    fn scan(
        &self,
        at: Option<&Self::Snapshot>,
        space: SpaceId,
        range: KeyRange,
        direction: Direction,
    ) -> Result<Self::Scan> {
        let moment = at.map_or_else(|| self.moment(), Arc::clone);
        let family = self.family(space).map(str::to_owned);
        let entries = RocksDbEntries { moment, family, path: self.path.clone() };
        Ok(RocksDbScan::new(entries, range, direction))
    }

    fn commit(&self, ops: Vec<SpaceOp>, durability: Durability) -> Result<()> {
        self.check_health()?;
        let mut batch = WriteBatch::default();
        for part in ops.chunk_by(|a, b| a.space == b.space) {
            let Some(SpaceOp { space, .. }) = part.first() else { continue };
            let family = self.handle(*space);
            for SpaceOp { op, .. } in part {
                match op {
                    BatchOp::Put { key, value } => batch.put_cf(&family, key, value),
                    BatchOp::Delete { key } => batch.delete_cf(&family, key),
                }
            }
        }
        let mut options = WriteOptions::default();
        options.set_sync(durability == Durability::Sync);
        self.database.write_opt(batch, &options).map_err(self.give_up("write"))
    }

    fn snapshot(&self) -> Result<Self::Snapshot> {
        Ok(self.moment())
    }

    fn sync(&self) -> Result<()> {
        self.check_health()?;
        self.database.flush_wal(true).map_err(self.give_up("sync"))?;
        self.check_background()
    }

    /// Merges everything, down to the lowest level.
    fn compact(&self, space: SpaceId) -> Result<()> {
        self.check_health()?;
        self.database.compact_range_cf::<&[u8], &[u8]>(&self.handle(space), None, None);
        self.check_background()
    }

    fn size(&self, space: SpaceId) -> Result<SpaceSize> {
        if self.family(space).is_none() {
            return Ok(SpaceSize::default());
        }
        let handle = self.handle(space);
        let number = |name| {
            let number = self.database.property_int_value_cf(&handle, name);
            number.map(Option::unwrap_or_default).map_err(self.error("look into"))
        };
        // RocksDB takes off each deletion in memory twice, also of keys that were never
        // there. As of any engine with such a tree, what was deleted or overwritten
        // counts until it is merged.
        let in_memory = number(properties::NUM_ENTRIES_ACTIVE_MEM_TABLE)?
            .saturating_add(number(properties::NUM_ENTRIES_IMM_MEM_TABLES)?);
        let deletes = number(properties::NUM_DELETES_ACTIVE_MEM_TABLE)?
            .saturating_add(number(properties::NUM_DELETES_IMM_MEM_TABLES)?);
        let keys = match number(properties::ESTIMATE_NUM_KEYS)? {
            0 => in_memory,
            estimate => in_memory.max(estimate.saturating_add(deletes.saturating_mul(2))),
        };
        Ok(SpaceSize { keys, bytes: number(properties::LIVE_SST_FILES_SIZE)? })
    }

    fn disk_bytes(&self) -> Result<u64> {
        directory_bytes(&self.path)
    }

    fn cache(&self) -> Option<CacheStats> {
        Some(CacheStats {
            capacity_bytes: self.cache_bytes,
            used_bytes: u64::try_from(self.cache.get_usage()).unwrap_or(u64::MAX),
        })
    }
}

#[cfg(test)]
mod tests;
