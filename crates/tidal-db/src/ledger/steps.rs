//! Walking the cells of one signal type in one shard, a few at a time.
//!
//! A lock that is asked for by a writer holds up whoever asks for it next. So a walk lets
//! go of the shard after every few cells, and a point read never waits for all of it.
//!
//! V1. A walk meets every cell that is in memory when it begins and until it ends, and no
//!     cell twice. It goes from the last number down, so a removal hides nothing (T1), but
//!     it may move a cell that was met to a number that is still ahead. When a cell has
//!     left the shard, those met are in a set from then on.
//! V2. Nothing that grows with the table is done while the lock is held.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use tidal_types::{EntityId, SignalTypeId};

use super::shards::Shards;
use super::table::{Table, mix};

/// How many cells are met before the lock is let go.
pub(super) const STEP_CELLS: usize = 32;

/// A walk over the cells of one signal type in one shard.
#[derive(Debug)]
pub(super) struct Steps<'a> {
    shards: &'a Shards,
    shard: usize,
    signal: SignalTypeId,
    /// The slots that are still ahead: those with lower numbers.
    ahead: usize,
    /// How many cells had left the shard when the walk began.
    departures: Option<u64>,
    met: Vec<EntityId>,
    /// The same, once a cell has left.
    met_set: Option<HashTable<EntityId>>,
    has_others: bool,
}

impl Shards {
    /// A walk that begins with its first step.
    pub(super) const fn steps(&self, shard: usize, signal: SignalTypeId) -> Steps<'_> {
        Steps {
            shards: self,
            shard,
            signal,
            ahead: usize::MAX,
            departures: None,
            met: Vec::new(),
            met_set: None,
            has_others: false,
        }
    }
}

impl Steps<'_> {
    /// Shows the next slots by their numbers, at most [`STEP_CELLS`]; false when these
    /// were the last.
    pub(super) fn step(&mut self, mut show: impl FnMut(&Table, usize)) -> bool {
        self.met.reserve(STEP_CELLS);
        if let Some(set) = &mut self.met_set {
            set.reserve(STEP_CELLS, |id| mix(*id));
        }
        let shard = self.shards.read(self.shard);
        let departures = *self.departures.get_or_insert(shard.departures);
        if self.met_set.is_none() && departures != shard.departures {
            drop(shard);
            self.met_set = Some(set_of(&self.met));
            return true;
        }
        let table = shard.table(self.signal);
        let ahead = self.ahead.min(table.len());
        self.ahead = ahead.saturating_sub(STEP_CELLS);
        for number in (self.ahead..ahead).rev() {
            let id = table.slot(number).id();
            if self.met_set.as_mut().is_none_or(|set| adds(set, id)) {
                self.met.push(id);
                show(table, number);
            }
        }
        // As of the last step: a cell that left before it is one of the others.
        self.has_others = !table.is_complete();
        self.ahead > 0
    }

    /// The entities whose slots were met.
    pub(super) fn met(&self) -> &[EntityId] {
        &self.met
    }

    /// Whether storage may have cells that were not met.
    pub(super) const fn has_others(&self) -> bool {
        self.has_others
    }
}

fn set_of(ids: &[EntityId]) -> HashTable<EntityId> {
    let mut set = HashTable::with_capacity(ids.len() + STEP_CELLS);
    for id in ids {
        adds(&mut set, *id);
    }
    set
}

/// Adds an id to a set; false when it has it.
fn adds(set: &mut HashTable<EntityId>, id: EntityId) -> bool {
    match set.entry(mix(id), |other| *other == id, |other| mix(*other)) {
        Entry::Occupied(_) => false,
        Entry::Vacant(place) => {
            place.insert(id);
            true
        }
    }
}
