//! fjall's errors as errors of storage: what should the caller do?

use std::path::Path;
use std::sync::Arc;

use ::fjall::{Error, LsmError};
use tidal_types::StorageError;

use super::directory::FORMAT_VERSION;
use crate::directory::io_error;

/// A fjall error, with what was tried and where.
pub(super) fn storage_error(path: &Path, operation: &'static str, error: Error) -> StorageError {
    let damaged = |problem: String| StorageError::Damaged { path: path.to_path_buf(), problem };
    match error {
        Error::Io(error) | Error::Storage(LsmError::Io(error)) => io_error(path, operation, error),
        Error::Locked => StorageError::Locked { path: path.to_path_buf() },
        Error::Poisoned => StorageError::Poisoned { path: path.to_path_buf() },
        Error::InvalidVersion(Some(version)) => StorageError::UnsupportedVersion {
            path: path.to_path_buf(),
            found: version.into(),
            supported: FORMAT_VERSION,
        },
        Error::InvalidVersion(None) => damaged("its version file is not readable".to_owned()),
        Error::JournalRecovery(problem) => {
            damaged(format!("its journal cannot be replayed: {problem:?}"))
        }
        Error::Decompress(_) | Error::InvalidTrailer | Error::InvalidTag(_) => {
            damaged(format!("its journal is not readable: {error:?}"))
        }
        Error::Unrecoverable => {
            damaged("files that it needs are missing or not readable".to_owned())
        }
        Error::Storage(
            problem @ (LsmError::Decompress(_)
            | LsmError::InvalidVersion(_)
            | LsmError::Unrecoverable
            | LsmError::ChecksumMismatch { .. }
            | LsmError::InvalidTag(_)
            | LsmError::InvalidTrailer
            | LsmError::InvalidHeader(_)
            | LsmError::Utf8(_)),
        ) => damaged(format!("its tables are not readable: {problem:?}")),
        other => {
            StorageError::Engine { operation, path: path.to_path_buf(), source: Arc::new(other) }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use tidal_types::ErrorKind;

    use super::*;

    #[test]
    fn an_error_says_what_to_do() {
        let kind = |error: Error| storage_error(Path::new("db"), "write", error).kind();
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(kind(Error::Io(full())), ErrorKind::Space);
        assert_eq!(kind(Error::Storage(LsmError::Io(full()))), ErrorKind::Space);
        assert_eq!(kind(Error::Io(io::ErrorKind::PermissionDenied.into())), ErrorKind::Environment);
        assert_eq!(kind(Error::Locked), ErrorKind::Retry);
        assert_eq!(kind(Error::Poisoned), ErrorKind::Reopen);
        assert_eq!(kind(Error::InvalidTrailer), ErrorKind::Damage);
        assert_eq!(kind(Error::Storage(LsmError::InvalidHeader("block"))), ErrorKind::Damage);
        assert_eq!(kind(Error::KeyspaceDeleted), ErrorKind::Environment);
    }
}
