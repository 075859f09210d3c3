//! The engines, and how each is opened: both ways with the same settings.
//!
//! One more engine is a line in each function here and a file in `native`.

use std::path::Path;

use tidal_bench_measure::Result;
use tidal_storage::{
    FjallOptions, FjallStorage, HybridOptions, HybridStorage, LmdbOptions, LmdbStorage,
    MemoryStorage, RedbOptions, RedbStorage, Storage,
};
#[cfg(feature = "rocksdb")]
use tidal_storage::{RocksDbOptions, RocksDbStorage};

use crate::native;
use crate::store::Store;
use crate::through::Through;

/// The cache of every engine that has one: all keys fit in.
pub(crate) const CACHE_BYTES: u64 = 256 << 20;

/// The map of LMDB.
pub(crate) const MAP_BYTES: u64 = 8 << 30;

/// An engine of tidal-storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Memory,
    Fjall,
    Redb,
    Lmdb,
    /// fjall and redb as one.
    Hybrid,
    #[cfg(feature = "rocksdb")]
    RocksDb,
}

/// By which way an engine is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Its own interface.
    Native,
    /// The traits of tidal-storage.
    Through,
}

impl Engine {
    pub(crate) const ALL: &[Self] = &[
        Self::Memory,
        Self::Fjall,
        Self::Redb,
        Self::Lmdb,
        Self::Hybrid,
        #[cfg(feature = "rocksdb")]
        Self::RocksDb,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Fjall => "fjall",
            Self::Redb => "redb",
            Self::Lmdb => "lmdb",
            Self::Hybrid => "hybrid",
            #[cfg(feature = "rocksdb")]
            Self::RocksDb => "rocksdb",
        }
    }

    /// Whether a write can survive a power cut.
    pub(crate) const fn is_durable(self) -> bool {
        !matches!(self, Self::Memory)
    }

    /// Opens a new one in an empty folder; `None` if it has no interface but ours, as what
    /// is made of the standard library or of several engines.
    pub(crate) fn open(self, way: Way, dir: &Path) -> Result<Option<Box<dyn Store>>> {
        Ok(match way {
            Way::Native => self.open_native(dir)?,
            Way::Through => Some(Box::new(Through::new(self.open_storage(dir)?)?)),
        })
    }

    fn open_storage(self, dir: &Path) -> Result<Box<dyn Storage>> {
        Ok(match self {
            Self::Memory => Box::new(MemoryStorage::new()),
            Self::Fjall => Box::new(FjallStorage::open_with(dir, fjall_options())?),
            Self::Redb => {
                let options = RedbOptions { cache_bytes: CACHE_BYTES };
                Box::new(RedbStorage::open_with(dir, options)?)
            }
            Self::Lmdb => {
                let options = LmdbOptions { map_bytes: MAP_BYTES, ..LmdbOptions::default() };
                Box::new(LmdbStorage::open_with(dir, options)?)
            }
            Self::Hybrid => {
                let redb = RedbOptions { cache_bytes: CACHE_BYTES };
                let options = HybridOptions { fjall: fjall_options(), redb };
                Box::new(HybridStorage::open_with(dir, options)?)
            }
            #[cfg(feature = "rocksdb")]
            Self::RocksDb => Box::new(RocksDbStorage::open_with(dir, rocksdb_options())?),
        })
    }

    fn open_native(self, dir: &Path) -> Result<Option<Box<dyn Store>>> {
        Ok(match self {
            Self::Memory | Self::Hybrid => None,
            Self::Fjall => Some(Box::new(native::fjall::Fjall::open(dir, fjall_options())?)),
            Self::Redb => Some(Box::new(native::redb::Redb::open(dir)?)),
            Self::Lmdb => Some(Box::new(native::lmdb::Lmdb::open(dir)?)),
            #[cfg(feature = "rocksdb")]
            Self::RocksDb => {
                Some(Box::new(native::rocksdb::RocksDb::open(dir, rocksdb_options())?))
            }
        })
    }
}

fn fjall_options() -> FjallOptions {
    FjallOptions { cache_bytes: CACHE_BYTES, ..FjallOptions::default() }
}

#[cfg(feature = "rocksdb")]
fn rocksdb_options() -> RocksDbOptions {
    RocksDbOptions { cache_bytes: CACHE_BYTES, ..RocksDbOptions::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Scanned;

    /// What is compared has to do the same, or the numbers say nothing.
    #[test]
    fn both_ways_read_what_was_written() {
        for &engine in Engine::ALL {
            for way in [Way::Native, Way::Through] {
                let dir = tempfile::tempdir().unwrap();
                let Some(store) = engine.open(way, dir.path()).unwrap() else {
                    assert_eq!(way, Way::Native);
                    assert!([Engine::Memory, Engine::Hybrid].contains(&engine));
                    continue;
                };
                let entries: [(&[u8], &[u8]); 3] = [(b"a1", b"x"), (b"a2", b"yy"), (b"b", b"z")];
                store.write(&mut entries.into_iter()).unwrap();
                store.write_durably((b"a3", b"zzzz")).unwrap();
                store.sync().unwrap();
                let name = engine.name();
                assert_eq!(store.read(b"a2").unwrap(), Some(2), "{name} {way:?}");
                assert_eq!(store.read(b"c").unwrap(), None, "{name} {way:?}");
                let found = Scanned { entries: 3, bytes: 6 + 7 };
                assert_eq!(store.scan(b"a").unwrap(), found, "{name} {way:?}");
            }
        }
    }
}
