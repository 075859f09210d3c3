//! A database over a log on a simulated disk, from opening to its end.

use std::path::Path;
use std::sync::Arc;

use tidal_storage::Storage;
use tidal_types::Seq;
use tidal_wal::sim::SimDisk;

use crate::config::Builder;
use crate::log::SimulatedLog;
use crate::{Result, TidalDB, open};

/// An open database, and its log.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) db: TidalDB,
    pub(crate) log: Arc<SimulatedLog>,
}

impl Drop for Life {
    /// The database waits for what is on its way, also where a test has failed.
    fn drop(&mut self) {
        self.log.step();
    }
}

impl Life {
    /// Opens a database whose log is on this disk.
    pub(crate) fn open(
        builder: Builder,
        disk: &SimDisk,
        storage: Arc<dyn Storage>,
    ) -> Result<Self> {
        Self::open_seeing(builder, disk, storage, &mut |_| ())
    }

    /// The same; `see` is told the last record that recovery has found, also when opening
    /// fails later.
    pub(crate) fn open_seeing(
        builder: Builder,
        disk: &SimDisk,
        storage: Arc<dyn Storage>,
        see: &mut dyn FnMut(Seq),
    ) -> Result<Self> {
        let mut opened = None;
        let db = open::assemble(builder, None, Path::new("simulated"), storage, |options| {
            let log = Arc::new(SimulatedLog::open(disk, options)?);
            see(log.head().position.seq);
            opened = Some(Arc::clone(&log));
            Ok(log)
        })?;
        let log = opened.expect("a database that opens has opened its log");
        Ok(Self { db, log })
    }
}
