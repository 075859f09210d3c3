//! A storage in memory that outlives the database as a disk would.

use std::sync::{Arc, Mutex};

use tidal_storage::{
    AtomicBatch, Capabilities, Durability, Isolation, MemoryStorage, Result, Snapshot, Storage,
    StorageEngine, StorageStats, Transaction,
};
use tidal_types::EntityKind;

/// A storage whose commits survive a power cut up to the last one that was synced.
#[derive(Debug)]
pub(super) struct Lasting {
    memory: MemoryStorage,
    journal: Mutex<Journal>,
}

#[derive(Debug, Default)]
struct Journal {
    commits: Vec<AtomicBatch>,
    /// So many of them are synced.
    synced: usize,
}

impl Lasting {
    pub(super) fn new() -> Arc<Self> {
        Self::of(Vec::new())
    }

    fn of(commits: Vec<AtomicBatch>) -> Arc<Self> {
        let memory = MemoryStorage::new();
        for batch in &commits {
            memory.commit(batch.clone(), Durability::Sync).unwrap();
        }
        let synced = commits.len();
        Arc::new(Self { memory, journal: Mutex::new(Journal { commits, synced }) })
    }

    /// What a power cut leaves of it.
    pub(super) fn after_power_cut(&self) -> Arc<Self> {
        let journal = self.journal.lock().unwrap();
        Self::of(journal.commits[..journal.synced].to_vec())
    }
}

impl Storage for Lasting {
    fn name(&self) -> &'static str {
        "lasting"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { persistent: true, survives_power_cut: true, ..self.memory.capabilities() }
    }

    fn backend(&self, kind: EntityKind) -> &dyn StorageEngine {
        self.memory.backend(kind)
    }

    fn keyspace(&self, name: &str) -> Result<Arc<dyn StorageEngine>> {
        self.memory.keyspace(name)
    }

    fn commit(&self, batch: AtomicBatch, durability: Durability) -> Result<()> {
        let mut journal = self.journal.lock().unwrap();
        self.memory.commit(batch.clone(), durability)?;
        journal.commits.push(batch);
        if durability == Durability::Sync {
            journal.synced = journal.commits.len();
        }
        Ok(())
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        self.memory.snapshot()
    }

    fn begin_with(&self, isolation: Isolation) -> Result<Transaction<'_>> {
        self.memory.begin_with(isolation)
    }

    fn flush_all(&self) -> Result<()> {
        let mut journal = self.journal.lock().unwrap();
        journal.synced = journal.commits.len();
        Ok(())
    }

    fn stats(&self) -> Result<StorageStats> {
        self.memory.stats()
    }

    fn close(&self) -> Result<()> {
        self.flush_all()
    }
}
