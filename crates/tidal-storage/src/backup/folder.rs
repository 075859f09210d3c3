//! The files of a backup: their names, and how they are written and read.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use tidal_types::StorageError;

use crate::Result;
use crate::directory::{io_error, missing_parents, sync_dir, sync_parent};

pub(super) const MANIFEST: &str = "MANIFEST";
pub(super) const MANIFEST_TEMPORARY: &str = "MANIFEST.tmp";

/// The name of the file of a chunk.
pub(super) fn chunk_name(index: usize) -> String {
    format!("chunk-{index:08x}")
}

/// Where a backup is written. Tests have one that fails.
pub(super) trait Folder: Debug {
    /// Makes a new file of these bytes, and makes them durable.
    fn create(&self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// Gives a file its other name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Makes the names of the files durable.
    fn sync(&self) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Where it is.
    fn path(&self) -> &Path;
}

/// A directory.
#[derive(Debug)]
pub(super) struct RealFolder {
    path: PathBuf,
}

impl RealFolder {
    /// A directory for a new backup, which has to be empty and is made if it is
    /// not there.
    pub(super) fn new_empty(path: &Path) -> Result<Self> {
        let parents = missing_parents(path);
        fs::create_dir_all(path).map_err(|error| io_error(path, "create the directory", error))?;
        // A power cut must not take the backup with a directory above it that is new too.
        for new in parents.into_iter().chain([path]) {
            sync_parent(new).map_err(|error| io_error(new, "sync", error))?;
        }
        if let Some(found) = list(path)?.into_iter().next() {
            return Err(StorageError::DestinationNotEmpty { path: path.to_path_buf(), found });
        }
        Ok(Self { path: path.to_path_buf() })
    }
}

impl Folder for RealFolder {
    fn create(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        // A second backup to the same place fails here, if not before.
        let mut file =
            OpenOptions::new().write(true).create_new(true).open(self.path.join(name))?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn sync(&self) -> io::Result<()> {
        sync_dir(&self.path)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

/// The names in a directory, sorted.
pub(super) fn list(path: &Path) -> Result<Vec<String>> {
    let listed = || -> io::Result<Vec<String>> {
        let entries = fs::read_dir(path)?;
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    };
    let mut names = listed().map_err(|error| io_error(path, "list", error))?;
    names.sort();
    Ok(names)
}

/// The bytes of a file that is as long as it should be.
pub(super) fn read_file(path: &Path, length: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = || -> io::Result<u64> {
        let file = File::open(path)?;
        let found = file.metadata()?.len();
        if found == length {
            file.take(length).read_to_end(&mut bytes)?;
        }
        Ok(found)
    };
    let found = { read }().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => damaged(path, "the file is missing".to_owned()),
        _ => io_error(path, "read", error),
    })?;
    if found != length || bytes.len() as u64 != length {
        return Err(damaged(path, format!("it has {found} bytes and should have {length}")));
    }
    Ok(bytes)
}

/// A backup is not what was written.
pub(super) fn damaged(path: &Path, problem: String) -> StorageError {
    StorageError::BackupDamaged { path: path.to_path_buf(), problem }
}
