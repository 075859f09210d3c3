//! Restoring a backup.

use std::path::Path;

use tidal_types::StorageError;

use super::chunk::{BODY_BYTES, ENTRIES_MAX};
use super::read::Backup;
use super::{BackupReport, Progress, is_unfinished, mark};
use crate::{AtomicBatch, Durability, KeyspaceName, Result, Storage};

/// Writes the backup in `dest` into a storage of any engine that has no keys. Each
/// chunk is checked before anything of it is written. When the call returns, the
/// storage survives a power cut, if its engine does. Nobody else may use it
/// meanwhile.
///
/// When it fails after the first write, or is cut short, the storage is refused by
/// its next opening, as [`StorageError::RestoreUnfinished`], and is to be removed.
///
/// # Errors
///
/// [`StorageError::TargetNotEmpty`]; those of
/// [`verify_backup`](crate::verify_backup); what writing the storage says.
pub fn restore(dest: &Path, target: &dyn Storage) -> Result<BackupReport> {
    restore_with(dest, target, &mut |_| ())
}

/// The same as [`restore`], telling after each chunk how far it is.
///
/// # Errors
///
/// Those of [`restore`].
pub fn restore_with(
    dest: &Path,
    target: &dyn Storage,
    progress: &mut dyn FnMut(Progress),
) -> Result<BackupReport> {
    let backup = Backup::open(dest)?;
    // What can be told cheaply is told before the target is touched.
    backup.check_files()?;
    refuse_keys(target)?;
    mark::set(target)?;
    for keyspace in &backup.manifest.keyspaces {
        // Also one without keys.
        target.keyspace(&keyspace.name)?;
    }
    backup.walk(progress, &mut |keyspace, entries| {
        let mut batch = AtomicBatch::new();
        for (key, value) in entries.flatten() {
            batch.put(keyspace, key, value);
        }
        target.commit(batch, Durability::Buffer)
    })?;
    mark::clear(target)?;
    Ok(backup.report())
}

/// Copies everything that a storage holds at this moment into another, of any engine,
/// that has no keys: what a backup and its restoring would do, without files between.
/// It ends, and can be cut short, as [`restore`] does.
///
/// # Errors
///
/// [`StorageError::TargetNotEmpty`]; [`StorageError::RestoreUnfinished`] when `source`
/// is half of a backup; what reading and writing say.
pub fn copy_storage(
    source: &dyn Storage,
    target: &dyn Storage,
    progress: &mut dyn FnMut(Progress),
) -> Result<Progress> {
    refuse_keys(target)?;
    let snapshot = source.snapshot()?;
    // What has just failed half-way may still be open.
    if is_unfinished(|key| snapshot.get(mark::KEYSPACE, key))? {
        return Err(mark::refused(source));
    }
    mark::set(target)?;
    let mut done = Progress::default();
    for name in source.stats()?.keyspaces.into_keys() {
        target.keyspace(&name)?;
        let mut batch = AtomicBatch::new();
        let mut bytes = 0;
        for entry in snapshot.scan_prefix(KeyspaceName::from(&name), &[])? {
            let (key, value) = entry?;
            bytes += key.len() + value.len();
            done.entries += 1;
            done.bytes += (key.len() + value.len()) as u64;
            batch.put(&name, key, value);
            if bytes >= BODY_BYTES || batch.len() >= ENTRIES_MAX as usize {
                target.commit(std::mem::take(&mut batch), Durability::Buffer)?;
                bytes = 0;
                progress(done);
            }
        }
        target.commit(batch, Durability::Buffer)?;
        progress(done);
    }
    mark::clear(target)?;
    Ok(done)
}

fn refuse_keys(target: &dyn Storage) -> Result<()> {
    for keyspace in target.stats()?.keyspaces.into_keys() {
        if let Some(entry) = target.keyspace(&keyspace)?.scan_prefix(&[])?.next() {
            entry?;
            return Err(StorageError::TargetNotEmpty { keyspace });
        }
    }
    Ok(())
}
