//! Which cells leave memory: those that nobody has read or changed since the hand of the
//! clock came by last (second chance; F. J. Corbató, "A paging experiment with the
//! Multics system", 1968).
//!
//! E1. Only a cell that storage has as it is leaves: not dirty, not being written, not
//!     removed.
//! E2. One call looks at a bounded number of cells, so who makes room holds the lock of
//!     its shard for a bounded time.

use std::sync::atomic::Ordering;

use super::budget::Usage;
use super::shards::Shard;
use super::slot::{DIRTY, REFERENCED, STORED, WRITING};

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

/// Moves the hand by one slot, or into the next table.
fn step(shard: &mut Shard, usage: &Usage) {
    let (mut place, mut ahead) = shard.hand;
    // Few tables of many have cells in a shard.
    for _ in 0..=shard.tables().len() {
        ahead = ahead.min(shard.tables().get(place).map_or(0, |table| table.len()));
        if ahead > 0 {
            break;
        }
        place = if place + 1 < shard.tables().len() { place + 1 } else { 0 };
        ahead = usize::MAX;
    }
    let Some(number) = ahead.checked_sub(1) else {
        return;
    };
    shard.hand = (place, number);
    let Some(table) = shard.table_at(place).filter(|table| number < table.len()) else {
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
