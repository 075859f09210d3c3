//! The directory of a database.
//!
//! | name         | what it is                                             |
//! |--------------|--------------------------------------------------------|
//! | `TIDALDB`    | what this directory is: format version and engine      |
//! | `RESTORING`  | a restore into this directory has begun                |
//! | `tidal.lock` | held by the process that has the database open         |
//! | `log`        | the log, see tidal-wal                                 |
//! | `storage`    | the storage engine's own                               |
//! | `base`       | the state before the log's first record, of the same engine, see `base.rs` |
//! | `SETTINGS`   | what was chosen for this database, see `settings.rs`   |
//! | `log.salvaged` | a log that a salvage is making                       |
//! | `log.damaged.{n}` | a log that a salvage has put aside, from n = 0 on |
//! | `storage.aside.{n}` | a storage that a salvage has put aside          |
//!
//! `TIDALDB` is text, two lines, each ended by a newline:
//!
//! ```text
//! tidalDB format 1
//! engine fjall
//! ```
//!
//! Y1. `TIDALDB` is the first thing a new directory gets, whole or not at all. So
//!     a directory without it is not a database, and one with it may be opened.
//! Y2. A directory with `log.salvaged` and without `log` is between two renames of a
//!     salvage, and is not opened.
//! Y3. A directory that is restored into gets `RESTORING` first and `TIDALDB` last. One
//!     with the first and without the second is not whole, and is not opened.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidal_storage::DirectoryLock;
use tidal_types::{StorageError, TidalError};
use tidal_wal::create_dir_durable;

use crate::Result;

const MARKER: &str = "TIDALDB";
const MARKER_TEMPORARY: &str = "TIDALDB.tmp";
/// What is being written has this extension; see `MARKER_TEMPORARY`.
const TEMPORARY: &str = "tmp";
const RESTORING: &str = "RESTORING";
const LOCK: &str = "tidal.lock";
const FORMAT_PREFIX: &str = "tidalDB format ";
const ENGINE_PREFIX: &str = "engine ";
const FORMAT: &str = "1";
/// A marker is a few dozen bytes; whatever is longer is none.
const MARKER_BYTES_MAX: u64 = 4096;

/// A directory that this process has, until it is dropped.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    _lock: DirectoryLock,
}

impl Directory {
    /// Takes the directory for a database of this engine, and makes it one when
    /// it is empty or not there.
    ///
    /// # Errors
    /// [`TidalError::Locked`], [`TidalError::NotADatabase`],
    /// [`TidalError::UnsupportedFormat`], [`TidalError::EngineMismatch`] and what
    /// the operating system says. A directory that is refused is left as it was.
    pub(crate) fn create_or_open(path: &Path, engine: &str) -> Result<Self> {
        if read_marker(path)?.is_none() {
            refuse_contents(path)?;
        }
        create_dir_durable(path).map_err(failed("create", path))?;
        let lock = lock(path)?;
        // Looked at again under the lock: someone may have been faster.
        match read_marker(path)? {
            Some(marker) => marker.check(path, engine)?,
            None => {
                refuse_contents(path)?;
                write_marker(path, engine)?;
            }
        }
        Ok(Self { path: path.into(), _lock: lock })
    }

    /// Takes the directory of an existing database of this engine.
    ///
    /// # Errors
    /// [`TidalError::NotFound`] when there is no database, and those of
    /// [`Directory::create_or_open`].
    pub(crate) fn open(path: &Path, engine: &str) -> Result<Self> {
        require_marker(path)?.check(path, engine)?;
        let lock = lock(path)?;
        Ok(Self { path: path.into(), _lock: lock })
    }

    /// Takes an empty or new directory to restore a database into (Y3).
    ///
    /// # Errors
    /// [`TidalError::NotADatabase`] when it has anything in it, a database or not;
    /// [`TidalError::RestoreUnfinished`], [`TidalError::Locked`] and what the operating
    /// system says.
    pub(crate) fn begin_restore(path: &Path) -> Result<Self> {
        refuse_used(path)?;
        create_dir_durable(path).map_err(failed("create", path))?;
        let lock = lock(path)?;
        // Looked at again under the lock: someone may have been faster.
        refuse_used(path)?;
        let file = path.join(RESTORING);
        write_synced(&file, b"").map_err(failed("write", &file))?;
        sync_dir(path).map_err(failed("sync", path))?;
        Ok(Self { path: path.into(), _lock: lock })
    }

    /// Makes a database of it: everything else is there and durable.
    pub(crate) fn finish_restore(&self, engine: &str) -> Result<()> {
        sync_dir(&self.path).map_err(failed("sync", &self.path))?;
        write_marker(&self.path, engine)?;
        let file = self.path.join(RESTORING);
        fs::remove_file(&file).map_err(failed("remove", &file))?;
        sync_dir(&self.path).map_err(failed("sync", &self.path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Refuses a directory that holds anything, a database or not.
fn refuse_used(path: &Path) -> Result<()> {
    if read_marker(path)?.is_some() {
        let found = MARKER.to_owned();
        return Err(StorageError::DestinationNotEmpty { path: path.into(), found }.into());
    }
    refuse_contents(path)
}

/// Refuses a directory that holds anything and is no database.
fn refuse_contents(path: &Path) -> Result<()> {
    if path.join(RESTORING).exists() {
        return Err(TidalError::RestoreUnfinished { path: path.into() });
    }
    if is_blank(path)? { Ok(()) } else { Err(TidalError::NotADatabase { path: path.into() }) }
}

/// Where the log of a database is.
pub(crate) fn log_dir(path: &Path) -> PathBuf {
    path.join("log")
}

/// Where the storage of a database is.
pub(crate) fn storage_dir(path: &Path) -> PathBuf {
    path.join("storage")
}

/// Where the base of a database is, if it has one.
pub(crate) fn base_dir(path: &Path) -> PathBuf {
    path.join("base")
}

/// Where a salvage makes a log.
pub(crate) fn salvaged_dir(path: &Path) -> PathBuf {
    path.join("log.salvaged")
}

/// Where the n-th damaged log is put aside.
pub(crate) fn damaged_log_dir(path: &Path, n: u64) -> PathBuf {
    path.join(format!("log.damaged.{n}"))
}

/// Where the n-th storage is put aside.
pub(crate) fn aside_storage_dir(path: &Path, n: u64) -> PathBuf {
    path.join(format!("storage.aside.{n}"))
}

/// Y2.
pub(crate) fn refuse_interrupted_salvage(path: &Path) -> Result<()> {
    if !log_dir(path).exists() && salvaged_dir(path).exists() {
        return Err(TidalError::SalvageInterrupted { path: path.into() });
    }
    Ok(())
}

/// Gives a directory inside another name, durably.
pub(crate) fn rename_durable(path: &Path, from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(failed("rename", from))?;
    sync_dir(path).map_err(failed("sync", path))
}

/// Removes a directory inside and what is in it, if it is there.
pub(crate) fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

/// The log of the database in a directory, or the directory itself when it is no
/// database and can only be a log alone. Nothing is touched.
pub(crate) fn log_of(path: &Path) -> Result<LogPlace> {
    match read_marker(path)? {
        Some(marker) => {
            marker.check_format(path)?;
            refuse_interrupted_salvage(path)?;
            Ok(LogPlace::Database(log_dir(path)))
        }
        None => Ok(LogPlace::Alone(path.into())),
    }
}

/// Where a log is.
#[derive(Debug)]
pub(crate) enum LogPlace {
    /// In a database.
    Database(PathBuf),
    /// By itself, its records known to another program.
    Alone(PathBuf),
}

impl LogPlace {
    pub(crate) fn path(&self) -> &Path {
        let (Self::Database(log) | Self::Alone(log)) = self;
        log
    }
}

/// Checks that there is a database in a format that this program knows, without
/// touching anything.
pub(crate) fn check_format(path: &Path) -> Result<()> {
    require_marker(path)?.check_format(path)
}

/// The engine that a directory records, if it is one of a database.
pub(crate) fn recorded_engine(path: &Path) -> Result<Option<String>> {
    Ok(read_marker(path)?.and_then(|marker| marker.engine))
}

/// What the marker says.
#[derive(Debug)]
struct Marker {
    format: String,
    engine: Option<String>,
}

impl Marker {
    fn check_format(&self, path: &Path) -> Result<()> {
        if self.format == FORMAT {
            return Ok(());
        }
        Err(TidalError::UnsupportedFormat {
            path: path.into(),
            found: self.format.clone(),
            supported: FORMAT.into(),
        })
    }

    fn check(&self, path: &Path, engine: &str) -> Result<()> {
        self.check_format(path)?;
        match &self.engine {
            Some(found) if found == engine => Ok(()),
            Some(found) => Err(TidalError::EngineMismatch {
                path: path.into(),
                found: found.clone(),
                requested: engine.into(),
            }),
            None => Err(TidalError::Damaged {
                location: path.join(MARKER).display().to_string(),
                problem: "it names no engine".into(),
            }),
        }
    }
}

fn require_marker(path: &Path) -> Result<Marker> {
    match read_marker(path)? {
        Some(marker) => Ok(marker),
        None => {
            refuse_contents(path)?;
            Err(TidalError::NotFound { path: path.into() })
        }
    }
}

fn read_marker(path: &Path) -> Result<Option<Marker>> {
    let file = path.join(MARKER);
    let length = match fs::metadata(&file) {
        Ok(metadata) => metadata.len(),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(failed("read", &file)(error)),
    };
    let malformed = || TidalError::Damaged {
        location: file.display().to_string(),
        problem: "it does not say what this directory is".into(),
    };
    if length > MARKER_BYTES_MAX {
        return Err(malformed());
    }
    let bytes = fs::read(&file).map_err(failed("read", &file))?;
    let text = String::from_utf8(bytes).map_err(|_| malformed())?;
    let mut lines = text.lines();
    let format =
        lines.next().and_then(|line| line.strip_prefix(FORMAT_PREFIX)).ok_or_else(malformed)?;
    let engine = lines.next().and_then(|line| line.strip_prefix(ENGINE_PREFIX));
    Ok(Some(Marker { format: format.into(), engine: engine.map(Into::into) }))
}

/// Whether there is nothing, or only what a crash may have left of a directory
/// that was about to become a database.
fn is_blank(path: &Path) -> Result<bool> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(failed("list", path)(error)),
    };
    for entry in entries {
        let name = entry.map_err(failed("list", path))?.file_name();
        if name != LOCK && name != MARKER_TEMPORARY {
            return Ok(false);
        }
    }
    Ok(true)
}

fn lock(path: &Path) -> Result<DirectoryLock> {
    DirectoryLock::acquire(path).map_err(|error| match error {
        StorageError::Locked { path } => TidalError::Locked { path },
        StorageError::Io { operation, path, source } => TidalError::Io { operation, path, source },
        other => other.into(),
    })
}

fn write_marker(path: &Path, engine: &str) -> Result<()> {
    let text = format!("{FORMAT_PREFIX}{FORMAT}\n{ENGINE_PREFIX}{engine}\n");
    replace_durable(path, &path.join(MARKER), text.as_bytes())
}

/// Gives a file in the directory `path` these bytes, durably, all of them or none.
pub(crate) fn replace_durable(path: &Path, file: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = file.with_extension(TEMPORARY);
    write_synced(&temporary, bytes).map_err(failed("write", &temporary))?;
    fs::rename(&temporary, file).map_err(failed("rename", file))?;
    sync_dir(path).map_err(failed("sync", path))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(not(windows))]
fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Windows has no way to sync a directory.
#[cfg(windows)]
fn sync_dir(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Says where an operation failed; a full disk has the error of storage.
pub(crate) fn failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TidalError {
    let path = path.to_path_buf();
    move |error| TidalError::Io { operation, path, source: Arc::new(error) }
}
