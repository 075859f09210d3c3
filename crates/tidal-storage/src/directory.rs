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
    /// `None` where nothing can be written, so that nobody else can either.
    file: Option<File>,
}

impl DirectoryLock {
    /// Takes the directory, which is created if it is not there.
    ///
    /// # Errors
    ///
    /// [`StorageError::Locked`] if another process, or another handle in this
    /// one, has it, and what the operating system says.
    pub fn acquire(directory: &Path) -> Result<Self> {
        let parents = missing_parents(directory);
        fs::create_dir_all(directory)
            .map_err(|error| io_error(directory, "create the directory", error))?;
        let path = directory.join(LOCK_FILE);
        if !path.exists() {
            // The directory is new, or its maker died early: a power cut must not
            // take it with everything that will be synced inside, nor a directory
            // above it that is new too.
            for directory in parents.into_iter().chain([directory]) {
                sync_parent(directory).map_err(|error| io_error(directory, "sync", error))?;
            }
        }
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| io_error(&path, "open the lock file", error))?;
        let locked = file.try_lock();
        Self::held(directory, file, locked)
    }

    /// Takes the directory for reading, together with others who read it. Creates
    /// at most the lock file in it.
    ///
    /// # Errors
    ///
    /// [`StorageError::Locked`] if someone has it for writing, and what the
    /// operating system says.
    pub fn acquire_shared(directory: &Path) -> Result<Self> {
        let path = directory.join(LOCK_FILE);
        let open = |create: bool| {
            OpenOptions::new().read(true).write(create).create(create).truncate(false).open(&path)
        };
        let opened = match open(false) {
            // A copy may lack the lock file.
            Err(error) if error.kind() == io::ErrorKind::NotFound => open(true),
            opened => opened,
        };
        let file = match opened {
            Ok(file) => file,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
                ) && !path.exists() =>
            {
                return Ok(Self { file: None });
            }
            Err(error) => return Err(io_error(&path, "open the lock file", error)),
        };
        let locked = file.try_lock_shared();
        Self::held(directory, file, locked)
    }

    fn held(directory: &Path, file: File, locked: Result<(), TryLockError>) -> Result<Self> {
        match locked {
            Ok(()) => Ok(Self { file: Some(file) }),
            Err(TryLockError::WouldBlock) => {
                Err(StorageError::Locked { path: directory.to_path_buf() })
            }
            Err(TryLockError::Error(error)) => {
                Err(io_error(&directory.join(LOCK_FILE), "lock", error))
            }
        }
    }
}

impl Drop for DirectoryLock {
    fn drop(&mut self) {
        // Closing the file frees the lock too, unless a child process that is just
        // being started has a copy of it. If unlocking fails, closing is what is left.
        drop(self.file.as_ref().map(File::unlock));
    }
}

/// The directories above this one that are not there, the lowest first.
pub(crate) fn missing_parents(directory: &Path) -> Vec<&Path> {
    let above = directory.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty());
    above.take_while(|above| !above.exists()).collect()
}

/// Makes the entry of a directory durable.
pub(crate) fn sync_parent(directory: &Path) -> io::Result<()> {
    let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
    sync_dir(parent.unwrap_or(Path::new(".")))
}

/// Makes the entries of what is in a directory durable.
#[cfg(not(windows))]
pub(crate) fn sync_dir(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Windows has no way to sync a directory.
#[cfg(windows)]
pub(crate) fn sync_dir(_directory: &Path) -> io::Result<()> {
    Ok(())
}

/// The file or folder by which the storage of each engine is known.
#[cfg(any(test, feature = "fjall", feature = "lmdb", feature = "redb", feature = "rocksdb"))]
const SIGNATURES: [(&str, &str); 5] = [
    ("fjall", "keyspaces"),
    ("hybrid", "hybrid"),
    ("lmdb", "data.mdb"),
    ("redb", "data.redb"),
    ("rocksdb", "data.rocksdb"),
];

/// Refuses a directory that holds the storage of another engine than this one, and
/// changes nothing.
///
/// # Errors
///
/// [`StorageError::OtherEngine`].
#[cfg(any(test, feature = "fjall", feature = "lmdb", feature = "redb", feature = "rocksdb"))]
pub(crate) fn refuse_other_engine(directory: &Path, engine: &'static str) -> Result<()> {
    let holds = |&&(_, file): &&(&str, &str)| directory.join(file).exists();
    let found: Vec<&str> = SIGNATURES.iter().filter(holds).map(|&(engine, _)| engine).collect();
    match found.first() {
        Some(&first) if !found.contains(&engine) => Err(StorageError::OtherEngine {
            path: directory.to_path_buf(),
            found: first.to_owned(),
            requested: engine.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// A directory that is deleted when it is dropped.
#[cfg(any(test, feature = "testing"))]
#[cfg(any(feature = "fjall", feature = "lmdb", feature = "redb", feature = "rocksdb"))]
pub(crate) fn temporary() -> Result<tempfile::TempDir> {
    tempfile::tempdir()
        .map_err(|error| io_error(&std::env::temp_dir(), "create a temporary directory", error))
}

/// Runs what opens or closes an engine. Some engines trust what they read, and panic
/// over damaged files: such a panic is damage.
pub(crate) fn without_panic<T>(path: &Path, open: impl FnOnce() -> Result<T>) -> Result<T> {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    catch_unwind(AssertUnwindSafe(open)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let problem = format!(
            "the engine gave up while opening or closing it: {}",
            text.unwrap_or("no reason told")
        );
        Err(StorageError::Damaged { path: path.to_path_buf(), problem })
    })
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

    /// Each is then made durable in the one above it.
    #[test]
    fn the_directories_that_will_be_new_are_known() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b/storage");
        assert_eq!(
            missing_parents(&path),
            [directory.path().join("a/b"), directory.path().join("a")]
        );
        DirectoryLock::acquire(&path).unwrap();
        assert!(missing_parents(&path).is_empty());
        assert!(missing_parents(Path::new("storage")).is_empty());
        assert_eq!(missing_parents(Path::new("nowhere/storage")), [Path::new("nowhere")]);
    }

    #[test]
    fn readers_share_a_directory_and_keep_a_writer_out() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let readers = [(); 2].map(|()| DirectoryLock::acquire_shared(path).unwrap());
        let error = DirectoryLock::acquire(path).unwrap_err();
        assert!(matches!(error, StorageError::Locked { .. }), "{error}");
        drop(readers);
        let writer = DirectoryLock::acquire(path).unwrap();
        let error = DirectoryLock::acquire_shared(path).unwrap_err();
        assert!(matches!(error, StorageError::Locked { .. }), "{error}");
        drop(writer);
        DirectoryLock::acquire_shared(path).unwrap();
    }

    #[test]
    fn storage_of_another_engine_is_refused_by_its_name() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("data.redb"), "").unwrap();
        refuse_other_engine(directory.path(), "redb").unwrap();
        let error = refuse_other_engine(directory.path(), "lmdb").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert!(
            matches!(&error, StorageError::OtherEngine { found, requested, .. } if found == "redb" && requested == "lmdb"),
            "{error}"
        );
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
