//! The file that holds the places of cursors, written slot by slot.
//!
//! It is made with the first cursor, and looked at before anything of a log is
//! changed: a log whose cursors cannot be read is refused, since truncation would not
//! know what they need.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidal_types::{LogId, Seq, WalError};

use crate::disk::{Disk, DiskFile, failed};
use crate::format::{CURSOR_FILE_BYTES, CursorFlaw, CursorSlot, FORMAT_VERSION};
use crate::names;

/// The cursor file of an open log.
#[derive(Debug)]
pub(crate) struct CursorFile {
    disk: Arc<dyn Disk>,
    /// `None` until there is a cursor.
    file: Option<Arc<dyn DiskFile>>,
    /// The slot that was written last.
    last: CursorSlot,
}

/// What the file of a log says, if there is one.
///
/// # Errors
/// [`WalError::Damaged`] when no slot is sound, [`WalError::UnsupportedVersion`].
pub(crate) fn read_cursors(disk: &dyn Disk) -> Result<Option<CursorSlot>, WalError> {
    let path = || disk.path(names::CURSORS);
    let file = match disk.open_read(names::CURSORS) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("open", path())(error)),
    };
    let length = file.len().map_err(failed("measure", path()))?.min(CURSOR_FILE_BYTES);
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    file.read_exact_at(&mut bytes, 0).map_err(failed("read", path()))?;
    CursorSlot::decode_newest(&bytes).map(Some).map_err(|flaw| {
        let problem = match flaw {
            CursorFlaw::Version(found) => {
                let supported = FORMAT_VERSION;
                return WalError::UnsupportedVersion { path: path(), found, supported };
            }
            CursorFlaw::NoSlot => "neither copy of the cursors' places has a right checksum",
            CursorFlaw::Fields => "the cursors' places cannot be read",
        };
        WalError::Damaged { path: path(), offset: 0, problem: problem.into() }
    })
}

/// Refuses the cursors of another log, and such as are ahead of the log, which
/// ends with record `end`.
pub(crate) fn check_cursors(
    disk: &dyn Disk,
    found: &CursorSlot,
    log_id: LogId,
    end: Seq,
) -> Result<(), WalError> {
    if found.log_id != log_id {
        let path = disk.path(names::CURSORS);
        return Err(WalError::Foreign { path, found: found.log_id, expected: log_id });
    }
    match found.places.values().max() {
        Some(&expected) if expected > end => {
            Err(WalError::EndsEarly { path: disk.path(""), end, expected })
        }
        _ => Ok(()),
    }
}

impl CursorFile {
    /// The file as it was found, or none yet. `first` is the first record that is
    /// kept: a place before it comes from the older slot, and only a newer place let
    /// truncation come so far.
    ///
    /// What was found is written again, and then the other slot: after a failed sync
    /// it may be in the page cache only, and the slots may differ in the cursors that
    /// there are (U1).
    pub(crate) fn open(
        disk: &Arc<dyn Disk>,
        log_id: LogId,
        found: Option<CursorSlot>,
        first: Seq,
    ) -> Result<Self, WalError> {
        let disk = Arc::clone(disk);
        let Some(mut last) = found else {
            let last = CursorSlot { log_id, generation: 0, places: BTreeMap::new() };
            return Ok(Self { disk, file: None, last });
        };
        let path = disk.path(names::CURSORS);
        let file = disk.open_write(names::CURSORS).map_err(failed("open", path))?;
        put(&*disk, &*file, &last)?;
        for place in last.places.values_mut() {
            *place = (*place).max(first.previous());
        }
        let mut cursor_file = Self { disk, file: Some(file), last };
        cursor_file.move_to(cursor_file.last.places.clone())?;
        Ok(cursor_file)
    }

    pub(crate) const fn places(&self) -> &BTreeMap<String, Seq> {
        &self.last.places
    }

    /// Makes the places of the same cursors durable.
    pub(crate) fn move_to(&mut self, places: BTreeMap<String, Seq>) -> Result<(), WalError> {
        let slot = self.next_slot(places);
        if let Some(file) = &self.file {
            put(&*self.disk, &**file, &slot)?;
        }
        self.last = slot;
        Ok(())
    }

    /// Makes the places of other cursors durable, in both slots (U1).
    pub(crate) fn replace(&mut self, places: BTreeMap<String, Seq>) -> Result<(), WalError> {
        if self.file.is_none() {
            return self.create(places);
        }
        self.move_to(places.clone())?;
        self.move_to(places)
    }

    /// Makes room for the file, under a name that the next opening removes. When that
    /// fails nothing has happened.
    pub(crate) fn make_room(&mut self) -> Result<(), WalError> {
        if self.file.is_none() {
            let name = names::temporary(names::CURSORS);
            let file = self.disk.create(&name, CURSOR_FILE_BYTES);
            file.map_err(failed("create", self.disk.path(&name)))?;
        }
        Ok(())
    }

    /// The file gets its name only once it holds what it has to: without a sound slot
    /// it is damage (U2).
    fn create(&mut self, places: BTreeMap<String, Seq>) -> Result<(), WalError> {
        let temporary = names::temporary(names::CURSORS);
        let path = || self.disk.path(names::CURSORS);
        let file = self.disk.open_write(&temporary).map_err(failed("open", path()))?;
        let first = self.next_slot(places.clone());
        put(&*self.disk, &*file, &first)?;
        self.disk.rename(&temporary, names::CURSORS).map_err(failed("rename", path()))?;
        self.disk.sync_dir().map_err(failed("sync", self.disk.path("")))?;
        self.file = Some(file);
        self.last = first;
        self.move_to(places)
    }

    fn next_slot(&self, places: BTreeMap<String, Seq>) -> CursorSlot {
        let generation = self.last.generation.saturating_add(1);
        CursorSlot { log_id: self.last.log_id, generation, places }
    }
}

fn put(disk: &dyn Disk, file: &dyn DiskFile, slot: &CursorSlot) -> Result<(), WalError> {
    let path = || disk.path(names::CURSORS);
    file.write_all_at(&slot.encode(), slot.slot_offset()).map_err(failed("write", path()))?;
    file.sync().map_err(failed("sync", path()))
}
