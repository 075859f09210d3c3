//! The entities at one end of an order, as many as there is room for.
//!
//! U1. Entities are ordered by key, then by lower id, both ends from the outside in.
//! U2. Whatever is not here is at the floor or behind it; without a floor, everything is
//!     here that ever was set. The floor moves outwards only, by an overflow.

use std::collections::BTreeSet;
use std::collections::btree_set::Iter;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Place;
use tidal_types::EntityId;

use super::super::rank_key::RankKey;
use super::super::table::mix;

/// One of the two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum End {
    Highest,
    Lowest,
}

/// An entity and its bound. What is less is further out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Entry {
    /// The key, or at the highest end the flipped one.
    order: RankKey,
    id: EntityId,
}

impl End {
    pub(super) const fn entry(self, key: RankKey, id: EntityId) -> Entry {
        Entry { order: self.order(key), id }
    }

    /// The key of an entry of this end.
    pub(in super::super) const fn key(self, entry: Entry) -> RankKey {
        self.order(entry.order)
    }

    const fn order(self, key: RankKey) -> RankKey {
        match self {
            Self::Highest => key.flipped(),
            Self::Lowest => key,
        }
    }
}

impl Entry {
    pub(in super::super) const fn id(self) -> EntityId {
        self.id
    }
}

/// From one change for so many entries on, ordering all anew is faster than one by one.
const MANY: usize = 8;

/// A bounded ordered set.
#[derive(Debug)]
pub(in super::super) struct Ordered {
    max: usize,
    order: BTreeSet<Entry>,
    /// By its hash, the entry of each entity.
    entries: HashTable<Entry>,
    floor: Option<Entry>,
}

/// What an entry takes in a B-tree whose nodes are two thirds full.
const TREE_BYTES: usize = size_of::<Entry>() * 3 / 2;

impl Ordered {
    /// The outermost of these, of which no two have the same id.
    pub(super) fn of(gathered: Gathered) -> Self {
        let Gathered { max, mut entries, mut floor, .. } = gathered;
        if entries.len() > max {
            floor = Some(cut(&mut entries, max));
        }
        let mut by_id = HashTable::with_capacity(entries.len());
        for entry in &entries {
            by_id.insert_unique(mix(entry.id), *entry, |entry| mix(entry.id));
        }
        Self { max, order: entries.into_iter().collect(), entries: by_id, floor }
    }

    /// From the outside in.
    pub(in super::super) fn entries(&self) -> Iter<'_, Entry> {
        self.order.iter()
    }

    /// The outermost place of what is not here; `None` when everything is.
    pub(in super::super) const fn floor(&self) -> Option<Entry> {
        self.floor
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    pub(super) const fn max(&self) -> usize {
        self.max
    }

    pub(super) fn bytes(&self) -> usize {
        self.order.len() * TREE_BYTES + self.entries.allocation_size()
    }

    /// Puts so many entities in their places, or takes them out, each in turn.
    pub(super) fn set_all(
        &mut self,
        count: usize,
        all: impl Iterator<Item = (EntityId, Option<Entry>)>,
    ) {
        if count < self.order.len() / MANY {
            for (id, entry) in all {
                let (before, after) = self.replace(id, entry);
                if before != after {
                    before.map(|before| self.order.remove(&before));
                    after.map(|after| self.order.insert(after));
                }
                if self.order.len() > self.max {
                    self.trim();
                }
            }
            return;
        }
        for (id, entry) in all {
            self.replace(id, entry);
        }
        let mut entries: Vec<Entry> = self.entries.iter().copied().collect();
        if entries.len() > self.max {
            let floor = cut(&mut entries, self.left());
            self.floor = Some(floor);
            self.entries.retain(|entry| *entry < floor);
        }
        self.order = entries.into_iter().collect();
    }

    /// Changes the entry of an entity but not the order: the one before and the one after.
    fn replace(&mut self, id: EntityId, entry: Option<Entry>) -> (Option<Entry>, Option<Entry>) {
        let entry = entry.filter(|entry| self.floor.is_none_or(|floor| *entry < floor));
        let place = self.entries.entry(mix(id), |other| other.id == id, |other| mix(other.id));
        match (place, entry) {
            (Place::Occupied(mut place), Some(entry)) => {
                (Some(std::mem::replace(place.get_mut(), entry)), Some(entry))
            }
            (Place::Occupied(place), None) => (Some(place.remove().0), None),
            (Place::Vacant(place), Some(entry)) => {
                place.insert(entry);
                (None, Some(entry))
            }
            (Place::Vacant(_), None) => (None, None),
        }
    }

    /// How many are left when there are too many: three quarters, so that this happens seldom.
    const fn left(&self) -> usize {
        self.max - self.max / 4
    }

    fn trim(&mut self) {
        while self.order.len() > self.left() {
            let Some(last) = self.order.pop_last() else {
                return;
            };
            self.floor = Some(last);
            let same = |other: &Entry| other.id == last.id;
            if let Ok(place) = self.entries.find_entry(mix(last.id), same) {
                place.remove();
            }
        }
    }
}

/// What is to be ordered, while it is collected.
#[derive(Debug)]
pub(super) struct Gathered {
    max: usize,
    entries: Vec<Entry>,
    floor: Option<Entry>,
}

impl Gathered {
    pub(super) const fn new(max: usize) -> Self {
        Self { max, entries: Vec::new(), floor: None }
    }

    pub(super) fn push(&mut self, entry: Entry) {
        if self.floor.is_some_and(|floor| floor <= entry) {
            return;
        }
        self.entries.push(entry);
        if self.entries.len() > self.max.saturating_mul(2) {
            self.floor = Some(cut(&mut self.entries, self.max));
        }
    }
}

/// Leaves the outermost `left` of more; the outermost of the others.
fn cut(entries: &mut Vec<Entry>, left: usize) -> Entry {
    let (_, floor, _) = entries.select_nth_unstable(left);
    let floor = *floor;
    entries.truncate(left);
    floor
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn any_change() -> impl Strategy<Value = (u64, Option<i8>)> {
        (0..100_u64, prop::option::weighted(0.8, -5..5_i8))
    }

    proptest! {
        /// U1, U2: a list is the beginning of the whole order, up to its floor.
        #[test]
        fn a_list_is_all_that_is_before_its_floor(
            end in prop_oneof![Just(End::Highest), Just(End::Lowest)],
            first in prop::collection::btree_map(0..100_u64, -5..5_i8, 0..100),
            changes in prop::collection::vec(prop::collection::vec(any_change(), 1..6), 0..40),
            max in 1..60_usize,
        ) {
            let entry = |id: u64, key: i8| {
                end.entry(RankKey::plain(f64::from(key)), EntityId::new(id))
            };
            let mut gathered = Gathered::new(max);
            let mut model: BTreeMap<u64, Entry> = BTreeMap::new();
            for (id, key) in first {
                gathered.push(entry(id, key));
                model.insert(id, entry(id, key));
            }
            let mut ordered = Ordered::of(gathered);
            for changes in changes {
                let new = |(id, key): &(u64, Option<i8>)| {
                    (EntityId::new(*id), key.map(|key| entry(*id, key)))
                };
                ordered.set_all(changes.len(), changes.iter().map(new));
                for (id, new) in changes.iter().map(new) {
                    match new {
                        Some(new) => model.insert(id.get(), new),
                        None => model.remove(&id.get()),
                    };
                }
                let floor = ordered.floor();
                let mut before: Vec<Entry> = model.values().copied().collect();
                before.retain(|entry| floor.is_none_or(|floor| *entry < floor));
                before.sort_unstable();
                prop_assert_eq!(ordered.entries().copied().collect::<Vec<_>>(), before);
                prop_assert!(ordered.len() <= max && ordered.entries.len() == ordered.len());
            }
        }
    }
}
