//! What storage tells about itself.

use std::collections::BTreeMap;

/// What an engine can do, fixed for as long as it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether what was written is there after closing and opening again.
    pub persistent: bool,
    /// Whether [`EngineStats::keys`] is the exact number of keys.
    pub exact_key_count: bool,
    /// Whether a commit with [`Durability::Sync`](crate::Durability::Sync)
    /// survives a power cut.
    pub survives_power_cut: bool,
    /// Whether a storage can be opened for reading only, by several processes at a
    /// time.
    pub read_only: bool,
    /// Whether a write with [`Durability::Buffer`](crate::Durability::Buffer)
    /// costs a sync too, since the engine has nothing between that and losing it
    /// with the process. Then many writes belong in one batch.
    pub buffer_syncs: bool,
}

/// Numbers about one keyspace. The counters count from the opening of the
/// storage, over every handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EngineStats {
    /// How many keys there are. An estimate unless
    /// [`Capabilities::exact_key_count`]: a log-structured engine also counts
    /// overwritten and deleted keys until it has compacted them away.
    pub keys: u64,
    /// Bytes that the keys and values take: on disk for a persistent engine,
    /// without what lies in its journal only; in memory for another.
    pub bytes: u64,
    /// Keys asked for one by one, and entries handed out by scans.
    pub reads: u64,
    /// Keys set. Of several operations of one batch on one key the last counts.
    pub writes: u64,
    /// Keys removed, whether or not they were there.
    pub deletes: u64,
}

/// Numbers about a storage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StorageStats {
    /// Numbers about each keyspace, by name.
    pub keyspaces: BTreeMap<String, EngineStats>,
    /// Bytes that the directory takes on disk, journal and all; 0 if there is
    /// none.
    pub disk_bytes: u64,
    /// The engine's own cache, where it has one that it tells about.
    pub cache: Option<CacheStats>,
}

/// Numbers about the cache of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheStats {
    /// How many bytes it may hold.
    pub capacity_bytes: u64,
    /// How many bytes it holds.
    pub used_bytes: u64,
}
