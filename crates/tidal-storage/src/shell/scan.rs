//! A scan that counts what it hands out and ends when the storage is closed.

use std::iter::FusedIterator;
use std::sync::Arc;

use super::shared::{Shared, Space};
use crate::{Driver, KeyValue, Result};

pub(super) struct Scan<D: Driver> {
    shared: Arc<Shared<D>>,
    space: Arc<Space>,
    /// `None` once the scan has ended.
    entries: Option<D::Scan>,
    handed_out: u64,
}

impl<D: Driver> Scan<D> {
    pub(super) fn new(shared: Arc<Shared<D>>, space: Arc<Space>, entries: D::Scan) -> Self {
        Self { shared, space, entries: Some(entries), handed_out: 0 }
    }
}

impl<D: Driver> Iterator for Scan<D> {
    type Item = Result<KeyValue>;

    fn next(&mut self) -> Option<Self::Item> {
        let entries = self.entries.as_mut()?;
        let entry = if self.shared.is_closed() {
            Some(Err(self.shared.closed_error()))
        } else {
            entries.next()
        };
        match &entry {
            Some(Ok(_)) => self.handed_out += 1,
            Some(Err(_)) | None => self.entries = None,
        }
        entry
    }
}

impl<D: Driver> FusedIterator for Scan<D> {}

impl<D: Driver> Drop for Scan<D> {
    fn drop(&mut self) {
        self.space.counters.add_reads(self.handed_out);
    }
}
