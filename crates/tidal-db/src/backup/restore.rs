//! Restoring a backup into a new directory.

use std::path::Path;

use tidal_storage::Progress;
use tidal_types::{Seq, StorageError, TidalError, Timestamp, WalError};
use tidal_wal::{SalvageOptions, TakenOver, take_over};

use super::read::Backup;
use super::{BackupInfo, log_dir, storage_dir};
use crate::directory::{self, Directory};
use crate::{Engine, Result};

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The backup it was restored from.
    pub backup: BackupInfo,
    /// The log of the new database: its identity, and what it took over of the one that
    /// was backed up.
    pub log: TakenOver,
}

/// Restores the backup in `backup` into the new or empty directory `data_dir`, on an
/// engine that need not be the one it was made on. The database that opens there has the
/// state, and the checksum, of the last record in the backup. Its log has an identity of
/// its own and names the other as its parent.
///
/// Every byte of the log is checked before `data_dir` is touched, and each chunk of
/// storage before it is written. When the call returns, the database survives a power
/// cut; when it fails or is cut short after its first write, `data_dir` is refused as
/// [`RestoreUnfinished`](crate::TidalError::RestoreUnfinished), and is to be removed.
///
/// # Errors
/// Those of [`verify_backup`](crate::verify_backup); when `data_dir` has anything in it,
/// [`DestinationNotEmpty`](crate::StorageError::DestinationNotEmpty),
/// [`NotADatabase`](crate::TidalError::NotADatabase) or
/// [`RestoreUnfinished`](crate::TidalError::RestoreUnfinished);
/// [`Locked`](crate::TidalError::Locked); what storage and the operating system say.
pub fn restore(
    backup: impl AsRef<Path>,
    data_dir: impl AsRef<Path>,
    engine: Engine,
) -> Result<Restored> {
    restore_with(backup, data_dir, engine, None, &mut |_| ())
}

/// The same as [`restore`], up to the log time `until`: what was written later is left
/// out. The log time of a record is when it was written, not when its event happened.
///
/// # Errors
/// Those of [`restore`]; [`BeforeBackup`](crate::WalError::BeforeBackup) when storage in
/// the backup may hold something of a later record, or none was written up to then.
pub fn restore_until(
    backup: impl AsRef<Path>,
    data_dir: impl AsRef<Path>,
    engine: Engine,
    until: Timestamp,
) -> Result<Restored> {
    restore_with(backup, data_dir, engine, Some(until), &mut |_| ())
}

/// The same as [`restore`], or with a time as [`restore_until`], telling how far storage
/// is.
///
/// # Errors
/// Those of [`restore_until`].
pub fn restore_with(
    backup: impl AsRef<Path>,
    data_dir: impl AsRef<Path>,
    engine: Engine,
    until: Option<Timestamp>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Restored> {
    let (dest, data_dir) = (backup.as_ref(), data_dir.as_ref());
    let backup = Backup::open(dest)?;
    backup.check_log()?;
    let directory = Directory::begin_restore(data_dir)?;
    let path = directory.path();
    // A log without a record is of no database yet, and nobody could open it.
    let at_least = backup.log.reach.max(Seq::FIRST);
    let log = take_log(&log_dir(dest), path, until, at_least)?;
    let storage = engine.open(&directory::storage_dir(path))?;
    tidal_storage::restore_with(&storage_dir(dest), &*storage, progress)?;
    storage.close()?;
    // Z4.
    directory.finish_restore(engine.name())?;
    Ok(Restored { backup: backup.info, log })
}

/// Z3.
pub(super) fn take_log(
    from: &Path,
    path: &Path,
    until: Option<Timestamp>,
    at_least: Seq,
) -> Result<TakenOver> {
    let to = directory::log_dir(path);
    take_over(from, &to, until, at_least, &SalvageOptions::default()).map_err(|error| match error {
        WalError::NotEmpty { path } => {
            StorageError::DestinationNotEmpty { path, found: "a log".into() }.into()
        }
        other => TidalError::from(other),
    })
}
