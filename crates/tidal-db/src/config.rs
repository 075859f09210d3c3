//! How a database is opened.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tidal_storage::Storage;
use tidal_types::{Clock, Schema, SystemClock};
use tidal_wal::{DedupOptions, Durability, GroupCommit};

use crate::base::BasePlace;
use crate::{Engine, Result, TidalDB, checkpoint, directory};

/// What a database needs to know to be opened. Everything else has a default;
/// see [`Builder`].
#[derive(Debug, Clone)]
pub struct Config {
    /// The directory that holds the database. It is created when it is not there.
    pub data_dir: PathBuf,
    /// The schema. An existing database takes up new signal types, and refuses a
    /// change or a removal of one it has.
    pub schema: Schema,
}

/// What becomes of the log behind a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Retention {
    /// It is kept. The default, since history cannot be bought back later.
    /// [`Stats::log_bytes_per_million`](crate::Stats::log_bytes_per_million) says what
    /// that costs.
    #[default]
    Forever,
    /// Records that were written longer ago than this, by the time of the log and the
    /// clock, may be cut, by whole segments, behind the last checkpoint but one. Before
    /// they are, the state they come to is kept in the directory `base`, from which the
    /// rest of the log goes on: deep verification and reads of the past answer from
    /// there on. With a storage that keeps nothing, the log is kept too.
    For(Duration),
    /// It is cut, by whole segments, behind the last checkpoint but one, where
    /// checkpoints survive a power cut; with a storage that keeps nothing, the log is
    /// kept too.
    UntilCheckpoint,
}

/// Opens a database with more choices than [`Config`] has.
///
/// ```no_run
/// # use tidal_db::{Config, Durability, SchemaBuilder, TidalDB};
/// # let config = Config { data_dir: "data".into(), schema: SchemaBuilder::new().build()? };
/// let db = TidalDB::builder(config).durability(Durability::Written).open()?;
/// # Ok::<(), tidal_db::TidalError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Builder {
    pub(crate) data_dir: PathBuf,
    /// `None` for the one that is stored.
    pub(crate) schema: Option<Schema>,
    pub(crate) storage: Option<Arc<dyn Storage>>,
    engine: Option<Engine>,
    pub(crate) durability: Durability,
    pub(crate) group_commit: GroupCommit,
    pub(crate) segment_bytes: u64,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) max_future_skew: Duration,
    pub(crate) checkpoint_every: u64,
    pub(crate) checkpoint_log_bytes: u64,
    pub(crate) checkpoint_interval: Duration,
    /// How large the commits of a checkpoint are, in bytes; tests make them small.
    pub(crate) commit_bytes: usize,
    /// `None` for the one that is stored.
    pub(crate) retention: Option<Retention>,
    /// Where the base is kept, if not in the directory.
    pub(crate) base: Option<Arc<dyn BasePlace>>,
    /// Whether changed cells are written as soon as memory is short; tests that have to
    /// come to the same each time write them by themselves.
    pub(crate) writes_back: bool,
    pub(crate) memory_budget: Option<u64>,
    pub(crate) dedup: DedupOptions,
}

/// How far ahead of the clock an event may be, unless chosen otherwise: one hour.
pub const DEFAULT_MAX_FUTURE_SKEW: Duration = Duration::from_secs(3600);
const CHECKPOINT_EVERY: u64 = 1_000_000;
const CHECKPOINT_LOG_BYTES: u64 = 256 << 20;
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(5 * 60);

impl Builder {
    pub(crate) fn new(data_dir: PathBuf, schema: Option<Schema>) -> Self {
        Self {
            data_dir,
            schema,
            storage: None,
            engine: None,
            durability: Durability::default(),
            group_commit: GroupCommit::default(),
            segment_bytes: tidal_wal::WalOptions::default().segment_bytes,
            clock: Arc::new(SystemClock),
            max_future_skew: DEFAULT_MAX_FUTURE_SKEW,
            checkpoint_every: CHECKPOINT_EVERY,
            checkpoint_log_bytes: CHECKPOINT_LOG_BYTES,
            checkpoint_interval: CHECKPOINT_INTERVAL,
            commit_bytes: checkpoint::COMMIT_BYTES,
            retention: None,
            base: None,
            writes_back: true,
            memory_budget: None,
            dedup: DedupOptions::default(),
        }
    }

    /// Keeps checkpoints on this engine, in the directory `storage` of the database.
    /// Default: the engine that the directory records, and [`Engine::Fjall`] for a new
    /// one. A directory that records another engine is refused.
    #[must_use]
    pub const fn engine(mut self, engine: Engine) -> Self {
        self.engine = Some(engine);
        self
    }

    /// Keeps checkpoints in this storage, wherever it is, and not on the
    /// [`engine`](Builder::engine) chosen.
    ///
    /// The database records the name of the engine and refuses another one
    /// later. Nobody else may write to the storage.
    #[must_use]
    pub fn storage(mut self, storage: Arc<dyn Storage>) -> Self {
        self.storage = Some(storage);
        self
    }

    /// When a write is answered. Default: [`Durability::Durable`], after it
    /// survives a power cut.
    #[must_use]
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// When the log writes a group. Default: natural batching, without delay.
    #[must_use]
    pub const fn group_commit(mut self, group_commit: GroupCommit) -> Self {
        self.group_commit = group_commit;
        self
    }

    /// The size of a full-grown segment of the log, in bytes: 16 KiB to 1 GiB,
    /// default 64 MiB.
    #[must_use]
    pub const fn segment_bytes(mut self, segment_bytes: u64) -> Self {
        self.segment_bytes = segment_bytes;
        self
    }

    /// What says how late it is. Default: the system's clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// How far ahead of the clock an event may be. Default: one hour. One event
    /// from the far future would make every other look old.
    #[must_use]
    pub const fn max_future_skew(mut self, max_future_skew: Duration) -> Self {
        self.max_future_skew = max_future_skew;
        self
    }

    /// After how many records a checkpoint is written by itself, in the background.
    /// Default: 1,000,000. Opening after a crash replays about this many, and what comes
    /// while a checkpoint is written.
    #[must_use]
    pub const fn checkpoint_every(mut self, records: u64) -> Self {
        self.checkpoint_every = if records == 0 { 1 } else { records };
        self
    }

    /// After how many bytes of records a checkpoint is written by itself. Default:
    /// 256 MiB.
    #[must_use]
    pub const fn checkpoint_log_bytes(mut self, bytes: u64) -> Self {
        self.checkpoint_log_bytes = if bytes == 0 { 1 } else { bytes };
        self
    }

    /// How long after the last checkpoint the next one is written by itself, when there
    /// is anything new. Default: 5 minutes. [`Duration::MAX`] means never.
    #[must_use]
    pub const fn checkpoint_interval(mut self, interval: Duration) -> Self {
        self.checkpoint_interval = interval;
        self
    }

    /// What becomes of the log behind a checkpoint, from now on: the choice is kept in
    /// the directory, and holds for every later opening until another is made. Default:
    /// the one that was made last, and [`Retention::Forever`] before there was any.
    #[must_use]
    pub const fn retain(mut self, retention: Retention) -> Self {
        self.retention = Some(retention);
        self
    }

    /// How many bytes of memory the cells may take, with their index. Over it, cells that
    /// storage has as they are leave memory, those first that were not used lately, and
    /// are read from storage when they are asked for or changed. Default: no limit.
    ///
    /// Changed cells stay until they are written, in the background, so for a while it
    /// can be more, usually at most a quarter; only when nothing can be written it is as
    /// much as it takes. Every signal type in use needs about a third of a mebibyte at
    /// least. Names, metadata that no checkpoint has yet, and the caches of the storage
    /// engine come on top.
    #[must_use]
    pub const fn memory_budget(mut self, bytes: u64) -> Self {
        self.memory_budget = Some(bytes);
        self
    }

    /// How long the keys of events are known, and how many. Default: for 10 minutes at
    /// least, by the times at which events are written, and 4,000,000.
    #[must_use]
    pub const fn dedup(mut self, dedup: DedupOptions) -> Self {
        self.dedup = dedup;
        self
    }

    /// Opens the database, or creates it.
    ///
    /// # Errors
    /// Those of [`TidalDB::open`].
    pub fn open(self) -> Result<TidalDB> {
        crate::open::open(self)
    }

    /// The engine to use if no storage was given.
    pub(crate) fn chosen_engine(&self) -> Result<Engine> {
        if let Some(engine) = self.engine {
            return Ok(engine);
        }
        let recorded = directory::recorded_engine(&self.data_dir)?;
        // One that this program lacks is refused when the directory is opened.
        Ok(recorded.and_then(|name| Engine::from_name(&name)).unwrap_or_default())
    }
}
