//! fjall by its own interface. A scan goes through a snapshot, without which it may see
//! half of a batch; a read of one key does not need one.

use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable};
use tidal_bench_measure::Result;
use tidal_storage::FjallOptions;

use crate::store::{Entry, Scanned, Store, looked_at};

pub(crate) struct Fjall {
    database: Database,
    keyspace: Keyspace,
}

impl Fjall {
    pub(crate) fn open(dir: &Path, options: FjallOptions) -> Result<Self> {
        let database = Database::builder(dir).cache_size(options.cache_bytes).open()?;
        let keyspace = database.keyspace("bench", || {
            KeyspaceCreateOptions::default().max_memtable_size(options.memtable_bytes)
        })?;
        Ok(Self { database, keyspace })
    }
}

impl Store for Fjall {
    fn write(&self, entries: &mut dyn Iterator<Item = Entry<'_>>) -> Result<()> {
        let mut batch = self.database.batch().durability(Some(PersistMode::Buffer));
        for (key, value) in entries {
            batch.insert(&self.keyspace, key, value);
        }
        Ok(batch.commit()?)
    }

    fn write_durably(&self, (key, value): Entry<'_>) -> Result<()> {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncAll));
        batch.insert(&self.keyspace, key, value);
        Ok(batch.commit()?)
    }

    fn sync(&self) -> Result<()> {
        Ok(self.database.persist(PersistMode::SyncAll)?)
    }

    fn read(&self, key: &[u8]) -> Result<Option<usize>> {
        Ok(self.keyspace.get(key)?.map(|value| looked_at(&value)))
    }

    fn scan(&self, prefix: &[u8]) -> Result<Scanned> {
        let mut scanned = Scanned::default();
        for entry in self.database.snapshot().prefix(&self.keyspace, prefix) {
            let (key, value) = entry.into_inner()?;
            scanned.see(&key, &value);
        }
        Ok(scanned)
    }
}
