//! A scan that owns its entries, and by them the transaction it reads in.

use std::path::PathBuf;

use ::redb::OwnedRange;

use super::errors::storage_error;
use crate::{Direction, KeyValue, Result};

/// Entries of one redb transaction.
pub struct RedbScan {
    /// `None` if the keyspace was not there.
    entries: Option<OwnedRange<&'static [u8], &'static [u8]>>,
    direction: Direction,
    path: PathBuf,
}

impl RedbScan {
    pub(super) const fn new(
        entries: Option<OwnedRange<&'static [u8], &'static [u8]>>,
        direction: Direction,
        path: PathBuf,
    ) -> Self {
        Self { entries, direction, path }
    }
}

impl Iterator for RedbScan {
    type Item = Result<KeyValue>;

    fn next(&mut self) -> Option<Self::Item> {
        let entries = self.entries.as_mut()?;
        let entry = match self.direction {
            Direction::Forward => entries.next(),
            Direction::Backward => entries.next_back(),
        }?;
        let entry = entry.map(|(key, value)| (key.value().to_vec(), value.value().to_vec()));
        Some(entry.map_err(|error| storage_error(&self.path, "scan", error)))
    }
}
