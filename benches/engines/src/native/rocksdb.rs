//! RocksDB by the interface of its binding. A scan goes through an iterator, which sees
//! one moment by itself.

use std::path::Path;
use std::sync::Arc;

use rocksdb::{
    BlockBasedOptions, BoundColumnFamily, Cache, ColumnFamilyDescriptor, DB, DBCompressionType,
    DBRecoveryMode, Options, ReadOptions, WriteBatch, WriteOptions,
};
use tidal_bench_measure::Result;
use tidal_storage::RocksDbOptions;

use crate::store::{Entry, Scanned, Store, looked_at};

const FAMILY: &str = "bench";

pub(crate) struct RocksDb {
    database: DB,
}

impl RocksDb {
    /// Opens a new one as tidal-storage does, with these settings.
    pub(crate) fn open(dir: &Path, settings: RocksDbOptions) -> Result<Self> {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        options.set_max_open_files(512);
        options.set_db_write_buffer_size(usize::try_from(settings.write_buffer_bytes)?);
        options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
        let mut tables = BlockBasedOptions::default();
        tables.set_block_cache(&Cache::new_lru_cache(usize::try_from(settings.cache_bytes)?));
        tables.set_bloom_filter(10.0, false);
        let mut family = Options::default();
        family.set_block_based_table_factory(&tables);
        family.set_write_buffer_size(usize::try_from(settings.write_buffer_bytes)?);
        family.set_compression_type(DBCompressionType::Lz4);
        let families = [ColumnFamilyDescriptor::new(FAMILY, family)];
        Ok(Self { database: DB::open_cf_descriptors(&options, dir, families)? })
    }

    fn family(&self) -> Result<Arc<BoundColumnFamily<'_>>> {
        Ok(self.database.cf_handle(FAMILY).ok_or("RocksDB has lost a column family")?)
    }

    fn write_with(
        &self,
        entries: &mut dyn Iterator<Item = Entry<'_>>,
        is_durable: bool,
    ) -> Result<()> {
        let family = self.family()?;
        let mut batch = WriteBatch::default();
        for (key, value) in entries {
            batch.put_cf(&family, key, value);
        }
        let mut options = WriteOptions::default();
        options.set_sync(is_durable);
        Ok(self.database.write_opt(batch, &options)?)
    }
}

impl Store for RocksDb {
    fn write(&self, entries: &mut dyn Iterator<Item = Entry<'_>>) -> Result<()> {
        self.write_with(entries, false)
    }

    fn write_durably(&self, entry: Entry<'_>) -> Result<()> {
        self.write_with(&mut std::iter::once(entry), true)
    }

    fn sync(&self) -> Result<()> {
        Ok(self.database.flush_wal(true)?)
    }

    fn read(&self, key: &[u8]) -> Result<Option<usize>> {
        let value = self.database.get_pinned_cf(&self.family()?, key)?;
        Ok(value.map(|value| looked_at(&value)))
    }

    fn scan(&self, prefix: &[u8]) -> Result<Scanned> {
        let mut options = ReadOptions::default();
        options.set_iterate_range(rocksdb::PrefixRange(prefix));
        let mut entries = self.database.raw_iterator_cf_opt(&self.family()?, options);
        entries.seek_to_first();
        let mut scanned = Scanned::default();
        while let Some((key, value)) = entries.item() {
            scanned.see(key, value);
            entries.next();
        }
        entries.status()?;
        Ok(scanned)
    }
}
