//! Storage on disk with redb, a copy-on-write B+tree in pure Rust: one file, one
//! writer at a time, reads that no writer disturbs.
//!
//! | redb                                                       | here                                        |
//! |------------------------------------------------------------|---------------------------------------------|
//! | a commit without durability is lost when the process dies  | R1: every commit is durable                 |
//! | a persistent savepoint forbids commits without durability  | no savepoint is made, and R1                |
//! | beginning a read looks every table up again                | R2: reads share the newest moment           |
//! | compaction wants no transaction beside it                  | R3: it waits for writes, and yields to reads |
//! | after a failed write it must be opened again               | R4: and writes answer so from then on       |
//! | a file whose creation was cut short never opens            | it is renamed once it is whole              |
//! | a file of another program may have tables of other types   | such a table is refused by its name         |
//! | recovery may panic on damaged files                        | a panic while opening is damage             |
//! | asking for its cache's figures beside a read may panic     | they are not asked for                      |
//!
//! R1. A commit returns once it is on the disk, whatever the durability asked for:
//!     redb has nothing between that and losing it with the process.
//! R2. The shared moment is forgotten before a commit returns, so the next read
//!     sees it, and no read falls back behind another.
//! R3. Of the two locks the one of the newest moment is taken first.
//! R4. Once a commit has failed no other is tried.

mod errors;
mod import;
mod moment;
mod open;
mod options;
mod scan;

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use ::redb::{
    CompactionError, Database, ReadOnlyDatabase, ReadTransaction, ReadableDatabase,
    ReadableTableMetadata,
};
use tidal_types::{ErrorKind, StorageError};

use errors::storage_error;
pub use import::{ImportReport, import_redb};
use moment::{Moment, definition};
pub use options::RedbOptions;
use scan::RedbScan;

use super::opening::Layout;
use crate::sync::{read, write};
use crate::{
    BatchOp, Capabilities, Direction, DirectoryLock, Driver, DriverBackend, DriverStorage,
    Durability, KeyRange, Result, SpaceId, SpaceOp, SpaceSize, directory_bytes,
};

const LAYOUT: Layout = Layout { data: "data.redb", beside: &[], making: "making.redb" };

/// Storage on disk with redb.
pub type RedbStorage = DriverStorage<Redb>;

/// One keyspace of a [`RedbStorage`].
pub type RedbBackend = DriverBackend<Redb>;

/// The driver of [`RedbStorage`].
///
/// Fields are dropped in this order: the lock of the directory comes last but for
/// the directory itself.
pub struct Redb {
    /// The moment that reads share (R2), until the next commit.
    newest: RwLock<Option<Arc<Moment>>>,
    file: File,
    /// The names of the keyspaces, by their numbers.
    names: Vec<String>,
    existing: Vec<String>,
    /// R4.
    failed: AtomicBool,
    path: PathBuf,
    _lock: DirectoryLock,
    #[cfg(any(test, feature = "testing"))]
    temporary: Option<tempfile::TempDir>,
}

/// The open file.
enum File {
    /// Written by taking the lock for reading, compacted by taking it for writing.
    Writable(RwLock<Database>),
    ReadOnly(ReadOnlyDatabase),
}

impl File {
    fn begin_read(&self) -> Result<ReadTransaction, ::redb::Error> {
        Ok(match self {
            Self::Writable(database) => read(database).begin_read()?,
            Self::ReadOnly(database) => database.begin_read()?,
        })
    }
}

impl fmt::Debug for Redb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redb").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Redb {
    fn error<E: Into<::redb::Error>>(&self, operation: &'static str) -> impl Fn(E) -> StorageError {
        move |error| storage_error(&self.path, operation, error)
    }

    fn name(&self, space: SpaceId) -> &str {
        self.names.get(space.index()).expect("a keyspace is opened before it is used")
    }

    /// The moment as of the last commit that has returned (R2).
    fn now(&self) -> Result<Arc<Moment>> {
        if let Some(moment) = &*read(&self.newest) {
            return Ok(Arc::clone(moment));
        }
        let mut newest = write(&self.newest);
        if let Some(moment) = &*newest {
            return Ok(Arc::clone(moment));
        }
        let transaction = self.file.begin_read().map_err(self.error("read"))?;
        let moment = Arc::new(Moment::new(transaction, self.names.len()));
        *newest = Some(Arc::clone(&moment));
        Ok(moment)
    }

    /// Runs a read at a moment, or now.
    fn read<T>(
        &self,
        at: Option<&Arc<Moment>>,
        look: impl FnOnce(&Moment) -> Result<T, ::redb::Error>,
    ) -> Result<T> {
        match at {
            Some(moment) => look(moment),
            None => look(&*self.now()?),
        }
        .map_err(self.error("read"))
    }

    /// Runs a write and forgets the moment before it.
    fn write(
        &self,
        operation: &'static str,
        change: impl FnOnce(&Database) -> Result<(), ::redb::Error>,
    ) -> Result<()> {
        let File::Writable(database) = &self.file else {
            return Err(StorageError::ReadOnly { path: self.path.clone() });
        };
        self.check_health()?;
        // R3: the lock is free again when the moment is forgotten.
        let outcome = change(&read(database));
        *write(&self.newest) = None;
        outcome.map_err(|error| {
            let error = storage_error(&self.path, operation, error);
            // A table of another program is refused before anything is written.
            if error.kind() != ErrorKind::Input {
                self.failed.store(true, Ordering::Release);
            }
            error
        })
    }

    fn check_health(&self) -> Result<()> {
        if self.failed.load(Ordering::Acquire) {
            return Err(StorageError::Poisoned { path: self.path.clone() });
        }
        Ok(())
    }
}

impl Driver for Redb {
    type Snapshot = Arc<Moment>;
    type Scan = RedbScan;

    const NAME: &'static str = "redb";
    const CAPABILITIES: Capabilities = Capabilities {
        persistent: true,
        exact_key_count: true,
        survives_power_cut: true,
        read_only: true,
        buffer_syncs: true,
    };

    fn keyspace_names(&self) -> Vec<String> {
        self.existing.clone()
    }

    fn is_read_only(&self) -> bool {
        matches!(self.file, File::ReadOnly(_))
    }

    fn open_keyspace(&mut self, name: &str) -> Result<SpaceId> {
        if self.is_read_only() || self.existing.iter().any(|known| known == name) {
            *write(&self.newest) = None;
        } else {
            self.write("create a keyspace", |database| {
                let transaction = database.begin_write()?;
                transaction.open_table(definition(name))?;
                Ok(transaction.commit()?)
            })?;
        }
        self.names.push(name.to_owned());
        Ok(SpaceId::new(self.names.len() - 1))
    }

    fn get(
        &self,
        at: Option<&Self::Snapshot>,
        space: SpaceId,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>> {
        self.read(at, |moment| {
            let Some(table) = moment.table(space, self.name(space))? else {
                return Ok(None);
            };
            Ok(table.get_owned(key)?.map(|value| value.value().to_vec()))
        })
    }

    fn contains(&self, at: Option<&Self::Snapshot>, space: SpaceId, key: &[u8]) -> Result<bool> {
        self.read(at, |moment| {
            let table = moment.table(space, self.name(space))?;
            Ok(table.map_or(Ok(None), |table| table.get_owned(key))?.is_some())
        })
    }

    fn scan(
        &self,
        at: Option<&Self::Snapshot>,
        space: SpaceId,
        range: KeyRange,
        direction: Direction,
    ) -> Result<Self::Scan> {
        let entries = self.read(at, |moment| {
            let table = moment.table(space, self.name(space))?;
            Ok(table.map(|table| table.range_owned::<&[u8]>(range.bounds())).transpose()?)
        })?;
        Ok(RedbScan::new(entries, direction, self.path.clone()))
    }

    /// R1: both levels of durability are one here.
    fn commit(&self, ops: Vec<SpaceOp>, _durability: Durability) -> Result<()> {
        self.write("write", |database| {
            let transaction = database.begin_write()?;
            for part in ops.chunk_by(|a, b| a.space == b.space) {
                let Some(SpaceOp { space, .. }) = part.first() else { continue };
                let mut table = transaction.open_table(definition(self.name(*space)))?;
                for SpaceOp { op, .. } in part {
                    match op {
                        BatchOp::Put { key, value } => {
                            table.insert(key.as_slice(), value.as_slice())?;
                        }
                        BatchOp::Delete { key } => {
                            table.remove(key.as_slice())?;
                        }
                    }
                }
            }
            Ok(transaction.commit()?)
        })
    }

    fn snapshot(&self) -> Result<Self::Snapshot> {
        self.now()
    }

    /// Nothing is left to sync (R1).
    fn sync(&self) -> Result<()> {
        self.check_health()
    }

    /// Compacts the whole file, unless snapshots or scans are open: then it gives
    /// back nothing.
    fn compact(&self, _space: SpaceId) -> Result<()> {
        let File::Writable(database) = &self.file else { return Ok(()) };
        self.check_health()?;
        let mut newest = write(&self.newest);
        *newest = None;
        match write(database).compact() {
            Ok(_)
            | Err(
                CompactionError::TransactionInProgress
                | CompactionError::PersistentSavepointExists
                | CompactionError::EphemeralSavepointExists,
            ) => Ok(()),
            Err(error) => {
                self.failed.store(true, Ordering::Release);
                Err(storage_error(&self.path, "compact", error))
            }
        }
    }

    /// Walks the table, so it takes as long as reading it.
    fn size(&self, space: SpaceId) -> Result<SpaceSize> {
        self.read(None, |moment| {
            let Some(table) = moment.table(space, self.name(space))? else {
                return Ok(SpaceSize::default());
            };
            let stats = table.stats()?;
            let bytes = stats.stored_bytes() + stats.metadata_bytes() + stats.fragmented_bytes();
            Ok(SpaceSize { keys: table.len()?, bytes })
        })
    }

    fn disk_bytes(&self) -> Result<u64> {
        directory_bytes(&self.path)
    }
}

#[cfg(test)]
mod tests;
