//! A measure: one number that a signal type gives each entity at a time.
//!
//! Q1. A value is what the read of that name gives, bit for bit; its key orders values
//!     and is defined even where they have underflowed.
//! Q2. A bound holds for every time from the one it is asked for on, which is not before
//!     the cell's newest event, and for every value that is computed then, rounding
//!     included.

use tidal_types::{EntityId, SignalTypeDefinition, SignalTypeId, TidalError, Timestamp, Window};

use super::SignalLedger;
use super::cell::Cell;
use super::rank_key::RankKey;
use super::shape::{Decay, Shape, Slot};
use crate::Result;

/// A number that a signal type gives each entity, declared by the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Measure {
    pub(crate) signal: SignalTypeId,
    pub(crate) what: What,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum What {
    /// The decayed score.
    Score,
    /// How many events there were in a window.
    Count(Window),
    /// The sum of their weights.
    Sum(Window),
}

/// How many things can be measured of one signal type.
pub(super) const MEASURES: usize = 1 + 2 * Window::ALL.len();

impl Measure {
    /// The decayed score of a signal type.
    pub(crate) fn score(signal: &SignalTypeDefinition) -> Self {
        Self { signal: signal.id(), what: What::Score }
    }

    /// The number of events in a window.
    ///
    /// # Errors
    /// [`TidalError::WindowNotDeclared`].
    pub(crate) fn count(signal: &SignalTypeDefinition, window: Window) -> Result<Self, TidalError> {
        Slot::of_count(signal, window)?;
        Ok(Self { signal: signal.id(), what: What::Count(window) })
    }

    /// The sum of the weights in a window.
    ///
    /// # Errors
    /// [`TidalError::SumsNotDeclared`], [`TidalError::WindowNotDeclared`].
    pub(crate) fn sum(signal: &SignalTypeDefinition, window: Window) -> Result<Self, TidalError> {
        Slot::of_sum(signal, window)?;
        Ok(Self { signal: signal.id(), what: What::Sum(window) })
    }
}

impl What {
    /// Its number, below [`MEASURES`].
    pub(super) fn number(self) -> usize {
        match self {
            Self::Score => 0,
            Self::Count(window) => 1 + window as usize,
            Self::Sum(window) => 1 + Window::ALL.len() + window as usize,
        }
    }
}

const DECLARED: &str = "a measure is made of what its signal type declares";

impl SignalLedger {
    /// What a measure is for an entity at the time `at`, which is not before the newest
    /// event in the database; `None` when there is no such cell.
    ///
    /// # Errors
    /// What storage says.
    pub(crate) fn measure(
        &self,
        measure: Measure,
        id: EntityId,
        at: Timestamp,
    ) -> Result<Option<f64>> {
        let gauge = self.gauge(measure);
        self.read(measure.signal, id, |kept, cell| gauge.value(&kept.shape, cell, at))
    }

    /// The place of a value among those of its measure, and the value: the order of scores that
    /// halve, also where they have underflowed.
    ///
    /// # Errors
    /// What storage says.
    pub(crate) fn measure_with_key(
        &self,
        measure: Measure,
        id: EntityId,
        at: Timestamp,
    ) -> Result<Option<(RankKey, f64)>> {
        let gauge = self.gauge(measure);
        self.read(measure.signal, id, |kept, cell| {
            (gauge.key(&kept.shape, cell, at), gauge.value(&kept.shape, cell, at))
        })
    }

    /// How the values of a measure are read from cells.
    pub(super) fn gauge(&self, measure: Measure) -> Gauge {
        let signal = self.schema.signal_by_id(measure.signal).expect(DECLARED);
        match measure.what {
            What::Score => Gauge::Score,
            What::Count(window) => Gauge::Count(Slot::of_count(signal, window).expect(DECLARED)),
            What::Sum(window) => Gauge::Sum(Slot::of_sum(signal, window).expect(DECLARED)),
        }
    }
}

/// How the values of a measure are read from cells.
#[derive(Debug, Clone, Copy)]
pub(super) enum Gauge {
    Score,
    Count(Slot),
    Sum(Slot),
}

/// What the keys of a measure stand for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scale {
    Halving { half_life_nanos: u64 },
    Plain,
    Count,
}

impl Gauge {
    /// The value at the time `at`.
    pub(super) fn value(self, shape: &Shape, cell: &Cell, at: Timestamp) -> f64 {
        match self {
            Self::Score => cell.score(shape, at),
            Self::Count(slot) => cell.count(slot, at) as f64,
            Self::Sum(slot) => cell.sum(slot, at),
        }
    }

    /// The key of that.
    pub(super) fn key(self, shape: &Shape, cell: &Cell, at: Timestamp) -> RankKey {
        match self {
            Self::Score => cell.rank_key(shape, at),
            Self::Count(slot) => RankKey::count(cell.count(slot, at)),
            Self::Sum(slot) => RankKey::plain(cell.sum(slot, at)),
        }
    }

    /// The lowest and the highest key from `from` on.
    pub(super) fn bounds(self, shape: &Shape, cell: &Cell, from: Timestamp) -> (RankKey, RankKey) {
        match self {
            _ if self.fades_over(shape).is_none() => {
                let key = self.key(shape, cell, from);
                (key, key)
            }
            Self::Count(_) => (RankKey::ZERO, self.key(shape, cell, from)),
            Self::Score => plain(cell.score_bounds(shape, from)),
            Self::Sum(slot) => plain(cell.sum_bounds(slot, from)),
        }
    }

    /// In how many nanoseconds values lose what they had by time alone; `None` where keys
    /// change with events only.
    pub(super) fn fades_over(self, shape: &Shape) -> Option<u64> {
        match (self, shape.decay) {
            (Self::Score, Decay::Linear(lifetime)) => Some(lifetime.span()),
            (Self::Count(slot) | Self::Sum(slot), _) => match slot {
                Slot::AllTime => None,
                Slot::Sliding { grid, .. } => Some(grid.span()),
            },
            (Self::Score, Decay::Exponential { .. } | Decay::Permanent) => None,
        }
    }

    pub(super) const fn scale(self, shape: &Shape) -> Scale {
        match (self, shape.decay) {
            (Self::Count(_), _) => Scale::Count,
            (Self::Score, Decay::Exponential { half_life_nanos, .. }) => {
                Scale::Halving { half_life_nanos }
            }
            _ => Scale::Plain,
        }
    }
}

fn plain((least, most): (f64, f64)) -> (RankKey, RankKey) {
    (RankKey::plain(least), RankKey::plain(most))
}

impl Scale {
    /// A value that no value with this key exceeds in absolute value at the time `at`,
    /// with the key's sign.
    pub(super) fn outer(self, key: RankKey, at: Timestamp) -> f64 {
        match self {
            Self::Count => key.to_count() as f64,
            Self::Plain => key.to_plain(),
            Self::Halving { half_life_nanos } => {
                let outer = key.decayed_at_most(at.as_nanos(), half_life_nanos);
                if key.is_negative() { -outer } else { outer }
            }
        }
    }
}
