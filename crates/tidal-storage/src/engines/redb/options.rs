//! How redb is tuned.

/// How a [`RedbStorage`](crate::RedbStorage) is tuned. redb has neither
/// compression nor a write buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedbOptions {
    /// Memory for pages that were read or written, in bytes. Default: 64 MiB.
    pub cache_bytes: u64,
}

impl Default for RedbOptions {
    fn default() -> Self {
        Self { cache_bytes: 64 * 1024 * 1024 }
    }
}
