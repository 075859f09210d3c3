//! Checkpoints that die between their commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tidal_db::{
    Batch, Config, DecaySpec, EntityKind, MemoryStorage, Schema, SchemaBuilder, Storage,
    StorageError, TidalDB, Window,
};
use tidal_storage::{AtomicBatch, Durability, Result};

use crate::forwarding::forward_to_storage;

use crate::fixture::{NOW, builder, event, id};

/// A storage in memory that outlives the database, and takes only so many
/// commits.
#[derive(Debug)]
pub(crate) struct Interrupted {
    storage: Arc<MemoryStorage>,
    commits_left: AtomicUsize,
}

impl Interrupted {
    pub(crate) fn after(storage: &Arc<MemoryStorage>, commits: usize) -> Arc<Self> {
        let storage = Arc::clone(storage);
        Arc::new(Self { storage, commits_left: AtomicUsize::new(commits) })
    }

    pub(crate) fn never(storage: &Arc<MemoryStorage>) -> Arc<Self> {
        Self::after(storage, usize::MAX)
    }

    /// From now on it takes so many.
    pub(crate) fn take_only(&self, commits: usize) {
        self.commits_left.store(commits, Ordering::SeqCst);
    }
}

impl Storage for Interrupted {
    forward_to_storage!();

    fn commit(&self, batch: AtomicBatch, durability: Durability) -> Result<()> {
        let left = self.commits_left.load(Ordering::SeqCst);
        if left == 0 {
            return Err(StorageError::Poisoned { path: "memory".into() });
        }
        self.commits_left.store(left - 1, Ordering::SeqCst);
        self.storage.commit(batch, durability)
    }

    /// The storage stays as it is, as a disk would.
    fn close(&self) -> Result<()> {
        Ok(())
    }
}

fn schema(signals: usize) -> Schema {
    let mut builder = SchemaBuilder::new();
    for name in ["view", "like", "follow"].into_iter().take(signals) {
        builder
            .signal(name, EntityKind::Item, DecaySpec::Permanent)
            .windows(&[Window::AllTime])
            .add();
    }
    builder.build().unwrap()
}

/// C1, C5: schema adopted twice since the last checkpoint, and a checkpoint that
/// dies between its commits, at each of them: replay meets older schemas than the
/// one in storage.
#[test]
fn a_checkpoint_can_die_between_its_commits() {
    for commits in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let memory = Arc::new(MemoryStorage::new());
        let open = |signals, storage: Arc<Interrupted>| {
            let config = Config { data_dir: dir.path().into(), schema: schema(signals) };
            TidalDB::builder(config).storage(storage).open().unwrap()
        };
        open(1, Interrupted::never(&memory)).shutdown().unwrap();
        drop(open(2, Interrupted::never(&memory)));

        let db = open(3, Interrupted::after(&memory, commits));
        // More than one commit takes.
        let metadata = "x".repeat(500_000);
        let mut batch = Batch::new();
        for number in 1..=20 {
            batch = batch
                .signal("follow", id(number), 1.0, NOW)
                .signal("view", id(number), 2.0, NOW)
                .write_item(id(number), metadata.clone());
        }
        db.commit(batch).unwrap();
        let checksum = db.checksum().unwrap();
        let finished = db.checkpoint().is_ok();
        drop(db);

        for storage in [Interrupted::never(&memory), Interrupted::never(&memory)] {
            let db = open(3, storage);
            assert_eq!(db.checksum().unwrap(), checksum, "after {commits} commits");
            assert_eq!(db.windowed_count("follow", id(20), Window::AllTime).unwrap(), 1);
        }
        if finished {
            assert!(commits > 2, "the checkpoint takes several commits");
            break;
        }
    }
}

/// A checkpoint that fails says so and takes nothing away; the next one works.
#[test]
fn a_failed_checkpoint_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let memory = Arc::new(MemoryStorage::new());
    let db = builder(dir.path()).storage(Interrupted::after(&memory, 1)).open().unwrap();
    db.signals(&(0..100).map(event).collect::<Vec<_>>()).unwrap();
    let checksum = db.checksum().unwrap();
    db.checkpoint().unwrap_err();
    db.signal("view", id(1), 0.0, NOW).unwrap();
    db.shutdown().unwrap_err();
    drop(db);
    let db = builder(dir.path()).storage(Interrupted::never(&memory)).open().unwrap();
    assert_ne!(db.checksum().unwrap(), checksum);
    assert_eq!(db.stats().unwrap().records, 102);
    db.shutdown().unwrap();
    let db: TidalDB = builder(dir.path()).storage(Interrupted::never(&memory)).open().unwrap();
    assert_eq!(db.stats().unwrap().checkpointed.get(), 102);
}
