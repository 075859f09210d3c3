//! A [`Storage`] as a [`KeyValueDB`], so that somebody else's tests of key-value databases
//! run over our engines.
//!
//! E1. A column is a keyspace, `column_0` and so on; there are as many as were asked for.
//! E2. A key of theirs may be empty, one of ours not: each gets a byte in front.
//! E3. A transaction is one batch of ours, its deletes of prefixes included; like every
//!     write of theirs it is alone, so nothing comes between looking for the keys of a
//!     prefix and deleting them.

mod statistics;

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, PoisonError};

use kvdb::{DBKey, DBKeyValue, DBOp, DBTransaction, DBValue, IoStats, IoStatsKind, KeyValueDB};
use tidal_storage::{AtomicBatch, Durability, PrefixIterator, Result, Storage};

use statistics::Statistics;

/// What stands in front of each key (E2).
const FRONT: u8 = b'k';

/// A storage with a number of columns.
#[derive(Debug)]
pub struct TidalKvdb {
    storage: Box<dyn Storage>,
    columns: u32,
    writing: Mutex<()>,
    statistics: Statistics,
}

impl TidalKvdb {
    /// The storage, with columns from 0 on.
    ///
    /// # Errors
    ///
    /// What the engine answers when it creates their keyspaces.
    pub fn new(storage: Box<dyn Storage>, columns: u32) -> Result<Self> {
        for column in 0..columns {
            storage.keyspace(&name(column))?;
        }
        Ok(Self { storage, columns, writing: Mutex::new(()), statistics: Statistics::default() })
    }

    fn column(&self, column: u32) -> io::Result<String> {
        if column < self.columns {
            return Ok(name(column));
        }
        let problem = format!("there is no column {column}, only {}", self.columns);
        Err(io::Error::new(io::ErrorKind::NotFound, problem))
    }

    fn entries(&self, column: u32, prefix: &[u8]) -> io::Result<Vec<DBKeyValue>> {
        let keyspace = self.storage.keyspace(&self.column(column)?).map_err(failed)?;
        let scan: PrefixIterator<'_> = keyspace.scan_prefix(&key_of(prefix)).map_err(failed)?;
        let theirs = |key: Vec<u8>| key.into_iter().skip(1).collect::<DBKey>();
        scan.map(|entry| entry.map(|(key, value)| (theirs(key), value)).map_err(failed)).collect()
    }

    /// Adds one operation to a batch. `put` holds the keys of ours that the batch has put
    /// so far, since these go with their prefix too.
    fn add(
        &self,
        batch: &mut AtomicBatch,
        put: &mut BTreeSet<(u32, Vec<u8>)>,
        op: DBOp,
    ) -> io::Result<()> {
        let name = self.column(op.col())?;
        match op {
            DBOp::Insert { col, key, value } => {
                put.insert((col, key_of(&key)));
                batch.put(name.as_str(), key_of(&key), value);
            }
            DBOp::Delete { key, .. } => {
                batch.delete(name.as_str(), key_of(&key));
            }
            DBOp::DeletePrefix { col, prefix } => {
                for (key, _) in self.entries(col, &prefix)? {
                    batch.delete(name.as_str(), key_of(&key));
                }
                let prefix = key_of(&prefix);
                for (_, key) in
                    put.iter().filter(|(of, key)| *of == col && key.starts_with(&prefix))
                {
                    batch.delete(name.as_str(), key.clone());
                }
            }
        }
        Ok(())
    }
}

fn name(column: u32) -> String {
    format!("column_{column}")
}

fn key_of(theirs: &[u8]) -> Vec<u8> {
    [&[FRONT], theirs].concat()
}

fn failed(error: tidal_storage::StorageError) -> io::Error {
    io::Error::other(error)
}

impl KeyValueDB for TidalKvdb {
    fn get(&self, col: u32, key: &[u8]) -> io::Result<Option<DBValue>> {
        let keyspace = self.storage.keyspace(&self.column(col)?).map_err(failed)?;
        let value = keyspace.get(&key_of(key)).map_err(failed)?;
        self.statistics.add_read(key, value.as_deref());
        Ok(value)
    }

    fn get_by_prefix(&self, col: u32, prefix: &[u8]) -> io::Result<Option<DBValue>> {
        Ok(self.entries(col, prefix)?.into_iter().next().map(|(_, value)| value))
    }

    fn write(&self, transaction: DBTransaction) -> io::Result<()> {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = AtomicBatch::new();
        let mut put = BTreeSet::new();
        let ops = transaction.ops.clone();
        for op in transaction.ops {
            self.add(&mut batch, &mut put, op)?;
        }
        self.storage.commit(batch, Durability::Buffer).map_err(failed)?;
        self.statistics.add_transaction(&ops);
        Ok(())
    }

    fn iter<'a>(&'a self, col: u32) -> Box<dyn Iterator<Item = io::Result<DBKeyValue>> + 'a> {
        self.iter_with_prefix(col, &[])
    }

    fn iter_with_prefix<'a>(
        &'a self,
        col: u32,
        prefix: &'a [u8],
    ) -> Box<dyn Iterator<Item = io::Result<DBKeyValue>> + 'a> {
        match self.entries(col, prefix) {
            Ok(entries) => Box::new(entries.into_iter().map(Ok)),
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }

    fn io_stats(&self, kind: IoStatsKind) -> IoStats {
        self.statistics.tell(kind)
    }
}
