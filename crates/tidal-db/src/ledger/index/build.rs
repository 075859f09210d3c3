//! Making lists, and bringing them up to what was folded.

use roaring::RoaringTreemap;
use tidal_types::{EntityId, Timestamp};

use super::super::measure::{Gauge, Measure, What};
use super::super::{Cell, Kept, SignalLedger};
use super::list::Making;
use super::tracking::Notes;
use super::{Index, Lists};
use crate::Result;

/// So many entities are read before they are put in lists. Their bounds take 48 bytes for each
/// list, and a list grows by them before it is cut down.
const CAUGHT_UP_AT_ONCE: usize = 4096;

impl Lists {
    /// Whether these are right as they are for a query of these measures.
    pub(super) fn answer(&self, index: &Index, whats: &[What], newest: Timestamp) -> bool {
        let is_ready = |what: &What| {
            let list = self.get(*what);
            list.is_some_and(|list| !list.is_worn() && !list.needs_tightening(newest))
        };
        index.tracking.is_quiet() && whats.iter().all(is_ready)
    }

    fn clear(&mut self, index: &Index) {
        index.tracking.end_all();
        // Lists that are made in vain are so whatever they are made again for.
        *self = Self { patience: self.patience, ..Self::default() };
    }
}

impl SignalLedger {
    /// Makes the lists that are missing, and brings all up to what was folded before. When
    /// it fails, there are no lists.
    pub(super) fn prepare(
        &self,
        kept: &Kept,
        index: &Index,
        lists: &mut Lists,
        whats: &[What],
    ) -> Result<()> {
        let prepared = self.try_to_prepare(kept, index, lists, whats);
        if prepared.is_err() {
            lists.clear(index);
        }
        index.tracking.limit(self.index_limits.notes);
        prepared
    }

    fn try_to_prepare(
        &self,
        kept: &Kept,
        index: &Index,
        lists: &mut Lists,
        whats: &[What],
    ) -> Result<()> {
        loop {
            for (number, list) in lists.by_measure.iter_mut().enumerate() {
                if let Some(worn) = list.take_if(|list| list.is_worn()) {
                    if let Some(patience) = lists.patience.get_mut(number) {
                        *patience = worn.next_patience();
                    }
                    index.tracking.end(number);
                }
            }
            let is_missing = |what: &&What| lists.get(**what).is_none();
            let missing: Vec<What> = whats.iter().filter(is_missing).copied().collect();
            if !missing.is_empty() {
                self.make(kept, index, lists, &missing)?;
            }
            let Notes { mut changed, came_or_went, .. } = index.tracking.take();
            // Behind the taking: notes that are lost say so before they go (F3).
            if index.tracking.is_lost() {
                lists.clear(index);
                continue;
            }
            lists.as_of = self.newest_event().unwrap_or_default().max(lists.as_of);
            for list in lists.by_measure.iter_mut().flatten() {
                if list.needs_tightening(lists.as_of) {
                    changed.append(&mut list.tighten(lists.as_of));
                }
            }
            self.catch_up(kept, lists, &changed, &came_or_went)?;
            for (number, list) in lists.by_measure.iter().enumerate() {
                if let Some(list) = list {
                    index.tracking.show_floors(number, list);
                }
            }
            return Ok(());
        }
    }

    /// Makes lists of all cells. From the first look on, whatever happens is noted.
    fn make(&self, kept: &Kept, index: &Index, lists: &mut Lists, whats: &[What]) -> Result<()> {
        let mut making = Vec::with_capacity(whats.len());
        for what in whats {
            let gauge = self.gauge(Measure { signal: kept.id, what: *what });
            index.tracking.begin(what.number(), gauge);
            making.push(Making::new(gauge, self.index_limits.entries));
        }
        // Bounds as of a time that no event can make too new: what comes is noted.
        let as_of = self.newest_event().unwrap_or_default();
        let mut members = Vec::new();
        self.for_each(kept.id, |id, cell| {
            members.push(id.get());
            for list in &mut making {
                list.push(id, list.gauge.bounds(&kept.shape, cell, as_of));
            }
        })?;
        members.sort_unstable();
        members.dedup();
        lists.members.clear();
        lists
            .members
            .append(members)
            .expect("they are sorted, each is there once, and there were none");
        lists.as_of = lists.as_of.max(as_of);
        for (what, list) in whats.iter().zip(making) {
            let patience = lists.patience.get(what.number()).copied().unwrap_or_default();
            if let Some(place) = lists.by_measure.get_mut(what.number()) {
                *place = Some(Box::new(list.finish(&kept.shape, as_of, patience)));
            }
        }
        Ok(())
    }

    /// Puts entities where their cells say that they belong by now.
    fn catch_up(
        &self,
        kept: &Kept,
        lists: &mut Lists,
        changed: &[EntityId],
        came_or_went: &[EntityId],
    ) -> Result<()> {
        for ids in changed.chunks(CAUGHT_UP_AT_ONCE) {
            self.put_in_place(kept, lists, ids, |_, _, _| {})?;
        }
        for ids in came_or_went.chunks(CAUGHT_UP_AT_ONCE) {
            self.put_in_place(kept, lists, ids, |members, id, is_there| {
                if is_there {
                    members.insert(id.get());
                } else {
                    members.remove(id.get());
                }
            })?;
        }
        Ok(())
    }

    /// Reads the cells of some entities and puts these in their places; tells whether there
    /// is a cell.
    fn put_in_place(
        &self,
        kept: &Kept,
        lists: &mut Lists,
        ids: &[EntityId],
        tell: impl Fn(&mut RoaringTreemap, EntityId, bool),
    ) -> Result<()> {
        let Lists { by_measure, members, as_of, .. } = lists;
        let gauges: Vec<Gauge> = by_measure.iter().flatten().map(|list| list.gauge).collect();
        // For each entity the bounds of each list.
        let mut bounds = Vec::with_capacity(ids.len() * gauges.len());
        for id in ids {
            let before = bounds.len();
            let push = |cell: &Cell| {
                bounds.extend(gauges.iter().map(|of| Some(of.bounds(&kept.shape, cell, *as_of))));
            };
            let is_there = self.look(kept.id, *id, push)?.is_some();
            bounds.resize(before + gauges.len(), None);
            tell(members, *id, is_there);
        }
        for (number, list) in by_measure.iter_mut().flatten().enumerate() {
            let of_list = bounds.iter().skip(number).step_by(gauges.len());
            list.set_all(ids.iter().copied().zip(of_list.copied()));
        }
        Ok(())
    }
}
