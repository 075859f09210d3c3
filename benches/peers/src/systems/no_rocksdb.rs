//! RocksDB, when this program was compiled without it.

use std::path::Path;

use tidal_bench_measure::Result;

use crate::system::System;

pub(crate) fn missing() -> Option<String> {
    Some("this program was compiled without the feature `rocksdb`".into())
}

pub(crate) fn open(_dir: &Path) -> Result<Box<dyn System>> {
    Err(missing().unwrap_or_default().into())
}
