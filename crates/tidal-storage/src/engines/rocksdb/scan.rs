//! A scan that takes a few entries at a time, so that it borrows nothing and can be
//! ended by the driver between them.

use std::ops::Bound;
use std::path::PathBuf;
use std::sync::Arc;
use std::vec;

use ::rocksdb::{DB, Error, ReadOptions, Snapshot};
use tidal_types::StorageError;

use super::errors::storage_error;
use super::moment::Moment;
use crate::{Direction, KeyRange, KeyValue, Result};

/// Entries that are taken at a time: first few, since many scans want only the
/// first; and never more than one beyond these bytes.
const CHUNK_ENTRIES_MIN: usize = 8;
const CHUNK_ENTRIES_MAX: usize = 512;
const CHUNK_BYTES_MAX: usize = 1024 * 1024;

/// Entries of one RocksDB snapshot.
pub struct RocksDbScan {
    moment: Arc<Moment>,
    /// `None` if the keyspace was not there.
    family: Option<String>,
    direction: Direction,
    chunk: vec::IntoIter<KeyValue>,
    chunk_entries: usize,
    /// What has not been taken yet; `None` at the end.
    rest: Option<KeyRange>,
    path: PathBuf,
}

impl RocksDbScan {
    pub(super) fn new(
        moment: Arc<Moment>,
        family: Option<String>,
        range: KeyRange,
        direction: Direction,
        path: PathBuf,
    ) -> Self {
        let chunk = Vec::new().into_iter();
        let chunk_entries = CHUNK_ENTRIES_MIN;
        Self { moment, family, direction, chunk, chunk_entries, rest: Some(range), path }
    }

    fn take_chunk(&mut self) -> Result<()> {
        let (Some(range), Some(family)) = (self.rest.take(), &self.family) else {
            return Ok(());
        };
        let taken = self
            .moment
            .read(|database, snapshot| {
                take(database, snapshot, family, &range, self.direction, self.chunk_entries)
            })
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
    database: &DB,
    snapshot: &Snapshot<'_>,
    family: &str,
    range: &KeyRange,
    direction: Direction,
    entries_max: usize,
) -> Result<(Vec<KeyValue>, bool), Error> {
    let Some(family) = database.cf_handle(family) else { return Ok((Vec::new(), true)) };
    let mut entries = snapshot.raw_iterator_cf_opt(&family, within(range));
    match direction {
        Direction::Forward => entries.seek_to_first(),
        Direction::Backward => entries.seek_to_last(),
    }
    let (mut chunk, mut bytes) = (Vec::new(), 0);
    while chunk.len() < entries_max && bytes < CHUNK_BYTES_MAX {
        let Some((key, value)) = entries.item() else {
            // It ends at the last entry, and at one that cannot be read.
            entries.status()?;
            return Ok((chunk, true));
        };
        bytes += key.len() + value.len();
        chunk.push((key.to_vec(), value.to_vec()));
        match direction {
            Direction::Forward => entries.next(),
            Direction::Backward => entries.prev(),
        }
    }
    Ok((chunk, false))
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

impl Iterator for RocksDbScan {
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
