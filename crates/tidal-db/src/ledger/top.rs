//! The highest entities of one signal type.
//!
//! H1. The answer is that of a scan: the same entities in the same order with the same
//!     values. The index says where to look and when to stop; keys and values are the
//!     cells' own.

use tidal_types::{EntityId, SignalTypeDefinition, TidalError, Timestamp};

use super::SignalLedger;
use super::index::End;
use super::measure::Measure;
use super::rank_key::RankKey;
use super::ranking::{Best, By, Ranked};
use super::shape::Slot;
use crate::Result;

/// So many entities more than half as many as are asked for are looked at for nothing before
/// their bounds are.
const LOOSE_MAX: usize = 16;

/// What a ranking goes by, and what its values are divided by.
#[derive(Debug, Clone, Copy)]
struct Question {
    measure: Measure,
    divisor: f64,
}

impl Question {
    fn of(signal: &SignalTypeDefinition, by: By) -> Result<Self> {
        let (measure, divisor) = match by {
            By::Score => (Measure::score(signal), 1.0),
            By::Count(window) => (Measure::count(signal, window)?, 1.0),
            By::Velocity(window) => {
                let (_, secs) = Slot::of_velocity(signal, window)?;
                (Measure::count(signal, window)?, secs)
            }
        };
        Ok(Self { measure, divisor })
    }
}

/// What an index has found.
enum Found {
    All(Vec<Ranked>),
    /// What is behind its floor may belong to the answer. One that is worn has fewer than a
    /// new one would have.
    TooFew {
        is_worn: bool,
    },
}

impl SignalLedger {
    /// The `limit` highest entities of a signal type, best first. Ties go to the
    /// lower id; entities without events are absent.
    ///
    /// The order of exponential scores does not depend on `at`, and is right even
    /// where the scores themselves are so small that they read as 0.
    ///
    /// The first call for a measure reads all cells of the signal type to make an index;
    /// later ones read those that are found, and a few that come close.
    ///
    /// # Errors
    /// [`TidalError::WindowNotDeclared`], [`TidalError::VelocityNotDeclared`].
    pub fn top(
        &self,
        signal: &SignalTypeDefinition,
        by: By,
        limit: usize,
        at: Timestamp,
    ) -> Result<Vec<Ranked>, TidalError> {
        let question = Question::of(signal, by)?;
        if limit == 0 {
            return Ok(Vec::new());
        }
        if limit > self.index_limits.entries {
            return self.scan_for_top(question, limit, at);
        }
        // An index that has worn out is made anew once.
        for _ in 0..2 {
            match self.find_top(question, limit, at)? {
                Found::All(ranked) => return Ok(ranked),
                Found::TooFew { is_worn: true } => {}
                Found::TooFew { is_worn: false } => break,
            }
        }
        self.scan_for_top(question, limit, at)
    }

    /// The same, by looking at every cell.
    ///
    /// # Errors
    /// Those of [`SignalLedger::top`].
    #[cfg(test)]
    pub(crate) fn top_by_scan(
        &self,
        signal: &SignalTypeDefinition,
        by: By,
        limit: usize,
        at: Timestamp,
    ) -> Result<Vec<Ranked>> {
        self.scan_for_top(Question::of(signal, by)?, limit, at)
    }

    fn scan_for_top(&self, of: Question, limit: usize, at: Timestamp) -> Result<Vec<Ranked>> {
        let (gauge, shape) = (self.gauge(of.measure), &self.kept(of.measure.signal).shape);
        let mut best = Best::new(limit);
        self.for_each(of.measure.signal, |id, cell| {
            let key = gauge.key(shape, cell, at);
            best.offer(id, key, || gauge.value(shape, cell, at) / of.divisor);
        })?;
        Ok(best.into_ranked())
    }

    fn find_top(&self, of: Question, limit: usize, at: Timestamp) -> Result<Found> {
        let Measure { signal, what } = of.measure;
        let (gauge, lists) = (self.gauge(of.measure), self.hold_one(signal, &[what])?);
        let list = lists.list(what);
        let newest = self.newest_event().unwrap_or_default();
        let at = if list.fades() { at.max(lists.as_of()) } else { at };
        let mut best = Best::new(limit);
        // Offers an entity, whose bound is this; whether that is as tight as it can be.
        let offer = |best: &mut Best, id, bound| {
            let is_tight = self.read(signal, id, |kept, cell| {
                let key = gauge.key(&kept.shape, cell, at);
                best.offer(id, key, || gauge.value(&kept.shape, cell, at) / of.divisor);
                key == bound || gauge.bounds(&kept.shape, cell, newest).1 == bound
            });
            is_tight.map(|is_tight| is_tight.unwrap_or(true))
        };
        if list.is_over(at, newest) {
            for id in lists.members().iter().map(EntityId::new) {
                if best.is_before(RankKey::ZERO, id) {
                    break;
                }
                offer(&mut best, id, RankKey::ZERO)?;
            }
            return Ok(Found::All(best.into_ranked()));
        }
        let (mut met, mut is_loose) = (0, false);
        for entry in list.end(End::Highest).entries() {
            let bound = End::Highest.key(*entry);
            if best.is_before(bound, entry.id()) {
                break;
            }
            met += 1;
            is_loose |= !offer(&mut best, entry.id(), bound)?;
        }
        if is_loose && met > limit + limit / 2 + LOOSE_MAX {
            list.met_loose(End::Highest, met);
        }
        let floor = list.end(End::Highest).floor();
        if floor.is_none_or(|floor| best.is_before(End::Highest.key(floor), floor.id())) {
            Ok(Found::All(best.into_ranked()))
        } else {
            Ok(Found::TooFew { is_worn: list.fell_short(End::Highest, newest) })
        }
    }
}
