//! Opening LMDB: the directory, its lock, the file, the map.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use super::environment::{self, Sizes};
use super::errors::storage_error;
use super::{KEYSPACES_MAX, LAYOUT, Lmdb, LmdbOptions, meta, spaces};
use crate::directory::refuse_other_engine;
use crate::engines::moments::Moments;
use crate::engines::opening::Verdict;
use crate::{DirectoryLock, Driver, DriverStorage, Result};

impl DriverStorage<Lmdb> {
    /// Opens the storage in a directory, which is created if it is not there.
    ///
    /// # Errors
    ///
    /// Nothing is changed in a directory that is refused:
    /// [`Locked`](crate::StorageError::Locked) if it is open elsewhere,
    /// [`OtherEngine`](crate::StorageError::OtherEngine) if another engine wrote it,
    /// [`NotStorage`](crate::StorageError::NotStorage) if it has other files,
    /// [`UnsupportedVersion`](crate::StorageError::UnsupportedVersion) if another version
    /// of LMDB wrote it, [`Damaged`](crate::StorageError::Damaged) if its file is not
    /// what was written, and what the operating system says.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, LmdbOptions::default())
    }

    /// Opens the storage in a directory, tuned.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, options: LmdbOptions) -> Result<Self> {
        let path = path.as_ref();
        Self::over(Lmdb::open(path, options)?, path.to_path_buf())
    }

    /// Opens the storage in a directory for reading only, together with other
    /// processes that read it; in one process, LMDB knows a file once.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and [`NotStorage`](crate::StorageError::NotStorage) if
    /// there is no storage.
    pub fn open_read_only(path: impl AsRef<Path>, options: LmdbOptions) -> Result<Self> {
        let path = path.as_ref();
        Self::over(Lmdb::open_read_only(path, options)?, path.to_path_buf())
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
        let mut driver = Lmdb::open(directory.path(), LmdbOptions::default())?;
        let path = driver.path.clone();
        driver.temporary = Some(directory);
        Self::over(driver, path)
    }
}

impl Lmdb {
    fn open(path: &Path, options: LmdbOptions) -> Result<Self> {
        refuse_other_engine(path, Self::NAME)?;
        // The first look changes nothing, so that not even a lock file appears in
        // a folder of something else; the second cannot be overtaken.
        LAYOUT.inspect(path)?;
        let lock = DirectoryLock::acquire(path)?;
        let data = LAYOUT.data_file(path);
        if LAYOUT.inspect(path)? == Verdict::Create {
            LAYOUT.create(path, |making| {
                let sizes = Sizes { map_bytes: 1024 * 1024, readers_max: 1, keyspaces_max: 1 };
                let created = environment::open(making, sizes, false, &lock);
                created.map(drop).map_err(|error| storage_error(path, "create", error))
            })?;
        } else {
            LAYOUT.finish(path)?;
        }
        meta::check(path, &data)?;
        Self::over(path, options, false, lock)
    }

    fn open_read_only(path: &Path, options: LmdbOptions) -> Result<Self> {
        refuse_other_engine(path, Self::NAME)?;
        LAYOUT.require(path)?;
        let lock = DirectoryLock::acquire_shared(path)?;
        meta::check(path, &LAYOUT.data_file(path))?;
        Self::over(path, options, true, lock)
    }

    pub(super) fn over(
        path: &Path,
        options: LmdbOptions,
        read_only: bool,
        lock: DirectoryLock,
    ) -> Result<Self> {
        let mut sizes = Sizes {
            map_bytes: options.first_map_bytes(),
            readers_max: options.readers_max.max(1),
            keyspaces_max: KEYSPACES_MAX,
        };
        let env = spaces::open_largest(path, &mut sizes, read_only, &lock)?;
        let mut driver = Self {
            env: Some(env),
            spaces: Vec::new(),
            existing: Vec::new(),
            moments: Moments::default(),
            gate: Arc::default(),
            growths: AtomicU64::new(0),
            sizes,
            options,
            read_only,
            failed: AtomicBool::new(false),
            path: path.to_path_buf(),
            lock,
            #[cfg(any(test, feature = "testing"))]
            temporary: None,
        };
        let pass = driver.enter()?;
        driver.existing = driver.list().map_err(driver.error("list the keyspaces"))?;
        drop(pass);
        Ok(driver)
    }
}
