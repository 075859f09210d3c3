//! What is put back into a ledger when a database is opened.

use std::sync::atomic::Ordering;

use tidal_types::{EntityId, Seq, SignalTypeId, TidalError, Timestamp};

use super::SignalLedger;
use super::dirty::UNPOISONED;
use super::shards::Place;
use super::slot::STORED;

impl SignalLedger {
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
        let cell = self.decode(definition.id(), id, bytes)?;
        self.restore_newest(cell.newest());
        let place = Place::of(id);
        let mut shard = self.shards.write(place.shard());
        let table = shard.table(signal);
        let before = table.bytes();
        let number = table.find(place.hash, id).unwrap_or_else(|| {
            self.cell_count.fetch_add(1, Ordering::Release);
            self.stored.lock().expect(UNPOISONED).add_one(signal);
            shard.insert(signal, place, STORED)
        });
        let table = shard.table_mut(signal);
        table.put(number, cell);
        self.usage.resize(before, table.bytes());
        Ok(())
    }

    /// Says that the log ends at this record. A stored cell that has applied a later one is
    /// damaged: it would pass over the events that are still to come.
    pub(crate) fn log_ends_at(&self, seq: Seq) {
        self.end.store(seq.get(), Ordering::Release);
    }

    /// Says, before it is folded, that the log goes on to this record. Nothing happens
    /// where nobody has said where it ended.
    pub(crate) fn log_goes_to(&self, seq: Seq) {
        self.end.fetch_max(seq.get(), Ordering::Release);
    }

    /// The last record that anything folded can come from, as far as was said.
    pub(crate) fn log_end(&self) -> Seq {
        Seq::new(self.end.load(Ordering::Acquire))
    }

    /// Makes the newest time of the database at least `newest`. Restored cells do
    /// that by themselves; this is for a newest event whose cell is not resident.
    pub fn restore_newest(&self, newest: Timestamp) {
        // Most events are not the newest of all, or are late: a look is cheaper
        // than a locked exchange.
        if newest.as_nanos() > self.newest.load(Ordering::Relaxed) {
            self.newest.fetch_max(newest.as_nanos(), Ordering::Release);
        }
        if !self.has_events.load(Ordering::Relaxed) {
            self.has_events.store(true, Ordering::Release);
        }
    }
}
