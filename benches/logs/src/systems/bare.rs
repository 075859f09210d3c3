//! The least that a durable append can be, as a log.

use std::path::Path;
use std::sync::Mutex;

use tidal_bench_measure::{BareFile, Result};

use super::Log;

pub(crate) struct Bare(Mutex<BareFile>);

impl Bare {
    pub(crate) fn create(dir: &Path, block_bytes: usize) -> Result<Self> {
        Ok(Self(Mutex::new(BareFile::create(dir, block_bytes)?)))
    }
}

impl Log for Bare {
    fn append(&self, _writer: usize, _records: &[&[u8]]) -> Result<()> {
        Ok(self.0.lock().map_err(|_| "a writer panicked")?.append()?)
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}
