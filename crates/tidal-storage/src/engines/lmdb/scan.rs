//! A scan that takes a few entries at a time, so that it can move on to another
//! thread and be ended by the driver between them.

use std::path::PathBuf;
use std::sync::Arc;
use std::vec;

use heed::types::Bytes;
use heed::{Database, RoTxn, WithoutTls};
use tidal_types::StorageError;

use super::errors::storage_error;
use super::moment::Moment;
use crate::{Direction, KeyRange, KeyValue, Result};

/// Entries that are taken at a time: first few, since many scans want only the
/// first; and never more than one beyond these bytes.
const CHUNK_ENTRIES_MIN: usize = 8;
const CHUNK_ENTRIES_MAX: usize = 512;
const CHUNK_BYTES_MAX: usize = 1024 * 1024;

/// Entries of one LMDB transaction.
pub struct LmdbScan {
    moment: Arc<Moment>,
    database: Option<Database<'static, Bytes, Bytes>>,
    direction: Direction,
    chunk: vec::IntoIter<KeyValue>,
    chunk_entries: usize,
    /// What has not been taken yet; `None` at the end.
    rest: Option<KeyRange>,
    path: PathBuf,
}

impl LmdbScan {
    pub(super) fn new(
        moment: Arc<Moment>,
        database: Option<Database<'static, Bytes, Bytes>>,
        range: KeyRange,
        direction: Direction,
        path: PathBuf,
    ) -> Self {
        let chunk = Vec::new().into_iter();
        let chunk_entries = CHUNK_ENTRIES_MIN;
        Self { moment, database, direction, chunk, chunk_entries, rest: Some(range), path }
    }

    fn take_chunk(&mut self) -> Result<()> {
        let (Some(range), Some(database)) = (self.rest.take(), self.database) else {
            return Ok(());
        };
        let taken = self
            .moment
            .read(|txn| take(database, txn, &range, self.direction, self.chunk_entries))
            .ok_or_else(|| StorageError::Closed { path: self.path.clone() })?;
        let (chunk, ended) = taken.map_err(|error| storage_error(&self.path, "scan", error))?;
        if !ended {
            self.rest = chunk.last().and_then(|(key, _)| range.beyond(key.clone(), self.direction));
        }
        self.chunk_entries = (self.chunk_entries * 2).min(CHUNK_ENTRIES_MAX);
        self.chunk = chunk.into_iter();
        Ok(())
    }
}

/// The first entries of a range, and whether they are all.
fn take(
    database: Database<'_, Bytes, Bytes>,
    txn: &RoTxn<'_, WithoutTls>,
    range: &KeyRange,
    direction: Direction,
    entries_max: usize,
) -> heed::Result<(Vec<KeyValue>, bool)> {
    let bounds = range.bounds();
    let collect = |entries: &mut dyn Iterator<Item = heed::Result<(&[u8], &[u8])>>| {
        let (mut chunk, mut bytes) = (Vec::new(), 0);
        while chunk.len() < entries_max && bytes < CHUNK_BYTES_MAX {
            let Some(entry) = entries.next() else { return Ok((chunk, true)) };
            let (key, value) = entry?;
            bytes += key.len() + value.len();
            chunk.push((key.to_vec(), value.to_vec()));
        }
        Ok((chunk, false))
    };
    match direction {
        Direction::Forward => collect(&mut database.range(txn, &bounds)?),
        Direction::Backward => collect(&mut database.rev_range(txn, &bounds)?),
    }
}

impl Iterator for LmdbScan {
    type Item = Result<KeyValue>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.chunk.len() == 0
            && let Err(error) = self.take_chunk()
        {
            return Some(Err(error));
        }
        self.chunk.next().map(Ok)
    }
}
