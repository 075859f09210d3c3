//! The index of a kind of entity, from the query that makes it on.
//!
//! J1. While it is made from a scan, the fold notes what it changes, and those notes are
//!     applied to it last. A row that changed before the scan began is in the scan; one
//!     that changed later is in the notes, since the fold changes the row first and then
//!     comes here. Notes say what is, so one that the scan has seen does no harm.
//! J2. The scan is done without the lock (E5).
//! J3. The fold never waits for who reads the index. It notes what it has changed and
//!     applies its notes, in order, where nobody holds the index; a query applies what is
//!     left before it reads. So what was noted before a query began is in what it reads.
//! J4. Notes for an index that was made take at most [`NOTES_BYTES_MAX`]. Beyond that they
//!     are lost, and the next query makes the index again.
//! J5. The notes are locked for no longer than a few of them take. Whoever has the lock of
//!     the index may wait for that of the notes; the other way round one only tries.

mod notes;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tidal_types::{EntityId, EntityKind};

use self::notes::{Note, Notes};
use super::AttributeRow;
use super::index::KindIndex;
use crate::Result;

/// How many bytes of memory the notes for an index take that was made: some ten thousand
/// rows, which change behind one query only if it takes long.
pub(super) const NOTES_BYTES_MAX: usize = 8 << 20;

/// How many notes the fold applies for each that it adds. More than one, so that it catches
/// up with what a query has left; and few, since somebody waits for an answer.
const APPLIED_MAX: usize = 16;

/// The index of a kind of entity, or what becomes it.
#[derive(Debug, Default)]
pub(super) struct Made {
    phase: RwLock<Phase>,
    notes: Mutex<Notes>,
    /// Held by who makes it.
    making: Mutex<()>,
}

/// An index, and whether it was made.
#[derive(Debug, Default)]
pub(super) struct Phase {
    index: KindIndex,
    is_ready: bool,
}

/// A lock on an index that is ready.
#[derive(Debug)]
pub(super) struct Ready<'a>(RwLockReadGuard<'a, Phase>);

impl Ready<'_> {
    pub(super) fn index(&self) -> &KindIndex {
        &self.0.index
    }
}

const UNPOISONED: &str = "no thread panics while it changes an index";

impl Made {
    fn write(&self) -> RwLockWriteGuard<'_, Phase> {
        self.phase.write().expect(UNPOISONED)
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().expect(UNPOISONED)
    }

    /// The index with all that was noted before, if it was made.
    pub(super) fn ready(&self) -> Option<Ready<'_>> {
        let is_caught_up = self.notes().is_caught_up()?;
        let phase = if is_caught_up {
            self.phase.read().expect(UNPOISONED)
        } else {
            let mut phase = self.write();
            self.catch_up(&mut phase);
            RwLockWriteGuard::downgrade(phase)
        };
        phase.is_ready.then_some(Ready(phase))
    }

    /// Applies the notes to an index that was made. Where they were lost, it was not.
    fn catch_up(&self, phase: &mut Phase) {
        // Who makes it needs the notes.
        if !phase.is_ready {
            return;
        }
        // The fold goes on noting while they are applied.
        let taken = self.notes().take();
        match taken {
            Some(taken) => taken.into_iter().for_each(|note| phase.index.take(note)),
            None => *phase = Phase::default(),
        }
    }

    /// Makes the index by a scan, unless somebody else does meanwhile.
    ///
    /// # Errors
    /// Those of the scan; it can be made again.
    pub(super) fn make(&self, scan: impl FnOnce(&mut KindIndex) -> Result<()>) -> Result<()> {
        // Whoever panicked in a scan has left nothing but notes that nobody needs.
        let _alone = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if self.ready().is_some() {
            return Ok(());
        }
        let mut phase = self.write();
        // One whose notes were lost is of no use.
        *phase = Phase::default();
        *self.notes() = Notes::with_limit(usize::MAX);
        drop(phase);
        let mut noting = Noting { made: self, is_needed: false };
        let mut index = KindIndex::default();
        scan(&mut index)?;
        let mut phase = self.write();
        *phase = Phase { index, is_ready: true };
        self.catch_up(&mut phase);
        self.notes().limit(NOTES_BYTES_MAX);
        drop(phase);
        noting.is_needed = true;
        Ok(())
    }

    /// Folds the row that an entity has from now on.
    pub(super) fn put(&self, id: EntityId, row: Option<Arc<AttributeRow>>) {
        self.note(Note::Put(id, row));
    }

    /// Folds that an entity was forgotten.
    pub(super) fn forgot(&self, kind: EntityKind, id: EntityId) {
        self.note(Note::Forgot(kind, id));
    }

    fn note(&self, note: Note) {
        let mut notes = self.notes();
        if !notes.push(note) {
            return;
        }
        // Otherwise the next query or the next note sees to it.
        if let Ok(mut phase) = self.phase.try_write()
            && phase.is_ready
        {
            notes.take_oldest(APPLIED_MAX).for_each(|note| phase.index.take(note));
        }
    }

    /// About how much memory it takes, in bytes.
    pub(super) fn memory_bytes(&self) -> u64 {
        let noted = self.notes().bytes() as u64;
        self.phase.read().expect(UNPOISONED).index.memory_bytes() + noted
    }
}

impl KindIndex {
    fn take(&mut self, note: Note) {
        match note {
            Note::Put(id, row) => self.put(id, row.as_deref()),
            Note::Forgot(kind, id) => self.forgot(kind, id),
        }
    }
}

/// Ends the notes of an index that could not be made.
struct Noting<'a> {
    made: &'a Made,
    is_needed: bool,
}

impl Drop for Noting<'_> {
    fn drop(&mut self) {
        if !self.is_needed {
            *self.made.notes() = Notes::default();
        }
    }
}
