//! The cursors of a log.

use std::sync::Arc;

use tidal_types::{Seq, WalError};

use super::Wal;
use crate::cursor_file::CursorFile;
use crate::format::is_cursor_name;
use crate::limits::{CURSOR_NAME_BYTES_MAX, CURSORS_MAX};
use crate::progress::CursorState;
use crate::writer::fail_all;
use crate::{Cursor, CursorStart, CursorStats};

impl Wal {
    /// The cursor of this name, at its place; a new one begins at the first record
    /// that is kept, and is durable when this returns.
    ///
    /// # Errors
    /// Those of [`Wal::cursor_from`].
    pub fn cursor(&self, name: &str) -> Result<Cursor, WalError> {
        self.cursor_from(name, CursorStart::FirstKept)
    }

    /// The cursor of this name, at its place; a new one begins at `start`, and is
    /// durable when this returns.
    ///
    /// # Errors
    /// [`WalError::CursorName`] unless the name has 1 to 64 bytes of a-z, 0-9, `_` and
    /// `-`; [`WalError::CursorInUse`] while it has another handle;
    /// [`WalError::TooManyCursors`]; [`WalError::NoSpace`] when there is no room for the
    /// file of the first one, and nothing was changed; [`WalError::Closed`];
    /// [`WalError::Poisoned`]. After [`WalError::Io`] from a write or a sync the log
    /// takes no more records.
    pub fn cursor_from(&self, name: &str, start: CursorStart) -> Result<Cursor, WalError> {
        if !is_cursor_name(name.as_bytes()) {
            return Err(WalError::CursorName { name: name.into(), max: CURSOR_NAME_BYTES_MAX });
        }
        let mut file = self.shared.cursor_file();
        self.shared.progress.check()?;
        let known = self.shared.progress.lock().cursors.get(name).copied();
        let place = match known {
            Some(CursorState { in_use: true, .. }) => {
                return Err(WalError::CursorInUse { name: name.into() });
            }
            Some(known) => known.place,
            None => self.create_cursor(&mut file, name, start)?,
        };
        self.shared.progress.change_cursors(|cursors| {
            cursors.insert(name.into(), CursorState { place, in_use: true });
        });
        Ok(Cursor::new(Arc::clone(&self.shared), name.into(), place))
    }

    fn create_cursor(
        &self,
        file: &mut CursorFile,
        name: &str,
        start: CursorStart,
    ) -> Result<Seq, WalError> {
        let mut places = file.places().clone();
        if places.len() >= CURSORS_MAX {
            return Err(WalError::TooManyCursors { name: name.into(), max: CURSORS_MAX });
        }
        let place = match start {
            CursorStart::FirstKept => self.first_seq().previous(),
            CursorStart::Head => self.shared.progress.lock().head(),
        };
        places.insert(name.into(), place);
        if let Err(error) = file.make_room() {
            if !matches!(error, WalError::NoSpace { .. }) {
                self.fail(&error);
            }
            return Err(error);
        }
        let replaced = file.replace(places).and_then(|()| self.shared.floor().note_cursors());
        replaced.inspect_err(|error| self.fail(error))?;
        Ok(place)
    }

    fn fail(&self, error: &WalError) {
        fail_all(&self.shared, Arc::new(error.clone()), Vec::new());
    }

    /// Forgets a cursor, durably: it holds truncation back no more.
    ///
    /// # Errors
    /// [`WalError::NoSuchCursor`]; [`WalError::CursorInUse`] while it has a handle;
    /// [`WalError::Closed`]; [`WalError::Poisoned`]. After [`WalError::Io`] the log takes
    /// no more records, and the cursor is there or not.
    pub fn remove_cursor(&self, name: &str) -> Result<(), WalError> {
        let mut file = self.shared.cursor_file();
        self.shared.progress.check()?;
        let known = self.shared.progress.lock().cursors.get(name).copied();
        match known {
            None => return Err(WalError::NoSuchCursor { name: name.into() }),
            Some(known) if known.in_use => {
                return Err(WalError::CursorInUse { name: name.into() });
            }
            Some(_) => {}
        }
        let mut places = file.places().clone();
        places.remove(name);
        file.replace(places).inspect_err(|error| self.fail(error))?;
        self.shared.progress.change_cursors(|cursors| {
            cursors.remove(name);
        });
        Ok(())
    }

    /// Every cursor of the log, by name, whether or not it has a handle.
    #[must_use]
    pub fn cursors(&self) -> Vec<CursorStats> {
        let segments = self.shared.segments();
        let state = self.shared.progress.lock();
        let stats = state.cursors.iter().map(|(name, cursor)| {
            let place = cursor.place;
            let records_behind = state.head().get().saturating_sub(place.get());
            let bytes_behind = segments
                .holding(place.next())
                .map_or(0, |segment| state.durable.offset.saturating_sub(segment.base_offset));
            CursorStats {
                name: name.clone(),
                place,
                records_behind,
                bytes_behind: if records_behind == 0 { 0 } else { bytes_behind },
                in_use: cursor.in_use,
            }
        });
        stats.collect()
    }
}
