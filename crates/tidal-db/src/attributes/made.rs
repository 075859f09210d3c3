//! The index of a kind of entity, from the query that makes it on.
//!
//! J1. While it is made from a scan, the fold notes what it changes, and those notes are
//!     applied to it last. A row that changed before the scan began is in the scan; one
//!     that changed later is in the notes, since the fold changes the row first and then
//!     comes here. Notes say what is, so one that the scan has seen does no harm.
//! J2. The scan is done without the lock (E5).

use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tidal_types::{EntityId, EntityKind};

use super::AttributeRow;
use super::index::KindIndex;
use crate::Result;

/// The index of a kind of entity, or what becomes it.
#[derive(Debug, Default)]
pub(super) struct Made {
    phase: RwLock<Phase>,
    /// Held by who makes it.
    making: Mutex<()>,
}

/// An index, and how far it is.
#[derive(Debug, Default)]
pub(super) struct Phase {
    index: KindIndex,
    is_ready: bool,
    /// What changed while it is made.
    notes: Option<Vec<Note>>,
}

#[derive(Debug)]
enum Note {
    Put(EntityId, Option<Arc<AttributeRow>>),
    Forgot(EntityKind, EntityId),
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

    /// The index, if it was made.
    pub(super) fn ready(&self) -> Option<Ready<'_>> {
        let phase = self.phase.read().expect(UNPOISONED);
        phase.is_ready.then_some(Ready(phase))
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
        self.write().notes = Some(Vec::new());
        let noting = Noting(self);
        let mut index = KindIndex::default();
        scan(&mut index)?;
        let mut phase = self.write();
        for note in phase.notes.take().unwrap_or_default() {
            index.take(note);
        }
        phase.index = index;
        phase.is_ready = true;
        drop(phase);
        drop(noting);
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
        let mut phase = self.write();
        let Phase { index, is_ready, notes } = &mut *phase;
        match notes {
            Some(notes) => notes.push(note),
            None if *is_ready => index.take(note),
            None => {}
        }
    }

    /// About how much memory it takes, in bytes.
    pub(super) fn memory_bytes(&self) -> u64 {
        self.phase.read().expect(UNPOISONED).index.memory_bytes()
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
struct Noting<'a>(&'a Made);

impl Drop for Noting<'_> {
    fn drop(&mut self) {
        self.0.write().notes = None;
    }
}
