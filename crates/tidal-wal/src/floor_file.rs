//! The floor file, kept open and written slot by slot.

use std::sync::Arc;

use tidal_types::WalError;

use crate::disk::{Disk, DiskFile, failed};
use crate::format::{FLOOR_BYTES, Floor};
use crate::names;

/// The floor file of an open log.
#[derive(Debug)]
pub(crate) struct FloorFile {
    disk: Arc<dyn Disk>,
    file: Arc<dyn DiskFile>,
    last: Floor,
}

impl FloorFile {
    /// The file with `first` in it, durable. An existing floor must not be
    /// above it.
    pub(crate) fn open(
        disk: &Arc<dyn Disk>,
        existing: Option<Floor>,
        first: Floor,
    ) -> Result<Self, WalError> {
        let path = || disk.path(names::FLOOR);
        let file = if existing.is_some() {
            disk.open_write(names::FLOOR).map_err(failed("open", path()))?
        } else {
            let temporary = names::temporary(names::FLOOR);
            let file = disk.create(&temporary, FLOOR_BYTES).map_err(failed("create", path()))?;
            file.sync().map_err(failed("sync", path()))?;
            disk.rename(&temporary, names::FLOOR).map_err(failed("rename", path()))?;
            disk.sync_dir().map_err(failed("sync", disk.path("")))?;
            file
        };
        let generation = existing.map_or(0, |floor| floor.generation);
        let mut floor = Self { disk: Arc::clone(disk), file, last: Floor { generation, ..first } };
        floor.write(first)?;
        Ok(floor)
    }

    pub(crate) const fn last(&self) -> &Floor {
        &self.last
    }

    /// Writes the next slot and makes it durable; its generation is set here.
    pub(crate) fn write(&mut self, floor: Floor) -> Result<(), WalError> {
        let next = Floor {
            generation: self.last.generation + 1,
            synced_offset: floor.synced_offset.max(self.last.synced_offset),
            ..floor
        };
        let path = || self.disk.path(names::FLOOR);
        let slot = next.encode();
        self.file.write_all_at(&slot, next.slot_offset()).map_err(failed("write", path()))?;
        self.file.sync().map_err(failed("sync", path()))?;
        self.last = next;
        Ok(())
    }
}
