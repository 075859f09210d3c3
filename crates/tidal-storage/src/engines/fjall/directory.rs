//! What is in a directory, before fjall opens it.
//!
//! fjall creates a database wherever there is no version file, fails for ever on
//! one whose creation was cut short, and panics on folders that it does not
//! know. So we look first. A whole database has its catalog,
//! `keyspaces/0/current`. Without one there may still be data: a table, a second
//! keyspace, or a journal with a first record in it.
//!
//! | version file        | catalog | data | other files | what we do                 |
//! |---------------------|---------|------|-------------|----------------------------|
//! | `FJL` other than 3  | any     | any  | any         | refuse: version            |
//! | `FJL` 3             | yes     | any  | any         | open                       |
//! | none or other bytes | yes     | any  | any         | refuse: damaged            |
//! | any                 | no      | yes  | any         | refuse: damaged            |
//! | any                 | no      | no   | yes         | refuse: not storage        |
//! | none, empty, or 3   | no      | no   | no          | clear what is left, create |
//!
//! Other bytes in the version file count as another file. A folder in `keyspaces`
//! without a number is damage beside a catalog, and another file without one.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use tidal_types::StorageError;

use super::journal::{FLOOR, UNFINISHED};
use crate::Result;
use crate::directory::{LOCK_FILE, io_error};

/// The format of fjall that we know.
pub(super) const FORMAT_VERSION: u8 = 3;

const FJALL_LOCK: &str = "lock";
const VERSION: &str = "version";
const KEYSPACES: &str = "keyspaces";
const MAGIC: &[u8; 3] = b"FJL";
/// fjall's own keyspace, which names the others.
const CATALOG: &str = "0";
const CATALOG_CURRENT: &str = "current";
const TABLES: &str = "tables";

/// What to do with a directory.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It holds a database.
    Open,
    /// It is empty, or what is left of a creation holds nothing.
    Create {
        /// What is left.
        leftovers: Vec<PathBuf>,
    },
}

/// What the version file says.
#[derive(Debug, PartialEq, Eq)]
enum Version {
    Blank,
    Format(u8),
    Other,
}

/// Says what to do with a directory, and changes nothing.
pub(super) fn inspect(directory: &Path) -> Result<Verdict> {
    decide(directory).map_err(|error| io_error(directory, "look into", error))?
}

/// Clears what a creation that was cut short has left, and puts back what fjall
/// needs but a copy of the directory may lack. Whoever calls holds the lock.
pub(super) fn prepare(directory: &Path) -> Result<()> {
    let leftovers = match inspect(directory)? {
        Verdict::Create { leftovers } => leftovers,
        Verdict::Open => {
            let lock = directory.join(FJALL_LOCK);
            let opened = File::options().create(true).truncate(false).write(true).open(&lock);
            return opened.map(drop).map_err(|error| io_error(&lock, "open the lock file", error));
        }
    };
    for path in leftovers {
        let removed =
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(|error| {
            io_error(&path, "remove the rest of a creation that was cut short,", error)
        })?;
    }
    Ok(())
}

/// What lies in a directory, as far as the verdict needs to know.
#[derive(Debug, Default)]
struct Contents {
    /// The files and folders that a creation makes.
    created: Vec<PathBuf>,
    journals: Vec<PathBuf>,
    /// Something that is not fjall's.
    stranger: Option<PathBuf>,
    /// Something in the folder of keyspaces that is not a keyspace.
    strange_keyspace: Option<PathBuf>,
    has_catalog: bool,
    /// Whether there is a keyspace beside the catalog, or a table in the catalog.
    has_tables: bool,
}

fn decide(directory: &Path) -> io::Result<Result<Verdict>> {
    let path = directory.to_path_buf();
    let damaged =
        |problem: String| Ok(Err(StorageError::Damaged { path: directory.to_path_buf(), problem }));
    let contents = list(directory)?;
    let version = read_version(&directory.join(VERSION))?;
    match version {
        Version::Format(FORMAT_VERSION) if contents.has_catalog => {
            match contents.strange_keyspace {
                None => return Ok(Ok(Verdict::Open)),
                Some(strange) => {
                    return damaged(format!("{} is not a keyspace", strange.display()));
                }
            }
        }
        Version::Format(FORMAT_VERSION) => {}
        Version::Format(found) => {
            return Ok(Err(StorageError::UnsupportedVersion {
                path,
                found,
                supported: FORMAT_VERSION,
            }));
        }
        Version::Blank | Version::Other if contents.has_catalog => {
            return damaged("its version file is missing or not readable".to_owned());
        }
        Version::Blank | Version::Other => {}
    }
    let mut has_data = contents.has_tables;
    for journal in &contents.journals {
        has_data |= has_record(journal)?;
    }
    if has_data {
        return damaged("its catalog of keyspaces is missing".to_owned());
    }
    let other_version = (version == Version::Other).then(|| directory.join(VERSION));
    if let Some(stranger) = contents.stranger.or(contents.strange_keyspace).or(other_version) {
        return Ok(Err(StorageError::NotStorage {
            path,
            problem: format!("it has {}", stranger.display()),
        }));
    }
    Ok(Ok(Verdict::Create { leftovers: [contents.created, contents.journals].concat() }))
}

fn list(directory: &Path) -> io::Result<Contents> {
    let mut contents = Contents::default();
    for path in entries(directory)? {
        match path.file_name().and_then(OsStr::to_str) {
            Some(LOCK_FILE | FJALL_LOCK) => {}
            Some(VERSION | KEYSPACES | FLOOR | UNFINISHED) => contents.created.push(path),
            Some(name) if name.strip_suffix(".jnl").is_some_and(is_number) => {
                contents.journals.push(path)
            }
            _ => contents.stranger = Some(path),
        }
    }
    let keyspaces = directory.join(KEYSPACES);
    for path in entries(&keyspaces)? {
        match path.file_name().and_then(OsStr::to_str) {
            Some(CATALOG) if path.is_dir() => {}
            Some(name) if is_number(name) && path.is_dir() => contents.has_tables = true,
            _ => contents.strange_keyspace = Some(path),
        }
    }
    let catalog = keyspaces.join(CATALOG);
    contents.has_catalog = catalog.join(CATALOG_CURRENT).try_exists()?;
    contents.has_tables |= !entries(&catalog.join(TABLES))?.is_empty();
    Ok(contents)
}

/// The paths of what is in a directory; none if it is not there.
fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(directory) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn is_number(name: &str) -> bool {
    name.parse::<u64>().is_ok()
}

fn read_version(path: &Path) -> io::Result<Version> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(16).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Version::Blank),
        Err(error) => return Err(error),
    };
    Ok(match bytes.split_first_chunk() {
        Some((MAGIC, &[format, ..])) => Version::Format(format),
        _ if bytes.is_empty() => Version::Blank,
        _ => Version::Other,
    })
}

/// Whether anything was ever written to a journal. It begins as zeros, and no
/// record begins with one.
fn has_record(journal: &Path) -> io::Result<bool> {
    let mut first = [0];
    let read = File::open(journal)?.read(&mut first)?;
    Ok(read > 0 && first != [0])
}

#[cfg(test)]
mod tests;
