//! All keyspaces of a driver.

use std::path::PathBuf;
use std::sync::Arc;

use tidal_types::EntityKind;

use super::backend::DriverBackend;
use super::shared::Shared;
use super::snapshot::DriverSnapshot;
use crate::backup::is_unfinished;
use crate::{
    AtomicBatch, Capabilities, Driver, Durability, Isolation, KeyspaceName, Result, Snapshot,
    Storage, StorageEngine, StorageStats, Transaction,
};

/// A [`Storage`] over any [`Driver`].
#[derive(Debug)]
pub struct DriverStorage<D: Driver> {
    shared: Arc<Shared<D>>,
    items: DriverBackend<D>,
    users: DriverBackend<D>,
    creators: DriverBackend<D>,
}

impl<D: Driver> DriverStorage<D> {
    /// A storage over `driver`. Opens every keyspace that is there and creates
    /// those of the entity kinds. `path` is what errors name.
    ///
    /// # Errors
    ///
    /// [`RestoreUnfinished`](crate::StorageError::RestoreUnfinished), and what the
    /// driver runs into when it opens a keyspace.
    pub fn over(driver: D, path: PathBuf) -> Result<Self> {
        let existing = driver.keyspace_names();
        let shared = Arc::new(Shared::new(driver, path));
        for name in &existing {
            // Another program may have left keyspaces that no name of ours reaches.
            if KeyspaceName::from(name).check().is_ok() {
                shared.space(KeyspaceName::from(name))?;
            }
        }
        let backend = |kind: EntityKind| -> Result<DriverBackend<D>> {
            Ok(DriverBackend::new(Arc::clone(&shared), shared.space(kind.into())?))
        };
        let (items, users, creators) =
            (backend(EntityKind::Item)?, backend(EntityKind::User)?, backend(EntityKind::Creator)?);
        if is_unfinished(|key| items.read_uncounted(key))? {
            return Err(shared.restore_unfinished_error());
        }
        Ok(Self { shared, items, users, creators })
    }
}

impl<D: Driver> Storage for DriverStorage<D> {
    fn name(&self) -> &'static str {
        D::NAME
    }

    fn capabilities(&self) -> Capabilities {
        D::CAPABILITIES
    }

    fn backend(&self, kind: EntityKind) -> &dyn StorageEngine {
        match kind {
            EntityKind::Item => &self.items,
            EntityKind::User => &self.users,
            EntityKind::Creator => &self.creators,
        }
    }

    fn keyspace(&self, name: &str) -> Result<Arc<dyn StorageEngine>> {
        let space = self.shared.space(name.into())?;
        Ok(Arc::new(DriverBackend::new(Arc::clone(&self.shared), space)))
    }

    fn commit(&self, batch: AtomicBatch, durability: Durability) -> Result<()> {
        self.shared.commit(batch, durability)
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        let moment = self.shared.with(|open| open.driver.snapshot())?;
        Ok(Box::new(DriverSnapshot::new(Arc::clone(&self.shared), moment)))
    }

    fn begin_with(&self, isolation: Isolation) -> Result<Transaction<'_>> {
        // In this order: the snapshot sees what is not newer than the start.
        let start = self.shared.conflicts.begin();
        let snapshot = self.snapshot()?;
        Ok(Transaction::new(isolation, start, snapshot, Arc::clone(&self.shared) as _))
    }

    fn flush_all(&self) -> Result<()> {
        self.shared.sync()
    }

    fn shorten_recovery(&self) -> Result<()> {
        self.shared.shorten_recovery()
    }

    fn stats(&self) -> Result<StorageStats> {
        self.shared.with(|open| {
            let stats =
                open.spaces.iter().map(|(name, space)| Ok((name.clone(), open.stats(space)?)));
            Ok(StorageStats {
                keyspaces: stats.collect::<Result<_>>()?,
                disk_bytes: open.driver.disk_bytes()?,
                cache: open.driver.cache(),
            })
        })
    }

    fn close(&self) -> Result<()> {
        self.shared.close()
    }
}

/// Handles that outlive the storage must not keep the directory locked.
impl<D: Driver> Drop for DriverStorage<D> {
    fn drop(&mut self) {
        // Nobody is left to tell. Whoever must know calls `close`.
        drop(self.shared.close());
    }
}

#[cfg(test)]
impl<D: Driver> DriverStorage<D> {
    /// Lets a test look at the driver.
    pub(crate) fn with_driver<T>(&self, look: impl FnOnce(&D) -> Result<T>) -> Result<T> {
        self.shared.with(|open| look(&open.driver))
    }

    pub(super) fn space_id(&self, name: &str) -> crate::SpaceId {
        self.shared.space(name.into()).unwrap().id
    }

    pub(super) fn conflicts(&self) -> &Arc<super::conflicts::Conflicts> {
        &self.shared.conflicts
    }
}
