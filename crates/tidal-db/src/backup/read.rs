//! Reading a backup: its manifest, and whether it is whole. Nothing is written.

use std::fs;
use std::path::{Path, PathBuf};

use tidal_storage::{Progress, read_manifest};
use tidal_types::{Position, StorageError, TidalError};
use tidal_wal::{Head, inspect_log};

use super::log_part::{LogFile, LogPart};
use super::write::log_files;
use super::{BackupInfo, log_dir, storage_dir};
use crate::Result;
use crate::directory::failed;

/// What the backup in `dest` holds, by its manifest alone.
///
/// # Errors
/// [`NoBackup`](crate::StorageError::NoBackup) when there is none, or one that was cut
/// short; [`BackupDamaged`](crate::StorageError::BackupDamaged);
/// [`BackupVersion`](crate::StorageError::BackupVersion).
pub fn read_backup(dest: impl AsRef<Path>) -> Result<BackupInfo> {
    Ok(Backup::open(dest.as_ref())?.info)
}

/// Checks every byte of the backup in `dest`, and that nothing else is there. Needs no
/// database, and writes nothing.
///
/// # Errors
/// Those of [`read_backup`];
/// [`CompressionMissing`](crate::StorageError::CompressionMissing).
pub fn verify_backup(dest: impl AsRef<Path>) -> Result<BackupInfo> {
    verify_backup_with(dest, &mut |_| ())
}

/// The same as [`verify_backup`], telling how far storage is.
///
/// # Errors
/// Those of [`verify_backup`].
pub fn verify_backup_with(
    dest: impl AsRef<Path>,
    progress: &mut dyn FnMut(Progress),
) -> Result<BackupInfo> {
    let backup = Backup::open(dest.as_ref())?;
    backup.check_log()?;
    tidal_storage::verify_backup_with(&storage_dir(dest.as_ref()), progress)?;
    Ok(backup.info)
}

/// A backup whose manifest is sound.
#[derive(Debug)]
pub(super) struct Backup {
    dest: PathBuf,
    pub(super) info: BackupInfo,
    pub(super) log: LogPart,
}

impl Backup {
    pub(super) fn open(dest: &Path) -> Result<Self> {
        let storage = storage_dir(dest);
        let manifest = read_manifest(&storage)?;
        let log = LogPart::decode(&manifest.extras);
        let (Some(log), Some(applied)) = (log, manifest.position) else {
            return Err(damaged(&storage, "its manifest does not speak of a log".into()));
        };
        let position = Position { log_id: applied.log_id, seq: log.last_seq };
        let files = manifest.chunks.iter().map(|chunk| u64::from(chunk.file_bytes));
        let log_bytes = log.files.iter().map(|file| file.bytes);
        let info = BackupInfo {
            created: manifest.created,
            engine: manifest.engine.clone(),
            applied,
            first_seq: log.first_seq,
            head: Head { position, digest: log.digest },
            keys: manifest.keys(),
            disk_bytes: files.chain(log_bytes).fold(0, u64::saturating_add),
        };
        Ok(Self { dest: dest.into(), info, log })
    }

    /// That the log is file by file what was copied, that its chain is sound and ends as
    /// the manifest says, and that nothing else is there (Z2).
    pub(super) fn check_log(&self) -> Result<()> {
        let parts = list(&self.dest)?;
        if let Some(other) = parts.iter().find(|name| !["log", "storage"].contains(&name.as_str()))
        {
            return Err(damaged(&self.dest.join(other), "the manifest does not know this".into()));
        }
        let dir = log_dir(&self.dest);
        if !dir.is_dir() {
            return Err(damaged(&dir, "the log is missing".into()));
        }
        self.check_files(&dir, &log_files(&dir)?)?;
        let stat = inspect_log(&dir)?;
        if let Some(problem) = stat.problem {
            return Err(damaged(&problem.path, problem.problem));
        }
        let needed = self.info.applied.seq.next();
        if stat.head != Some(self.info.head)
            || stat.first_seq != Some(self.log.first_seq)
            || self.log.first_seq > needed
            || self.log.reach > self.log.last_seq
        {
            return Err(damaged(&dir, "it is not the log that the manifest speaks of".into()));
        }
        Ok(())
    }

    fn check_files(&self, dir: &Path, found: &[LogFile]) -> Result<()> {
        for expected in &self.log.files {
            match found.iter().find(|file| file.name == expected.name) {
                None => return Err(damaged(&dir.join(&expected.name), "it is missing".into())),
                Some(file) if file != expected => {
                    let problem = "its length or its checksum is wrong".into();
                    return Err(damaged(&dir.join(&expected.name), problem));
                }
                Some(_) => {}
            }
        }
        let unknown =
            |file: &&LogFile| self.log.files.iter().all(|expected| expected.name != file.name);
        match found.iter().find(unknown) {
            Some(extra) => {
                Err(damaged(&dir.join(&extra.name), "the manifest does not know this".into()))
            }
            None => Ok(()),
        }
    }
}

/// The names in a directory, sorted.
pub(super) fn list(path: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(failed("list", path))? {
        let entry = entry.map_err(failed("list", path))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn damaged(path: &Path, problem: String) -> TidalError {
    StorageError::BackupDamaged { path: path.into(), problem }.into()
}
