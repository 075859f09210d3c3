//! The one place where a driver lives.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use tidal_types::StorageError;

use super::conflicts::{CONFLICT_BYTES_MAX, Conflicts};
use super::scan::Scan;
use crate::counters::{Counters, Tally};
use crate::directory::without_panic;
use crate::sync::{read, write};
use crate::{
    AtomicBatch, BatchOp, Direction, Driver, Durability, EngineStats, KeyRange, KeyspaceName,
    PrefixIterator, Result, SpaceId, SpaceOp, WriteBatch,
};

/// A keyspace that is open.
#[derive(Debug)]
pub(super) struct Space {
    pub(super) id: SpaceId,
    pub(super) name: String,
    pub(super) counters: Counters,
}

impl Space {
    pub(super) fn name(&self) -> KeyspaceName<'_> {
        KeyspaceName::from(&self.name)
    }
}

/// A driver and the keyspaces that it has open.
#[derive(Debug)]
pub(super) struct Open<D> {
    pub(super) driver: D,
    pub(super) spaces: BTreeMap<String, Arc<Space>>,
}

impl<D: Driver> Open<D> {
    pub(super) fn stats(&self, space: &Space) -> Result<EngineStats> {
        let size = self.driver.size(space.id)?;
        Ok(EngineStats {
            keys: size.keys,
            bytes: size.bytes,
            reads: space.counters.reads(),
            writes: space.counters.writes(),
            deletes: space.counters.deletes(),
        })
    }
}

/// A driver, until it is closed.
#[derive(Debug)]
pub(super) struct Shared<D> {
    path: PathBuf,
    open: RwLock<Option<Open<D>>>,
    // Scans look at this for each entry, without the lock.
    closed: AtomicBool,
    pub(super) conflicts: Arc<Conflicts>,
}

/// Writes on their way to the driver, and what the counters will say of them.
#[derive(Default)]
pub(super) struct Prepared {
    ops: Vec<SpaceOp>,
    tallies: Vec<(Tally, Arc<Space>)>,
}

impl<D: Driver> Shared<D> {
    pub(super) fn new(driver: D, path: PathBuf) -> Self {
        let open = Open { driver, spaces: BTreeMap::new() };
        Self {
            path,
            open: RwLock::new(Some(open)),
            closed: AtomicBool::new(false),
            conflicts: Arc::new(Conflicts::new(CONFLICT_BYTES_MAX)),
        }
    }

    /// Runs `work` on the driver, which stays open meanwhile.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Open<D>) -> Result<T>) -> Result<T> {
        work(read(&self.open).as_ref().ok_or_else(|| self.closed_error())?)
    }

    /// The same for work that writes, which a storage that was opened for reading
    /// only refuses (D5).
    pub(super) fn writing<T>(&self, work: impl FnOnce(&Open<D>) -> Result<T>) -> Result<T> {
        self.with(|open| {
            if open.driver.is_read_only() {
                return Err(StorageError::ReadOnly { path: self.path.clone() });
            }
            work(open)
        })
    }

    /// Makes everything that was written durable.
    pub(super) fn sync(&self) -> Result<()> {
        self.with(|open| if open.driver.is_read_only() { Ok(()) } else { open.driver.sync() })
    }

    /// Lets opening read less, see [`Driver::shorten_recovery`].
    pub(super) fn shorten_recovery(&self) -> Result<()> {
        self.with(
            |open| {
                if open.driver.is_read_only() { Ok(()) } else { open.driver.shorten_recovery() }
            },
        )
    }

    /// The keyspace of this name, created if it is new.
    pub(super) fn space(&self, name: KeyspaceName<'_>) -> Result<Arc<Space>> {
        name.check()?;
        if let Some(space) = self.with(|open| Ok(open.spaces.get(name.as_str()).cloned()))? {
            return Ok(space);
        }
        let mut guard = write(&self.open);
        let open = guard.as_mut().ok_or_else(|| self.closed_error())?;
        // Someone may have created it since we looked.
        if let Some(space) = open.spaces.get(name.as_str()) {
            return Ok(Arc::clone(space));
        }
        let id = open.driver.open_keyspace(name.as_str())?;
        let space =
            Arc::new(Space { id, name: name.as_str().to_owned(), counters: Counters::default() });
        open.spaces.insert(space.name.clone(), Arc::clone(&space));
        Ok(space)
    }

    /// A scan of one keyspace at a moment, or now.
    pub(super) fn scan<'a>(
        self: &Arc<Self>,
        at: Option<&D::Snapshot>,
        space: &Arc<Space>,
        range: KeyRange,
        direction: Direction,
    ) -> Result<PrefixIterator<'a>> {
        let entries = self.with(|open| {
            range
                .normalized()
                .map(|range| open.driver.scan(at, space.id, range, direction))
                .transpose()
        })?;
        Ok(match entries {
            Some(entries) => Box::new(Scan::new(Arc::clone(self), Arc::clone(space), entries)),
            None => Box::new(std::iter::empty()),
        })
    }

    /// Applies a batch to one keyspace.
    pub(super) fn write(&self, space: &Space, batch: WriteBatch) -> Result<()> {
        let checked = batch.into_checked(space.name())?;
        let _gate = self.conflicts.enter();
        self.apply_to(space, checked, Durability::Buffer)
    }

    /// Applies a batch to all the keyspaces that it names.
    pub(super) fn commit(&self, batch: AtomicBatch, durability: Durability) -> Result<()> {
        self.writing(|_| Ok(()))?;
        // All of it is checked before a new keyspace is created for any of it.
        let mut parts = Vec::new();
        for (name, part) in batch.into_parts() {
            KeyspaceName::from(&name).check()?;
            let checked = part.into_checked(KeyspaceName::from(&name))?;
            parts.push((name, checked));
        }
        let prepared = self.prepare(parts)?;
        let _gate = self.conflicts.enter();
        self.apply(prepared, durability)
    }

    /// Finds the keyspaces of checked writes, and creates those that are new.
    pub(super) fn prepare(&self, parts: Vec<(String, Vec<BatchOp>)>) -> Result<Prepared> {
        let mut prepared = Prepared::default();
        for (name, checked) in parts {
            let space = self.space(KeyspaceName::from(&name))?;
            prepared.tallies.push((Tally::of(&checked), Arc::clone(&space)));
            prepared.ops.extend(space_ops(&space, checked));
        }
        // Each part is sorted by key already, and the sort is stable.
        prepared.ops.sort_by_key(|op| op.space);
        Ok(prepared)
    }

    /// Hands checked writes to one keyspace to the driver. The caller is inside
    /// the gate of the conflict layer.
    pub(super) fn apply_to(
        &self,
        space: &Space,
        checked: Vec<BatchOp>,
        durability: Durability,
    ) -> Result<()> {
        let tally = Tally::of(&checked);
        self.hand_over(space_ops(space, checked).collect(), durability)?;
        space.counters.add_writes(tally);
        Ok(())
    }

    /// Hands writes to the driver. The caller is inside the gate of the conflict
    /// layer.
    pub(super) fn apply(&self, prepared: Prepared, durability: Durability) -> Result<()> {
        self.hand_over(prepared.ops, durability)?;
        for (tally, space) in prepared.tallies {
            space.counters.add_writes(tally);
        }
        Ok(())
    }

    /// Hands writes to the driver, and has the conflict layer hear of them.
    fn hand_over(&self, ops: Vec<SpaceOp>, durability: Durability) -> Result<()> {
        let _recording = self.conflicts.recording(&ops);
        self.writing(|open| match durability {
            _ if !ops.is_empty() => open.driver.commit(ops, durability),
            Durability::Buffer => Ok(()),
            Durability::Sync => open.driver.sync(),
        })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(super) fn closed_error(&self) -> StorageError {
        StorageError::Closed { path: self.path.clone() }
    }

    pub(super) fn restore_unfinished_error(&self) -> StorageError {
        StorageError::RestoreUnfinished { path: self.path.clone() }
    }

    /// Makes everything durable and drops the driver, whatever comes of it.
    pub(super) fn close(&self) -> Result<()> {
        let mut guard = write(&self.open);
        self.closed.store(true, Ordering::Release);
        // The lock is held until the driver is gone, so that whoever closes next
        // returns to a free directory too.
        let Some(open) = guard.take() else { return Ok(()) };
        let synced = if open.driver.is_read_only() { Ok(()) } else { open.driver.sync() };
        let closed = without_panic(&self.path, || {
            drop(open);
            Ok(())
        });
        synced.and(closed)
    }
}

fn space_ops(space: &Space, checked: Vec<BatchOp>) -> impl Iterator<Item = SpaceOp> {
    let id = space.id;
    checked.into_iter().map(move |op| SpaceOp { space: id, op })
}
