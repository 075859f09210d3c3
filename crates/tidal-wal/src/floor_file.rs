//! The floor file, kept open and written slot by slot.

use std::sync::Arc;

use tidal_types::WalError;

use crate::disk::{Disk, DiskFile, failed};
use crate::format::{FLOOR_BYTES, Floor, SegmentNumber};
use crate::names;

/// The floor file of an open log.
#[derive(Debug)]
pub(crate) struct FloorFile {
    disk: Arc<dyn Disk>,
    file: Arc<dyn DiskFile>,
    /// The slot that was written last; `None` in a new file.
    last: Option<Floor>,
}

impl FloorFile {
    /// The floor file as it was found, or a new one.
    ///
    /// The slot that was found is written again before anyone acts on it or
    /// writes the other one: after a failed sync it may be in the page cache only.
    pub(crate) fn open(disk: &Arc<dyn Disk>, found: Option<Floor>) -> Result<Self, WalError> {
        let path = || disk.path(names::FLOOR);
        let Some(floor) = found else {
            let temporary = names::temporary(names::FLOOR);
            let file = disk.create(&temporary, FLOOR_BYTES).map_err(failed("create", path()))?;
            file.sync().map_err(failed("sync", path()))?;
            disk.rename(&temporary, names::FLOOR).map_err(failed("rename", path()))?;
            disk.sync_dir().map_err(failed("sync", disk.path("")))?;
            return Ok(Self { disk: Arc::clone(disk), file, last: None });
        };
        let file = disk.open_write(names::FLOOR).map_err(failed("open", path()))?;
        let floor_file = Self { disk: Arc::clone(disk), file, last: Some(floor) };
        floor_file.put(&floor)?;
        Ok(floor_file)
    }

    /// The oldest segment that is kept, as far as is known.
    pub(crate) fn oldest_segment(&self) -> Option<SegmentNumber> {
        self.last.map(|floor| floor.oldest_segment)
    }

    /// Writes the next slot and makes it durable. Its generation is set here, and
    /// what it says was synced, or is there, never falls.
    pub(crate) fn write(&mut self, floor: Floor) -> Result<(), WalError> {
        let generation = self.last.map_or(0, |last| last.generation).saturating_add(1);
        let next = match self.last {
            Some(last) if last.synced_offset > floor.synced_offset => {
                Floor { oldest_segment: floor.oldest_segment, ..last }
            }
            _ => floor,
        };
        let before = self.last.unwrap_or(next);
        let next = Floor {
            generation,
            next_checkpoint: before.next_checkpoint.max(floor.next_checkpoint),
            has_cursors: before.has_cursors || floor.has_cursors,
            ..next
        };
        self.put(&next)?;
        self.last = Some(next);
        Ok(())
    }

    /// Says in both slots that older segments are about to go (F3).
    pub(crate) fn forget_before(&mut self, oldest_segment: SegmentNumber) -> Result<(), WalError> {
        for _ in 0..2 {
            if let Some(last) = self.last {
                self.write(Floor { oldest_segment, ..last })?;
            }
        }
        Ok(())
    }

    /// Says that the checkpoint of this number is there, which is durable (F4).
    pub(crate) fn note_checkpoint(&mut self, number: u64) -> Result<(), WalError> {
        let next_checkpoint = number.saturating_add(1);
        match self.last {
            Some(last) if last.next_checkpoint < next_checkpoint => {
                self.write(Floor { next_checkpoint, ..last })
            }
            _ => Ok(()),
        }
    }

    /// Says that the file of cursors is there, which is durable (F4).
    pub(crate) fn note_cursors(&mut self) -> Result<(), WalError> {
        match self.last {
            Some(last) if !last.has_cursors => self.write(Floor { has_cursors: true, ..last }),
            _ => Ok(()),
        }
    }

    fn put(&self, floor: &Floor) -> Result<(), WalError> {
        let path = || self.disk.path(names::FLOOR);
        let slot = floor.encode();
        self.file.write_all_at(&slot, floor.slot_offset()).map_err(failed("write", path()))?;
        self.file.sync().map_err(failed("sync", path()))
    }
}
