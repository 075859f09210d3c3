//! How the ledger goes into a checkpoint and a checksum, and comes back.

use std::sync::atomic::Ordering;

use tidal_types::{EntityId, EntityKind, SignalTypeId, TidalError, Timestamp};

use super::SignalLedger;
use super::cell::Cell;

impl SignalLedger {
    /// Shows every cell that changed since [`SignalLedger::mark_clean`], in no
    /// order that means anything. Nothing may be applied until it returns, and
    /// `show` must not call the ledger.
    pub fn for_each_dirty(&self, mut show: impl FnMut(SignalTypeId, EntityId, &Cell)) {
        for (definition, signal) in self.schema.signals().iter().zip(&self.signals) {
            signal.cells.for_each_dirty(|id, cell| show(definition.id(), id, cell));
        }
    }

    /// Marks every cell as clean. Nothing may have been applied since
    /// [`SignalLedger::for_each_dirty`] began.
    pub fn mark_clean(&self) {
        for signal in &self.signals {
            signal.cells.mark_clean();
        }
    }

    /// Shows every cell, ordered by signal type and then by entity. Cells that
    /// appear meanwhile may be missing.
    pub fn for_each_sorted(&self, mut show: impl FnMut(SignalTypeId, EntityId, &Cell)) {
        for (definition, signal) in self.schema.signals().iter().zip(&self.signals) {
            let mut ids = Vec::new();
            signal.cells.ids(&mut ids);
            ids.sort_unstable();
            for id in ids {
                signal.cells.read(id, |cell| show(definition.id(), id, cell));
            }
        }
    }

    /// Puts back a cell that was encoded by a checkpoint; it is clean. For open,
    /// before anything is applied.
    ///
    /// # Errors
    /// [`TidalError::Damaged`] when the bytes are not those of a cell of this
    /// signal type, or when the schema has no such type.
    pub fn restore(
        &self,
        signal: SignalTypeId,
        id: EntityId,
        bytes: &[u8],
    ) -> Result<(), TidalError> {
        let definition = self.schema.signal_by_id(signal).ok_or_else(|| TidalError::Damaged {
            location: format!("cell of signal type {signal}, entity {id}"),
            problem: format!("the schema has only {} signal types", self.schema.signal_count()),
        })?;
        let cell = Cell::decode(definition, id, bytes)?;
        self.restore_newest(cell.newest());
        if self.cells(signal).cells.restore(id, cell) {
            self.cell_count.fetch_add(1, Ordering::Release);
        }
        Ok(())
    }

    /// Loads every stored cell.
    pub(crate) fn preload(&self) -> Result<(), TidalError> {
        let Some(store) = &self.store else {
            return Ok(());
        };
        for kind in EntityKind::ALL {
            store.scan(kind, &mut |id, signal, bytes| self.restore(signal, id, bytes))?;
        }
        Ok(())
    }

    /// Makes the newest time of the database at least `newest`. Restored cells do
    /// that by themselves; this is for a newest event whose cell is not resident.
    pub fn restore_newest(&self, newest: Timestamp) {
        // Most events are not the newest of all, or are late: a look is cheaper
        // than a locked exchange.
        if newest.as_nanos() > self.newest.load(Ordering::Relaxed) {
            self.newest.fetch_max(newest.as_nanos(), Ordering::Release);
        }
    }
}
