//! LMDB's errors as errors of storage: what should the caller do?

use std::path::Path;
use std::sync::Arc;

use heed::{Error, MdbError};
use tidal_types::StorageError;

use super::meta::FORMAT_VERSION;
use crate::directory::io_error;

/// An LMDB error, with what was tried and where.
pub(super) fn storage_error(path: &Path, operation: &'static str, error: Error) -> StorageError {
    let path = path.to_path_buf();
    match error {
        Error::Io(error) => io_error(&path, operation, error),
        Error::EnvAlreadyOpened => StorageError::Locked { path },
        Error::Mdb(MdbError::ReadersFull) => {
            StorageError::Busy { path, problem: "as many snapshots and scans are open as it takes" }
        }
        Error::Mdb(MdbError::MapFull) => StorageError::Busy {
            path,
            problem: "its map has to grow, which open snapshots and scans forbid",
        },
        // LMDB could not write where its newest transaction is, and not put back
        // what was there either.
        Error::Mdb(MdbError::Panic) => StorageError::Poisoned { path },
        Error::Mdb(MdbError::VersionMismatch) => {
            StorageError::UnsupportedVersion { path, found: 0, supported: FORMAT_VERSION }
        }
        Error::Mdb(
            problem @ (MdbError::PageNotFound | MdbError::Corrupted | MdbError::Invalid),
        ) => StorageError::Damaged { path, problem: problem.to_string() },
        Error::Mdb(problem @ MdbError::Incompatible) => {
            StorageError::NotStorage { path, problem: problem.to_string() }
        }
        other => StorageError::Engine { operation, path, source: Arc::new(other) },
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
        assert_eq!(kind(Error::Io(io::ErrorKind::StorageFull.into())), ErrorKind::Space);
        assert_eq!(kind(Error::Io(io::ErrorKind::PermissionDenied.into())), ErrorKind::Environment);
        assert_eq!(kind(Error::EnvAlreadyOpened), ErrorKind::Retry);
        assert_eq!(kind(MdbError::ReadersFull.into()), ErrorKind::Retry);
        assert_eq!(kind(MdbError::MapFull.into()), ErrorKind::Retry);
        assert_eq!(kind(MdbError::Panic.into()), ErrorKind::Reopen);
        assert_eq!(kind(MdbError::Corrupted.into()), ErrorKind::Damage);
        assert_eq!(kind(MdbError::Incompatible.into()), ErrorKind::Input);
        assert_eq!(kind(MdbError::BadTxn.into()), ErrorKind::Environment);
    }
}
