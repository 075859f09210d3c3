//! What the driver is called with, and under which locks, seen by a driver that
//! looks.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use tidal_types::{EntityKind, StorageError};

use super::DriverStorage;
use super::conflicts::Conflicts;
use crate::engines::memory::Memory;
use crate::sync::lock;
use crate::{
    AtomicBatch, BatchOp, Capabilities, Direction, Driver, Durability, KeyRange, Result, SpaceId,
    SpaceOp, SpaceSize, Storage, StorageEngineExt, StorageExt,
};

/// What a commit looked like from the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    durability: Durability,
    /// Whether another write could have been in progress, of those that share the
    /// gate.
    shared: bool,
}

#[derive(Debug, Default)]
struct Watch {
    conflicts: OnceLock<Arc<Conflicts>>,
    seen: Mutex<Vec<Seen>>,
    /// For each snapshot, whether writes were being recorded then.
    recorded_at_snapshots: Mutex<Vec<bool>>,
    /// What somebody else will write right after the next read of a key.
    meanwhile: Mutex<Option<Vec<SpaceOp>>>,
    failing: Mutex<bool>,
}

/// Storage in memory that is watched.
#[derive(Debug)]
struct Watched {
    memory: Memory,
    watch: Arc<Watch>,
}

impl Driver for Watched {
    type Snapshot = <Memory as Driver>::Snapshot;
    type Scan = <Memory as Driver>::Scan;

    const NAME: &'static str = "watched";
    const CAPABILITIES: Capabilities = Memory::CAPABILITIES;

    fn keyspace_names(&self) -> Vec<String> {
        self.memory.keyspace_names()
    }

    fn open_keyspace(&mut self, name: &str) -> Result<SpaceId> {
        self.memory.open_keyspace(name)
    }

    fn get(
        &self,
        at: Option<&Self::Snapshot>,
        space: SpaceId,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>> {
        let value = self.memory.get(at, space, key)?;
        if let Some(ops) = lock(&self.watch.meanwhile).take() {
            self.memory.commit(ops, Durability::Buffer)?;
        }
        Ok(value)
    }

    fn contains(&self, at: Option<&Self::Snapshot>, space: SpaceId, key: &[u8]) -> Result<bool> {
        self.memory.contains(at, space, key)
    }

    fn scan(
        &self,
        at: Option<&Self::Snapshot>,
        space: SpaceId,
        range: KeyRange,
        direction: Direction,
    ) -> Result<Self::Scan> {
        self.memory.scan(at, space, range, direction)
    }

    fn commit(&self, ops: Vec<SpaceOp>, durability: Durability) -> Result<()> {
        let conflicts = self.watch.conflicts.get().expect("set before the first write");
        assert!(!conflicts.is_free(), "a write outside of the gate");
        let seen = Seen { durability, shared: conflicts.is_shared() };
        lock(&self.watch.seen).push(seen);
        self.memory.commit(ops, durability)?;
        if *lock(&self.watch.failing) {
            return Err(StorageError::Poisoned { path: PathBuf::from("watched") });
        }
        Ok(())
    }

    fn snapshot(&self) -> Result<Self::Snapshot> {
        let conflicts = self.watch.conflicts.get().expect("set before the first snapshot");
        lock(&self.watch.recorded_at_snapshots).push(conflicts.is_recording());
        self.memory.snapshot()
    }

    fn sync(&self) -> Result<()> {
        self.memory.sync()
    }

    fn compact(&self, space: SpaceId) -> Result<()> {
        self.memory.compact(space)
    }

    fn size(&self, space: SpaceId) -> Result<SpaceSize> {
        self.memory.size(space)
    }

    fn disk_bytes(&self) -> Result<u64> {
        self.memory.disk_bytes()
    }
}

fn watched() -> (DriverStorage<Watched>, Arc<Watch>) {
    let watch = Arc::new(Watch::default());
    let driver = Watched { memory: Memory::default(), watch: Arc::clone(&watch) };
    let storage = DriverStorage::over(driver, PathBuf::from("watched")).unwrap();
    watch.conflicts.set(Arc::clone(storage.conflicts())).unwrap();
    (storage, watch)
}

const BESIDE_OTHERS: Seen = Seen { durability: Durability::Buffer, shared: true };
const ALONE: Seen = Seen { durability: Durability::Buffer, shared: false };

/// X3: a plain write shares the gate; what depends on what is there has it alone.
#[test]
fn every_write_passes_the_gate() {
    let (storage, watch) = watched();
    let items = storage.backend(EntityKind::Item);
    let seen = || std::mem::take(&mut *lock(&watch.seen));
    let mut batch = AtomicBatch::new();
    batch.put("fresh", "key", "value");
    items.put(b"key", b"value").unwrap();
    items.delete(b"key").unwrap();
    storage.commit(batch, Durability::Buffer).unwrap();
    assert_eq!(seen(), [BESIDE_OTHERS; 3]);
    storage.transact(0, |tx| tx.put("fresh", b"key", b"value")).unwrap();
    items.fetch_and_add_u64(b"key", 1).unwrap();
    assert_eq!(seen(), [ALONE; 2]);
}

/// S9 and "Q1" of sequences: no id without a durable write before it, and no
/// write for most of them.
#[test]
fn a_sequence_reserves_durably_and_seldom() {
    let (storage, watch) = watched();
    let orders = storage.sequence("orders").unwrap();
    assert!(lock(&watch.seen).is_empty());
    for _ in 0..2_500 {
        orders.next().unwrap();
    }
    assert_eq!(*lock(&watch.seen), [Seen { durability: Durability::Sync, shared: false }; 3]);
    // A reservation of which nobody knows whether it happened gives no id.
    *lock(&watch.failing) = true;
    let other = storage.sequence("orders").unwrap();
    other.next().unwrap_err();
    *lock(&watch.failing) = false;
    assert_eq!(other.next().unwrap(), 4_001);
}

/// K1: a write that failed may have happened, so it conflicts like any other.
#[test]
fn a_failed_write_conflicts() {
    let (storage, watch) = watched();
    let tx = storage.begin().unwrap();
    tx.put(EntityKind::Item, b"key", b"mine").unwrap();
    *lock(&watch.failing) = true;
    storage.backend(EntityKind::Item).put(b"key", b"theirs").unwrap_err();
    *lock(&watch.failing) = false;
    let error = tx.commit(Durability::Buffer).unwrap_err();
    assert!(matches!(error, StorageError::Conflict { .. }), "{error}");
}

/// K1: writes are recorded before the snapshot is taken, so none falls between.
#[test]
fn a_transaction_is_open_before_its_snapshot_is_taken() {
    let (storage, watch) = watched();
    drop(storage.snapshot().unwrap());
    drop(storage.begin().unwrap());
    drop(storage.snapshot().unwrap());
    assert_eq!(*lock(&watch.recorded_at_snapshots), [false, true, false]);
}

/// S9, S10: a sequence and an update that read a value have it replaced under
/// their hands, and take the new one.
#[test]
fn what_is_written_between_a_read_and_its_swap_counts() {
    let (storage, watch) = watched();
    let orders = storage.sequence("orders").unwrap();
    let meanwhile = |keyspace: &str, key: &str, value: Vec<u8>| {
        let space = storage.space_id(keyspace);
        let op = BatchOp::Put { key: key.into(), value };
        *lock(&watch.meanwhile) = Some(vec![SpaceOp { space, op }]);
    };
    meanwhile("tidal_sequences", "orders", [&[1][..], &70u64.to_le_bytes()].concat());
    assert_eq!(orders.next().unwrap(), 71);
    let items = storage.backend(EntityKind::Item);
    meanwhile("items", "count", 7u64.to_le_bytes().to_vec());
    assert_eq!(items.fetch_and_add_u64(b"count", 1).unwrap(), 8);
}
