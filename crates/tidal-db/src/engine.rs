//! The engines that a database can keep its checkpoints on.

use std::path::Path;
use std::sync::Arc;

use tidal_storage::{Driver, Fjall, FjallStorage, Storage};
#[cfg(feature = "hybrid")]
use tidal_storage::{Hybrid, HybridStorage};
#[cfg(feature = "lmdb")]
use tidal_storage::{Lmdb, LmdbStorage};
#[cfg(feature = "redb")]
use tidal_storage::{Redb, RedbStorage};
#[cfg(feature = "rocksdb")]
use tidal_storage::{RocksDb, RocksDbStorage};

use tidal_types::TidalError;

use crate::Result;

/// A storage engine that this program was built with. What the log promises, and
/// every answer, is the same on all of them; they differ in speed and in what they
/// need to be built.
///
/// ```
/// use tidal_db::Engine;
///
/// assert_eq!(Engine::from_name("fjall"), Some(Engine::Fjall));
/// assert_eq!(Engine::default().name(), "fjall");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Engine {
    /// A log-structured merge tree in Rust: the cheapest checkpoints.
    #[default]
    Fjall,
    /// fjall for the cells of signals, redb for the rest.
    #[cfg(feature = "hybrid")]
    Hybrid,
    /// LMDB, a B+tree in a mapped file: the fastest reads. Built from C.
    #[cfg(feature = "lmdb")]
    Lmdb,
    /// redb, a B+tree in Rust.
    #[cfg(feature = "redb")]
    Redb,
    /// RocksDB, a log-structured merge tree. Built from C++.
    #[cfg(feature = "rocksdb")]
    RocksDb,
}

/// The features that each add the engine of their name.
const FEATURES: [&str; 2] = ["lmdb", "redb"];

impl Engine {
    /// Every engine that this program was built with.
    pub const ALL: &[Self] = &[
        Self::Fjall,
        #[cfg(feature = "hybrid")]
        Self::Hybrid,
        #[cfg(feature = "lmdb")]
        Self::Lmdb,
        #[cfg(feature = "redb")]
        Self::Redb,
        #[cfg(feature = "rocksdb")]
        Self::RocksDb,
    ];

    /// Its name, which the directory of a database records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fjall => Fjall::NAME,
            #[cfg(feature = "hybrid")]
            Self::Hybrid => Hybrid::NAME,
            #[cfg(feature = "lmdb")]
            Self::Lmdb => Lmdb::NAME,
            #[cfg(feature = "redb")]
            Self::Redb => Redb::NAME,
            #[cfg(feature = "rocksdb")]
            Self::RocksDb => RocksDb::NAME,
        }
    }

    /// The engine of this name, if this program was built with it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|engine| engine.name() == name)
    }

    /// The engine of this name.
    ///
    /// # Errors
    /// [`TidalError::EngineMissing`], with the feature to build with if the name is that
    /// of an engine.
    pub fn require(name: &str) -> Result<Self> {
        Self::from_name(name).ok_or_else(|| TidalError::EngineMissing {
            engine: name.to_owned(),
            remedy: if FEATURES.contains(&name) {
                format!("the feature {name:?}")
            } else {
                let known: Vec<_> = Self::ALL.iter().map(|engine| engine.name()).collect();
                format!("one that knows it, or choose from {}", known.join(", "))
            },
        })
    }

    /// Opens or creates its storage in a directory.
    pub(crate) fn open(self, directory: &Path) -> Result<Arc<dyn Storage>> {
        Ok(match self {
            Self::Fjall => Arc::new(FjallStorage::open(directory)?),
            #[cfg(feature = "hybrid")]
            Self::Hybrid => Arc::new(HybridStorage::open(directory)?),
            #[cfg(feature = "lmdb")]
            Self::Lmdb => Arc::new(LmdbStorage::open(directory)?),
            #[cfg(feature = "redb")]
            Self::Redb => Arc::new(RedbStorage::open(directory)?),
            #[cfg(feature = "rocksdb")]
            Self::RocksDb => Arc::new(RocksDbStorage::open(directory)?),
        })
    }
}
