//! Indexes that stand still while a query reads them.

use std::sync::{RwLockReadGuard, RwLockWriteGuard};

use roaring::RoaringTreemap;
use tidal_types::{SignalTypeId, Timestamp};

use super::super::SignalLedger;
use super::super::measure::{Measure, What};
use super::ends::Ends;
use super::ordered::End;
use super::{Index, List, Lists};
use crate::Result;

/// The indexes of some measures, with all that was folded before they were asked for. What
/// is folded meanwhile shows in the values of cells and not in the indexes.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    signals: Vec<(SignalTypeId, RwLockReadGuard<'a, Lists>)>,
    /// The newest event when all of them were held. The fold does not note what concerns no
    /// list, so they may know of older ones only.
    newest: Timestamp,
}

impl SignalLedger {
    /// Takes hold of the indexes of these measures; missing ones are made, by a scan. Whoever
    /// holds some must not ask for any.
    ///
    /// # Errors
    /// What storage says.
    pub(crate) fn hold(&self, measures: &[Measure]) -> Result<Held<'_>> {
        let mut signals: Vec<SignalTypeId> = measures.iter().map(|of| of.signal).collect();
        signals.sort_unstable();
        signals.dedup();
        let whats_of = |signal: SignalTypeId| -> Vec<What> {
            measures.iter().filter(|of| of.signal == signal).map(|of| of.what).collect()
        };
        // What takes long is done first, while nothing is held.
        for signal in &signals {
            drop(self.hold_one(*signal, &whats_of(*signal))?);
        }
        let hold = |signal: SignalTypeId| Ok((signal, self.hold_one(signal, &whats_of(signal))?));
        let signals = signals.into_iter().map(hold).collect::<Result<_>>()?;
        Ok(Held { signals, newest: self.newest_event().unwrap_or_default() })
    }

    /// Takes hold of the indexes of one signal type.
    pub(in super::super) fn hold_one(
        &self,
        signal: SignalTypeId,
        whats: &[What],
    ) -> Result<RwLockReadGuard<'_, Lists>> {
        let kept = self.kept(signal);
        let index = kept.index.get_or_init(|| Box::new(Index::new(self.index_limits)));
        let lists = index.read();
        if lists.answer(index, whats, self.newest_event().unwrap_or_default()) {
            return Ok(lists);
        }
        drop(lists);
        let mut lists = index.write();
        self.prepare(kept, index, &mut lists, whats)?;
        Ok(RwLockWriteGuard::downgrade(lists))
    }

    /// How many lists of entities there are, by measure, and about how many bytes these and
    /// what belongs to them take in memory.
    pub(crate) fn index_size(&self) -> (u64, u64) {
        let sizes = self.signals.iter().filter_map(|kept| kept.index.get()).map(|of| of.size());
        sizes.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    }
}

impl Held<'_> {
    /// The entities with the highest values, by falling upper bound.
    pub(crate) fn highest(&self, measure: Measure) -> Ends<'_> {
        Ends::of(self.list(measure), End::Highest)
    }

    /// The entities with the lowest values, by rising lower bound.
    pub(crate) fn lowest(&self, measure: Measure) -> Ends<'_> {
        Ends::of(self.list(measure), End::Lowest)
    }

    /// The entities that have a cell of a signal type.
    pub(crate) fn members(&self, signal: SignalTypeId) -> &RoaringTreemap {
        self.lists(signal).members()
    }

    /// The time at which to read when `at` was asked for: an event may have come between
    /// choosing that and taking hold, and bounds may be as of it.
    pub(crate) fn moved_on(&self, at: Timestamp) -> Timestamp {
        self.signals.iter().fold(at, |at, (_, lists)| at.max(lists.as_of()))
    }

    fn list(&self, measure: Measure) -> (&List, Timestamp) {
        (self.lists(measure.signal).list(measure.what), self.newest)
    }

    fn lists(&self, signal: SignalTypeId) -> &Lists {
        let found = self.signals.iter().find(|(of, _)| *of == signal);
        &found.expect("what is held is what was asked for").1
    }
}
