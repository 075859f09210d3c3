//! The cells of one signal type, in shards, so that readers seldom wait for the
//! writer.
//!
//! P1. One thread writes, in log order; any number read at the same time. A
//!     reader sees a cell before an event or after it, never between.
//! P2. The order of a hash map shows nowhere: whatever depends on order is
//!     sorted.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{PoisonError, RwLock};

use tidal_types::{EntityId, Seq};

use super::cell::{Cell, RawEvent};
use super::shape::Shape;

/// How many shards there are: a power of two. A scan holds one at a time, and
/// who waits to write to it holds up its readers: the more, the shorter.
const SHARDS: usize = 64;

/// Cells by entity.
#[derive(Debug)]
pub(crate) struct Shards {
    shards: Box<[RwLock<Shard>; SHARDS]>,
}

impl Default for Shards {
    fn default() -> Self {
        Self { shards: Box::new(std::array::from_fn(|_| RwLock::default())) }
    }
}

#[derive(Debug, Default)]
struct Shard {
    cells: HashMap<EntityId, Resident>,
    /// The cells that changed since they were last marked clean, each once.
    dirty: Vec<EntityId>,
}

#[derive(Debug)]
struct Resident {
    cell: Cell,
    dirty: bool,
    /// Whether storage has the cell, in whatever state.
    stored: bool,
}

impl Shards {
    /// Folds an event into its cell, and says whether the cell is new.
    pub(crate) fn apply(&self, shape: &Shape, seq: Seq, id: EntityId, event: RawEvent) -> bool {
        let mut guard = held(self.of(id).write());
        let Shard { cells, dirty } = &mut *guard;
        match cells.entry(id) {
            Entry::Vacant(vacant) => {
                let cell = Cell::first(seq, event);
                vacant.insert(Resident { cell, dirty: true, stored: false });
                dirty.push(id);
                true
            }
            Entry::Occupied(occupied) => {
                let resident = occupied.into_mut();
                if resident.cell.apply(shape, seq, event) && !resident.dirty {
                    resident.dirty = true;
                    dirty.push(id);
                }
                false
            }
        }
    }

    /// Puts a clean cell in place, and says whether it is new.
    pub(crate) fn restore(&self, id: EntityId, cell: Cell) -> bool {
        let resident = Resident { cell, dirty: false, stored: true };
        held(self.of(id).write()).cells.insert(id, resident).is_none()
    }

    /// What `read` makes of a cell; `None` when there is no such cell.
    pub(crate) fn read<T>(&self, id: EntityId, read: impl FnOnce(&Cell) -> T) -> Option<T> {
        held(self.of(id).read()).cells.get(&id).map(|resident| read(&resident.cell))
    }

    /// Shows every cell, in no order that means anything.
    pub(crate) fn for_each(&self, mut show: impl FnMut(EntityId, &Cell)) {
        for shard in self.shards.iter() {
            for (id, resident) in &held(shard.read()).cells {
                show(*id, &resident.cell);
            }
        }
    }

    /// Shows every dirty cell, in no order that means anything.
    pub(crate) fn for_each_dirty(&self, mut show: impl FnMut(EntityId, &Cell)) {
        for shard in self.shards.iter() {
            let shard = held(shard.read());
            for id in &shard.dirty {
                if let Some(resident) = shard.cells.get(id) {
                    show(*id, &resident.cell);
                }
            }
        }
    }

    pub(crate) fn mark_clean(&self) {
        for shard in self.shards.iter() {
            let mut guard = held(shard.write());
            let Shard { cells, dirty } = &mut *guard;
            for id in dirty.drain(..) {
                if let Some(resident) = cells.get_mut(&id) {
                    resident.dirty = false;
                }
            }
        }
    }

    /// The cells of a shard that may be dirty; `None` behind the last shard. They are not
    /// listed any more.
    pub(super) fn take_dirty(&self, shard: usize) -> Option<Vec<EntityId>> {
        self.shards.get(shard).map(|shard| std::mem::take(&mut held(shard.write()).dirty))
    }

    /// Lists cells again that [`Shards::take_dirty`] gave out.
    pub(super) fn give_back_dirty(&self, ids: Vec<EntityId>) {
        for id in ids {
            held(self.of(id).write()).dirty.push(id);
        }
    }

    /// The bytes of a dirty cell, which is clean from now on, and whether it is stored.
    pub(super) fn take_value(&self, id: EntityId) -> Option<(Vec<u8>, bool)> {
        let mut shard = held(self.of(id).write());
        let resident = shard.cells.get_mut(&id).filter(|resident| resident.dirty)?;
        resident.dirty = false;
        let mut value = Vec::new();
        resident.cell.encode(&mut value);
        Some((value, resident.stored))
    }

    pub(super) fn mark_stored(&self, id: EntityId) {
        if let Some(resident) = held(self.of(id).write()).cells.get_mut(&id) {
            resident.stored = true;
        }
    }

    pub(super) fn mark_dirty(&self, id: EntityId) {
        let mut guard = held(self.of(id).write());
        let Shard { cells, dirty } = &mut *guard;
        if let Some(resident) = cells.get_mut(&id).filter(|resident| !resident.dirty) {
            resident.dirty = true;
            dirty.push(id);
        }
    }

    /// Every entity with a cell, appended in no order that means anything.
    pub(crate) fn ids(&self, out: &mut Vec<EntityId>) {
        for shard in self.shards.iter() {
            out.extend(held(shard.read()).cells.keys());
        }
    }

    /// An estimate of the bytes in use, this struct included.
    pub(crate) fn memory_bytes(&self) -> usize {
        let shards = self.shards.iter().map(|shard| {
            let shard = held(shard.read());
            // A hash map keeps one byte for each place and leaves an eighth free.
            let place = size_of::<(EntityId, Resident)>() + 1;
            let heap: usize = shard.cells.values().map(|resident| resident.cell.heap_bytes()).sum();
            heap + shard.cells.capacity() * place * 8 / 7
                + shard.dirty.capacity() * size_of::<EntityId>()
        });
        size_of_val(self) + shards.sum::<usize>()
    }

    fn of(&self, id: EntityId) -> &RwLock<Shard> {
        // Multiplied by 2^64 / the golden ratio, neighbouring ids spread over the
        // top bits.
        let spread = id.get().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SHARDS.ilog2());
        let shard = usize::try_from(spread).ok().and_then(|shard| self.shards.get(shard));
        shard.expect("as many bits were kept as number the shards")
    }
}

/// The guard of a lock. It is poisoned only when a fold or a read panicked, and
/// neither does.
fn held<G>(guard: Result<G, PoisonError<G>>) -> G {
    guard.expect("a cell was being changed when its writer panicked")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_ids_use_every_shard() {
        let shards = Shards::default();
        let mut used: Vec<*const RwLock<Shard>> =
            (0..4 * SHARDS as u64).map(|id| &raw const *shards.of(EntityId::new(id))).collect();
        used.sort_unstable();
        used.dedup();
        assert_eq!(used.len(), SHARDS);
    }
}
