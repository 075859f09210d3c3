//! The entities at one end of an order, as many as there is room for.
//!
//! U1. Entities are ordered by key, then by lower id, both ends from the outside in.
//! U2. Whatever is not here is at the floor or behind it; without a floor, everything is
//!     here that ever was set. The floor moves outwards only, by an overflow.

use std::collections::{BTreeSet, btree_set};
use std::slice;
use std::sync::OnceLock;

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

/// A bounded ordered set. The outermost entries are kept in order. The others are ordered by
/// who walks that far, until one of them changes: most changes are to entities that no query
/// comes to.
#[derive(Debug)]
pub(in super::super) struct Ordered {
    max: usize,
    /// By its hash, the entry of each entity.
    entries: HashTable<Entry>,
    /// Those before the boundary; all when there is none.
    outer: BTreeSet<Entry>,
    boundary: Option<Entry>,
    /// The others, in order, if somebody has asked for them since they changed.
    inner: OnceLock<Vec<Entry>>,
    floor: Option<Entry>,
}

/// What an entry takes in a B-tree whose nodes are two thirds full.
const TREE_BYTES: usize = size_of::<Entry>() * 3 / 2;

/// One in so many of the most entries is kept in order at least.
const OUTER_SHARE: usize = 16;

impl Ordered {
    /// The outermost of these, of which no two have the same id.
    pub(super) fn of(gathered: Gathered) -> Self {
        let Gathered { max, mut entries, mut floor } = gathered;
        if entries.len() > max {
            floor = Some(cut(&mut entries, max));
        }
        let mut by_id = HashTable::with_capacity(entries.len());
        for entry in entries {
            by_id.insert_unique(mix(entry.id), entry, |entry| mix(entry.id));
        }
        let (outer, inner) = (BTreeSet::new(), OnceLock::new());
        let mut ordered = Self { max, entries: by_id, outer, boundary: None, inner, floor };
        ordered.arrange(max);
        ordered
    }

    /// From the outside in.
    pub(in super::super) fn entries(&self) -> Entries<'_> {
        Entries { ordered: self, outer: self.outer.iter(), inner: None }
    }

    /// The outermost place of what is not here; `None` when everything is.
    pub(in super::super) const fn floor(&self) -> Option<Entry> {
        self.floor
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) const fn max(&self) -> usize {
        self.max
    }

    pub(super) fn bytes(&self) -> usize {
        let inner = self.inner.get().map_or(0, Vec::capacity) * size_of::<Entry>();
        self.entries.allocation_size() + self.outer.len() * TREE_BYTES + inner
    }

    /// Puts entities in their places, or takes them out, each in turn.
    pub(super) fn set_all(&mut self, all: impl Iterator<Item = (EntityId, Option<Entry>)>) {
        let mut is_inner_changed = false;
        for (id, entry) in all {
            if entry.is_none() && self.entries.is_empty() {
                continue;
            }
            let (before, after) = self.replace(id, entry);
            if before == after {
                continue;
            }
            for (entry, is_new) in [(before, false), (after, true)] {
                match entry {
                    Some(entry) if self.is_outer(entry) && is_new => {
                        self.outer.insert(entry);
                    }
                    Some(entry) if self.is_outer(entry) => {
                        self.outer.remove(&entry);
                    }
                    Some(_) => is_inner_changed = true,
                    None => {}
                }
            }
            while self.outer.len() > 2 * self.outer_max() {
                self.boundary = self.outer.pop_last();
                is_inner_changed = true;
            }
        }
        if is_inner_changed {
            self.inner = OnceLock::new();
        }
        if self.entries.len() > self.max {
            // A quarter goes, so that this happens seldom.
            self.arrange(self.max - self.max / 4);
        } else if self.boundary.is_some() && self.outer.len() < self.outer_max() / 4 {
            self.arrange(self.max);
        }
    }

    /// Changes the entry of an entity and no order: the one before and the one after.
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

    /// Cuts the set down to the outermost so many, and orders the outermost of these.
    fn arrange(&mut self, left: usize) {
        let mut entries: Vec<Entry> = self.entries.iter().copied().collect();
        if entries.len() > left {
            let floor = cut(&mut entries, left);
            self.floor = Some(floor);
            self.entries.retain(|entry| *entry < floor);
        }
        let outer_max = self.outer_max();
        let is_more = entries.len() > outer_max;
        self.boundary = is_more.then(|| cut(&mut entries, outer_max));
        self.outer = entries.into_iter().collect();
        self.inner = OnceLock::new();
    }

    fn is_outer(&self, entry: Entry) -> bool {
        self.boundary.is_none_or(|boundary| entry < boundary)
    }

    const fn outer_max(&self) -> usize {
        self.max.div_ceil(OUTER_SHARE)
    }

    fn inner(&self) -> &[Entry] {
        self.inner.get_or_init(|| {
            let entries = self.entries.iter().copied();
            let mut inner: Vec<Entry> = entries.filter(|entry| !self.is_outer(*entry)).collect();
            inner.sort_unstable();
            inner
        })
    }
}

/// All entries, from the outside in.
#[derive(Debug)]
pub(in super::super) struct Entries<'a> {
    ordered: &'a Ordered,
    outer: btree_set::Iter<'a, Entry>,
    inner: Option<slice::Iter<'a, Entry>>,
}

impl<'a> Iterator for Entries<'a> {
    type Item = &'a Entry;

    fn next(&mut self) -> Option<&'a Entry> {
        self.outer
            .next()
            .or_else(|| self.inner.get_or_insert_with(|| self.ordered.inner().iter()).next())
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
                ordered.set_all(changes.iter().map(new));
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
                prop_assert!(ordered.len() <= max && ordered.outer.len() <= 2 * max.div_ceil(OUTER_SHARE));
            }
        }
    }
}
