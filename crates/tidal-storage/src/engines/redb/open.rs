//! Opening redb: the directory, its lock, the file.

use std::path::Path;
use std::sync::RwLock;
use std::sync::atomic::AtomicBool;

use ::redb::{Builder, TableHandle};

use super::errors::storage_error;
use super::{File, LAYOUT, Redb, RedbOptions};
use crate::directory::{refuse_other_engine, without_panic};
use crate::engines::opening::Verdict;
use crate::{DirectoryLock, Driver, DriverStorage, Result};

impl DriverStorage<Redb> {
    /// Opens the storage in a directory, which is created if it is not there.
    ///
    /// # Errors
    ///
    /// Nothing is changed in a directory that is refused:
    /// [`Locked`](crate::StorageError::Locked) if it is open elsewhere,
    /// [`OtherEngine`](crate::StorageError::OtherEngine) if another engine wrote it,
    /// [`NotStorage`](crate::StorageError::NotStorage) if it has other files,
    /// [`UnsupportedVersion`](crate::StorageError::UnsupportedVersion) if another version
    /// of redb wrote it, [`Damaged`](crate::StorageError::Damaged) if its file is not
    /// what was written, and what the operating system says.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, RedbOptions::default())
    }

    /// Opens the storage in a directory, tuned.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, options: RedbOptions) -> Result<Self> {
        let path = path.as_ref();
        Self::over(Redb::open(path, options)?, path.to_path_buf())
    }

    /// Opens the storage in a directory for reading only, together with others who
    /// read it.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and [`NotStorage`](crate::StorageError::NotStorage) if
    /// there is no storage, [`Engine`](crate::StorageError::Engine) if it was not closed
    /// when it was last written: opening it for writing once repairs it.
    pub fn open_read_only(path: impl AsRef<Path>, options: RedbOptions) -> Result<Self> {
        let path = path.as_ref();
        Self::over(Redb::open_read_only(path, options)?, path.to_path_buf())
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
        let mut driver = Redb::open(directory.path(), RedbOptions::default())?;
        let path = driver.path.clone();
        driver.temporary = Some(directory);
        Self::over(driver, path)
    }
}

impl Redb {
    /// Whether there is a database in a directory. Changes nothing.
    #[cfg(feature = "hybrid")]
    pub(crate) fn is_in(path: &Path) -> Result<bool> {
        Ok(LAYOUT.inspect(path)? == Verdict::Open)
    }

    pub(crate) fn open(path: &Path, options: RedbOptions) -> Result<Self> {
        refuse_other_engine(path, Self::NAME)?;
        // The first look changes nothing, so that not even a lock file appears in
        // a folder of something else; the second cannot be overtaken.
        LAYOUT.inspect(path)?;
        let lock = DirectoryLock::acquire(path)?;
        let builder = builder(options);
        if LAYOUT.inspect(path)? == Verdict::Create {
            LAYOUT.create(path, |making| {
                let created = builder.create(LAYOUT.data_file(making));
                created.map(drop).map_err(|error| storage_error(path, "create", error))
            })?;
        } else {
            LAYOUT.finish(path)?;
        }
        let database = without_panic(path, || {
            let opened = builder.open(LAYOUT.data_file(path));
            opened.map_err(|error| storage_error(path, "open", error))
        })?;
        Self::over(File::Writable(RwLock::new(database)), path, lock)
    }

    fn open_read_only(path: &Path, options: RedbOptions) -> Result<Self> {
        refuse_other_engine(path, Self::NAME)?;
        LAYOUT.require(path)?;
        let lock = DirectoryLock::acquire_shared(path)?;
        let database = without_panic(path, || {
            let opened = builder(options).open_read_only(LAYOUT.data_file(path));
            opened.map_err(|error| storage_error(path, "open", error))
        })?;
        Self::over(File::ReadOnly(database), path, lock)
    }

    pub(super) fn over(file: File, path: &Path, lock: DirectoryLock) -> Result<Self> {
        let list = || -> Result<Vec<String>, ::redb::Error> {
            let tables = file.begin_read()?;
            let tables = tables.list_tables()?;
            Ok(tables.map(|table| table.name().to_owned()).collect())
        };
        let existing = list().map_err(|error| storage_error(path, "list the keyspaces", error))?;
        Ok(Self {
            newest: RwLock::new(None),
            file,
            names: Vec::new(),
            existing,
            failed: AtomicBool::new(false),
            path: path.to_path_buf(),
            _lock: lock,
            #[cfg(any(test, feature = "testing"))]
            temporary: None,
        })
    }
}

fn builder(options: RedbOptions) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(usize::try_from(options.cache_bytes).unwrap_or(usize::MAX));
    builder
}
