//! redb's errors as errors of storage: what should the caller do?

use std::io;
use std::path::Path;
use std::sync::Arc;

use ::redb::Error;
use tidal_types::StorageError;

use crate::directory::io_error;

/// The format of redb that we know.
const FORMAT_VERSION: u8 = 3;

/// A redb error, with what was tried and where.
pub(super) fn storage_error(
    path: &Path,
    operation: &'static str,
    error: impl Into<Error>,
) -> StorageError {
    let path = path.to_path_buf();
    match error.into() {
        // redb says so of a file that is not one of its own, or is cut short.
        Error::Io(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
            ) =>
        {
            StorageError::Damaged { path, problem: error.to_string() }
        }
        Error::Io(error) => io_error(&path, operation, error),
        Error::DatabaseAlreadyOpen => StorageError::Locked { path },
        Error::PreviousIo | Error::LockPoisoned(_) | Error::TransactionPoisoned => {
            StorageError::Poisoned { path }
        }
        Error::DatabaseClosed => StorageError::Closed { path },
        Error::Corrupted(problem) => StorageError::Damaged { path, problem },
        Error::UpgradeRequired(found) => {
            StorageError::UnsupportedVersion { path, found, supported: FORMAT_VERSION }
        }
        problem @ (Error::TableTypeMismatch { .. }
        | Error::TableIsMultimap(_)
        | Error::TypeDefinitionChanged { .. }) => {
            StorageError::NotStorage { path, problem: problem.to_string() }
        }
        other => StorageError::Engine { operation, path, source: Arc::new(other) },
    }
}

#[cfg(test)]
mod tests {
    use tidal_types::ErrorKind;

    use super::*;

    #[test]
    fn an_error_says_what_to_do() {
        let kind = |error: Error| storage_error(Path::new("db"), "write", error).kind();
        assert_eq!(kind(Error::Io(io::ErrorKind::StorageFull.into())), ErrorKind::Space);
        assert_eq!(kind(Error::Io(io::ErrorKind::PermissionDenied.into())), ErrorKind::Environment);
        assert_eq!(kind(Error::Io(io::ErrorKind::InvalidData.into())), ErrorKind::Damage);
        assert_eq!(kind(Error::DatabaseAlreadyOpen), ErrorKind::Retry);
        assert_eq!(kind(Error::PreviousIo), ErrorKind::Reopen);
        assert_eq!(kind(Error::Corrupted("page".into())), ErrorKind::Damage);
        assert_eq!(kind(Error::UpgradeRequired(2)), ErrorKind::Environment);
        assert_eq!(kind(Error::TableIsMultimap("items".into())), ErrorKind::Input);
        assert_eq!(kind(Error::RepairAborted), ErrorKind::Environment);
    }
}
