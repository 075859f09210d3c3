//! The conformance suite over every engine: S1 to S10, and so "G40", "G41" and "G42" in
//! `docs/guarantees.md`.

use std::path::Path;

use tidal_storage::conformance::Factory;
use tidal_storage::{Capabilities, Driver, Memory, Result, Storage, conformance_tests};

use crate::engines;
use crate::fixture::Open;

/// In memory, so what is reopened is the storage that there is.
pub(crate) struct InMemory;

impl Factory for InMemory {
    fn capabilities(&self) -> Capabilities {
        Memory::CAPABILITIES
    }

    fn open(&self, directory: &Path) -> Result<Box<dyn Storage>> {
        engines::open_memory(directory)
    }

    fn reopen(&self, storage: Box<dyn Storage>, _directory: &Path) -> Result<Box<dyn Storage>> {
        Ok(storage)
    }
}

/// An engine whose files say all there is.
pub(crate) struct OnDisk(pub(crate) Capabilities, pub(crate) Open);

impl Factory for OnDisk {
    fn capabilities(&self) -> Capabilities {
        self.0
    }

    fn open(&self, directory: &Path) -> Result<Box<dyn Storage>> {
        (self.1)(directory)
    }
}

#[cfg(feature = "fjall")]
pub(crate) const FJALL: OnDisk = OnDisk(tidal_storage::Fjall::CAPABILITIES, engines::open_fjall);
#[cfg(feature = "hybrid")]
pub(crate) const HYBRID: OnDisk = OnDisk(tidal_storage::Hybrid::CAPABILITIES, engines::open_hybrid);
#[cfg(feature = "lmdb")]
pub(crate) const LMDB: OnDisk = OnDisk(tidal_storage::Lmdb::CAPABILITIES, engines::open_lmdb);
#[cfg(feature = "redb")]
pub(crate) const REDB: OnDisk = OnDisk(tidal_storage::Redb::CAPABILITIES, engines::open_redb);
#[cfg(feature = "rocksdb")]
pub(crate) const ROCKSDB: OnDisk =
    OnDisk(tidal_storage::RocksDb::CAPABILITIES, engines::open_rocksdb);

conformance_tests!(memory, crate::conformance::InMemory, without persistence);
#[cfg(feature = "fjall")]
conformance_tests!(fjall, crate::conformance::FJALL);
#[cfg(feature = "hybrid")]
conformance_tests!(hybrid, crate::conformance::HYBRID);
#[cfg(feature = "lmdb")]
conformance_tests!(lmdb, crate::conformance::LMDB);
#[cfg(feature = "redb")]
conformance_tests!(redb, crate::conformance::REDB);
#[cfg(feature = "rocksdb")]
conformance_tests!(rocksdb, crate::conformance::ROCKSDB);
