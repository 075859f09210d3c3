//! fjall's journal, through a keyspace: it is not to be had alone. So each record is
//! also put into the table in memory under its number, and written as a sorted table
//! by the background once that is full.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use tidal_bench_measure::Result;

use super::Log;

pub(crate) struct Fjall {
    database: Database,
    keyspace: Keyspace,
    next: AtomicU64,
}

impl Fjall {
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let database = Database::builder(dir).open()?;
        let keyspace = database.keyspace("log", KeyspaceCreateOptions::default)?;
        Ok(Self { database, keyspace, next: AtomicU64::new(0) })
    }
}

impl Log for Fjall {
    #[expect(clippy::big_endian_bytes, reason = "the order of its keys is that of their bytes")]
    fn append(&self, _writer: usize, records: &[&[u8]]) -> Result<()> {
        let first = self.next.fetch_add(records.len() as u64, Ordering::Relaxed);
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        for (seq, record) in (first..).zip(records) {
            batch.insert(&self.keyspace, seq.to_be_bytes(), *record);
        }
        Ok(batch.commit()?)
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(self.database.persist(PersistMode::SyncAll)?)
    }
}
