//! Backup of a whole database while it is written to, and restoring it.
//!
//! | name      | what it is                                                        |
//! |-----------|-------------------------------------------------------------------|
//! | `log`     | the segments and the floor of the log, see tidal-wal              |
//! | `storage` | a backup of storage, see tidal-storage; its manifest comes last and holds what `backup/log_part.rs` says |
//!
//! Z1. Truncation waits from before the snapshot of storage until the log is copied, so
//!     the copy begins at or before the first record that storage needs. It ends behind
//!     the last record that storage may hold anything of.
//! Z2. The manifest of storage is written last. It names every file of the log with its
//!     digest, and the digest of the chain at its end.
//! Z3. A restored log has an identity of its own and names the log that was backed up,
//!     the last record taken over and the digest there; so the two are never mixed up.
//! Z4. A directory that is restored into is a database with its last write (Y3).

mod log_part;
mod migrate;
mod read;
mod restore;
mod write;

use std::path::{Path, PathBuf};

use tidal_types::{Position, Seq, Timestamp};
use tidal_wal::Head;

pub use migrate::{Migrated, migrate, migrate_with};
pub use read::{read_backup, verify_backup, verify_backup_with};
pub use restore::{Restored, restore, restore_until, restore_with};

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupInfo {
    /// When it began.
    pub created: Timestamp,
    /// The engine of the database. A backup is restored on any.
    pub engine: String,
    /// The record that storage is as of; those behind it are in the log.
    pub applied: Position,
    /// The first record in the log of the backup.
    pub first_seq: Seq,
    /// The last record, and the digest of the chain behind it: what the backup is of.
    pub head: Head,
    /// How many keys storage has.
    pub keys: u64,
    /// Bytes of the files: storage and log.
    pub disk_bytes: u64,
}

fn log_dir(dest: &Path) -> PathBuf {
    dest.join("log")
}

fn storage_dir(dest: &Path) -> PathBuf {
    dest.join("storage")
}
