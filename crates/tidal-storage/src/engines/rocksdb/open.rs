//! Opening RocksDB: the directory, its lock, the folder, the column families.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ::rocksdb::{ColumnFamilyDescriptor, DB};
use tidal_types::StorageError;

use super::errors::storage_error;
use super::{FAMILY_PREFIX, LAYOUT, RocksDb, RocksDbOptions};
use crate::directory::refuse_other_engine;
use crate::engines::moments::Moments;
use crate::engines::opening::Verdict;
use crate::{DirectoryLock, Driver, DriverStorage, Result};

/// What names the list of files. Without it RocksDB takes a folder for empty.
const CURRENT: &str = "CURRENT";

impl DriverStorage<RocksDb> {
    /// Opens the storage in a directory, which is created if it is not there.
    ///
    /// # Errors
    ///
    /// Nothing is changed in a directory that is refused:
    /// [`StorageError::Locked`] if it is open elsewhere,
    /// [`StorageError::OtherEngine`] if another engine wrote it,
    /// [`StorageError::NotStorage`] if it has other files,
    /// [`StorageError::Damaged`] if its files are not what was written, and
    /// [`StorageError::Engine`] with what RocksDB says otherwise.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, RocksDbOptions::default())
    }

    /// Opens the storage in a directory, tuned.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, options: RocksDbOptions) -> Result<Self> {
        let path = path.as_ref();
        Self::over(RocksDb::open(path, options)?, path.to_path_buf())
    }

    /// Opens the storage in a directory for reading only, together with others who
    /// read it. RocksDB notes in files of its own that it was opened.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and [`StorageError::NotStorage`] if there is no
    /// storage.
    pub fn open_read_only(path: impl AsRef<Path>, options: RocksDbOptions) -> Result<Self> {
        let path = path.as_ref();
        Self::over(RocksDb::open_read_only(path, options)?, path.to_path_buf())
    }

    /// Opens a storage in a new directory that is deleted when the storage is
    /// closed or dropped.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    #[cfg(any(test, feature = "testing"))]
    pub fn open_temp() -> Result<Self> {
        let directory = crate::directory::temporary()?;
        let mut driver = RocksDb::open(directory.path(), RocksDbOptions::default())?;
        let path = driver.path.clone();
        driver.temporary = Some(directory);
        Self::over(driver, path)
    }
}

impl RocksDb {
    fn open(path: &Path, options: RocksDbOptions) -> Result<Self> {
        refuse_other_engine(path, Self::NAME)?;
        // The first look changes nothing, so that not even a lock file appears in
        // a folder of something else; the second cannot be overtaken.
        LAYOUT.inspect(path)?;
        let lock = DirectoryLock::acquire(path)?;
        if LAYOUT.inspect(path)? == Verdict::Create {
            LAYOUT.create(path, |making| {
                let mut options = options.of_the_database();
                options.create_if_missing(true);
                let created = DB::open(&options, LAYOUT.data_file(making));
                created.map(drop).map_err(|error| storage_error(path, "create", error))
            })?;
        }
        Self::over(path, options, false, lock)
    }

    fn open_read_only(path: &Path, options: RocksDbOptions) -> Result<Self> {
        refuse_other_engine(path, Self::NAME)?;
        LAYOUT.require(path)?;
        let lock = DirectoryLock::acquire_shared(path)?;
        Self::over(path, options, true, lock)
    }

    fn over(
        path: &Path,
        options: RocksDbOptions,
        read_only: bool,
        lock: DirectoryLock,
    ) -> Result<Self> {
        let data = LAYOUT.data_file(path);
        if !data.join(CURRENT).exists() {
            let problem = format!("it has no {}", data.join(CURRENT).display());
            return Err(StorageError::Damaged { path: path.to_path_buf(), problem });
        }
        let cache = options.new_cache();
        let (of_all, family_options) = (options.of_the_database(), options.of_a_family(&cache));
        let families = DB::list_cf(&of_all, &data)
            .map_err(|error| storage_error(path, "list the keyspaces", error))?;
        let descriptor = |name: &String| ColumnFamilyDescriptor::new(name, family_options.clone());
        let descriptors = families.iter().map(descriptor);
        let database = if read_only {
            DB::open_cf_descriptors_read_only(&of_all, &data, descriptors, false)
        } else {
            DB::open_cf_descriptors(&of_all, &data, descriptors)
        };
        let database = database.map_err(|error| storage_error(path, "open", error))?;
        let existing = families.iter().filter_map(|name| name.strip_prefix(FAMILY_PREFIX));
        Ok(Self {
            database: Arc::new(database),
            spaces: Vec::new(),
            existing: existing.map(str::to_owned).collect(),
            moments: Moments::default(),
            family_options,
            cache,
            cache_bytes: options.cache_bytes,
            read_only,
            failed: AtomicBool::new(false),
            path: path.to_path_buf(),
            _lock: lock,
            #[cfg(any(test, feature = "testing"))]
            temporary: None,
        })
    }
}
