//! The directory of an engine: its lock, its size, and what the operating system
//! says about it.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::sync::Arc;

use tidal_types::{ErrorKind, StorageError};

use crate::Result;

/// The file whose lock says that a directory is in use. Not every engine has a
/// lock of its own, and one that has may be late in freeing it.
pub(crate) const LOCK_FILE: &str = "tidal.lock";

/// A directory that nobody else has, until this is dropped.
#[derive(Debug)]
pub struct DirectoryLock {
    file: File,
}

impl DirectoryLock {
    /// Takes the directory, which is created if it is not there.
    ///
    /// # Errors
    ///
    /// [`StorageError::Locked`] if another process, or another handle in this
    /// one, has it, and what the operating system says.
    pub fn acquire(directory: &Path) -> Result<Self> {
        fs::create_dir_all(directory)
            .map_err(|error| io_error(directory, "create the directory", error))?;
        let path = directory.join(LOCK_FILE);
        if !path.exists() {
            // The directory is new, or its maker died early: a power cut must not
            // take it with everything that will be synced inside.
            sync_parent(directory).map_err(|error| io_error(directory, "sync", error))?;
        }
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| io_error(&path, "open the lock file", error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => {
                Err(StorageError::Locked { path: directory.to_path_buf() })
            }
            Err(TryLockError::Error(error)) => Err(io_error(&path, "lock", error)),
        }
    }
}

impl Drop for DirectoryLock {
    fn drop(&mut self) {
        // Closing the file frees the lock too, unless a child process that is just
        // being started has a copy of it. If unlocking fails, closing is what is left.
        drop(self.file.unlock());
    }
}

/// Makes the entry of a directory durable.
#[cfg(not(windows))]
fn sync_parent(directory: &Path) -> io::Result<()> {
    let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

/// Windows has no way to sync a directory.
#[cfg(windows)]
fn sync_parent(_directory: &Path) -> io::Result<()> {
    Ok(())
}

/// An error of the operating system, with what was tried and where.
pub(crate) fn io_error(path: &Path, operation: &'static str, error: io::Error) -> StorageError {
    if ErrorKind::of_io(&error) == ErrorKind::Space {
        return StorageError::NoSpace { path: path.to_path_buf() };
    }
    StorageError::Io { operation, path: path.to_path_buf(), source: Arc::new(error) }
}

/// The bytes that the files below a directory take on disk, for a driver that
/// reports them.
///
/// # Errors
///
/// What the operating system says.
pub fn directory_bytes(directory: &Path) -> Result<u64> {
    let mut bytes = 0;
    let mut directories = vec![directory.to_path_buf()];
    while let Some(directory) = directories.pop() {
        let Some(entries) =
            unless_gone(fs::read_dir(&directory)).map_err(|e| io_error(&directory, "list", e))?
        else {
            continue;
        };
        for entry in entries {
            let entry = entry.map_err(|error| io_error(&directory, "list", error))?;
            let path = entry.path();
            match unless_gone(entry.metadata())
                .map_err(|error| io_error(&path, "read the size of", error))?
            {
                Some(metadata) if metadata.is_dir() => directories.push(path),
                Some(metadata) => bytes += allocated_bytes(&metadata),
                None => {}
            }
        }
    }
    Ok(bytes)
}

/// Engines delete files while we look.
fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Journals are made long ahead of what is in them, so the length of a file says
/// little where the file system can leave holes.
#[cfg(unix)]
fn allocated_bytes(metadata: &Metadata) -> u64 {
    const BLOCK_BYTES: u64 = 512;
    std::os::unix::fs::MetadataExt::blocks(metadata) * BLOCK_BYTES
}

#[cfg(not(unix))]
fn allocated_bytes(metadata: &Metadata) -> u64 {
    metadata.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_holder_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new");
        let lock = DirectoryLock::acquire(&path).unwrap();
        let error = DirectoryLock::acquire(&path).unwrap_err();
        assert!(matches!(&error, StorageError::Locked { path: told } if *told == path), "{error}");
        drop(lock);
        DirectoryLock::acquire(&path).unwrap();
    }

    #[test]
    fn a_file_is_no_directory() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "text").unwrap();
        let error = DirectoryLock::acquire(&path).unwrap_err();
        assert!(
            matches!(error, StorageError::Io { operation: "create the directory", .. }),
            "{error}"
        );
    }

    #[test]
    fn no_room_is_told_from_other_failures() {
        let full = io_error(Path::new("db"), "write", io::ErrorKind::StorageFull.into());
        assert_eq!(full.kind(), ErrorKind::Space);
        let denied = io_error(Path::new("db"), "write", io::ErrorKind::PermissionDenied.into());
        assert_eq!(denied.kind(), ErrorKind::Environment);
        assert_eq!(denied.to_string(), "storage at db: cannot write: permission denied");
    }

    #[test]
    fn the_size_counts_files_in_folders_but_not_holes() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("folder")).unwrap();
        fs::write(directory.path().join("folder/file"), vec![7; 100_000]).unwrap();
        let sparse = File::create(directory.path().join("sparse")).unwrap();
        sparse.set_len(1 << 30).unwrap();
        let bytes = directory_bytes(directory.path()).unwrap();
        assert!(bytes >= 100_000, "{bytes}");
        if cfg!(unix) {
            assert!(bytes < 1 << 30, "{bytes}");
        }
    }
}
