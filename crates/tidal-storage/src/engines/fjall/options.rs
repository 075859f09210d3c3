//! How fjall is tuned.

use ::fjall::config::CompressionPolicy;
use ::fjall::{CompressionType, KeyspaceCreateOptions};

/// How a [`FjallStorage`](crate::FjallStorage) is tuned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FjallOptions {
    /// Memory for blocks that were read, in bytes. Default: 32 MiB.
    pub cache_bytes: u64,
    /// The size at which a memtable is written to disk, in bytes: the write buffer
    /// of a keyspace, which holds up to five of them. Default: 16 MiB. Fixed for a
    /// keyspace when it is created.
    pub memtable_bytes: u64,
    /// Whether blocks that are rarely rewritten are compressed, with LZ4. Default:
    /// yes. Fixed for a keyspace when it is created.
    pub compressed: bool,
}

impl Default for FjallOptions {
    fn default() -> Self {
        Self { cache_bytes: 32 * 1024 * 1024, memtable_bytes: 16 * 1024 * 1024, compressed: true }
    }
}

impl FjallOptions {
    /// How a new keyspace is made.
    pub(super) fn of_a_keyspace(self) -> KeyspaceCreateOptions {
        let options = KeyspaceCreateOptions::default().max_memtable_size(self.memtable_bytes);
        if self.compressed {
            options
        } else {
            options.data_block_compression_policy(CompressionPolicy::all(CompressionType::None))
        }
    }
}
