//! A row in memory: what one user did by one signal type.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidal_types::{EntityId, EntityKind, Seq, Timestamp};

use crate::forgotten::Forgotten;
use crate::ledger::{Decayed, RawEvent};

/// An entity that a user acted on; see [`TidalDB::history`](crate::TidalDB::history).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// The entity.
    pub id: EntityId,
    /// The decayed sum of the weights of what the user did to it.
    pub score: f64,
    /// When the user did the newest of it.
    pub newest: Timestamp,
}

/// So many entities a history has, at most: of one user and one signal type. When an event
/// is about one more, the eighth of them that the user acted on longest ago is dropped.
pub const HISTORY_ENTITIES_MAX: usize = 1 << 20;

/// What a user did to one entity.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Acts {
    pub(super) decayed: Decayed,
    /// Nanoseconds since the epoch. Not always the time of the sum, which an event without
    /// weight does not move on.
    pub(super) newest: u64,
}

/// What a user did by one signal type.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    /// The last record that was folded into it (H2).
    pub(super) applied: Seq,
    /// By entity, so that whatever is summed over them has the same bits every time.
    pub(super) entries: BTreeMap<EntityId, Acts>,
    /// It is rid of the first so many entities that were forgotten, of all kinds (H6); zero
    /// when nobody knows, as of a row from storage.
    pub(super) forgotten_known: usize,
}

/// How many entries a node of the map has when ids come in ascending order, which fills
/// nodes the least; and what such a node takes with its share of those above it.
const NODE_ENTRIES: usize = 6;
const NODE_BYTES: usize = 400;

impl Row {
    /// Folds an event in, unless it was before (H2); false when it was. The rate is that of
    /// the decay per second, zero where nothing fades. There are `most` entities afterwards
    /// at most (H5).
    pub(super) fn apply(
        &mut self,
        seq: Seq,
        rate_per_sec: f64,
        (id, event): (EntityId, RawEvent),
        most: usize,
    ) -> bool {
        if seq <= self.applied {
            return false;
        }
        self.applied = seq;
        if self.entries.len() >= most && !self.contains(id) {
            self.drop_oldest(most);
        }
        let acts = self.entries.entry(id).or_default();
        acts.decayed.add(rate_per_sec, event);
        acts.newest = acts.newest.max(event.time);
        true
    }

    /// Drops the eighth of `most` entities whose newest event is oldest, of equal times the
    /// lower id (H5). So many at once, that one pass pays for the events of many.
    fn drop_oldest(&mut self, most: usize) {
        let mut ages: Vec<_> = self.entries.iter().map(|(&id, acts)| (acts.newest, id)).collect();
        let last = (most / 8).max(1) - 1;
        if last < ages.len() {
            let (_, &mut youngest, _) = ages.select_nth_unstable(last);
            self.entries.retain(|&id, acts| (acts.newest, id) > youngest);
        }
    }

    /// Which of its entities, of this kind, were forgotten; and how many were in all.
    pub(super) fn forgotten_of(
        &self,
        kind: EntityKind,
        forgotten: &Forgotten,
    ) -> (Vec<EntityId>, usize) {
        forgotten.among(kind, &self.entries, self.forgotten_known)
    }

    /// Takes out these entities.
    pub(super) fn remove(&mut self, ids: &[EntityId]) {
        for id in ids {
            self.entries.remove(id);
        }
    }

    /// Takes out the entities, of this kind, that are forgotten (H6).
    pub(super) fn purge(&mut self, kind: EntityKind, forgotten: &Forgotten) {
        let (gone, known) = self.forgotten_of(kind, forgotten);
        self.remove(&gone);
        self.forgotten_known = known;
    }

    /// Whether the user ever acted on an entity.
    pub(crate) fn contains(&self, id: EntityId) -> bool {
        self.entries.contains_key(&id)
    }

    /// The entities, by id.
    pub(crate) fn ids(&self) -> impl Iterator<Item = EntityId> {
        self.entries.keys().copied()
    }

    /// About how many bytes of memory it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.entries.len().div_ceil(NODE_ENTRIES) * NODE_BYTES
    }
}

/// What a user did by one signal type, without what was forgotten: for who ranks.
#[derive(Debug, Clone)]
pub(crate) struct HistoryRow {
    row: Arc<Row>,
    rate_per_sec: f64,
}

impl HistoryRow {
    pub(super) const fn new(row: Arc<Row>, rate_per_sec: f64) -> Self {
        Self { row, rate_per_sec }
    }

    /// Whether the user ever acted on an entity.
    pub(crate) fn contains(&self, id: EntityId) -> bool {
        self.row.contains(id)
    }

    /// The score of each entity, by id, at a time that is not before any of the events.
    pub(crate) fn scores(&self, at: Timestamp) -> impl Iterator<Item = (EntityId, f64)> {
        let (rate, at) = (self.rate_per_sec, at.as_nanos());
        self.row.entries.iter().map(move |(&id, acts)| (id, acts.decayed.at(rate, at)))
    }

    /// The entities that the user acted on last, newest first and of equal times by id.
    pub(crate) fn newest(&self, limit: usize, at: Timestamp) -> Vec<Seen> {
        let order = |&(id, acts): &(EntityId, Acts)| (std::cmp::Reverse(acts.newest), id);
        let mut found: Vec<_> = self.row.entries.iter().map(|(&id, &acts)| (id, acts)).collect();
        if limit < found.len() {
            found.select_nth_unstable_by_key(limit, order);
            found.truncate(limit);
        }
        found.sort_unstable_by_key(order);
        let seen = |(id, acts): (EntityId, Acts)| Seen {
            id,
            score: acts.decayed.at(self.rate_per_sec, at.as_nanos()),
            newest: Timestamp::from_nanos(acts.newest),
        };
        found.into_iter().map(seen).collect()
    }
}
