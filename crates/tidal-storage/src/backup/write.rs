//! Writing a backup.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tidal_types::{Clock, Position, StorageError, SystemClock};

use super::chunk::Builder;
use super::folder::{Folder, MANIFEST, MANIFEST_TEMPORARY, RealFolder, chunk_name};
use super::manifest::{CHUNKS_MAX, KEYSPACES_MAX};
use super::{
    BackupManifest, BackupReport, ChunkManifest, Compression, EXTRAS_BYTES_MAX, KeyspaceManifest,
    Progress, is_unfinished, mark,
};
use crate::directory::io_error;
use crate::{KeyspaceName, Result, Snapshot, Storage};

/// How a backup is written, and what is kept with it.
#[derive(Debug, Clone)]
pub struct BackupOptions {
    /// How its chunks are compressed. Default: lz4.
    pub compression: Compression,
    /// The place in a log that the storage is as of. Default: none.
    pub position: Option<Position>,
    /// What the caller keeps with it, for itself, at most
    /// [`EXTRAS_BYTES_MAX`]. Default: nothing.
    pub extras: Vec<u8>,
    /// Says when the backup began. Default: the system's clock.
    pub clock: Arc<dyn Clock>,
}

impl Default for BackupOptions {
    fn default() -> Self {
        Self {
            compression: Compression::default(),
            position: None,
            extras: Vec::new(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// Writes all keyspaces of a storage, as of this moment, to the new or empty
/// directory `dest`. Reads and writes of the storage go on meanwhile. When the
/// call returns, the backup survives a power cut; when it fails or is cut short,
/// what is there is no backup, and what was written is removed if it can be.
///
/// It needs room on the disk, and memory for one chunk: about a mebibyte, more
/// where a value is longer.
///
/// ```
/// use tidal_storage::{BackupOptions, MemoryStorage, Storage, backup, restore, verify_backup};
/// use tidal_types::EntityKind;
///
/// # let dir = tempfile::tempdir().expect("a folder for the example");
/// # let dest = dir.path().join("backup");
/// let storage = MemoryStorage::new();
/// storage.backend(EntityKind::Item).put(b"song/1", b"So What")?;
/// backup(&storage, &dest, &BackupOptions::default())?;
/// assert_eq!(verify_backup(&dest)?.keys, 1);
///
/// // Any engine takes it: `FjallStorage::open(path)?` is the same on disk.
/// let target = MemoryStorage::new();
/// restore(&dest, &target)?;
/// assert_eq!(target.backend(EntityKind::Item).get(b"song/1")?.as_deref(), Some(&b"So What"[..]));
/// # Ok::<(), tidal_storage::StorageError>(())
/// ```
///
/// # Errors
///
/// [`StorageError::DestinationNotEmpty`]; [`StorageError::NoSpace`];
/// [`StorageError::BackupTooLarge`] for more than 65,536 keyspaces, about a
/// tebibyte of entries, or too long extras; [`StorageError::RestoreUnfinished`];
/// what reading the storage and the operating system say.
pub fn backup(storage: &dyn Storage, dest: &Path, options: &BackupOptions) -> Result<BackupReport> {
    let snapshot = storage.snapshot()?;
    backup_snapshot(storage, &*snapshot, dest, options, &mut |_| ())
}

/// The same as [`backup`], of a snapshot of `storage` that the caller has taken,
/// telling after each chunk how far it is.
///
/// # Errors
///
/// Those of [`backup`].
pub fn backup_snapshot(
    storage: &dyn Storage,
    snapshot: &dyn Snapshot,
    dest: &Path,
    options: &BackupOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<BackupReport> {
    write_to(storage, snapshot, &RealFolder::new_empty(dest)?, options, progress)
}

pub(super) fn write_to(
    storage: &dyn Storage,
    snapshot: &dyn Snapshot,
    folder: &dyn Folder,
    options: &BackupOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<BackupReport> {
    let created = Created::default();
    let done = Progress::default();
    let mut writer = Writer { snapshot, folder, options, progress, done, created };
    let written = writer.write(storage);
    if written.is_err() {
        // Whatever stays is refused, and the caller gets the first error.
        writer.created.names().for_each(|name| drop(folder.remove(&name)));
    }
    written
}

/// The files that this backup has made, and no other has.
#[derive(Debug, Default)]
struct Created {
    chunks: usize,
    manifest: Option<&'static str>,
}

impl Created {
    /// The manifest first: without it the rest is nothing.
    fn names(&self) -> impl Iterator<Item = String> + use<> {
        let chunks = (0..self.chunks).map(chunk_name);
        self.manifest.map(str::to_owned).into_iter().chain(chunks)
    }
}

struct Writer<'a> {
    snapshot: &'a dyn Snapshot,
    folder: &'a dyn Folder,
    options: &'a BackupOptions,
    progress: &'a mut dyn FnMut(Progress),
    done: Progress,
    created: Created,
}

impl Writer<'_> {
    fn write(&mut self, storage: &dyn Storage) -> Result<BackupReport> {
        let created = self.options.clock.now();
        if is_unfinished(|key| self.snapshot.get(mark::KEYSPACE, key))? {
            return Err(mark::refused(storage));
        }
        if self.options.extras.len() > EXTRAS_BYTES_MAX {
            return Err(self.too_large("bytes of extras", EXTRAS_BYTES_MAX));
        }
        // Asked after the snapshot, so none of its keyspaces is missed; those that are
        // newer are empty in it.
        let names: Vec<String> = storage.stats()?.keyspaces.into_keys().collect();
        if names.len() > KEYSPACES_MAX {
            return Err(self.too_large("keyspaces", KEYSPACES_MAX));
        }
        let mut chunks = Vec::new();
        let mut keyspaces = Vec::new();
        for name in names {
            keyspaces.push(self.keyspace(name, &mut chunks)?);
        }
        let manifest = BackupManifest {
            created,
            engine: storage.name().to_owned(),
            position: self.options.position,
            extras: self.options.extras.clone(),
            keyspaces,
            chunks,
        };
        let bytes = manifest.encode();
        self.publish(&bytes)?;
        let (_, digest) = bytes.split_last_chunk().expect("a manifest ends with its digest");
        Ok(manifest.report(*digest, bytes.len()))
    }

    fn keyspace(
        &mut self,
        name: String,
        chunks: &mut Vec<ChunkManifest>,
    ) -> Result<KeyspaceManifest> {
        let before = (self.done.entries, self.done.bytes, chunks.len());
        let mut chunk = Builder::default();
        for entry in self.snapshot.scan_prefix(KeyspaceName::from(&name), &[])? {
            let (key, value) = entry?;
            chunk.push(&key, &value);
            if chunk.is_full() {
                self.chunk(std::mem::take(&mut chunk), chunks)?;
            }
        }
        if !chunk.is_empty() {
            self.chunk(chunk, chunks)?;
        }
        Ok(KeyspaceManifest {
            name,
            keys: self.done.entries - before.0,
            bytes: self.done.bytes - before.1,
            chunks: u32::try_from(chunks.len() - before.2).expect("there are at most 2^20 chunks"),
        })
    }

    fn chunk(&mut self, chunk: Builder, chunks: &mut Vec<ChunkManifest>) -> Result<()> {
        if chunks.len() >= CHUNKS_MAX {
            return Err(self.too_large("chunks", CHUNKS_MAX));
        }
        let file = chunk.encode(self.options.compression);
        let name = chunk_name(chunks.len());
        let outcome = self.folder.create(&name, &file);
        if !is_taken(&outcome) {
            self.created.chunks += 1;
        }
        outcome.map_err(self.failed("write", &name))?;
        chunks.push(ChunkManifest {
            entries: chunk.entries(),
            bytes: chunk.bytes(),
            file_bytes: u32::try_from(file.len()).expect("a chunk is at most 66 MB long"),
            digest: *blake3::hash(&file).as_bytes(),
        });
        self.done.entries += u64::from(chunk.entries());
        self.done.bytes += chunk.bytes();
        (self.progress)(self.done);
        Ok(())
    }

    /// K2.
    fn publish(&mut self, manifest: &[u8]) -> Result<()> {
        let folder = self.folder;
        let outcome = folder.create(MANIFEST_TEMPORARY, manifest);
        if !is_taken(&outcome) {
            self.created.manifest = Some(MANIFEST_TEMPORARY);
        }
        outcome.map_err(self.failed("write", MANIFEST_TEMPORARY))?;
        folder.sync().map_err(self.failed("sync", ""))?;
        folder
            .rename(MANIFEST_TEMPORARY, MANIFEST)
            .map_err(self.failed("rename", MANIFEST_TEMPORARY))?;
        self.created.manifest = Some(MANIFEST);
        folder.sync().map_err(self.failed("sync", ""))
    }

    fn failed(
        &self,
        operation: &'static str,
        name: &str,
    ) -> impl FnOnce(io::Error) -> StorageError + use<> {
        let folder = self.folder.path().to_path_buf();
        let name = name.to_owned();
        move |error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                StorageError::DestinationNotEmpty { path: folder, found: name }
            }
            _ => io_error(&folder.join(name), operation, error),
        }
    }

    fn too_large(&self, what: &'static str, max: usize) -> StorageError {
        let path = self.folder.path().to_path_buf();
        StorageError::BackupTooLarge { path, what, max: max as u64 }
    }
}

/// Whether a file was there already, so that it is someone else's.
fn is_taken(outcome: &io::Result<()>) -> bool {
    outcome.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists)
}
