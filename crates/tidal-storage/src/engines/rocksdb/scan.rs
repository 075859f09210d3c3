//! A scan of one RocksDB snapshot.

use std::ops::Bound;
use std::path::PathBuf;
use std::sync::Arc;

use ::rocksdb::{DB, Error, ReadOptions, Snapshot};
use tidal_types::StorageError;

use super::super::chunks::{Chunk, ChunkSource, Chunks};
use super::errors::storage_error;
use super::moment::Moment;
use crate::{Direction, KeyRange, Result};

/// Entries of one RocksDB snapshot.
pub(super) type RocksDbScan = Chunks<RocksDbEntries>;

/// What is in a keyspace as of a moment.
pub struct RocksDbEntries {
    pub(super) moment: Arc<Moment>,
    /// `None` if the keyspace was not there.
    pub(super) family: Option<String>,
    pub(super) path: PathBuf,
}

impl ChunkSource for RocksDbEntries {
    fn take(&self, range: &KeyRange, direction: Direction, chunk: &mut Chunk) -> Result<()> {
        let Some(family) = &self.family else { return Ok(()) };
        self.moment
            .read(|database, snapshot| take(database, snapshot, family, range, direction, chunk))
            .ok_or_else(|| StorageError::Closed { path: self.path.clone() })?
            .map_err(|error| storage_error(&self.path, "scan", error))
    }
}

fn take(
    database: &DB,
    snapshot: &Snapshot<'_>,
    family: &str,
    range: &KeyRange,
    direction: Direction,
    chunk: &mut Chunk,
) -> Result<(), Error> {
    let Some(family) = database.cf_handle(family) else { return Ok(()) };
    let mut entries = snapshot.raw_iterator_cf_opt(&family, within(range));
    match direction {
        Direction::Forward => entries.seek_to_first(),
        Direction::Backward => entries.seek_to_last(),
    }
    while !chunk.is_full() {
        let Some((key, value)) = entries.item() else {
            // It ends at the last entry, and at one that cannot be read.
            return entries.status();
        };
        chunk.push(key, value);
        match direction {
            Direction::Forward => entries.next(),
            Direction::Backward => entries.prev(),
        }
    }
    Ok(())
}

/// The bounds as RocksDB takes them: the lower one included, the upper one not.
fn within(range: &KeyRange) -> ReadOptions {
    // No key lies between one and the same with a zero behind it.
    let behind = |key: &[u8]| [key, &[0]].concat();
    let mut options = ReadOptions::default();
    let (start, end) = range.bounds();
    match start {
        Bound::Included(key) => options.set_iterate_lower_bound(key),
        Bound::Excluded(key) => options.set_iterate_lower_bound(behind(key)),
        Bound::Unbounded => {}
    }
    match end {
        Bound::Included(key) => options.set_iterate_upper_bound(behind(key)),
        Bound::Excluded(key) => options.set_iterate_upper_bound(key),
        Bound::Unbounded => {}
    }
    options
}
