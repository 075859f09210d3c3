//! An embeddable database for engagement signals.
//!
//! An application writes what happens to its items (a view, a like, a purchase)
//! and reads back at any moment how hot each one is: decayed scores, counts and
//! sums over sliding windows, velocities, rankings. Everything is in one
//! directory, and what was acknowledged survives a power cut.
//!
//! ```
//! use std::time::Duration;
//! use tidal_db::{By, Config, DecaySpec, EntityId, EntityKind, SchemaBuilder, TidalDB, Timestamp, Window};
//!
//! # let dir = tempfile::tempdir()?;
//! # let data_dir = dir.path().join("data");
//! let mut schema = SchemaBuilder::new();
//! schema
//!     .signal("view", EntityKind::Item, DecaySpec::Exponential { half_life: Duration::from_secs(3600) })
//!     .windows(&[Window::OneHour, Window::AllTime])
//!     .velocity(true)
//!     .add();
//! let db = TidalDB::open(Config { data_dir, schema: schema.build()? })?;
//!
//! let video = EntityId::new(42);
//! db.signal("view", video, 1.0, Timestamp::now())?; // durable when it returns
//! db.write_item(video, "A title")?;
//!
//! assert!(db.decay_score("view", video)? > 0.99);
//! assert_eq!(db.windowed_count("view", video, Window::OneHour)?, 1);
//! assert_eq!(db.top("view", By::Score, 10)?[0].id, video);
//! db.shutdown()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The crate re-exports every type that its signatures name.

mod as_of;
mod attributes;
mod backup;
mod base;
mod batch;
mod cache;
mod change;
mod checkpoint;
mod checkpointer;
mod checksum;
mod config;
mod database;
mod diff;
mod directory;
mod dump;
mod engine;
mod forgotten;
mod history;
mod id_hash;
mod kinds;
mod layered;
mod ledger;
mod log;
mod metadata;
mod names;
mod open;
mod overlay;
mod pipeline;
mod producers;
mod rank;
mod rebuild;
mod record;
mod redaction;
mod replay;
mod retention;
mod rfc3339;
mod salvage;
mod settings;
mod state;
mod uniques;
mod verify;
mod what_if;

pub use as_of::{AsOf, AsOfClock, AsOfFeatures, FeatureColumn, FeatureValue, FeatureValues};
pub use backup::{
    BackupInfo, Migrated, Restored, migrate, migrate_with, read_backup, restore, restore_until,
    restore_with, verify_backup, verify_backup_with,
};
pub use batch::{Batch, Committed, Outcome};
pub use checkpointer::CheckpointFailure;
pub use checksum::Checksum;
pub use config::{Builder, Config, DEFAULT_MAX_FUTURE_SKEW, Retention};
pub use database::{Indexes, Purged, Resident, Stats, TidalDB};
pub use diff::{Moved, RankingDiff, diff};
pub use dump::{DumpedRecord, Meaning, dump, inspect_log};
pub use engine::Engine;
pub use history::{HISTORY_ENTITIES_MAX, Seen};
pub use kinds::IdMode;
pub use ledger::{
    By, Cell, DividedBucket, Explanation, Grouped, Part, PartKind, Ranked, Reading, SignalLedger,
    WindowPart,
};
pub use metadata::METADATA_BYTES_MAX;
pub use names::NAME_BYTES_MAX;
pub use pipeline::Ticket;
pub use producers::{NOTE_BYTES_MAX, ProducerState};
pub use rank::profile;
pub use rank::{
    Attribute, Cap, Comparison, Discount, ExplainedInput, ExplainedRank, ExplainedTerm, Expr,
    Figure, Filter, Function, LIMIT_DEFAULT, LIMIT_MAX, Literal, Method, NESTING_MAX,
    OPERATORS_MAX, Page, QUERY_BYTES_MAX, Query, RankStatistics, RankedEntity, SignalFigure,
    Spread, TEXT_BYTES_MAX, affinity, attribute, count, number, rate, score, sum, uniques,
    velocity,
};
pub use salvage::{
    SalvageOptions, SalvagePlan, Salvaged, StorageFit, salvage, salvage_log, survey, survey_log,
};
pub use tidal_storage::{Compression, FjallStorage, MemoryStorage, Progress, Storage};
#[cfg(feature = "hybrid")]
pub use tidal_storage::{HybridOptions, HybridStorage};
#[cfg(feature = "lmdb")]
pub use tidal_storage::{LmdbOptions, LmdbStorage};
#[cfg(feature = "redb")]
pub use tidal_storage::{RedbOptions, RedbStorage};
#[cfg(feature = "rocksdb")]
pub use tidal_storage::{RocksDbOptions, RocksDbStorage};
pub use tidal_types::{
    ATTRIBUTES_MAX, AcceptedEvent, AttributeDefinition, AttributeId, AttributeType, AttributeValue,
    Clock, DecaySpec, DedupKey, EntityId, EntityKind, ErrorKind, Event, KEYWORD_BYTES_MAX,
    KEYWORDS_MAX, KeyError, LogId, ManualClock, Position, Producer, ProducerId, QueryError,
    SPAN_MAX, Schema, SchemaBuilder, SchemaError, Seq, SharedError, SignalBuilder,
    SignalTypeDefinition, SignalTypeId, StorageError, SystemClock, TidalError, Timestamp,
    WEIGHT_MAX, WalError, Window,
};
pub use tidal_wal::{
    Beside, CheckpointContent, CheckpointStat, ContentStat, CursorStats, DedupOptions, Digest,
    DumpReport, Durability, FileStat, FloorStat, GroupCommit, Head, LogStat, Lost, Parent, Problem,
    RewrittenSegment, SalvageReport, SalvagedCursor, SealStat, SegmentStat, TakenOver,
    VerifyReport, WalStats,
};
pub use verify::{
    DeepOptions, DeepReport, DeepState, Difference, Differences, Differing, verify, verify_deep,
};
pub use what_if::{LeftOut, ReplayProgress, Replayed, replay, replay_with};

/// What fails in this crate fails with a [`TidalError`].
pub type Result<T, E = TidalError> = std::result::Result<T, E>;

#[cfg(test)]
mod tests;

/// The example in the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The examples in the page on rankings, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/ranking.md")]
struct Ranking;
