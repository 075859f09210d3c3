//! The cells of one signal type in one shard.
//!
//! T1. Slots are dense: whoever is removed leaves its number to the last one. So a walk
//!     from the last number down to the first meets every cell that was there when it
//!     began and is there when it ends, whatever is removed meanwhile.
//! T2. The index has the number of each slot, by the hash of its entity. Its order shows
//!     nowhere.
//! T3. A busy cell knows its slot and the slot knows it.

use std::borrow::Cow;

use hashbrown::HashTable;
use tidal_types::{EntityId, Seq};

use super::cell::Cell;
use super::chunks::Chunks;
use super::slot::{Held, Slot};

/// The indexes of a table name what is there.
pub(super) const UNBROKEN: &str = "a number that the table gave out names what is there";

/// Below this share of its size in use, one in so many, an index is made smaller.
const INDEX_SPARSE: usize = 8;

#[derive(Debug)]
pub(super) struct Table {
    index: HashTable<u32>,
    slots: Chunks<Slot>,
    busy: Chunks<Busy>,
    /// Bytes on the heap of all busy cells.
    busy_bytes: usize,
    /// Bytes of the index and of both arrays: the fold asks for all bytes before and after
    /// each event, and these seldom change.
    room_bytes: usize,
    /// Whether every cell of the type that would be in this shard is here: nothing was in
    /// storage when the table was made, or all of it was brought here, and nothing was
    /// evicted since.
    complete: bool,
    /// Whether it is in the shard's list of tables in use.
    is_in_use: bool,
}

#[derive(Debug)]
struct Busy {
    /// The number of its slot.
    slot: u32,
    cell: Cell,
}

/// A well-mixed hash of an entity, of which no two have the same. Neighbouring ids, and
/// ids at any stride, go far apart. (It is the end of MurmurHash3, by Austin Appleby.)
///
/// It has no secret. Who picks ids for others to store can pick them so that they meet in
/// one place of one shard; then every answer is as right as ever, and finding one of n
/// such cells takes about n / 16 steps. Where ids come from strangers, an application
/// lets tidalDB give them out, by names, or hashes them with a key of its own.
pub(crate) const fn mix(id: EntityId) -> u64 {
    let mut hash = id.get();
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

impl Table {
    pub(super) fn new(complete: bool) -> Self {
        Self {
            index: HashTable::new(),
            slots: Chunks::default(),
            busy: Chunks::default(),
            busy_bytes: 0,
            room_bytes: 0,
            complete,
            is_in_use: false,
        }
    }

    /// Notes that it is in the list of tables in use; false when it was.
    pub(super) const fn comes_into_use(&mut self) -> bool {
        !std::mem::replace(&mut self.is_in_use, true)
    }

    pub(super) const fn goes_out_of_use(&mut self) {
        self.is_in_use = false;
    }

    /// How many slots there are.
    pub(super) const fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) const fn is_complete(&self) -> bool {
        self.complete
    }

    pub(super) const fn is_incomplete_now(&mut self) {
        self.complete = false;
    }

    /// Notes that every cell of the type that would be in this shard is here now.
    pub(super) const fn is_complete_now(&mut self) {
        self.complete = true;
    }

    /// All bytes on the heap: slots, index, busy cells.
    pub(super) const fn bytes(&self) -> usize {
        self.room_bytes + self.busy_bytes
    }

    /// For whoever has made a slot or a busy cell, or dropped one.
    fn measure(&mut self) {
        self.room_bytes = self.slots.bytes() + self.busy.bytes() + self.index.allocation_size();
    }

    /// The bytes that a slot and what it stands for take by themselves.
    pub(super) fn bytes_of(&self, number: usize) -> usize {
        let busy = self.slots.get(number).busy();
        let busy = busy.map_or(0, |busy| size_of::<Busy>() + self.busy.get(busy).cell.heap_bytes());
        size_of::<Slot>() + busy
    }

    pub(super) fn slot(&self, number: usize) -> &Slot {
        self.slots.get(number)
    }

    /// The number of an entity's slot.
    pub(super) fn find(&self, hash: u64, id: EntityId) -> Option<usize> {
        let found = self.index.find(hash, |&number| self.slots.get(number as usize).id() == id);
        found.map(|&number| number as usize)
    }

    /// The number of a slot that is most likely that of the entity with this hash, if it has
    /// any: for who wants to know without looking at slots.
    pub(super) fn guess(&self, hash: u64) -> Option<usize> {
        self.index.find(hash, |_| true).map(|&number| number as usize)
    }

    /// The busy cell of a slot.
    pub(super) fn busy(&self, number: usize) -> Option<&Cell> {
        self.slots.get(number).busy().map(|busy| &self.busy.get(busy).cell)
    }

    /// The cell of a slot; `None` of one that was removed.
    pub(super) fn cell(&self, number: usize) -> Option<Cow<'_, Cell>> {
        match self.slots.get(number).held() {
            Held::Quiet(cell) => Some(Cow::Owned(cell)),
            Held::Busy(busy) => Some(Cow::Borrowed(&self.busy.get(busy).cell)),
            Held::Gone(_) => None,
        }
    }

    /// The record that was applied last, or that removed the cell.
    pub(super) fn applied(&self, number: usize) -> Seq {
        match self.slots.get(number).held() {
            Held::Quiet(cell) => cell.applied(),
            Held::Busy(busy) => self.busy.get(busy).cell.applied(),
            Held::Gone(removed) => removed,
        }
    }

    /// Makes the slot of an entity that has none. It holds no cell yet. For the shard.
    pub(super) fn insert(&mut self, hash: u64, id: EntityId, flags: u8) -> usize {
        let Self { index, slots, .. } = self;
        let number = slots.push(Slot::new(id, flags));
        let narrow = narrow(number);
        index.insert_unique(hash, narrow, |&number| mix(slots.get(number as usize).id()));
        self.measure();
        number
    }

    /// Puts a cell into a slot, in place of what it held.
    pub(super) fn put(&mut self, number: usize, cell: Cell) {
        match (cell.events(), self.slots.get(number).busy()) {
            (Some(events), None) => self.slots.get_mut(number).hold_quiet(cell.applied(), events),
            (Some(events), Some(_)) => {
                self.drop_busy(number);
                self.slots.get_mut(number).hold_quiet(cell.applied(), events);
            }
            (None, Some(busy)) => {
                let bytes = cell.heap_bytes();
                let old = std::mem::replace(&mut self.busy.get_mut(busy).cell, cell);
                self.busy_bytes = self.busy_bytes + bytes - old.heap_bytes();
            }
            (None, None) => {
                self.busy_bytes += cell.heap_bytes();
                let busy = self.busy.push(Busy { slot: narrow(number), cell });
                self.slots.get_mut(number).hold_busy(busy);
                self.measure();
            }
        }
    }

    /// Changes the cell of a slot; `false` when `change` says that it did not, or there
    /// is none.
    pub(super) fn change(&mut self, number: usize, change: impl FnOnce(&mut Cell) -> bool) -> bool {
        match self.slots.get(number).held() {
            Held::Gone(_) => false,
            Held::Busy(busy) => {
                let cell = &mut self.busy.get_mut(busy).cell;
                let before = cell.heap_bytes();
                let changed = change(cell);
                self.busy_bytes = self.busy_bytes + cell.heap_bytes() - before;
                changed
            }
            Held::Quiet(mut cell) => {
                let changed = change(&mut cell);
                if changed {
                    self.put(number, cell);
                }
                changed
            }
        }
    }

    /// Leaves the mark of a removed cell in a slot.
    pub(super) fn set_gone(&mut self, number: usize, removed: Seq) {
        self.drop_busy(number);
        self.slots.get_mut(number).hold_nothing(removed);
    }

    /// Drops a slot and what it stands for. Another one may have its number then (T1).
    pub(super) fn remove(&mut self, number: usize) {
        self.drop_busy(number);
        let id = self.slots.get(number).id();
        let own = |place: &u32| *place == narrow(number);
        let found = self.index.find_entry(mix(id), own);
        found.expect(UNBROKEN).remove();
        self.slots.swap_remove(number);
        let last = self.slots.len();
        if number < last {
            let moved = self.slots.get(number);
            let place = self.index.find_mut(mix(moved.id()), |place| *place == narrow(last));
            *place.expect(UNBROKEN) = narrow(number);
            if let Some(busy) = moved.busy() {
                self.busy.get_mut(busy).slot = narrow(number);
            }
        }
        if self.index.num_buckets() > self.slots.len().saturating_mul(INDEX_SPARSE) {
            let slots = &self.slots;
            let hash = |&number: &u32| mix(slots.get(number as usize).id());
            self.index.shrink_to(2 * slots.len(), hash);
        }
        self.measure();
    }

    fn drop_busy(&mut self, number: usize) {
        let Some(busy) = self.slots.get(number).busy() else {
            return;
        };
        let dropped = self.busy.swap_remove(busy);
        self.busy_bytes -= dropped.cell.heap_bytes();
        if busy < self.busy.len() {
            let owner = self.busy.get(busy).slot as usize;
            self.slots.get_mut(owner).hold_busy(busy);
        }
        self.slots.get_mut(number).hold_nothing(dropped.cell.applied());
        self.measure();
    }
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).expect("a shard has fewer than 2^32 cells of a type")
}
