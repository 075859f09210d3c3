//! Finding a cell, in memory or in storage.
//!
//! P4. A reader answers from what it loaded, which was the newest when it missed the cell
//!     in memory. It keeps that in memory only if no cell has left the shard since: what
//!     it has may be old otherwise.

use std::sync::atomic::Ordering;

use tidal_types::{EntityId, SignalTypeId, TidalError};

use super::cell::Cell;
use super::clock;
use super::shards::Place;
use super::slot::{REFERENCED, STORED};
use super::{Kept, SignalLedger};
use crate::Result;

/// Where a cell is that is not in memory.
enum Missing {
    /// Nowhere: there is no such cell.
    Nowhere,
    /// In storage, if anywhere; so many cells had left the shard when it was looked for.
    Stored { departures: u64 },
}

impl SignalLedger {
    /// What `read` makes of a cell; `None` when there is no such cell.
    pub(super) fn read<T>(
        &self,
        signal: SignalTypeId,
        id: EntityId,
        read: impl FnOnce(&Kept, &Cell) -> T,
    ) -> Result<Option<T>> {
        let (kept, place) = (self.kept(signal), Place::of(id));
        let shard = self.shards.read(place.shard());
        let table = shard.table(signal);
        let missing = match table.find(place.hash, id) {
            Some(number) => {
                table.slot(number).set(REFERENCED);
                let cell = table.cell(number);
                return Ok(cell.map(|cell| read(kept, &cell)));
            }
            None if table.is_complete() => Missing::Nowhere,
            None => Missing::Stored { departures: shard.departures },
        };
        drop(shard);
        let Missing::Stored { departures } = missing else {
            return Ok(None);
        };
        let Some(cell) = self.load(signal, id)? else {
            return Ok(None);
        };
        let value = read(kept, &cell);
        self.keep(signal, place, cell, departures);
        Ok(Some(value))
    }

    /// What `look` makes of a cell; nothing comes to memory by that.
    pub(super) fn look<T>(
        &self,
        signal: SignalTypeId,
        id: EntityId,
        look: impl FnOnce(&Cell) -> T,
    ) -> Result<Option<T>> {
        let place = Place::of(id);
        let shard = self.shards.read(place.shard());
        let table = shard.table(signal);
        if let Some(number) = table.find(place.hash, id) {
            return Ok(table.cell(number).map(|cell| look(&cell)));
        }
        if table.is_complete() {
            return Ok(None);
        }
        drop(shard);
        Ok(self.load(signal, id)?.map(|cell| look(&cell)))
    }

    /// The cell that storage has.
    pub(super) fn load(&self, signal: SignalTypeId, id: EntityId) -> Result<Option<Cell>> {
        let kept = self.kept(signal);
        let Some(store) = &self.store else {
            return Ok(None);
        };
        let Some(bytes) = store.get(kept.kind, id, signal)? else {
            return Ok(None);
        };
        self.usage.loads.fetch_add(1, Ordering::Relaxed);
        self.decode(signal, id, &bytes).map(Some)
    }

    /// The cell that was stored as `bytes`.
    pub(super) fn decode(&self, signal: SignalTypeId, id: EntityId, bytes: &[u8]) -> Result<Cell> {
        let definition = self.schema.signal_by_id(signal).expect("the type is the ledger's own");
        let cell = Cell::decode_as(&self.kept(signal).shape, definition, id, bytes)?;
        // Read behind the bytes, which are of what was folded before.
        let end = self.end.load(Ordering::Acquire);
        if cell.applied().get() > end {
            let location = format!("cell of signal type {signal}, entity {id}");
            let problem = format!(
                "it has applied record {}, and the log ends at {end}; restore a backup, or \
                 rebuild storage from the log",
                cell.applied()
            );
            return Err(TidalError::Damaged { location, problem });
        }
        Ok(cell)
    }

    /// Puts a cell that was loaded into memory, if it is sure to be the newest (P4).
    fn keep(&self, signal: SignalTypeId, place: Place, cell: Cell, departures: u64) {
        let mut shard = self.shards.write(place.shard());
        if shard.departures != departures {
            return;
        }
        let table = shard.table(signal);
        if table.find(place.hash, place.id).is_none() {
            let before = table.bytes();
            let number = shard.insert(signal, place, STORED);
            let table = shard.table_mut(signal);
            table.put(number, cell);
            self.usage.resize(before, table.bytes());
            clock::make_room(&mut shard, &self.usage);
        }
    }
}
