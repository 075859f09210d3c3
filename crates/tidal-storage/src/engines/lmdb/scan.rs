//! A scan of one LMDB transaction.

use std::path::PathBuf;
use std::sync::Arc;

use heed::types::Bytes;
use heed::{Database, RoTxn, WithoutTls};
use tidal_types::StorageError;

use super::super::chunks::{Chunk, ChunkSource, Chunks};
use super::errors::storage_error;
use super::moment::Moment;
use crate::{Direction, KeyRange, Result};

/// Entries of one LMDB transaction.
pub(super) type LmdbScan = Chunks<LmdbEntries>;

/// What is in a keyspace as of a moment.
pub struct LmdbEntries {
    pub(super) moment: Arc<Moment>,
    /// `None` if the keyspace was not there.
    pub(super) database: Option<Database<'static, Bytes, Bytes>>,
    pub(super) path: PathBuf,
}

impl ChunkSource for LmdbEntries {
    fn take(&self, range: &KeyRange, direction: Direction, chunk: &mut Chunk) -> Result<()> {
        let Some(database) = self.database else { return Ok(()) };
        self.moment
            .read(|txn| take(database, txn, range, direction, chunk))
            .ok_or_else(|| StorageError::Closed { path: self.path.clone() })?
            .map_err(|error| storage_error(&self.path, "scan", error))
    }
}

fn take(
    database: Database<'_, Bytes, Bytes>,
    txn: &RoTxn<'_, WithoutTls>,
    range: &KeyRange,
    direction: Direction,
    chunk: &mut Chunk,
) -> heed::Result<()> {
    let bounds = range.bounds();
    let mut collect = |entries: &mut dyn Iterator<Item = heed::Result<(&[u8], &[u8])>>| {
        while !chunk.is_full()
            && let Some(entry) = entries.next()
        {
            let (key, value) = entry?;
            chunk.push(key, value);
        }
        Ok(())
    };
    match direction {
        Direction::Forward => collect(&mut database.range(txn, &bounds)?),
        Direction::Backward => collect(&mut database.rev_range(txn, &bounds)?),
    }
}
