//! The engines under test.

use std::path::Path;

#[cfg(feature = "fjall")]
use tidal_storage::FjallStorage;
#[cfg(feature = "hybrid")]
use tidal_storage::HybridStorage;
#[cfg(feature = "lmdb")]
use tidal_storage::LmdbStorage;
#[cfg(feature = "redb")]
use tidal_storage::RedbStorage;
#[cfg(feature = "rocksdb")]
use tidal_storage::RocksDbStorage;
use tidal_storage::{MemoryStorage, Result, Storage};

pub(crate) fn open_memory(_: &Path) -> Result<Box<dyn Storage>> {
    Ok(Box::new(MemoryStorage::new()))
}

#[cfg(feature = "fjall")]
pub(crate) fn open_fjall(path: &Path) -> Result<Box<dyn Storage>> {
    Ok(Box::new(FjallStorage::open(path)?))
}

#[cfg(feature = "hybrid")]
pub(crate) fn open_hybrid(path: &Path) -> Result<Box<dyn Storage>> {
    Ok(Box::new(HybridStorage::open(path)?))
}

#[cfg(feature = "lmdb")]
pub(crate) fn open_lmdb(path: &Path) -> Result<Box<dyn Storage>> {
    Ok(Box::new(LmdbStorage::open(path)?))
}

#[cfg(feature = "redb")]
pub(crate) fn open_redb(path: &Path) -> Result<Box<dyn Storage>> {
    Ok(Box::new(RedbStorage::open(path)?))
}

#[cfg(feature = "rocksdb")]
pub(crate) fn open_rocksdb(path: &Path) -> Result<Box<dyn Storage>> {
    Ok(Box::new(RocksDbStorage::open(path)?))
}
