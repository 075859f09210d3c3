//! One keyspace of a driver.

use std::sync::Arc;

use super::shared::{Shared, Space};
use crate::batch::check_key;
use crate::{
    BatchOp, Direction, Driver, Durability, EngineStats, KeyRange, PrefixIterator, Result,
    StorageEngine, WriteBatch,
};

/// One keyspace of a [`DriverStorage`](crate::DriverStorage).
#[derive(Debug)]
pub struct DriverBackend<D: Driver> {
    shared: Arc<Shared<D>>,
    space: Arc<Space>,
}

impl<D: Driver> DriverBackend<D> {
    pub(super) const fn new(shared: Arc<Shared<D>>, space: Arc<Space>) -> Self {
        Self { shared, space }
    }

    /// A read of the storage's own, which no counter shows.
    pub(super) fn read_uncounted(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.shared.with(|open| open.driver.get(None, self.space.id, key))
    }

    fn check(&self, key: &[u8]) -> Result<()> {
        check_key(self.space.name(), key)
    }

    fn write(&self, op: BatchOp) -> Result<()> {
        let mut batch = WriteBatch::new();
        batch.push(op);
        self.shared.write(&self.space, batch)
    }
}

impl<D: Driver> StorageEngine for DriverBackend<D> {
    fn name(&self) -> &str {
        &self.space.name
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.check(key)?;
        let value = self.shared.with(|open| open.driver.get(None, self.space.id, key))?;
        self.space.counters.add_reads(1);
        Ok(value)
    }

    fn contains(&self, key: &[u8]) -> Result<bool> {
        self.check(key)?;
        let found = self.shared.with(|open| open.driver.contains(None, self.space.id, key))?;
        self.space.counters.add_reads(1);
        Ok(found)
    }

    fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.write(BatchOp::Put { key: key.to_vec(), value: value.to_vec() })
    }

    fn delete(&self, key: &[u8]) -> Result<()> {
        self.write(BatchOp::Delete { key: key.to_vec() })
    }

    fn scan_prefix(&self, prefix: &[u8]) -> Result<PrefixIterator<'_>> {
        self.scan_range(KeyRange::prefix(prefix), Direction::Forward)
    }

    fn scan_range(&self, range: KeyRange, direction: Direction) -> Result<PrefixIterator<'_>> {
        self.shared.scan(None, &self.space, range, direction)
    }

    fn write_batch(&self, batch: WriteBatch) -> Result<()> {
        self.shared.write(&self.space, batch)
    }

    fn compare_and_swap(
        &self,
        key: &[u8],
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
        durability: Durability,
    ) -> Result<bool> {
        let mut batch = WriteBatch::new();
        match new {
            Some(value) => batch.put(key, value),
            None => batch.delete(key),
        };
        self.shared.compare_and_write(&self.space, key, expected, batch, durability)
    }

    fn flush(&self) -> Result<()> {
        self.shared.sync()
    }

    fn compact(&self) -> Result<()> {
        self.shared.writing(|open| open.driver.compact(self.space.id))
    }

    fn stats(&self) -> Result<EngineStats> {
        self.shared.with(|open| open.stats(&self.space))
    }
}
