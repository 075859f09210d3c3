//! RocksDB's errors as errors of storage: what should the caller do?

use std::path::Path;
use std::sync::Arc;

use ::rocksdb::{Error, ErrorKind};
use tidal_types::StorageError;

/// A RocksDB error, with what was tried and where.
pub(super) fn storage_error(path: &Path, operation: &'static str, error: Error) -> StorageError {
    let path = path.to_path_buf();
    match error.kind() {
        ErrorKind::Corruption => StorageError::Damaged { path, problem: error.into_string() },
        // Its bindings hand out what it says and nothing else: of the errors of the
        // operating system, this one has words of RocksDB's own.
        ErrorKind::IOError if error.as_ref().contains("No space left on device") => {
            StorageError::NoSpace { path }
        }
        _ => StorageError::Engine { operation, path, source: Arc::new(error) },
    }
}
