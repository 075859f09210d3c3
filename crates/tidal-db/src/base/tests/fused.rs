//! Storages whose power is cut after so many writes to all of them together.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tidal_storage::{
    AtomicBatch, Capabilities, Durability, Isolation, Result, Snapshot, Storage, StorageEngine,
    StorageError, StorageStats, Transaction,
};
use tidal_types::EntityKind;

use crate::tests::crash_storage::CrashStorage;

/// How many writes are left before the power is cut; storages may share one.
#[derive(Debug, Clone)]
pub(super) struct Fuse(Arc<AtomicU64>);

impl Fuse {
    pub(super) fn new(writes: u64) -> Self {
        Self(Arc::new(AtomicU64::new(writes)))
    }

    /// Cuts the power after so many more writes.
    pub(super) fn set(&self, writes: u64) {
        self.0.store(writes, Ordering::SeqCst);
    }

    pub(super) fn is_blown(&self) -> bool {
        self.0.load(Ordering::SeqCst) == 0
    }

    /// Counts a write.
    pub(super) fn burn(&self) -> Result<()> {
        let left = |left: u64| left.checked_sub(1).filter(|&left| left > 0);
        if self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_ok() {
            return Ok(());
        }
        self.0.store(0, Ordering::SeqCst);
        let source = Arc::new(io::Error::other("the power was cut"));
        Err(StorageError::Io { operation: "write", path: "fused".into(), source })
    }
}

/// A storage that outlives its process, with a fuse.
#[derive(Debug)]
pub(super) struct Fused {
    lasting: Arc<CrashStorage>,
    fuse: Fuse,
}

impl Fused {
    pub(super) fn new(fuse: Fuse) -> Arc<Self> {
        Arc::new(Self { lasting: CrashStorage::new(), fuse })
    }

    /// What a power cut leaves of it, with another fuse.
    pub(super) fn restarted(&self, fuse: Fuse) -> Arc<Self> {
        Arc::new(Self { lasting: self.lasting.after_power_cut(), fuse })
    }
}

impl Storage for Fused {
    fn name(&self) -> &'static str {
        "fused"
    }

    fn capabilities(&self) -> Capabilities {
        self.lasting.capabilities()
    }

    fn backend(&self, kind: EntityKind) -> &dyn StorageEngine {
        self.lasting.backend(kind)
    }

    fn keyspace(&self, name: &str) -> Result<Arc<dyn StorageEngine>> {
        self.lasting.keyspace(name)
    }

    fn commit(&self, batch: AtomicBatch, durability: Durability) -> Result<()> {
        self.fuse.burn()?;
        self.lasting.commit(batch, durability)
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        self.lasting.snapshot()
    }

    fn begin_with(&self, isolation: Isolation) -> Result<Transaction<'_>> {
        self.lasting.begin_with(isolation)
    }

    fn flush_all(&self) -> Result<()> {
        self.fuse.burn()?;
        self.lasting.flush_all()
    }

    fn stats(&self) -> Result<StorageStats> {
        self.lasting.stats()
    }

    fn close(&self) -> Result<()> {
        self.fuse.burn()?;
        self.lasting.close()
    }
}
