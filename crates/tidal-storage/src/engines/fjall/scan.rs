//! A scan that unpacks each entry before it hands it out, since only then fjall
//! shows that it could not be read.

use std::path::PathBuf;

use super::errors::storage_error;
use crate::{Direction, KeyValue, Result};

/// Entries of one fjall snapshot.
pub struct FjallScan {
    entries: ::fjall::Iter,
    direction: Direction,
    path: PathBuf,
}

impl FjallScan {
    pub(super) const fn new(entries: ::fjall::Iter, direction: Direction, path: PathBuf) -> Self {
        Self { entries, direction, path }
    }
}

impl Iterator for FjallScan {
    type Item = Result<KeyValue>;

    fn next(&mut self) -> Option<Self::Item> {
        let guard = match self.direction {
            Direction::Forward => self.entries.next(),
            Direction::Backward => self.entries.next_back(),
        }?;
        let entry = guard.into_inner().map(|(key, value)| (key.to_vec(), value.to_vec()));
        Some(entry.map_err(|error| storage_error(&self.path, "scan", error)))
    }
}
