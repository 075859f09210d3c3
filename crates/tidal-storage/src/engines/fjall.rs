//! Storage on disk with fjall, a log-structured merge tree in pure Rust.
//!
//! What fjall does that must not reach a user, and what keeps it away:
//!
//! | fjall                                                        | here                                        |
//! |--------------------------------------------------------------|---------------------------------------------|
//! | an empty key is journaled, and no open succeeds ever after   | keys are checked before (D1)                |
//! | a key over 65,535 bytes, a bad keyspace name: panic          | both are checked before (D1)                |
//! | reads of a keyspace may see half of a batch                  | F1: every read goes through a snapshot      |
//! | creating a keyspace publishes batches that are being applied | it runs alone (D3)                          |
//! | an error of a scan shows when an entry is unpacked           | [`FjallScan`] unpacks before it hands out   |
//! | memtables of 64 MiB, five for each keyspace                  | [`FjallOptions::memtable_bytes`]            |
//! | up to 512 MiB of journals are read when it opens             | [`JOURNALS_BYTES_MAX`], [`journal`]         |
//! | flushes and compactions contend with writers for processors  | they are started in the background          |
//! | handles keep the directory locked                            | the driver is dropped with all its handles  |
//! | a creation that was cut short, a folder of something else    | [`directory`] looks before fjall does       |
//! | recovery can panic on damaged files                          | F2: a panic while opening is damage         |
//! | an unsynced journal may lose its end                         | the same promise as [`Durability::Buffer`]  |
//!
//! One trap is left to the user of this crate: fjall opens a journal with damage
//! in its middle without a word and drops what follows. Whoever keeps a log
//! beside the storage finds that by the position it stores with each batch.

mod batch;
mod directory;
mod errors;
mod journal;
mod options;
mod scan;

use std::fmt;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use ::fjall::{AbstractTree, Database, Keyspace, PersistMode, Readable};
use tidal_types::StorageError;

pub use batch::FjallAtomicBatch;
use errors::storage_error;
use journal::Floor;
pub use options::FjallOptions;
use scan::FjallScan;

use crate::background::yield_to_others;
use crate::directory::{io_error, refuse_other_engine, without_panic};
use crate::{
    CacheStats, Capabilities, Direction, DirectoryLock, Driver, DriverBackend, DriverStorage,
    Durability, KeyRange, Result, SpaceId, SpaceOp, SpaceSize, directory_bytes,
};

/// How many bytes of journals are kept before the keyspaces that hold the oldest one are
/// flushed, the least that fjall takes. A keyspace with few writes holds every journal
/// since its last flush, and opening reads them all: about a second for 64 MiB of small
/// entries.
const JOURNALS_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Storage on disk with fjall.
pub type FjallStorage = DriverStorage<Fjall>;

/// One keyspace of a [`FjallStorage`].
pub type FjallBackend = DriverBackend<Fjall>;

/// The driver of [`FjallStorage`].
///
/// Fields are dropped in this order: the lock of the directory comes last but for
/// the directory itself.
pub struct Fjall {
    keyspaces: Vec<Keyspace>,
    database: Database,
    options: FjallOptions,
    path: PathBuf,
    /// Up to where the journals are known to be in tables.
    floor: Mutex<Floor>,
    _lock: DirectoryLock,
    #[cfg(any(test, feature = "testing"))]
    temporary: Option<tempfile::TempDir>,
}

impl fmt::Debug for Fjall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fjall").field("path", &self.path).finish_non_exhaustive()
    }
}

impl DriverStorage<Fjall> {
    /// Opens the storage in a directory, which is created if it is not there.
    ///
    /// # Errors
    ///
    /// Nothing is changed in a directory that is refused:
    /// [`StorageError::Locked`] if it is open elsewhere,
    /// [`StorageError::OtherEngine`] if another engine wrote it,
    /// [`StorageError::NotStorage`] if it has other files,
    /// [`StorageError::UnsupportedVersion`] if another version of fjall wrote it,
    /// [`StorageError::Damaged`] if its files are not what was written, and what
    /// the operating system says.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, FjallOptions::default())
    }

    /// Opens the storage in a directory, tuned.
    ///
    /// # Errors
    ///
    /// As [`FjallStorage::open`].
    pub fn open_with(path: impl AsRef<Path>, options: FjallOptions) -> Result<Self> {
        let path = path.as_ref();
        Self::over(Fjall::open(path, options)?, path.to_path_buf())
    }

    /// Opens a storage in a new directory that is deleted when the storage is
    /// closed or dropped.
    ///
    /// # Errors
    ///
    /// As [`FjallStorage::open`].
    #[cfg(any(test, feature = "testing"))]
    pub fn open_temp() -> Result<Self> {
        let directory = crate::directory::temporary()?;
        let mut driver = Fjall::open(directory.path(), FjallOptions::default())?;
        let path = driver.path.clone();
        driver.temporary = Some(directory);
        Self::over(driver, path)
    }
}

/// What `start` comes to, on a thread of its own: the threads that it starts are less
/// urgent than those of the application.
fn started_in_background<T: Send>(start: impl FnOnce() -> T + Send) -> T {
    let started = thread::scope(|scope| {
        let starting = scope.spawn(|| {
            yield_to_others();
            start()
        });
        starting.join()
    });
    started.unwrap_or_else(|panic| resume_unwind(panic))
}

impl Fjall {
    /// Whether there is a database in a directory. Changes nothing.
    #[cfg(feature = "hybrid")]
    pub(crate) fn is_in(path: &Path) -> Result<bool> {
        Ok(directory::inspect(path)? == directory::Verdict::Open)
    }

    pub(crate) fn open(path: &Path, options: FjallOptions) -> Result<Self> {
        refuse_other_engine(path, Self::NAME)?;
        // The first look changes nothing, so that not even a lock file appears in
        // a folder of something else; the second cannot be overtaken.
        directory::inspect(path)?;
        let lock = DirectoryLock::acquire(path)?;
        directory::prepare(path)?;
        journal::cut(path).map_err(|error| io_error(path, "cut the journal of", error))?;
        // F2. Recovery trusts what it reads in places.
        let database = without_panic(path, || {
            let opened = started_in_background(|| {
                Database::builder(path)
                    .cache_size(options.cache_bytes)
                    .max_journaling_size(JOURNALS_BYTES_MAX)
                    .open()
            });
            opened.map_err(|error| storage_error(path, "open", error))
        })?;
        Ok(Self {
            keyspaces: Vec::new(),
            database,
            options,
            path: path.to_path_buf(),
            floor: Mutex::default(),
            _lock: lock,
            #[cfg(any(test, feature = "testing"))]
            temporary: None,
        })
    }

    fn keyspace(&self, space: SpaceId) -> &Keyspace {
        self.keyspaces.get(space.index()).expect("a keyspace is opened before it is used")
    }

    fn error(&self, operation: &'static str) -> impl Fn(::fjall::Error) -> StorageError {
        move |error| storage_error(&self.path, operation, error)
    }

    /// Writes what is in the memtable of a keyspace to tables, on this thread. fjall's own
    /// may come first, or do it beside others.
    fn flush_memtable(&self, name: &str) -> ::fjall::Result<()> {
        let keyspace = self.database.keyspace(name, || self.options.of_a_keyspace())?;
        keyspace.rotate_memtable()?;
        let alone = keyspace.tree.get_flush_lock();
        // Sequence number zero: no version is let go that a snapshot may read.
        keyspace.tree.flush(&alone, 0)?;
        Ok(())
    }

    /// Runs a read at a moment, or now (F1).
    fn read<T>(
        &self,
        at: Option<&::fjall::Snapshot>,
        read: impl FnOnce(&::fjall::Snapshot) -> ::fjall::Result<T>,
    ) -> Result<T> {
        match at {
            Some(snapshot) => read(snapshot),
            None => read(&self.database.snapshot()),
        }
        .map_err(self.error("read"))
    }
}

impl Driver for Fjall {
    type Snapshot = ::fjall::Snapshot;
    type Scan = FjallScan;

    const NAME: &'static str = "fjall";
    const CAPABILITIES: Capabilities = Capabilities {
        persistent: true,
        exact_key_count: false,
        survives_power_cut: true,
        read_only: false,
        buffer_syncs: false,
    };

    fn keyspace_names(&self) -> Vec<String> {
        self.database.list_keyspace_names().iter().map(ToString::to_string).collect()
    }

    fn open_keyspace(&mut self, name: &str) -> Result<SpaceId> {
        let options = self.options;
        let opened = self.database.keyspace(name, || options.of_a_keyspace());
        let keyspace = opened.map_err(self.error("open a keyspace"))?;
        self.keyspaces.push(keyspace);
        Ok(SpaceId::new(self.keyspaces.len() - 1))
    }

    fn get(
        &self,
        at: Option<&Self::Snapshot>,
        space: SpaceId,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>> {
        self.read(at, |snapshot| {
            Ok(snapshot.get(self.keyspace(space), key)?.map(|value| value.to_vec()))
        })
    }

    fn contains(&self, at: Option<&Self::Snapshot>, space: SpaceId, key: &[u8]) -> Result<bool> {
        self.read(at, |snapshot| snapshot.contains_key(self.keyspace(space), key))
    }

    fn scan(
        &self,
        at: Option<&Self::Snapshot>,
        space: SpaceId,
        range: KeyRange,
        direction: Direction,
    ) -> Result<Self::Scan> {
        let entries = self.read(at, |snapshot| {
            Ok(snapshot.range::<&[u8], _>(self.keyspace(space), range.bounds()))
        })?;
        Ok(FjallScan::new(entries, direction, self.path.clone()))
    }

    fn commit(&self, ops: Vec<SpaceOp>, durability: Durability) -> Result<()> {
        let mut batch = FjallAtomicBatch::new(&self.database, ops.len(), durability);
        for SpaceOp { space, op } in ops {
            batch.push(self.keyspace(space), op);
        }
        batch.commit().map_err(self.error("write"))
    }

    fn snapshot(&self) -> Result<Self::Snapshot> {
        Ok(self.database.snapshot())
    }

    fn sync(&self) -> Result<()> {
        self.database.persist(PersistMode::SyncAll).map_err(self.error("sync"))
    }

    fn shorten_recovery(&self) -> Result<()> {
        // Refused here if a write has failed before.
        self.database.persist(PersistMode::Buffer).map_err(self.error("flush"))?;
        // Whoever got a lower number has written before a memtable is taken, which waits
        // for the journal.
        let number = self.database.seqno();
        for name in self.database.list_keyspace_names() {
            self.flush_memtable(&name).map_err(self.error("flush"))?;
        }
        let mut floor = self.floor.lock().unwrap_or_else(PoisonError::into_inner);
        let noted = floor
            .advance(&self.path, number)
            .and_then(|is_further| if is_further { floor.write(&self.path) } else { Ok(()) });
        noted.map_err(|error| io_error(&self.path, "note how far the journal is needed in", error))
    }

    fn compact(&self, space: SpaceId) -> Result<()> {
        self.keyspace(space).major_compact().map_err(self.error("compact"))
    }

    fn size(&self, space: SpaceId) -> Result<SpaceSize> {
        let keyspace = self.keyspace(space);
        let keys = u64::try_from(keyspace.approximate_len()).unwrap_or(u64::MAX);
        Ok(SpaceSize { keys, bytes: keyspace.disk_space() })
    }

    fn disk_bytes(&self) -> Result<u64> {
        directory_bytes(&self.path)
    }

    fn cache(&self) -> Option<CacheStats> {
        Some(CacheStats {
            capacity_bytes: self.database.cache_capacity(),
            used_bytes: self.database.cache_size(),
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
