//! Storage on disk with LMDB, a copy-on-write B+tree in a mapped file: the fastest
//! reads, one writer at a time. A C library; the files must be on a local disk, and
//! nobody else may write to them while they are open.
//!
//! | LMDB                                                         | here                                         |
//! |--------------------------------------------------------------|----------------------------------------------|
//! | the map has a size, and a full one refuses the transaction    | it is large, and grows (Z1)                  |
//! | the map must not change while a transaction is open           | [`gate`] counts them                         |
//! | so many keyspaces can be opened as was said at the start      | it is opened again with more (Z2)            |
//! | no commit without a sync, but one that may break the file     | Z3: one sync with `Buffer`, two with `Sync`  |
//! | a read belongs to a thread                                    | not here: reader slots go with transactions  |
//! | an open read keeps the environment                            | [`moment`]: the driver takes it back         |
//! | readers have slots, and no more begin when all are taken      | `Busy`, and the number is an option          |
//! | two handles in two processes are fine with it                 | our lock on the directory refuses the second |
//! | a failed sync is told once, and the next commit may pass      | Z4: no other is tried                        |
//! | a file that is shorter than it says ends the process          | [`meta`] looks before it is mapped           |
//! | there are no checksums                                        | none here either, see below                  |
//!
//! Z1. A write that finds the map full changes nothing, waits until no transaction
//!     is open, doubles the map and is done again. If snapshots stay open for
//!     longer than `busy_timeout` it fails with `Busy`, and nothing is lost.
//! Z2. The same way, when the keyspaces are more than there is room for.
//! Z3. The environment has NO_META_SYNC: a commit syncs its data, then writes where
//!     it is. So after a power cut the last commit may be missing, and never more.
//! Z4. After a commit or a sync that failed for another reason, writes fail.
//!
//! One trap is left to the user of this crate: a byte that was changed in the data
//! file from outside is handed out as it is, or ends the process.

mod environment;
mod errors;
mod gate;
mod meta;
mod moment;
mod open;
mod options;
mod reach;
mod scan;
mod spaces;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use heed::types::Bytes;
use heed::{Database, Env, MdbError, RoTxn, WithoutTls};
use tidal_types::StorageError;

use environment::Sizes;
use errors::storage_error;
use gate::{Gate, Pass};
use moment::Moment;
pub use options::LmdbOptions;
use scan::{LmdbEntries, LmdbScan};

use super::opening::Layout;
use crate::engines::moments::Moments;
use crate::{
    BatchOp, Capabilities, Direction, DirectoryLock, Driver, DriverBackend, DriverStorage,
    Durability, KeyRange, Result, SpaceId, SpaceOp, SpaceSize, directory_bytes,
};

const LAYOUT: Layout = Layout { data: "data.mdb", beside: &["lock.mdb"], making: "making.mdb" };

/// How many keyspaces there is room for at first.
const KEYSPACES_MAX: u32 = 64;

/// Storage on disk with LMDB.
pub type LmdbStorage = DriverStorage<Lmdb>;

/// One keyspace of an [`LmdbStorage`].
pub type LmdbBackend = DriverBackend<Lmdb>;

/// One keyspace, unless it is not there and nothing may be written.
#[derive(Debug)]
struct Space {
    name: String,
    database: Option<Database<'static, Bytes, Bytes>>,
}

/// The driver of [`LmdbStorage`].
///
/// Fields are dropped in this order: the lock of the directory comes last but for
/// the directory itself.
pub struct Lmdb {
    /// Called with a pass of the gate. `None` only while it is opened again.
    env: Option<Env<WithoutTls>>,
    spaces: Vec<Space>,
    existing: Vec<String>,
    moments: Moments<Moment>,
    gate: Arc<Gate>,
    growths: AtomicU64,
    sizes: Sizes,
    options: LmdbOptions,
    read_only: bool,
    /// Z4.
    failed: AtomicBool,
    path: PathBuf,
    lock: DirectoryLock,
    #[cfg(any(test, feature = "testing"))]
    temporary: Option<tempfile::TempDir>,
}

impl fmt::Debug for Lmdb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lmdb").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Lmdb {
    fn env(&self) -> &Env<WithoutTls> {
        self.env.as_ref().expect("it is only taken while nobody else is here")
    }

    /// A pass, unless the environment could not be mapped again.
    fn enter(&self) -> Result<Pass> {
        self.gate.enter().ok_or_else(|| StorageError::Poisoned { path: self.path.clone() })
    }

    fn error(&self, operation: &'static str) -> impl Fn(heed::Error) -> StorageError {
        move |error| storage_error(&self.path, operation, error)
    }

    fn database(&self, space: SpaceId) -> Option<Database<'static, Bytes, Bytes>> {
        self.spaces.get(space.index()).expect("a keyspace is opened before it is used").database
    }

    /// A keyspace as it was at a moment, or is now, if it was there.
    fn database_at(
        &self,
        at: Option<&Arc<Moment>>,
        space: SpaceId,
    ) -> Option<Database<'static, Bytes, Bytes>> {
        self.database(space).filter(|_| at.is_none_or(|moment| moment.knows(space)))
    }

    /// Runs a read at a moment, or now.
    fn read<T>(
        &self,
        at: Option<&Arc<Moment>>,
        look: impl FnOnce(&RoTxn<'_, WithoutTls>) -> heed::Result<T>,
    ) -> Result<T> {
        let looked = match at {
            Some(moment) => {
                moment.read(look).ok_or_else(|| StorageError::Closed { path: self.path.clone() })?
            }
            None => {
                let _pass = self.enter()?;
                self.env().read_txn().and_then(|transaction| look(&transaction))
            }
        };
        looked.map_err(self.error("read"))
    }

    fn moment(&self) -> Result<Arc<Moment>> {
        let pass = self.enter()?;
        let transaction = self.env().clone().static_read_txn().map_err(self.error("read"))?;
        Ok(self.moments.add(Moment::new(transaction, pass, self.spaces.len())))
    }

    /// Applies the writes, in one transaction.
    fn apply(&self, ops: &[SpaceOp]) -> heed::Result<()> {
        let mut transaction = self.env().write_txn()?;
        for SpaceOp { space, op } in ops {
            let database = self.database(*space).expect("nothing is written to what is read only");
            match op {
                BatchOp::Put { key, value } => database.put(&mut transaction, key, value)?,
                BatchOp::Delete { key } => {
                    database.delete(&mut transaction, key)?;
                }
            }
        }
        transaction.commit()
    }

    /// Runs a write, and again with a larger map for as long as it is too small
    /// (Z1).
    fn write(&self, change: impl Fn() -> heed::Result<()>) -> Result<()> {
        self.check_health()?;
        loop {
            let growths = self.growths();
            let pass = self.enter()?;
            let changed = change();
            drop(pass);
            match changed {
                Ok(()) => return Ok(()),
                Err(heed::Error::Mdb(MdbError::MapFull)) => self.grow(growths)?,
                // Refused before anything was written, and rolled back.
                Err(error @ heed::Error::Mdb(MdbError::TxnFull | MdbError::BadValSize)) => {
                    return Err(storage_error(&self.path, "write", error));
                }
                Err(error) => return Err(self.give_up("write", error)),
            }
        }
    }

    /// Z4: says why, and takes no more writes.
    fn give_up(&self, operation: &'static str, error: heed::Error) -> StorageError {
        self.failed.store(true, Ordering::Release);
        storage_error(&self.path, operation, error)
    }

    fn check_health(&self) -> Result<()> {
        if self.failed.load(Ordering::Acquire) {
            return Err(StorageError::Poisoned { path: self.path.clone() });
        }
        Ok(())
    }
}

/// Snapshots and scans that are still there must not keep the environment open.
impl Drop for Lmdb {
    fn drop(&mut self) {
        self.moments.end();
        // Those that were just being dropped have ended too.
        drop(self.gate.idle());
    }
}

impl Driver for Lmdb {
    type Snapshot = Arc<Moment>;
    type Scan = LmdbScan;

    const NAME: &'static str = "lmdb";
    const CAPABILITIES: Capabilities = Capabilities {
        persistent: true,
        exact_key_count: true,
        survives_power_cut: true,
        read_only: true,
        buffer_syncs: true,
    };

    fn is_read_only(&self) -> bool {
        self.read_only
    }

    fn keyspace_names(&self) -> Vec<String> {
        self.existing.clone()
    }

    fn open_keyspace(&mut self, name: &str) -> Result<SpaceId> {
        self.add_space(name)?;
        Ok(SpaceId::new(self.spaces.len() - 1))
    }

    fn get(
        &self,
        at: Option<&Self::Snapshot>,
        space: SpaceId,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>> {
        let Some(database) = self.database_at(at, space) else { return Ok(None) };
        self.read(at, |transaction| Ok(database.get(transaction, key)?.map(<[u8]>::to_vec)))
    }

    fn contains(&self, at: Option<&Self::Snapshot>, space: SpaceId, key: &[u8]) -> Result<bool> {
        let Some(database) = self.database_at(at, space) else { return Ok(false) };
        self.read(at, |transaction| Ok(database.get(transaction, key)?.is_some()))
    }

    fn scan(
        &self,
        at: Option<&Self::Snapshot>,
        space: SpaceId,
        range: KeyRange,
        direction: Direction,
    ) -> Result<Self::Scan> {
        let database = self.database_at(at, space);
        let moment = at.map_or_else(|| self.moment(), |moment| Ok(Arc::clone(moment)))?;
        let entries = LmdbEntries { moment, database, path: self.path.clone() };
        Ok(LmdbScan::new(entries, range, direction))
    }

    fn commit(&self, ops: Vec<SpaceOp>, durability: Durability) -> Result<()> {
        self.write(|| self.apply(&ops))?;
        match durability {
            Durability::Buffer => Ok(()),
            Durability::Sync => self.sync(),
        }
    }

    fn snapshot(&self) -> Result<Self::Snapshot> {
        self.moment()
    }

    fn sync(&self) -> Result<()> {
        self.check_health()?;
        let _pass = self.enter()?;
        self.env().force_sync().map_err(|error| self.give_up("sync", error))
    }

    /// Gives back nothing: what was deleted is used again for what is written, and
    /// the file keeps its length.
    fn compact(&self, _space: SpaceId) -> Result<()> {
        Ok(())
    }

    fn size(&self, space: SpaceId) -> Result<SpaceSize> {
        let Some(database) = self.database(space) else { return Ok(SpaceSize::default()) };
        let stat = self.read(None, |transaction| database.stat(transaction))?;
        let pages = stat.branch_pages + stat.leaf_pages + stat.overflow_pages;
        let bytes = u64::try_from(pages).unwrap_or(u64::MAX).saturating_mul(stat.page_size.into());
        Ok(SpaceSize { keys: u64::try_from(stat.entries).unwrap_or(u64::MAX), bytes })
    }

    fn disk_bytes(&self) -> Result<u64> {
        directory_bytes(&self.path)
    }
}

#[cfg(test)]
mod tests;
