//! What the engines that keep one data file, or one folder, do alike when a directory
//! is opened. The folder of RocksDB is a data file here.
//!
//! | data file | other files | what we do                                       |
//! |-----------|-------------|--------------------------------------------------|
//! | yes       | any         | finish a creation that was cut short, open       |
//! | no        | yes         | refuse: not storage                              |
//! | no        | no          | clear the rest of a creation cut short, create   |
//!
//! O1. A data file is made under another name and renamed once it is whole, so
//!     what has its name was whole once.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tidal_types::StorageError;

use crate::Result;
use crate::directory::{LOCK_FILE, io_error, sync_dir};

/// The files of an engine in its directory.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The file that holds everything.
    pub(crate) data: &'static str,
    /// Files beside it that hold nothing worth keeping.
    pub(crate) beside: &'static [&'static str],
    /// The folder in which a data file is made.
    pub(crate) making: &'static str,
}

/// What to do with a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It has a data file.
    Open,
    /// It is not there, empty, or has what is left of a creation cut short.
    Create,
}

impl Layout {
    /// Says what to do with a directory, and changes nothing.
    pub(crate) fn inspect(&self, directory: &Path) -> Result<Verdict> {
        let failed = |error| io_error(directory, "look into", error);
        if self.data_file(directory).try_exists().map_err(failed)? {
            return Ok(Verdict::Open);
        }
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Verdict::Create),
            Err(error) => return Err(failed(error)),
        };
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().and_then(OsStr::to_str);
            let ours = name.is_some_and(|name| {
                name == LOCK_FILE || name == self.making || self.beside.contains(&name)
            });
            if !ours {
                return Err(StorageError::NotStorage {
                    path: directory.to_path_buf(),
                    problem: format!("it has {}", path.display()),
                });
            }
        }
        Ok(Verdict::Create)
    }

    /// Refuses a directory without a data file, which is not created.
    pub(crate) fn require(&self, directory: &Path) -> Result<()> {
        match self.inspect(directory)? {
            Verdict::Open => Ok(()),
            Verdict::Create => Err(StorageError::NotStorage {
                path: directory.to_path_buf(),
                problem: format!("it has no {}", self.data),
            }),
        }
    }

    /// Makes the data file (O1) with `make`, which is given the folder to make it
    /// in and has closed it when it returns. Whoever calls holds the lock.
    pub(crate) fn create(
        &self,
        directory: &Path,
        make: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<()> {
        let making = directory.join(self.making);
        if making.exists() {
            fs::remove_dir_all(&making).map_err(|error| {
                io_error(&making, "remove the rest of a creation that was cut short,", error)
            })?;
        }
        fs::create_dir(&making).map_err(|error| io_error(&making, "create", error))?;
        make(&making)?;
        let made = making.join(self.data);
        let synced = if made.is_dir() {
            sync_dir(&made)
        } else {
            File::options().write(true).open(&made).and_then(|file| file.sync_all())
        };
        synced.map_err(|error| io_error(&made, "sync", error))?;
        fs::rename(&made, self.data_file(directory))
            .map_err(|error| io_error(&made, "rename", error))?;
        self.finish(directory)
    }

    /// Makes the name of a data file durable, if that was not done when it was made:
    /// the folder in which it was made is there until then. Whoever calls holds the
    /// lock.
    pub(crate) fn finish(&self, directory: &Path) -> Result<()> {
        let making = directory.join(self.making);
        if making.exists() {
            sync_dir(directory).map_err(|error| io_error(directory, "sync", error))?;
            fs::remove_dir_all(&making).map_err(|error| io_error(&making, "remove", error))?;
        }
        Ok(())
    }

    pub(crate) fn data_file(&self, directory: &Path) -> PathBuf {
        directory.join(self.data)
    }
}

#[cfg(test)]
mod tests;
