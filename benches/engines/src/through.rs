//! An engine through tidal-storage, as a user of its traits has it.

use std::sync::Arc;

use tidal_bench_measure::Result;
use tidal_storage::{AtomicBatch, Durability, Storage, StorageEngine, WriteBatch};

use crate::store::{Entry, Scanned, Store, looked_at};

const KEYSPACE: &str = "bench";

pub(crate) struct Through {
    storage: Box<dyn Storage>,
    engine: Arc<dyn StorageEngine>,
}

impl Through {
    pub(crate) fn new(storage: Box<dyn Storage>) -> Result<Self> {
        let engine = storage.keyspace(KEYSPACE)?;
        Ok(Self { storage, engine })
    }
}

impl Store for Through {
    fn write(&self, entries: &mut dyn Iterator<Item = Entry<'_>>) -> Result<()> {
        let mut batch = WriteBatch::new();
        for (key, value) in entries {
            batch.put(key, value);
        }
        Ok(self.engine.write_batch(batch)?)
    }

    fn write_durably(&self, (key, value): Entry<'_>) -> Result<()> {
        let mut batch = AtomicBatch::new();
        batch.put(KEYSPACE, key, value);
        Ok(self.storage.commit(batch, Durability::Sync)?)
    }

    fn sync(&self) -> Result<()> {
        Ok(self.engine.flush()?)
    }

    fn read(&self, key: &[u8]) -> Result<Option<usize>> {
        Ok(self.engine.get(key)?.map(|value| looked_at(&value)))
    }

    fn scan(&self, prefix: &[u8]) -> Result<Scanned> {
        let mut scanned = Scanned::default();
        for entry in self.engine.scan_prefix(prefix)? {
            let (key, value) = entry?;
            scanned.see(&key, &value);
        }
        Ok(scanned)
    }
}
