//! The directory, and the file by which it is known. Each engine has a folder.
//!
//! | `hybrid` | folders of both | other files | what we do                               |
//! |----------|-----------------|-------------|------------------------------------------|
//! | yes      | yes             | any         | open                                     |
//! | yes      | no              | any         | refuse: damaged                          |
//! | no       | any             | yes         | refuse: not storage                      |
//! | no       | any             | no          | create, over the rest of a creation      |
//!
//! The file `hybrid` is written last, so whatever has it was whole once:
//!
//! | offset | size | field      |
//! |--------|------|------------|
//! | 0      | 7    | `TIDALHY`  |
//! | 7      | 1    | version, 1 |

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tidal_types::StorageError;

use crate::Result;
use crate::directory::{LOCK_FILE, io_error, sync_dir};
use crate::engines::fjall::Fjall;
use crate::engines::opening::Verdict;
use crate::engines::redb::Redb;

const MARKER: &str = "hybrid";
const MAKING: &str = "making.hybrid";
const FJALL: &str = "fjall";
const REDB: &str = "redb";
const MAGIC: [u8; 7] = *b"TIDALHY";
const VERSION: u8 = 1;

pub(super) fn fjall_folder(directory: &Path) -> PathBuf {
    directory.join(FJALL)
}

pub(super) fn redb_folder(directory: &Path) -> PathBuf {
    directory.join(REDB)
}

/// Says what to do with a directory, and changes nothing.
pub(super) fn inspect(directory: &Path) -> Result<Verdict> {
    if is_marked(directory)? {
        let damaged = |folder: PathBuf| StorageError::Damaged {
            path: directory.to_path_buf(),
            problem: format!("{} has no storage, and it had", folder.display()),
        };
        if !Fjall::is_in(&fjall_folder(directory))? {
            return Err(damaged(fjall_folder(directory)));
        }
        if !Redb::is_in(&redb_folder(directory))? {
            return Err(damaged(redb_folder(directory)));
        }
        return Ok(Verdict::Open);
    }
    let failed = |error| io_error(directory, "look into", error);
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Verdict::Create),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(OsStr::to_str);
        if !name.is_some_and(|name| [LOCK_FILE, MAKING, FJALL, REDB].contains(&name)) {
            return Err(StorageError::NotStorage {
                path: directory.to_path_buf(),
                problem: format!("it has {}", path.display()),
            });
        }
    }
    Ok(Verdict::Create)
}

/// Whether the file is there. What is in it must be what we write.
fn is_marked(directory: &Path) -> Result<bool> {
    let path = directory.join(MARKER);
    let mut bytes = Vec::new();
    let read = match File::open(&path) {
        Ok(file) => file.take(64).read_to_end(&mut bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => Err(error),
    };
    read.map_err(|error| io_error(&path, "read", error))?;
    match bytes.split_first_chunk() {
        Some((&MAGIC, &[VERSION])) => Ok(true),
        Some((&MAGIC, &[found, ..])) => Err(StorageError::UnsupportedVersion {
            path: directory.to_path_buf(),
            found,
            supported: VERSION,
        }),
        _ => Err(StorageError::Damaged {
            path: directory.to_path_buf(),
            problem: format!("its file {MARKER} is not readable"),
        }),
    }
}

/// Marks a directory in which both engines are whole.
pub(super) fn mark(directory: &Path) -> Result<()> {
    let making = directory.join(MAKING);
    let written = File::create(&making).and_then(|mut file| {
        file.write_all(&[&MAGIC[..], &[VERSION]].concat())?;
        file.sync_all()
    });
    written.map_err(|error| io_error(&making, "write", error))?;
    fs::rename(&making, directory.join(MARKER))
        .and_then(|()| sync_dir(directory))
        .map_err(|error| io_error(&making, "rename", error))
}
