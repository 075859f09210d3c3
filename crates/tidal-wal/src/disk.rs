//! The only place that touches files.
//!
//! A log lives in one directory and reaches it through [`Disk`], so that tests
//! can put a disk that fails in its place. Random bits come the same way, so that a
//! simulation can be replayed.
//!
//! D1. Writes go to explicit offsets of files whose length is fixed; nothing is
//!     buffered in between.
//! D2. A file that is created is filled with zeros, not only reserved, so that
//!     a later sync of its data needs no change of the file system's metadata.
//! D3. A read or a write that does a part, or is interrupted, goes on.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidal_types::WalError;

use crate::names;

static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// The directory of a log.
pub(crate) trait Disk: Debug + Send + Sync {
    /// The path of a file, for error texts.
    fn path(&self, name: &str) -> PathBuf;
    /// The names of all files, in no order.
    fn list(&self) -> io::Result<Vec<String>>;
    /// A new file of `bytes` zeros; one of that name is replaced.
    fn create(&self, name: &str, bytes: u64) -> io::Result<Arc<dyn DiskFile>>;
    /// An existing file, for reading.
    fn open_read(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// An existing file, for reading and writing.
    fn open_write(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes creations, renames and removals durable.
    fn sync_dir(&self) -> io::Result<()>;
    /// Random bits, for identities.
    fn random_u64(&self) -> io::Result<u64>;
}

/// One file of a log.
pub(crate) trait DiskFile: Debug + Send + Sync {
    fn len(&self) -> io::Result<u64>;
    /// Reads some of the bytes, and none only where the file ends.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes some of the bytes.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;
    /// Makes everything written durable.
    fn sync(&self) -> io::Result<()>;

    /// Reads all of the bytes (D3).
    fn read_exact_at(&self, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.read_at(bytes, offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    bytes = std::mem::take(&mut bytes).get_mut(count..).unwrap_or_default();
                    offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes all of the bytes (D3).
    fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write_at(bytes, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    bytes = bytes.get(count..).unwrap_or_default();
                    offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A whole file.
pub(crate) fn read_all(file: &dyn DiskFile) -> io::Result<Vec<u8>> {
    let length = usize::try_from(file.len()?).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Says where an operation failed; a full disk has its own error.
pub(crate) fn failed(operation: &'static str, path: PathBuf) -> impl FnOnce(io::Error) -> WalError {
    move |error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => WalError::NoSpace { path },
        _ => WalError::Io { operation, path, source: Arc::new(error) },
    }
}

/// A directory of the operating system.
#[derive(Debug)]
pub(crate) struct RealDisk {
    dir: PathBuf,
}

impl RealDisk {
    /// The directory, created when it is missing.
    pub(crate) fn create(dir: &Path) -> Result<Self, WalError> {
        create_dir_durable(dir).map_err(failed("create", dir.into()))?;
        Ok(Self { dir: dir.into() })
    }

    /// The directory as it is.
    pub(crate) fn existing(dir: &Path) -> Self {
        Self { dir: dir.into() }
    }

    /// Takes the lock of the directory, for as long as the file is open.
    pub(crate) fn lock(&self) -> Result<Lock, WalError> {
        let path = self.path(names::LOCK);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        self.locked(file.map_err(failed("open", path))?)
    }

    /// The same, without writing; `None` when there is no lock file and so no
    /// owner.
    pub(crate) fn lock_existing(&self) -> Result<Option<Lock>, WalError> {
        let path = self.path(names::LOCK);
        match File::open(&path) {
            Ok(file) => self.locked(file).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("open", path)(error)),
        }
    }

    fn locked(&self, file: File) -> Result<Lock, WalError> {
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => Err(WalError::Locked { path: self.dir.clone() }),
            Err(TryLockError::Error(error)) => Err(failed("lock", self.dir.clone())(error)),
        }
    }
}

/// The lock of a directory, until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file frees the lock too, unless a child process that is just
        // being started has a copy of it.
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "a lock is freed by closing its file");
        }
    }
}

impl Disk for RealDisk {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        // A name that is not UTF-8 is none of ours.
        let names = fs::read_dir(&self.dir)?.filter_map(|entry| {
            entry.map(|entry| entry.file_name().into_string().ok()).transpose()
        });
        names.collect()
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<Arc<dyn DiskFile>> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open(self.path(name))?;
        let file = RealFile(file);
        let mut offset = 0;
        while offset < bytes {
            let length = (bytes - offset).min(ZEROS.len() as u64);
            let zeros = usize::try_from(length).ok().and_then(|length| ZEROS.get(..length));
            file.write_all_at(zeros.unwrap_or(&ZEROS), offset)?;
            offset += length;
        }
        Ok(Arc::new(file))
    }

    fn open_read(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(RealFile(File::open(self.path(name))?)))
    }

    fn open_write(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(true).open(self.path(name))?;
        Ok(Arc::new(RealFile(file)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        sync_dir(&self.dir)
    }

    fn random_u64(&self) -> io::Result<u64> {
        getrandom::u64().map_err(|error| io::Error::other(error.to_string()))
    }
}

#[derive(Debug)]
struct RealFile(File);

impl DiskFile for RealFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    #[cfg(unix)]
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.0, bytes, offset)
    }

    #[cfg(unix)]
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::write_at(&self.0, bytes, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(&self.0, bytes, offset)
    }

    #[cfg(windows)]
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_write(&self.0, bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

/// Creates a directory and every parent that is missing, and makes their entries
/// durable. A directory that is there and empty may be one whose creation was cut
/// short, so its entry is made durable too.
///
/// # Errors
/// What the operating system says.
pub fn create_dir_durable(dir: &Path) -> io::Result<()> {
    match fs::read_dir(dir) {
        Ok(mut entries) => {
            return if entries.next().is_some() { Ok(()) } else { sync_parent(dir) };
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) => {}
    }
    if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_dir_durable(parent)?;
    }
    match fs::create_dir(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_parent(dir),
    }
}

fn sync_parent(dir: &Path) -> io::Result<()> {
    dir.parent().map_or(Ok(()), sync_dir)
}

#[cfg(not(windows))]
fn sync_dir(dir: &Path) -> io::Result<()> {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    File::open(dir)?.sync_all()
}

/// Windows has no way to sync a directory.
#[cfg(windows)]
fn sync_dir(_dir: &Path) -> io::Result<()> {
    Ok(())
}
