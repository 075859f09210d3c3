//! redb by its own interface. A read begins a transaction, since one that is kept does
//! not see what is written later.

use std::path::Path;

use redb::{Builder, Database, ReadableDatabase, TableDefinition};
use tidal_bench_measure::Result;
use tidal_storage::KeyRange;

use crate::engine::CACHE_BYTES;
use crate::store::{Entry, Scanned, Store, looked_at};

const TABLE: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("bench");

pub(crate) struct Redb {
    database: Database,
}

impl Redb {
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let mut builder = Builder::new();
        builder.set_cache_size(usize::try_from(CACHE_BYTES)?);
        let database = builder.create(dir.join("data.redb"))?;
        let transaction = database.begin_write()?;
        transaction.open_table(TABLE)?;
        transaction.commit()?;
        Ok(Self { database })
    }
}

impl Store for Redb {
    fn write(&self, entries: &mut dyn Iterator<Item = Entry<'_>>) -> Result<()> {
        let transaction = self.database.begin_write()?;
        let mut table = transaction.open_table(TABLE)?;
        for (key, value) in entries {
            table.insert(key, value)?;
        }
        drop(table);
        Ok(transaction.commit()?)
    }

    fn write_durably(&self, entry: Entry<'_>) -> Result<()> {
        self.write(&mut std::iter::once(entry))
    }

    /// Every commit is durable.
    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn read(&self, key: &[u8]) -> Result<Option<usize>> {
        let table = self.database.begin_read()?.open_table(TABLE)?;
        Ok(table.get(key)?.map(|value| looked_at(value.value())))
    }

    fn scan(&self, prefix: &[u8]) -> Result<Scanned> {
        let table = self.database.begin_read()?.open_table(TABLE)?;
        let mut scanned = Scanned::default();
        for entry in table.range::<&[u8]>(KeyRange::prefix(prefix).bounds())? {
            let (key, value) = entry?;
            scanned.see(key.value(), value.value());
        }
        Ok(scanned)
    }
}
