//! Which cells leave memory: those that nobody has read or changed since the hand of the
//! clock came by last (second chance; F. J. Corbató, "A paging experiment with the
//! Multics system", 1968).
//!
//! E1. Only a cell that storage has as it is leaves: not dirty, not being written, not
//!     removed.
//! E2. One call looks at a bounded number of cells and tables, however many signal types
//!     there are, so who makes room holds the lock of its shard for a bounded time.

use std::sync::atomic::Ordering;

use super::budget::Usage;
use super::shards::Shard;
use super::slot::{DIRTY, REFERENCED, STORED, WRITING};
use super::table::Table;

/// How many slots one call looks at. It evicts more than come in even if most have been
/// read since the last round.
const LOOKS: usize = 32;

/// Evicts from a shard while the cells take more than they may. Every shard makes room
/// for what comes into it, and entities are spread evenly, so together they keep to the
/// budget.
pub(super) fn make_room(shard: &mut Shard, usage: &Usage) {
    for _ in 0..LOOKS {
        if !usage.is_over() {
            return;
        }
        step(shard, usage);
    }
}

/// Moves the hand by one slot, or into the next table in use.
fn step(shard: &mut Shard, usage: &Usage) {
    let (turn, ahead) = shard.hand;
    let Some(&place) = shard.in_use().get(turn) else {
        shard.hand = (0, usize::MAX);
        return;
    };
    let place = usize::from(place);
    let ahead = ahead.min(shard.tables().get(place).map_or(0, Table::len));
    let Some(number) = ahead.checked_sub(1) else {
        if shard.tables().get(place).is_some_and(|table| table.len() == 0) {
            // Another one has its turn now.
            shard.drop_from_use(turn);
            shard.hand = (turn, usize::MAX);
        } else {
            shard.hand = (turn + 1, usize::MAX);
        }
        return;
    };
    shard.hand = (turn, number);
    let Some(table) = shard.table_at(place) else {
        return;
    };
    let slot = table.slot(number);
    if slot.clear(REFERENCED) & REFERENCED != 0 || slot.is(DIRTY | WRITING) || !slot.is(STORED) {
        return;
    }
    evict(shard, place, number, usage);
}

/// Lets a clean cell leave memory.
pub(super) fn evict(shard: &mut Shard, place: usize, number: usize, usage: &Usage) {
    let Some(table) = shard.table_at(place) else {
        return;
    };
    let before = table.bytes();
    table.remove(number);
    table.is_incomplete_now();
    usage.resize(before, table.bytes());
    usage.evictions.fetch_add(1, Ordering::Relaxed);
    shard.departures += 1;
}

#[cfg(test)]
mod tests {
    use tidal_types::{EntityId, SignalTypeId};

    use super::super::shards::{Place, Shards};
    use super::*;

    /// E2: of thousands of signal types, the hand goes by those that have cells only.
    #[test]
    fn the_hand_passes_over_empty_tables_e2() {
        const TYPES: u16 = 5000;
        let shards = Shards::new(&vec![true; usize::from(TYPES)]);
        let usage = Usage::with_budget(Some(0));
        let place = Place::of(EntityId::new(1));
        let mut shard = shards.write(place.shard());
        for round in 0..3 {
            for signal in [7, 4000, 4999] {
                shard.insert(SignalTypeId::new(signal), place, STORED);
            }
            usage.resize(0, 1);
            assert_eq!((shard.slots(), shard.in_use().len()), (3, 3), "round {round}");
            // A look at each cell, one to leave each table, and two to begin anew.
            for _ in 0..8 {
                step(&mut shard, &usage);
            }
            assert_eq!((shard.slots(), shard.in_use().len()), (0, 0), "round {round}");
        }
        make_room(&mut shard, &usage);
        assert_eq!(shard.slots(), 0);
    }
}
