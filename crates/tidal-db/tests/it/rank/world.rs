//! A database over a log and a storage that outlive it, beside what the test knows of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tidal_db::{
    Clock, Config, Durability, EntityId, ManualClock, MemoryStorage, Schema, Storage, TidalDB,
    Timestamp,
};

use super::model::Model;
use crate::fixture::NOW;
use crate::interrupted::Interrupted;

/// How a database is opened, and whom it is about.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) schema: Schema,
    /// How much memory the cells may take, in bytes.
    pub(crate) budget: Option<u64>,
    /// After how many records a checkpoint comes by itself.
    pub(crate) checkpoint_every: u64,
    /// How many entities of a kind there may be.
    pub(crate) entities: u64,
    /// Whether their ids are all over the numbers.
    pub(crate) is_scattered: bool,
    /// How far back events go, in seconds.
    pub(crate) span: u64,
}

impl Setting {
    /// The entity with this number, which is below [`Setting::entities`].
    pub(crate) const fn entity(&self, number: u64) -> EntityId {
        if self.is_scattered {
            EntityId::new(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
        } else {
            EntityId::new(number)
        }
    }
}

pub(crate) struct World {
    pub(crate) setting: Setting,
    pub(crate) model: Model,
    clock: Arc<ManualClock>,
    memory: Arc<MemoryStorage>,
    /// The memory, as the database has it that is open.
    storage: Arc<Interrupted>,
    db: Option<TidalDB>,
    path: PathBuf,
    /// How many checkpoints were cut short.
    pub(crate) cut_short: u64,
    _dir: TempDir,
}

impl World {
    pub(crate) fn new(setting: Setting) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let memory = Arc::new(MemoryStorage::new());
        let mut world = Self {
            setting,
            model: Model::default(),
            clock: Arc::new(ManualClock::new(NOW)),
            storage: Interrupted::never(&memory),
            memory,
            db: None,
            path: dir.path().join("data"),
            cut_short: 0,
            _dir: dir,
        };
        world.open();
        world
    }

    pub(crate) fn db(&self) -> &TidalDB {
        self.db.as_ref().expect("it is open between two steps")
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn wait(&self, time: Duration) {
        self.clock.set(self.now().saturating_add(time));
    }

    /// Opens the database over what is left of it.
    fn open(&mut self) {
        self.storage = Interrupted::never(&self.memory);
        let config = Config { data_dir: self.path.clone(), schema: self.setting.schema.clone() };
        // Nothing here cuts the power, so the log is not synced, to be quick.
        let mut builder = TidalDB::builder(config)
            .storage(Arc::clone(&self.storage) as Arc<dyn Storage>)
            .clock(Arc::clone(&self.clock) as Arc<dyn Clock>)
            .durability(Durability::Written)
            .segment_bytes(256 << 10)
            .checkpoint_interval(Duration::MAX)
            .checkpoint_every(self.setting.checkpoint_every);
        if let Some(bytes) = self.setting.budget {
            builder = builder.memory_budget(bytes);
        }
        self.db = Some(builder.open().unwrap());
    }

    /// Ends the process without a word, and begins another.
    pub(crate) fn crash(&mut self) {
        drop(self.db.take());
        self.open();
    }

    /// Storage takes so many more commits, until the process ends.
    pub(crate) fn storage_fails_after(&self, commits: usize) {
        self.storage.take_only(commits);
    }

    pub(crate) fn shut_down(&mut self) {
        if let Some(db) = self.db.take() {
            db.shutdown().unwrap();
        }
        self.open();
    }
}
