//! A moment of all keyspaces of a driver.

use std::sync::Arc;

use super::shared::{Shared, Space};
use crate::batch::check_key;
use crate::{Direction, Driver, KeyRange, KeyspaceName, PrefixIterator, Result, Snapshot};

pub(super) struct DriverSnapshot<D: Driver> {
    shared: Arc<Shared<D>>,
    moment: D::Snapshot,
}

impl<D: Driver> DriverSnapshot<D> {
    pub(super) const fn new(shared: Arc<Shared<D>>, moment: D::Snapshot) -> Self {
        Self { shared, moment }
    }

    /// The keyspace, if it is there. Looking does not create it.
    fn space(&self, name: KeyspaceName<'_>) -> Result<Option<Arc<Space>>> {
        name.check()?;
        self.shared.with(|open| Ok(open.spaces.get(name.as_str()).cloned()))
    }
}

impl<D: Driver> Snapshot for DriverSnapshot<D> {
    fn get(&self, keyspace: KeyspaceName<'_>, key: &[u8]) -> Result<Option<Vec<u8>>> {
        check_key(keyspace, key)?;
        let Some(space) = self.space(keyspace)? else {
            return Ok(None);
        };
        let value = self.shared.with(|open| open.driver.get(Some(&self.moment), space.id, key))?;
        space.counters.add_reads(1);
        Ok(value)
    }

    fn contains(&self, keyspace: KeyspaceName<'_>, key: &[u8]) -> Result<bool> {
        check_key(keyspace, key)?;
        let Some(space) = self.space(keyspace)? else {
            return Ok(false);
        };
        let found =
            self.shared.with(|open| open.driver.contains(Some(&self.moment), space.id, key))?;
        space.counters.add_reads(1);
        Ok(found)
    }

    fn scan_prefix(&self, keyspace: KeyspaceName<'_>, prefix: &[u8]) -> Result<PrefixIterator<'_>> {
        self.scan_range(keyspace, KeyRange::prefix(prefix), Direction::Forward)
    }

    fn scan_range(
        &self,
        keyspace: KeyspaceName<'_>,
        range: KeyRange,
        direction: Direction,
    ) -> Result<PrefixIterator<'_>> {
        match self.space(keyspace)? {
            Some(space) => self.shared.scan(Some(&self.moment), &space, range, direction),
            None => Ok(Box::new(std::iter::empty())),
        }
    }
}
