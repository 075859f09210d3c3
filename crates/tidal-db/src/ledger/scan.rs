//! Reading all cells, wherever they are.
//!
//! N1. What is in memory is looked at before storage is: a cell that leaves memory
//!     meanwhile is in storage already, so none is missed. What was seen in memory wins
//!     over what storage has, which may be older.
//! N2. Beside what it shows, a scan keeps eight bytes a resident cell of a signal type,
//!     and nothing of those that are in storage; and for one shard at a time a set of
//!     those in it, if cells leave it meanwhile.
//! N3. No lock is held for more than a few cells (V1), so readers of single cells do not
//!     wait for a scan behind who waits to write.

use tidal_types::{EntityId, EntityKind, SignalTypeId};

use super::SignalLedger;
use super::cell::Cell;
use super::shards::{Place, SHARDS};
use super::table::Table;
use crate::Result;

/// Signal types of a kind that together have no more stored cells than this share one
/// pass over storage, which finds their entities; the cells are read one by one then.
const GROUP_CELLS_MAX: u64 = 100_000;

/// The entities of one signal type that memory knows of.
#[derive(Debug, Default)]
struct Known {
    live: Vec<EntityId>,
    /// Removed, and maybe still in storage.
    gone: Vec<EntityId>,
    /// Whether storage may have others.
    has_others: bool,
}

impl SignalLedger {
    /// Shows every cell of a signal type once, in no order that means anything. Cells
    /// that appear or change meanwhile are shown as they were or as they are.
    pub(super) fn for_each(
        &self,
        signal: SignalTypeId,
        mut show: impl FnMut(EntityId, &Cell),
    ) -> Result<()> {
        let mut seen = Vec::new();
        let mut has_others = [false; SHARDS];
        for (number, has_others) in has_others.iter_mut().enumerate() {
            let mut steps = self.shards.steps(number, signal);
            let mut meet = |table: &Table, slot: usize| {
                if let Some(cell) = table.cell(slot) {
                    show(table.slot(slot).id(), &cell);
                }
            };
            while steps.step(&mut meet) {}
            *has_others = steps.has_others();
            if *has_others {
                seen.extend_from_slice(steps.met());
            }
        }
        if !has_others.contains(&true) {
            return Ok(());
        }
        seen.sort_unstable();
        let mut seen = seen.into_iter().peekable();
        self.scan_store(self.kept(signal).kind, |id, stored, bytes| {
            let may_be_new = has_others.get(Place::of(id).shard()) == Some(&true);
            if stored == signal && may_be_new && !passes(&mut seen, id) {
                show(id, &self.decode(signal, id, bytes)?);
            }
            Ok(())
        })
    }

    /// Shows every cell, ordered by signal type and then by entity. Nothing may be
    /// folded until it returns; cells may come to memory and leave it.
    ///
    /// # Errors
    /// What storage says.
    pub fn for_each_sorted(
        &self,
        mut show: impl FnMut(SignalTypeId, EntityId, &Cell),
    ) -> Result<()> {
        let stored = self.stored_counts();
        let mut signals = self.signals.as_ref();
        while let Some(first) = signals.first() {
            let mut cells = 0;
            let small = signals.iter().take_while(|kept| {
                cells += stored.of(kept.id);
                kept.kind == first.kind && cells <= GROUP_CELLS_MAX
            });
            let (group, rest) = signals.split_at(small.count().max(1));
            signals = rest;
            let known: Vec<_> = group.iter().map(|kept| (kept.id, self.known(kept.id))).collect();
            if let [(signal, known)] = known.as_slice() {
                self.show_large(*signal, first.kind, known, &mut show)?;
            } else {
                self.show_small(first.kind, &known, &mut show)?;
            }
        }
        Ok(())
    }

    /// The entities of a kind that have an event of any signal type, in order.
    ///
    /// # Errors
    /// What storage says.
    pub fn entities(&self, kind: EntityKind) -> Result<Vec<EntityId>> {
        let mut ids = Vec::new();
        self.for_each_entity(kind, |id| ids.push(id))?;
        Ok(ids)
    }

    /// Shows the entities of a kind that have an event of any signal type, in order.
    pub(crate) fn for_each_entity(
        &self,
        kind: EntityKind,
        mut show: impl FnMut(EntityId),
    ) -> Result<()> {
        let (mut live, mut gone, mut has_others) = (Vec::new(), Vec::new(), false);
        for kept in self.signals.iter().filter(|kept| kept.kind == kind) {
            let known = self.known(kept.id);
            live.extend(known.live);
            gone.extend(known.gone.into_iter().map(|id| (id, kept.id)));
            has_others |= known.has_others;
        }
        live.sort_unstable();
        live.dedup();
        gone.sort_unstable();
        let mut live = live.into_iter().peekable();
        if has_others {
            let mut last = None;
            self.scan_store(kind, |id, signal, _| {
                while let Some(resident) = live.next_if(|&resident| resident < id) {
                    show(resident);
                }
                let is_gone = || gone.binary_search(&(id, signal)).is_ok();
                if live.peek() != Some(&id) && last != Some(id) && !is_gone() {
                    last = Some(id);
                    show(id);
                }
                Ok(())
            })?;
        }
        live.for_each(show);
        Ok(())
    }

    fn known(&self, signal: SignalTypeId) -> Known {
        let mut known = Known::default();
        for shard in 0..SHARDS {
            let mut steps = self.shards.steps(shard, signal);
            let mut meet = |table: &Table, slot: usize| {
                let slot = table.slot(slot);
                let ids = if slot.is_gone() { &mut known.gone } else { &mut known.live };
                ids.push(slot.id());
            };
            while steps.step(&mut meet) {}
            known.has_others |= steps.has_others();
        }
        known.live.sort_unstable();
        known.gone.sort_unstable();
        known
    }

    /// Shows the cells of one signal type while storage is read.
    fn show_large(
        &self,
        signal: SignalTypeId,
        kind: EntityKind,
        known: &Known,
        show: &mut impl FnMut(SignalTypeId, EntityId, &Cell),
    ) -> Result<()> {
        let mut live = known.live.iter().copied().peekable();
        if known.has_others {
            self.scan_store(kind, |id, stored, bytes| {
                if stored != signal {
                    return Ok(());
                }
                while let Some(resident) = live.next_if(|&resident| resident < id) {
                    self.show_one(signal, resident, show)?;
                }
                if live.peek() != Some(&id) && known.gone.binary_search(&id).is_err() {
                    show(signal, id, &self.decode(signal, id, bytes)?);
                }
                Ok(())
            })?;
        }
        live.try_for_each(|id| self.show_one(signal, id, show))
    }

    /// Shows the cells of some signal types after storage was read.
    fn show_small(
        &self,
        kind: EntityKind,
        known: &[(SignalTypeId, Known)],
        show: &mut impl FnMut(SignalTypeId, EntityId, &Cell),
    ) -> Result<()> {
        let mut all: Vec<(SignalTypeId, EntityId)> = Vec::new();
        for (signal, known) in known {
            all.extend(known.live.iter().map(|id| (*signal, *id)));
        }
        if known.iter().any(|(_, known)| known.has_others) {
            self.scan_store(kind, |id, signal, _| {
                let known = known.iter().find(|(other, _)| *other == signal);
                let is_new = known.is_some_and(|(_, known)| {
                    known.gone.binary_search(&id).is_err() && known.live.binary_search(&id).is_err()
                });
                if is_new {
                    all.push((signal, id));
                }
                Ok(())
            })?;
        }
        all.sort_unstable();
        all.into_iter().try_for_each(|(signal, id)| self.show_one(signal, id, show))
    }

    /// Shows a cell wherever it is by now; it is as it was, since nothing is folded.
    fn show_one(
        &self,
        signal: SignalTypeId,
        id: EntityId,
        show: &mut impl FnMut(SignalTypeId, EntityId, &Cell),
    ) -> Result<()> {
        self.look(signal, id, |cell| show(signal, id, cell)).map(|_| ())
    }

    fn scan_store(
        &self,
        kind: EntityKind,
        mut visit: impl FnMut(EntityId, SignalTypeId, &[u8]) -> Result<()>,
    ) -> Result<()> {
        self.store.as_ref().map_or(Ok(()), |store| store.scan(kind, &mut visit))
    }
}

/// Whether an ascending list has `id`; what comes before it is dropped.
fn passes(ids: &mut std::iter::Peekable<impl Iterator<Item = EntityId>>, id: EntityId) -> bool {
    while ids.next_if(|&before| before < id).is_some() {}
    ids.peek() == Some(&id)
}
