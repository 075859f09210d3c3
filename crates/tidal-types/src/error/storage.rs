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
            | Self::NotStorage { .. } => ErrorKind::Input,
            Self::UnsupportedVersion { .. } => ErrorKind::Environment,
            Self::Locked { .. } => ErrorKind::Retry,
            Self::NoSpace { .. } => ErrorKind::Space,
            Self::Poisoned { .. } | Self::Closed { .. } => ErrorKind::Reopen,
            Self::Damaged { .. } => ErrorKind::Damage,
            Self::Io { source, .. } => ErrorKind::of_io(source),
            Self::Engine { .. } => ErrorKind::Environment,
        }
    }
}
