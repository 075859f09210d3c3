//! How RocksDB is tuned.

use ::rocksdb::{BlockBasedOptions, Cache, DBCompressionType, DBRecoveryMode, LogLevel, Options};

/// How a [`RocksDbStorage`](crate::RocksDbStorage) is tuned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RocksDbOptions {
    /// Memory for blocks that were read, in bytes. Default: 32 MiB.
    pub cache_bytes: u64,
    /// Memory for what was written and is not in a table yet, in bytes, of all
    /// keyspaces together: when it is full the fullest is written to disk. Default:
    /// 64 MiB.
    pub write_buffer_bytes: u64,
    /// Whether tables are compressed, with LZ4. Default: yes. Holds for tables that
    /// are written from now on.
    pub compressed: bool,
}

impl Default for RocksDbOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 32 * 1024 * 1024,
            write_buffer_bytes: 64 * 1024 * 1024,
            compressed: true,
        }
    }
}

/// Files that may be open at a time, fewer than most systems allow a process.
const OPEN_FILES_MAX: i32 = 512;

/// RocksDB's log of events: no more than two files of this size.
const EVENTS_BYTES_MAX: usize = 1024 * 1024;

impl RocksDbOptions {
    /// How the database is opened.
    pub(super) fn of_the_database(self) -> Options {
        let mut options = Options::default();
        options.set_max_open_files(OPEN_FILES_MAX);
        options.set_db_write_buffer_size(bytes(self.write_buffer_bytes));
        // A torn end is what a power cut leaves.
        options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
        options.set_log_level(LogLevel::Warn);
        options.set_keep_log_file_num(2);
        options.set_max_log_file_size(EVENTS_BYTES_MAX);
        options
    }

    /// How a column family is opened.
    pub(super) fn of_a_family(self, cache: &Cache) -> Options {
        let mut tables = BlockBasedOptions::default();
        tables.set_block_cache(cache);
        tables.set_bloom_filter(10.0, false);
        let mut options = Options::default();
        options.set_block_based_table_factory(&tables);
        options.set_write_buffer_size(bytes(self.write_buffer_bytes));
        options.set_compression_type(if self.compressed {
            DBCompressionType::Lz4
        } else {
            DBCompressionType::None
        });
        options
    }

    pub(super) fn new_cache(self) -> Cache {
        Cache::new_lru_cache(bytes(self.cache_bytes))
    }
}

fn bytes(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
