//! How LMDB is tuned.

use std::time::Duration;

/// How an [`LmdbStorage`](crate::LmdbStorage) is tuned. LMDB has neither
/// compression nor a write buffer, and its cache is the operating system's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LmdbOptions {
    /// Address space that is reserved for the file, in bytes; at least 1 MiB and
    /// rounded up to 64 KiB. It costs neither memory nor disk. Default: 256 GiB,
    /// or the largest half, quarter and so on of it that the system grants.
    pub map_bytes: u64,
    /// How many snapshots, scans and reads may be open at a time. Each takes 64
    /// bytes of a shared file. Default: 1,024.
    pub readers_max: u32,
    /// How long a write that needs a larger map, or a keyspace more than there is
    /// room for, waits for the snapshots and scans that are open. Then it fails
    /// with [`Busy`](crate::StorageError::Busy). Default: one second.
    pub busy_timeout: Duration,
}

impl Default for LmdbOptions {
    fn default() -> Self {
        Self {
            map_bytes: 256 * 1024 * 1024 * 1024,
            readers_max: 1024,
            busy_timeout: Duration::from_secs(1),
        }
    }
}

/// Pages of every system fit.
const MAP_BYTES_UNIT: u64 = 64 * 1024;
pub(super) const MAP_BYTES_MIN: u64 = 1024 * 1024;

impl LmdbOptions {
    /// The map to ask for first.
    pub(super) fn first_map_bytes(self) -> usize {
        let bytes = self.map_bytes.max(MAP_BYTES_MIN);
        let bytes = bytes.checked_next_multiple_of(MAP_BYTES_UNIT).unwrap_or(bytes);
        usize::try_from(bytes).unwrap_or(1 << 30)
    }
}
