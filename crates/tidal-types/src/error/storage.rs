//! What can go wrong in storage. No engine is named here.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::{ErrorKind, SharedError};

/// A storage operation that failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StorageError {
    /// A key is empty or longer than every engine takes.
    #[error("a key of {bytes} bytes in keyspace {keyspace:?}: keys have 1 to {max} bytes")]
    KeyLength {
        /// The keyspace.
        keyspace: String,
        /// The length of the key.
        bytes: usize,
        /// The longest that is allowed.
        max: usize,
    },
    /// A value is longer than every engine takes.
    #[error("a value of {bytes} bytes in keyspace {keyspace:?}: values have at most {max} bytes")]
    ValueLength {
        /// The keyspace.
        keyspace: String,
        /// The length of the value.
        bytes: usize,
        /// The longest that is allowed.
        max: usize,
    },
    /// A keyspace has a name no engine takes.
    #[error(
        "keyspace {name:?}: a name is a lower-case letter and up to 63 lower-case letters, digits or underscores"
    )]
    KeyspaceName {
        /// The name.
        name: String,
    },
    /// The directory has files, and they are not this engine's.
    #[error("{path} is not a directory of storage: {problem}; choose another")]
    NotStorage {
        /// The directory.
        path: PathBuf,
        /// What was found.
        problem: String,
    },
    /// The directory holds the storage of another engine.
    #[error("storage at {path} is of engine {found:?}, not {requested:?}; open it with {found:?}")]
    OtherEngine {
        /// The directory.
        path: PathBuf,
        /// The engine whose storage it holds.
        found: String,
        /// The engine that was asked for.
        requested: String,
    },
    /// The directory was written in a format this program does not know.
    #[error(
        "storage at {path} has format {found}, this program knows {supported}; migrate it or use another program"
    )]
    UnsupportedVersion {
        /// The directory.
        path: PathBuf,
        /// Its format.
        found: u8,
        /// The format this program knows.
        supported: u8,
    },
    /// Another process, or another handle, has the storage open.
    #[error("storage at {path} is open elsewhere; close it there first")]
    Locked {
        /// Where it is.
        path: PathBuf,
    },
    /// Something else that is going on has to end first. Nothing was written.
    #[error("storage at {path} is busy: {problem}; try again once they have ended")]
    Busy {
        /// Where it is.
        path: PathBuf,
        /// What is going on.
        problem: &'static str,
    },
    /// The storage was opened for reading only.
    #[error("storage at {path} was opened for reading only; open it for writing")]
    ReadOnly {
        /// Where it is.
        path: PathBuf,
    },
    /// There is no room left.
    #[error("no space left for storage at {path}; free some and open it again")]
    NoSpace {
        /// Where it is.
        path: PathBuf,
    },
    /// An earlier write or sync failed, so this handle can promise nothing.
    #[error("storage at {path} failed earlier and takes no more writes; open it again")]
    Poisoned {
        /// Where it is.
        path: PathBuf,
    },
    /// The handle was closed.
    #[error("storage at {path} is closed")]
    Closed {
        /// Where it was.
        path: PathBuf,
    },
    /// Bytes on disk are not what was written.
    #[error("storage at {path} is damaged: {problem}; restore it from a backup")]
    Damaged {
        /// Where it is.
        path: PathBuf,
        /// What was found.
        problem: String,
    },
    /// Someone else wrote, since this transaction began, what it writes too, or
    /// what it has read and must not have changed. None of it was written.
    #[error(
        "a transaction conflicts over key \"{}\" in keyspace {keyspace:?}, which was written since it began; nothing was written, run it again",
        key.escape_ascii()
    )]
    Conflict {
        /// The keyspace.
        keyspace: String,
        /// A key that was written.
        key: Vec<u8>,
    },
    /// So much was written since this transaction began that nobody remembers
    /// whether it conflicts. None of it was written.
    #[error(
        "a transaction is too old to commit: the {max} bytes kept about newer writes are exceeded; nothing was written, run it again, and shorter"
    )]
    TransactionTooOld {
        /// How many bytes are kept.
        max: usize,
    },
    /// A transaction has more writes than are kept in memory.
    #[error(
        "a transaction of {bytes} bytes: its writes take at most {max}; commit it in smaller parts"
    )]
    TransactionTooLarge {
        /// What it would take with the write that was refused.
        bytes: usize,
        /// What it may take.
        max: usize,
    },
    /// A savepoint was released, or rolled back over, or is of another transaction.
    #[error(
        "the savepoint is not there: it was released or rolled back over, or belongs to another transaction"
    )]
    NoSavepoint,
    /// A counter, or a sequence, has no higher number.
    #[error("the number at key \"{}\" in keyspace {keyspace:?} would pass its highest, {}", key.escape_ascii(), u64::MAX)]
    Overflow {
        /// The keyspace.
        keyspace: String,
        /// The key.
        key: Vec<u8>,
    },
    /// A value is not the number that it was taken for.
    #[error("the value of key \"{}\" in keyspace {keyspace:?} is not {expected}: {problem}", key.escape_ascii())]
    NotANumber {
        /// The keyspace.
        keyspace: String,
        /// The key.
        key: Vec<u8>,
        /// What was asked for.
        expected: &'static str,
        /// What was found.
        problem: String,
    },
    /// A backup is written to a new or empty directory only.
    #[error("{path} is not empty: it has {found}; choose another place for the backup")]
    DestinationNotEmpty {
        /// The directory.
        path: PathBuf,
        /// A file that it has.
        found: String,
    },
    /// A backup is restored into storage without keys only.
    #[error("keyspace {keyspace:?} of the storage to restore into has keys; choose an empty one")]
    TargetNotEmpty {
        /// A keyspace that has keys.
        keyspace: String,
    },
    /// There is no backup, or one that was cut short.
    #[error("no whole backup at {path}: {problem}; use another")]
    NoBackup {
        /// The directory.
        path: PathBuf,
        /// What is missing.
        problem: &'static str,
    },
    /// The files of a backup are not what was written.
    #[error("the backup is damaged at {path}: {problem}; use another")]
    BackupDamaged {
        /// The file or directory.
        path: PathBuf,
        /// What was found.
        problem: String,
    },
    /// A backup is in a format that this program does not know.
    #[error("{path} has format {found}, this program knows {supported}; use a newer program")]
    BackupVersion {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u16,
        /// The format this program knows.
        supported: u16,
    },
    /// A backup is compressed in a way that this program was built without.
    #[error("{path} is compressed with {compression}; build with the feature {feature:?}")]
    CompressionMissing {
        /// The file.
        path: PathBuf,
        /// The compression.
        compression: &'static str,
        /// The feature of the crate that has it.
        feature: &'static str,
    },
    /// A backup would have more parts than its format holds.
    #[error("a backup to {path} would have more than {max} {what}; divide the storage")]
    BackupTooLarge {
        /// The directory.
        path: PathBuf,
        /// What there is too much of.
        what: &'static str,
        /// The most there can be.
        max: u64,
    },
    /// A file of another program cannot be imported.
    #[error("cannot import from {path}: {problem}")]
    Import {
        /// The file.
        path: PathBuf,
        /// What is in the way.
        problem: String,
    },
    /// A backup was being restored into the storage, and that was cut short.
    #[error("storage at {path} was being restored and is not whole; remove it and restore again")]
    RestoreUnfinished {
        /// Where it is.
        path: PathBuf,
    },
    /// The operating system refused a file operation.
    #[error("storage at {path}: cannot {operation}: {source}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: Arc<io::Error>,
    },
    /// The engine failed in a way of its own.
    #[error("storage at {path}: cannot {operation}: {source}")]
    Engine {
        /// What was tried.
        operation: &'static str,
        /// Where.
        path: PathBuf,
        /// What the engine said.
        source: SharedError,
    },
}

impl StorageError {
    /// What the caller should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::KeyLength { .. }
            | Self::ValueLength { .. }
            | Self::KeyspaceName { .. }
            | Self::NotStorage { .. }
            | Self::TransactionTooLarge { .. }
            | Self::NoSavepoint
            | Self::Overflow { .. }
            | Self::NotANumber { .. }
            | Self::OtherEngine { .. }
            | Self::ReadOnly { .. } => ErrorKind::Input,
            Self::DestinationNotEmpty { .. }
            | Self::TargetNotEmpty { .. }
            | Self::NoBackup { .. }
            | Self::BackupTooLarge { .. }
            | Self::Import { .. } => ErrorKind::Input,
            Self::UnsupportedVersion { .. } => ErrorKind::Environment,
            Self::BackupVersion { .. } | Self::CompressionMissing { .. } => ErrorKind::Environment,
            Self::BackupDamaged { .. } | Self::RestoreUnfinished { .. } => ErrorKind::Damage,
            Self::Locked { .. }
            | Self::Busy { .. }
            | Self::Conflict { .. }
            | Self::TransactionTooOld { .. } => ErrorKind::Retry,
            Self::NoSpace { .. } => ErrorKind::Space,
            Self::Poisoned { .. } | Self::Closed { .. } => ErrorKind::Reopen,
            Self::Damaged { .. } => ErrorKind::Damage,
            Self::Io { source, .. } => ErrorKind::of_io(source),
            Self::Engine { .. } => ErrorKind::Environment,
        }
    }
}
