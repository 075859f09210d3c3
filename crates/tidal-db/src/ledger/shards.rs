//! The cells of all signal types, in shards, so that readers seldom wait for a writer.
//!
//! P1. A reader sees a cell before an event or after it, never between. A writer holds
//!     the lock of a shard for a few cells at a time.
//! P2. All cells of an entity are in one shard, whatever their signal types.
//! P3. No lock of a shard is held while storage is read or written, and nobody holds
//!     two.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tidal_types::{EntityId, SignalTypeId};

use super::table::{Table, mix};

/// How many shards there are: a power of two. A scan holds one at a time, and
/// who waits to write to it holds up its readers: the more, the shorter.
pub(super) const SHARDS: usize = 64;

/// The bits of a hash that choose the shard: those below the seven by which an index
/// tells entities apart, and far above those by which it places them.
const SHARD_SHIFT: u32 = u64::BITS - 7 - SHARDS.ilog2();

/// All shards.
#[derive(Debug)]
pub(super) struct Shards(Box<[RwLock<Shard>; SHARDS]>);

/// Where an entity is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) id: EntityId,
    pub(super) hash: u64,
}

#[derive(Debug, Default)]
pub(super) struct Shard {
    /// One for each signal type, in the order of ids.
    tables: Vec<Table>,
    /// How often a cell has left this shard. Who has missed one, and has it from storage
    /// now, has the newest only if none has left since: else the cell may have come,
    /// changed and gone meanwhile.
    pub(super) departures: u64,
    /// The places of the tables that have slots, and of some that had. A database may have
    /// thousands of signal types, of which a shard has cells of a few.
    in_use: Vec<u16>,
    /// Where the clock's hand is: a place in that list, and the slots of its table that are
    /// still ahead.
    pub(super) hand: (usize, usize),
}

impl Place {
    pub(super) const fn of(id: EntityId) -> Self {
        Self { id, hash: mix(id) }
    }

    /// The number of its shard.
    pub(super) const fn shard(self) -> usize {
        (self.hash >> SHARD_SHIFT) as usize % SHARDS
    }
}

impl Shards {
    /// Shards without cells. `complete` says of each signal type whether storage has
    /// none either.
    pub(super) fn new(complete: &[bool]) -> Self {
        Self(Box::new(std::array::from_fn(|_| {
            let tables = complete.iter().map(|complete| Table::new(*complete)).collect();
            RwLock::new(Shard { tables, ..Shard::default() })
        })))
    }

    /// Adds signal types without cells, here or in storage, until there are this many.
    pub(super) fn extend(&mut self, signal_types: usize) {
        for shard in self.0.iter_mut() {
            let shard = shard.get_mut().expect(UNPOISONED);
            shard.tables.resize_with(signal_types, || Table::new(true));
        }
    }

    pub(super) fn read(&self, shard: usize) -> RwLockReadGuard<'_, Shard> {
        held(self.lock(shard).read())
    }

    pub(super) fn write(&self, shard: usize) -> RwLockWriteGuard<'_, Shard> {
        held(self.lock(shard).write())
    }

    /// The bytes of all shards and tables without what is in them.
    pub(super) fn bytes(&self) -> usize {
        let lists = |shard: &RwLock<Shard>| {
            let shard = held(shard.read());
            shard.tables.capacity() * size_of::<Table>()
                + shard.in_use.capacity() * size_of::<u16>()
        };
        size_of_val(&*self.0) + self.0.iter().map(lists).sum::<usize>()
    }

    fn lock(&self, shard: usize) -> &RwLock<Shard> {
        self.0.get(shard).expect("there is a shard for each number below SHARDS")
    }
}

impl Shard {
    pub(super) fn table(&self, signal: SignalTypeId) -> &Table {
        self.tables.get(usize::from(signal.get())).expect(KNOWN)
    }

    pub(super) fn table_mut(&mut self, signal: SignalTypeId) -> &mut Table {
        self.tables.get_mut(usize::from(signal.get())).expect(KNOWN)
    }

    /// All tables, in the order of signal types.
    pub(super) fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The table at a place in that order.
    pub(super) fn table_at(&mut self, place: usize) -> Option<&mut Table> {
        self.tables.get_mut(place)
    }

    /// Makes the slot of an entity that has none. It holds no cell yet.
    pub(super) fn insert(&mut self, signal: SignalTypeId, place: Place, flags: u8) -> usize {
        let table = self.tables.get_mut(usize::from(signal.get())).expect(KNOWN);
        if table.comes_into_use() {
            self.in_use.push(signal.get());
        }
        table.insert(place.hash, place.id, flags)
    }

    /// The tables that have slots, and some that had, by their places.
    pub(super) fn in_use(&self) -> &[u16] {
        &self.in_use
    }

    /// Takes an empty table out of that list.
    pub(super) fn drop_from_use(&mut self, number: usize) {
        let place = self.in_use.swap_remove(number);
        if let Some(table) = self.tables.get_mut(usize::from(place)) {
            table.goes_out_of_use();
        }
    }

    /// How many slots all tables have.
    pub(super) fn slots(&self) -> usize {
        self.tables.iter().map(Table::len).sum()
    }

    /// Drops a slot and lets those know who are reading storage.
    pub(super) fn remove(&mut self, signal: SignalTypeId, number: usize) {
        self.table_mut(signal).remove(number);
        self.departures += 1;
    }
}

const KNOWN: &str = "the signal type is one of the ledger's own schema";
const UNPOISONED: &str = "a cell was being changed when its writer panicked";

/// The guard of a lock. It is poisoned only when a fold or a read panicked, and
/// neither does.
fn held<G>(guard: Result<G, PoisonError<G>>) -> G {
    guard.expect(UNPOISONED)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids that follow each other, that are far apart, and that differ in their top bits
    /// only all spread evenly.
    #[test]
    fn ids_at_any_stride_use_every_shard_evenly() {
        for stride in [1, 2, 64, 1000, 1 << 20, 1 << 32, 1 << 48] {
            let mut used = [0_u32; SHARDS];
            for index in 0..64 * SHARDS as u64 {
                used[Place::of(EntityId::new(index.wrapping_mul(stride))).shard()] += 1;
            }
            assert!(used.iter().all(|used| (24..128).contains(used)), "{stride}: {used:?}");
        }
    }
}
