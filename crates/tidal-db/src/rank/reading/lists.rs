//! The lists of a query: of measures from the ledger's indexes, of numbers from the index
//! of attributes.

use tidal_types::{EntityId, Timestamp};

use super::Entries;
use crate::attributes::Ids;
use crate::ledger::{Ends, RankKey};

/// Entities by the bounds of a measure.
pub(super) struct MeasureEntries<'a> {
    ends: Ends<'a>,
    at: Timestamp,
}

impl<'a> MeasureEntries<'a> {
    pub(super) const fn of(ends: Ends<'a>, at: Timestamp) -> Self {
        Self { ends, at }
    }
}

impl Entries for MeasureEntries<'_> {
    fn next(&mut self) -> Option<EntityId> {
        self.ends.next()
    }

    fn bound(&self) -> f64 {
        self.ends.bound(self.at)
    }

    fn key_bound(&self) -> Option<RankKey> {
        Some(self.ends.bound_key())
    }
}

/// Entities by a number that is an attribute, or follows from one.
pub(super) struct NumberEntries<'a, N> {
    numbers: N,
    value: Box<dyn Fn(f64) -> f64 + 'a>,
    /// What an entity has that has no such attribute.
    absent: f64,
    ids: Box<dyn Iterator<Item = EntityId> + 'a>,
    /// The value of these, and of all behind them at the most.
    current: Option<f64>,
    is_rising: bool,
}

impl<'a, N: Iterator<Item = (f64, &'a Ids)>> NumberEntries<'a, N> {
    pub(super) fn of(
        mut numbers: N,
        value: impl Fn(f64) -> f64 + 'a,
        absent: f64,
        is_rising: bool,
    ) -> Self {
        let first = numbers.next();
        let current = first.map(|(number, _)| value(number));
        let ids = first.into_iter().flat_map(|(_, ids)| ids.iter());
        Self { numbers, value: Box::new(value), absent, ids: Box::new(ids), current, is_rising }
    }
}

impl<'a, N: Iterator<Item = (f64, &'a Ids)>> Entries for NumberEntries<'a, N> {
    fn next(&mut self) -> Option<EntityId> {
        loop {
            if let Some(id) = self.ids.next() {
                return Some(id);
            }
            let next = self.numbers.next();
            self.current = next.map(|(number, _)| (self.value)(number));
            self.ids = Box::new(next?.1.iter());
        }
    }

    fn bound(&self) -> f64 {
        let Some(current) = self.current else { return self.absent };
        if self.is_rising { current.min(self.absent) } else { current.max(self.absent) }
    }

    fn key_bound(&self) -> Option<RankKey> {
        None
    }
}
