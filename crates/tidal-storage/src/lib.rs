//! Ordered keyspaces of bytes, with atomic writes across them, over an engine of
//! your choice.
//!
//! A [`Storage`] is a set of named keyspaces; each is a [`StorageEngine`], an
//! ordered map from keys to values, both of bytes. There is one for each kind of
//! entity ("items", "users", "creators") and any other by name. Both traits are
//! object-safe: code above them never names an engine.
//!
//! ```
//! use tidal_storage::{AtomicBatch, Direction, Durability, MemoryStorage, Storage, StorageEngine};
//! use tidal_types::EntityKind;
//!
//! // `FjallStorage::open(path)?` is the same on disk.
//! let storage = MemoryStorage::new();
//!
//! // One keyspace: a map in the order of its keys.
//! let items = storage.backend(EntityKind::Item);
//! items.put(b"song/1", b"So What")?;
//! items.put(b"song/2", b"Blue in Green")?;
//! assert_eq!(items.get(b"song/1")?.as_deref(), Some(&b"So What"[..]));
//! let titles = items.scan_prefix(b"song/")?.map(|entry| Ok(entry?.1)).collect::<tidal_storage::Result<Vec<_>>>()?;
//! assert_eq!(titles, [b"So What".to_vec(), b"Blue in Green".to_vec()]);
//!
//! // Several keyspaces: all of the batch, or nothing of it, through any crash.
//! let mut batch = AtomicBatch::new();
//! batch.put(EntityKind::Item, b"song/3", b"All Blues").delete(EntityKind::Item, b"song/1").put("system", b"applied", b"3");
//! let before = storage.snapshot()?;
//! storage.commit(batch, Durability::Sync)?;
//!
//! // A snapshot stays at its moment, in every keyspace.
//! assert!(before.contains(EntityKind::Item.into(), b"song/1")?);
//! assert_eq!(before.get("system".into(), b"applied")?, None);
//! assert!(!items.contains(b"song/1")?);
//! let (newest, _) = items.scan_range((..).into(), Direction::Backward)?.next().expect("two songs are left")?;
//! assert_eq!(newest, b"song/3");
//! # drop(before);
//! storage.close()?;
//! # Ok::<(), tidal_types::StorageError>(())
//! ```
//!
//! # Transactions, sequences, counters
//!
//! Every engine has them, through the traits or through [`StorageExt`] and
//! [`StorageEngineExt`], which any storage and any keyspace has.
//!
//! ```
//! use tidal_storage::{
//!     Durability, Isolation, MemoryStorage, Storage, StorageEngineExt, StorageError, StorageExt,
//! };
//! use tidal_types::EntityKind;
//!
//! let storage = MemoryStorage::new();
//! let orders = storage.sequence("orders")?;
//!
//! // Reads and writes as if nobody else were there; run again if somebody was.
//! let order = storage.transact_with(Isolation::Serializable, Durability::Sync, 10, |tx| {
//!     let order = orders.next()?;
//!     let taken = tx.scan_prefix("orders", b"table/4/")?.count();
//!     if taken < 2 {
//!         tx.put("orders", format!("table/4/{order}").as_bytes(), b"espresso")?;
//!     }
//!     Ok::<_, StorageError>(order)
//! })?;
//! assert_eq!(order, 1);
//!
//! let users = storage.backend(EntityKind::User);
//! assert_eq!(users.fetch_and_add_u64(b"ada/orders", 1)?, 1);
//! # Ok::<(), StorageError>(())
//! ```
//!
//! # What is promised, whatever the engine
//!
//! - **S1** A batch is atomic: readers and crashes see all of it or nothing. Its
//!   last operation on a key wins.
//! - **S2** A read sees every write whose call has returned. A scan, and a
//!   snapshot, sees one moment from its first entry to its last.
//! - **S3** [`Durability`] says what survives a crash of the process and what a
//!   power cut; [`StorageEngine::flush`] makes everything before it durable.
//! - **S4** Keys have 1 to [`KEY_BYTES_MAX`] bytes, values at most
//!   [`VALUE_BYTES_MAX`]. What is outside is refused before the engine sees it,
//!   with the rest of its batch.
//! - **S5** One handle to a directory at a time: a second open fails with
//!   [`StorageError::Locked`], in this process and in any other.
//! - **S6** [`Storage::close`], or dropping the storage, frees the directory at
//!   once, whoever still holds a keyspace, a snapshot or a scan. From then on
//!   they answer [`StorageError::Closed`].
//! - **S7** After a failed write or sync an engine that can no longer vouch for
//!   its state answers [`StorageError::Poisoned`] to writes until it is opened
//!   again. The write that failed is then there whole or not at all.
//! - **S8** A [`Transaction`] is protected from the anomalies that its
//!   [`Isolation`] names, whatever is written beside it, in transactions or not.
//! - **S9** A [`Sequence`] never gives an id twice.
//! - **S10** Updates by [`StorageEngineExt`] lose nothing, whoever else writes.
//!
//! # Engines
//!
//! | type              | feature           | survives  | notes                                                         |
//! |-------------------|-------------------|-----------|---------------------------------------------------------------|
//! | [`MemoryStorage`] | always            | nothing   | deterministic; for tests and caches                           |
//! | `FjallStorage`    | `fjall` (default) | power cut | a log-structured merge tree in Rust; the cheapest writes      |
//! | `RedbStorage`     | `redb`            | power cut | a B+tree in Rust, one file; opens for reading only            |
//! | `LmdbStorage`     | `lmdb`            | power cut | a B+tree in a mapped file, in C; opens for reading only       |
//! | `RocksDbStorage`  | `rocksdb`         | power cut | a log-structured merge tree in C++; opens for reading only    |
//! | `HybridStorage`   | `hybrid`          | power cut | fjall and redb as one, by the key                             |
//!
//! Which to choose:
//!
//! - **fjall** when writes come often or one by one, and when in doubt: a write with
//!   `Buffer` costs no sync, and nothing but Rust is compiled.
//! - **redb** when reads outnumber writes and those come in batches: one file, exact
//!   numbers of keys, the files open for reading from several processes.
//! - **LMDB** when reads must be as fast as they can be and the data fits into memory.
//!   C is compiled; the disk is local; a damaged file may end the process.
//! - **RocksDB** when the data is far beyond memory, or many threads commit with
//!   `Sync`, which share one sync there. It needs libclang and a C++ compiler, and
//!   compiles for a third of an hour on two cores.
//! - **hybrid** for keys of `tidal_keys` of which some are written all the time (the
//!   tags `Evt`, `Sig` and `Meta`, in fjall) and the others are mostly read (`Rel`,
//!   `Mv`, `Idx`, and every key that is none of an entity, in redb). A batch with keys
//!   in both costs two syncs.
//!
//! `all-backends` is all of them. Each type has `open(path)`, `open_with(path, options)`,
//! and with the feature `testing` `open_temp()`; those that can have
//! `open_read_only(path, options)`, whose writes answer [`StorageError::ReadOnly`]. A
//! directory belongs to the engine that made it; another refuses it with
//! [`StorageError::OtherEngine`].
//!
//! On redb, LMDB and hybrid a write with [`Durability::Buffer`] costs a sync, since they have
//! nothing between that and losing it with the process: put many writes into one batch
//! there (on hybrid this holds for what is in redb). On LMDB the map and the number of readers have limits that only long-lived
//! snapshots meet; then a call answers [`StorageError::Busy`], and nothing is lost.
//!
//! An engine is a [`Driver`]: a dozen functions over one database library. All
//! else (checks, limits, deduplication, statistics, closing, transactions) is
//! [`DriverStorage`], the same for all of them. Every engine passes the same suite of
//! tests, which is the module `conformance`, behind the feature of that name: whoever
//! writes an engine runs it with one line.

mod background;
mod backup;
mod batch;
#[cfg(feature = "conformance")]
pub mod conformance;
mod counters;
mod directory;
mod driver;
mod durability;
mod engine;
mod engine_ext;
mod engines;
mod keyspace;
mod range;
mod sequence;
mod shell;
mod stats;
mod storage;
mod storage_ext;
mod sync;
mod transaction;

pub use background::yield_to_others;
pub use backup::{
    BackupManifest, BackupOptions, BackupReport, ChunkManifest, Compression, EXTRAS_BYTES_MAX,
    KeyspaceManifest, Progress, backup, backup_snapshot, copy_storage, read_manifest, restore,
    restore_with, verify_backup, verify_backup_with,
};
pub use batch::{AtomicBatch, BatchOp, KEY_BYTES_MAX, VALUE_BYTES_MAX, WriteBatch};
pub use directory::{DirectoryLock, directory_bytes};
pub use driver::{Driver, SpaceId, SpaceOp, SpaceSize};
pub use durability::Durability;
pub use engine::{KeyValue, PrefixIterator, StorageEngine};
pub use engine_ext::StorageEngineExt;
#[cfg(feature = "fjall")]
pub use engines::fjall::{Fjall, FjallAtomicBatch, FjallBackend, FjallOptions, FjallStorage};
#[cfg(feature = "hybrid")]
pub use engines::hybrid::{Hybrid, HybridBackend, HybridOptions, HybridStorage};
#[cfg(feature = "lmdb")]
pub use engines::lmdb::{Lmdb, LmdbBackend, LmdbOptions, LmdbStorage};
pub use engines::memory::{InMemoryBackend, Memory, MemoryStorage};
#[cfg(feature = "redb")]
pub use engines::redb::{ImportReport, Redb, RedbBackend, RedbOptions, RedbStorage, import_redb};
#[cfg(feature = "rocksdb")]
pub use engines::rocksdb::{RocksDb, RocksDbBackend, RocksDbOptions, RocksDbStorage};
pub use keyspace::{KEYSPACE_NAME_BYTES_MAX, KeyspaceName};
pub use range::{Direction, KeyRange};
pub use sequence::{SEQUENCE_BLOCK_IDS, Sequence};
pub use shell::{CONFLICT_BYTES_MAX, DriverBackend, DriverStorage};
pub use stats::{CacheStats, Capabilities, EngineStats, StorageStats};
pub use storage::{Snapshot, Storage};
pub use storage_ext::StorageExt;
pub use tidal_types::StorageError;
pub use transaction::{
    Isolation, Savepoint, TRANSACTION_BYTES_MAX, TRANSACTION_READS_MAX, Transaction,
};

/// What storage answers: a value, or a [`StorageError`].
pub type Result<T, E = StorageError> = std::result::Result<T, E>;
