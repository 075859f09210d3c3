//! The fold: what an event, and a removal, does to a cell.
//!
//! L1. Cells change here only.
//! L3. A cell knows the last record it has applied, and takes none twice. So does the
//!     mark that a removed cell leaves until storage has deleted it.

use tidal_types::{AcceptedEvent, EntityId, EntityKind, Seq, SignalTypeId};

use super::cell::{Cell, RawEvent};
use super::clock;
use super::shards::{Place, Shard};
use super::slot::{DIRTY, REFERENCED, STORED, TRIED, WRITING};
use super::table::Table;
use super::together::Placed;
use super::{Kept, SignalLedger};
use crate::Result;
use std::sync::atomic::Ordering;

/// What is known of a cell that is not in memory.
enum Stored {
    Unknown,
    Nothing,
    Cell(Cell),
}

/// What became of a record.
enum Folded {
    /// Its cell is neither here nor known; storage has to be asked.
    NotHere,
    /// It is folded, or was before.
    Done(Effect),
}

/// What a record did to the figures of the ledger.
#[derive(Default)]
struct Effect {
    /// So many cells more, or fewer, are there.
    cells: i64,
    /// The dirty bytes of its cell, before and after.
    dirty: (usize, usize),
}

impl SignalLedger {
    /// Folds the event of the record `seq` into its cell (L1). Nothing happens
    /// when the cell has applied that seq already (L3), nor for [`Seq::ZERO`],
    /// which no record has.
    ///
    /// Only one thread may fold at a time.
    ///
    /// # Errors
    /// When the cell is not in memory and storage cannot be read; then nothing has
    /// happened, and the same record can be folded again.
    ///
    /// # Panics
    /// When the event was accepted by another schema.
    pub fn apply(&self, seq: Seq, event: &AcceptedEvent) -> Result<()> {
        if seq == Seq::ZERO {
            return Ok(());
        }
        // Before the cell: who reads at the newest time then sees no cell ahead
        // of it.
        self.restore_newest(event.timestamp());
        self.apply_placed(&Placed::of(seq, event))
    }

    /// The same, of who has looked up where the cell is, and has seen to the newest time.
    pub(super) fn apply_placed(&self, placed: &Placed) -> Result<()> {
        let Placed { place, seq, signal, event } = *placed;
        let kept = self.kept(signal);
        self.change(signal, place, |shard, place, stored| {
            fold(shard, kept, place, seq, event, stored)
        })
    }

    /// The same, of who has the lock of the shard. `None` when storage has to be asked for
    /// the cell, and nothing has happened; else how many cells more there are.
    pub(super) fn fold_resident(&self, shard: &mut Shard, placed: &Placed) -> Option<i64> {
        let Placed { place, seq, signal, event } = *placed;
        let kept = self.kept(signal);
        let change =
            |shard: &mut Shard, place, stored| fold(shard, kept, place, seq, event, stored);
        match self.change_locked(shard, signal, place, change, Stored::Unknown) {
            Folded::Done(Effect { cells, .. }) => Some(cells),
            Folded::NotHere => None,
        }
    }

    /// Removes every cell of an entity that has not applied `seq` or a later record,
    /// as the record `seq` says.
    ///
    /// # Errors
    /// As for [`SignalLedger::apply`]; some cells may be gone then, and the same record
    /// can be folded again.
    pub fn remove(&self, seq: Seq, kind: EntityKind, id: EntityId) -> Result<()> {
        let place = Place::of(id);
        for definition in self.schema.signals().iter().filter(|signal| signal.kind() == kind) {
            let signal = definition.id();
            let kept = self.kept(signal);
            self.change(signal, place, |shard, place, stored| {
                remove(shard, kept, place, seq, stored)
            })?;
        }
        Ok(())
    }

    /// Changes the cell of a place, which is loaded first if it is not in memory. The
    /// shard is not locked meanwhile (P3); since nobody else changes cells, what was
    /// loaded is still the newest when it is locked again.
    fn change(
        &self,
        signal: SignalTypeId,
        place: Place,
        change: impl Fn(&mut Shard, Place, Stored) -> Folded,
    ) -> Result<()> {
        let mut stored = Stored::Unknown;
        loop {
            let mut shard = self.shards.write(place.shard());
            let folded = self.change_locked(&mut shard, signal, place, &change, stored);
            drop(shard);
            match folded {
                Folded::Done(Effect { cells, .. }) => {
                    if cells != 0 {
                        self.cell_count.fetch_add(cells.cast_unsigned(), Ordering::Release);
                    }
                    return Ok(());
                }
                Folded::NotHere => {
                    let loaded = self.load(signal, place.id)?;
                    stored = loaded.map_or(Stored::Nothing, Stored::Cell);
                }
            }
        }
    }

    /// Changes a cell in a shard, and counts what that comes to.
    fn change_locked(
        &self,
        shard: &mut Shard,
        signal: SignalTypeId,
        place: Place,
        change: impl Fn(&mut Shard, Place, Stored) -> Folded,
        stored: Stored,
    ) -> Folded {
        let before = shard.table(signal).bytes();
        let folded = change(shard, place, stored);
        self.usage.resize(before, shard.table(signal).bytes());
        if let Folded::Done(Effect { dirty: (before, after), .. }) = folded {
            self.usage.resize_dirty(before, after);
        }
        clock::make_room(shard, &self.usage);
        folded
    }
}

/// The bytes of a slot if it is dirty.
fn dirty_bytes(table: &Table, number: usize) -> usize {
    if table.slot(number).is(DIRTY) { table.bytes_of(number) } else { 0 }
}

/// The slot of a cell, which is put there if it was loaded; a slot without a cell if
/// there was none. `Err` when it has to be loaded.
fn occupy(
    shard: &mut Shard,
    signal: SignalTypeId,
    place: Place,
    stored: Stored,
) -> Result<usize, Missing> {
    let table = shard.table(signal);
    if let Some(number) = table.find(place.hash, place.id) {
        // A reader may have kept the same cell meanwhile.
        return Ok(number);
    }
    match stored {
        Stored::Unknown if !table.is_complete() => Err(Missing),
        Stored::Unknown | Stored::Nothing => Ok(shard.insert(signal, place, 0)),
        Stored::Cell(cell) => {
            let number = shard.insert(signal, place, STORED);
            shard.table_mut(signal).put(number, cell);
            Ok(number)
        }
    }
}

struct Missing;

fn fold(
    shard: &mut Shard,
    kept: &Kept,
    place: Place,
    seq: Seq,
    event: RawEvent,
    stored: Stored,
) -> Folded {
    let Ok(number) = occupy(shard, kept.id, place, stored) else {
        return Folded::NotHere;
    };
    let tracking = kept.index.get().map(|index| index.tracking());
    let table = shard.table_mut(kept.id);
    let dirty_before = dirty_bytes(table, number);
    let cells = if table.slot(number).is_gone() {
        if seq <= table.applied(number) {
            return Folded::Done(Effect::default());
        }
        table.put(number, Cell::first(seq, event));
        table.slot(number).set(DIRTY);
        if let Some(tracking) = tracking {
            tracking.came_or_went(place);
        }
        1
    } else {
        let change = |cell: &mut Cell| {
            let is_new = cell.apply(&kept.shape, seq, event);
            if let Some(tracking) = tracking.filter(|_| is_new) {
                tracking.changed(&kept.shape, place, cell, event.weight);
            }
            is_new
        };
        if !table.change(number, change) {
            return Folded::Done(Effect::default());
        }
        table.slot(number).set(DIRTY | REFERENCED);
        0
    };
    Folded::Done(Effect { cells, dirty: (dirty_before, dirty_bytes(table, number)) })
}

fn remove(shard: &mut Shard, kept: &Kept, place: Place, seq: Seq, stored: Stored) -> Folded {
    if matches!(stored, Stored::Nothing) {
        return Folded::Done(Effect::default());
    }
    let signal = kept.id;
    let table = shard.table_mut(signal);
    if table.is_complete() && table.find(place.hash, place.id).is_none() {
        return Folded::Done(Effect::default());
    }
    let Ok(number) = occupy(shard, signal, place, stored) else {
        return Folded::NotHere;
    };
    let table = shard.table_mut(signal);
    if table.slot(number).is_gone() || seq <= table.applied(number) {
        return Folded::Done(Effect::default());
    }
    let dirty_before = dirty_bytes(table, number);
    let dirty_after = if table.slot(number).is(STORED | WRITING | TRIED) {
        table.set_gone(number, seq);
        table.slot(number).set(DIRTY);
        table.bytes_of(number)
    } else {
        // Storage never heard of it.
        shard.remove(signal, number);
        0
    };
    if let Some(index) = kept.index.get() {
        index.tracking().came_or_went(place);
    }
    Folded::Done(Effect { cells: -1, dirty: (dirty_before, dirty_after) })
}
