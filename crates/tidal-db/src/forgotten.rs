//! The entities that were forgotten.
//!
//! F1. An entity that was forgotten stays so: no record behind changes state about it,
//!     whether the kind has names or numbers. So it does not matter from which
//!     checkpoint the records before are replayed, nor how many of them are left.
//! F2. What is forgotten is in the checksum; when, and whether the log was purged of
//!     it, is not.
//! F3. All of it is in memory. What a checkpoint writes is frozen with the names, as of
//!     exactly its position (C5): were an entity in storage ahead of that, replay would
//!     pass over what the database held of it before.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use tidal_types::{EntityId, EntityKind, Seq};

use crate::change::Change;
use crate::layered::{Frozen, Layered};

/// What a checkpoint writes: which record forgot each entity.
pub(crate) type FrozenForgotten = Frozen<(EntityKind, EntityId), Seq>;

/// Every entity that was forgotten, and how far the log was purged of them.
#[derive(Debug, Default)]
pub(crate) struct Forgotten {
    /// Beside the lock, since each event asks and most databases forget nothing.
    has_any: AtomicBool,
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// By which record.
    entities: BTreeMap<(EntityKind, EntityId), Seq>,
    /// The same, in the order in which they were forgotten, so that who knows the first of
    /// them need only look at the others. It only grows.
    order: Vec<(EntityKind, EntityId)>,
    /// Those of them that storage does not have.
    changed: Layered<(EntityKind, EntityId), Seq>,
    /// Log and storage were purged of what was forgotten up to this record.
    purged: Seq,
}

const UNPOISONED: &str = "no thread panics while it changes what is forgotten";

impl Forgotten {
    /// What storage has.
    pub(crate) fn stored(entities: BTreeMap<(EntityKind, EntityId), Seq>, purged: Seq) -> Self {
        let has_any = AtomicBool::new(!entities.is_empty());
        let mut order: Vec<_> = entities.keys().copied().collect();
        order.sort_by_key(|entity| entities.get(entity));
        let inner = Inner { entities, order, changed: Layered::default(), purged };
        Self { has_any, inner: RwLock::new(inner) }
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().expect(UNPOISONED)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().expect(UNPOISONED)
    }

    /// Whether nothing was ever forgotten.
    pub(crate) fn is_empty(&self) -> bool {
        !self.has_any.load(Ordering::Acquire)
    }

    /// The record that forgot an entity.
    pub(crate) fn seq(&self, kind: EntityKind, id: EntityId) -> Option<Seq> {
        if self.is_empty() {
            return None;
        }
        self.read().entities.get(&(kind, id)).copied()
    }

    pub(crate) fn contains(&self, kind: EntityKind, id: EntityId) -> bool {
        self.seq(kind, id).is_some()
    }

    /// Which of the entities of a kind that are `held` were forgotten, behind the first
    /// `known` that ever were, of any kind; and how many were in all. Looks at no more than
    /// the shorter of both.
    pub(crate) fn among<V>(
        &self,
        kind: EntityKind,
        held: &BTreeMap<EntityId, V>,
        known: usize,
    ) -> (Vec<EntityId>, usize) {
        if self.is_empty() {
            return (Vec::new(), 0);
        }
        let inner = self.read();
        let newer = inner.order.get(known..).unwrap_or_default();
        let found = if newer.len() <= held.len() {
            let newer = newer.iter().filter(|&&(of, _)| of == kind).map(|&(_, id)| id);
            newer.filter(|id| held.contains_key(id)).collect()
        } else {
            let held = held.keys().copied();
            held.filter(|&id| inner.entities.contains_key(&(kind, id))).collect()
        };
        (found, inner.order.len())
    }

    /// Whether a change is about an entity that was forgotten (F1). Who caused it is of
    /// no consequence here: no record behind the one that forgets a user says so.
    pub(crate) fn covers(&self, change: &Change) -> bool {
        if self.is_empty() {
            return false;
        }
        change.about().is_some_and(|(kind, id)| self.contains(kind, id))
    }

    /// Folds that record `seq` forgot an entity; the first one counts.
    pub(crate) fn insert(&self, kind: EntityKind, id: EntityId, seq: Seq) {
        let mut inner = self.write();
        if let Entry::Vacant(vacant) = inner.entities.entry((kind, id)) {
            vacant.insert(seq);
            inner.order.push((kind, id));
            inner.changed.insert((kind, id), seq);
        }
        self.has_any.store(true, Ordering::Release);
    }

    /// What a checkpoint has to write.
    pub(crate) fn freeze(&self) -> FrozenForgotten {
        self.write().changed.freeze()
    }

    /// Storage has what was frozen.
    pub(crate) fn settle(&self) {
        self.write().changed.settle();
    }

    /// Storage does not have what was frozen.
    pub(crate) fn thaw(&self) {
        self.write().changed.thaw();
    }

    /// How many entities there are.
    pub(crate) fn len(&self) -> u64 {
        self.read().entities.len() as u64
    }

    /// Every entity, by kind and id.
    pub(crate) fn sorted(&self) -> Vec<(EntityKind, EntityId)> {
        self.read().entities.keys().copied().collect()
    }

    /// Those that records up to `through` forgot.
    pub(crate) fn up_to(&self, through: Seq) -> HashSet<(EntityKind, EntityId)> {
        let inner = self.read();
        let entities = inner.entities.iter().filter(|&(_, &seq)| seq <= through);
        entities.map(|(&entity, _)| entity).collect()
    }

    /// How many entities log and storage were not purged of, and the last record that
    /// forgot one of them.
    pub(crate) fn unpurged(&self) -> (u64, Seq) {
        let inner = self.read();
        let unpurged = inner.entities.values().filter(|&&seq| seq > inner.purged);
        unpurged.fold((0, Seq::ZERO), |(count, last), &seq| (count + 1, last.max(seq)))
    }

    /// Notes that log and storage were purged of what was forgotten up to `through`.
    pub(crate) fn set_purged(&self, through: Seq) {
        let mut inner = self.write();
        inner.purged = inner.purged.max(through);
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        // A key and a value, in nodes that are two thirds full, or a map as full.
        const PER_ENTITY: u64 = 36;
        const PER_PLACE: u64 = size_of::<(EntityKind, EntityId)>() as u64;
        let inner = self.read();
        let entries = inner.entities.len() + inner.changed.entries().count();
        entries as u64 * PER_ENTITY + inner.order.capacity() as u64 * PER_PLACE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITEM: EntityKind = EntityKind::Item;

    fn id(number: u64) -> EntityId {
        EntityId::new(number)
    }

    #[test]
    fn the_first_record_that_forgets_an_entity_counts() {
        let forgotten = Forgotten::default();
        assert!(forgotten.is_empty());
        forgotten.insert(ITEM, id(7), Seq::new(3));
        forgotten.insert(ITEM, id(7), Seq::new(9));
        assert_eq!(forgotten.seq(ITEM, id(7)), Some(Seq::new(3)));
        assert_eq!(forgotten.seq(EntityKind::User, id(7)), None);
        assert_eq!(forgotten.sorted(), [(ITEM, id(7))]);
    }

    /// H6: who knows the first is told of the others alone, in storage's order too.
    #[test]
    fn only_what_was_forgotten_since_is_looked_for() {
        let user = EntityKind::User;
        let gone = [(ITEM, 7, 9), (ITEM, 3, 5), (user, 5, 4), (ITEM, 9, 11)];
        let entities = gone.map(|(kind, number, seq)| ((kind, id(number)), Seq::new(seq)));
        let forgotten = Forgotten::stored(BTreeMap::from(entities), Seq::ZERO);
        let held: BTreeMap<_, _> = (0..8).map(|number| (id(number), ())).collect();
        let among = |known| forgotten.among(ITEM, &held, known);
        assert_eq!(among(0), (vec![id(3), id(7)], 4));
        assert_eq!(among(1), (vec![id(3), id(7)], 4));
        assert_eq!(among(2), (vec![id(7)], 4));
        assert_eq!(among(3), (vec![], 4));
        forgotten.insert(ITEM, id(1), Seq::new(12));
        forgotten.insert(ITEM, id(3), Seq::new(13));
        assert_eq!(among(4), (vec![id(1)], 5));
        assert_eq!(among(5), (vec![], 5));
        let one = BTreeMap::from([(id(7), ())]);
        assert_eq!(forgotten.among(ITEM, &one, 0), (vec![id(7)], 5), "more are gone than held");
        assert_eq!(Forgotten::default().among(ITEM, &one, 0), (vec![], 0));
    }

    /// C5: what is forgotten behind the position of a checkpoint is not in it.
    #[test]
    fn a_checkpoint_has_what_was_forgotten_up_to_its_position() {
        let forgotten = Forgotten::default();
        forgotten.insert(ITEM, id(7), Seq::new(3));
        let frozen = forgotten.freeze();
        forgotten.insert(ITEM, id(8), Seq::new(5));
        forgotten.insert(ITEM, id(7), Seq::new(9));
        let of = |frozen: &FrozenForgotten| frozen.iter().map(|(_, &seq)| seq.get()).max();
        assert_eq!((frozen.len(), of(&frozen)), (1, Some(3)));
        forgotten.thaw();
        let frozen = forgotten.freeze();
        assert_eq!((frozen.len(), of(&frozen)), (2, Some(5)));
        forgotten.settle();
        assert!(forgotten.freeze().is_empty());
        assert_eq!(forgotten.len(), 2);
    }

    #[test]
    fn what_was_purged_is_not_purged_again() {
        let forgotten = Forgotten::default();
        assert_eq!(forgotten.unpurged(), (0, Seq::ZERO));
        forgotten.insert(ITEM, id(7), Seq::new(3));
        forgotten.insert(ITEM, id(8), Seq::new(5));
        assert_eq!(forgotten.unpurged(), (2, Seq::new(5)));
        forgotten.set_purged(Seq::new(3));
        assert_eq!(forgotten.unpurged(), (1, Seq::new(5)));
        forgotten.set_purged(Seq::new(5));
        assert_eq!(forgotten.unpurged(), (0, Seq::ZERO));
    }

    /// F1
    #[test]
    fn what_is_about_a_forgotten_entity_is_covered() {
        let forgotten = Forgotten::default();
        let delete = |number| Change::DeleteItem { id: id(number) };
        assert!(!forgotten.covers(&delete(7)));
        forgotten.insert(ITEM, id(7), Seq::new(3));
        assert!(forgotten.covers(&delete(7)));
        assert!(!forgotten.covers(&delete(8)));
        let named = Change::AssignName { kind: EntityKind::User, id: id(7), name: b"a".to_vec() };
        assert!(!forgotten.covers(&named));
    }
}
