//! The engines under test: one line each.

use std::path::Path;

#[cfg(feature = "fjall")]
use tidal_storage::FjallStorage;
use tidal_storage::{MemoryStorage, Result, Storage};

use crate::suite::conformance;

pub(crate) fn open_memory(_: &Path) -> Result<Box<dyn Storage>> {
    Ok(Box::new(MemoryStorage::new()))
}

#[cfg(feature = "fjall")]
pub(crate) fn open_fjall(path: &Path) -> Result<Box<dyn Storage>> {
    Ok(Box::new(FjallStorage::open(path)?))
}

conformance!(memory, crate::engines::open_memory, not_applicable);
#[cfg(feature = "fjall")]
conformance!(fjall, crate::engines::open_fjall, generate);
