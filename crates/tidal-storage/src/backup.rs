//! Backup: all keyspaces of a storage, at one moment, in a directory of checked
//! files, and back into a storage of any engine.
//!
//! | name               | what it is                                      |
//! |--------------------|-------------------------------------------------|
//! | `MANIFEST`         | what the backup holds, see `backup/manifest.rs` |
//! | `MANIFEST.tmp`     | the manifest, before it has its name            |
//! | `chunk-{index:08x}` | some entries of one keyspace, see `backup/chunk.rs` |
//!
//! K1. A backup is of one snapshot. Writers go on, and are not in it.
//! K2. The manifest gets its name last, once every chunk, its own bytes and their
//!     directory entries are durable. What has no manifest is no backup.
//! K3. The manifest holds the digest of every chunk, and ends with a digest of
//!     itself. Nothing is decoded before its length and its digest are right.
//! K4. A backup is exactly the files that its manifest speaks of.
//! K5. Restoring goes into storage without keys. Its first write is a mark that
//!     refuses the storage, and its last write removes the mark.
//! K6. At no time is more than one chunk in memory.

mod chunk;
mod compression;
mod folder;
mod manifest;
mod mark;
mod read;
mod restore;
mod write;

pub use compression::Compression;
pub use manifest::{BackupManifest, ChunkManifest, EXTRAS_BYTES_MAX, KeyspaceManifest};
pub use read::{read_manifest, verify_backup, verify_backup_with};
pub use restore::{copy_storage, restore, restore_with};
pub use write::{BackupOptions, backup, backup_snapshot};

pub(crate) use mark::is_unfinished;

/// How far a backup, a check or a restoring is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Entries that are done.
    pub entries: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// How many entries there are, where that is known: a backup finds out while
    /// it goes.
    pub entries_total: Option<u64>,
}

/// What was backed up, checked or restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupReport {
    /// How many keyspaces there are, also those without keys.
    pub keyspaces: u64,
    /// How many keys.
    pub keys: u64,
    /// Bytes of the keys and values.
    pub bytes: u64,
    /// How many chunks they are in.
    pub chunks: u64,
    /// Bytes of the files of the backup.
    pub disk_bytes: u64,
    /// The BLAKE3 checksum of the manifest, which covers every chunk.
    pub digest: [u8; 32],
}

#[cfg(test)]
mod tests;
