//! What a cell says of how its score and its counts come about.

use tidal_types::Timestamp;

use super::super::explain::{CellParts, DividedBucket, Part, PartKind};
use super::super::shape::{Decay, Shape, Slot};
use super::bucketed::Bucketed;
use super::decayed;
use super::sparse::Sparse;
use super::window::Divided;
use super::{Cell, State};

impl Cell {
    /// The score and the counts at a time, taken apart.
    pub(in super::super) fn explain(&self, shape: &Shape, at: Timestamp) -> CellParts {
        let at_nanos = self.reading_time(at);
        let at = Timestamp::from_nanos(at_nanos);
        let slots = shape.windows.iter().enumerate();
        let slots = slots.map(|(place, grid)| Slot::Sliding { place, grid: *grid });
        let (parts, weight, windows) = match &self.state {
            State::Sparse(sparse) => {
                let counts = slots.map(|slot| (sparse.count(slot, at_nanos), None)).collect();
                (of_sparse(sparse, shape, at_nanos), sparse.sum(Slot::AllTime, at_nanos), counts)
            }
            State::Bucketed(bucketed) => {
                let windows = shape.windows.iter().enumerate().map(|(place, grid)| {
                    let (whole, divided) = bucketed.window(place, *grid).parts(at_nanos);
                    (whole, divided.map(|divided| of_divided(divided, grid.width())))
                });
                let weight = bucketed.sum(Slot::AllTime, at_nanos);
                (of_bucketed(bucketed, shape, at_nanos), weight, windows.collect())
            }
        };
        CellParts {
            at: at_nanos,
            score: self.score(shape, at),
            events: self.count(Slot::AllTime, at),
            weight,
            applied: self.applied,
            parts,
            windows,
        }
    }
}

impl Part {
    /// A part of these weights that has this contribution.
    pub(crate) fn of(kind: PartKind, weight: f64, contribution: f64) -> Self {
        let factor = (weight != 0.0).then(|| contribution / weight);
        Self { kind, from: None, to: None, events: None, weight, factor, contribution }
    }

    /// The part of one event.
    pub(crate) fn of_event(decay: Decay, time: u64, weight: f64, at: u64) -> Self {
        let factor = left(decay, at.saturating_sub(time));
        let part = Self::of(PartKind::Event, weight, weight * factor).within(time, time);
        Self { events: Some(1), factor: Some(factor), ..part }
    }

    /// The same part with the times of its first and its last instant.
    pub(crate) fn within(self, from: u64, to: u64) -> Self {
        let (from, to) = (Timestamp::from_nanos(from), Timestamp::from_nanos(to));
        Self { from: Some(from), to: Some(to), ..self }
    }
}

/// What a decay leaves of one after so many nanoseconds.
fn left(decay: Decay, age: u64) -> f64 {
    match decay {
        Decay::Exponential { rate_per_sec, .. } => decayed::left(rate_per_sec, age),
        Decay::Linear(lifetime) => {
            lifetime.span().saturating_sub(age) as f64 / lifetime.span() as f64
        }
        Decay::Permanent => 1.0,
    }
}

fn of_sparse(sparse: &Sparse, shape: &Shape, at: u64) -> Vec<Part> {
    let events = sparse.events().iter();
    let mut parts: Vec<Part> =
        events.map(|event| Part::of_event(shape.decay, event.time, event.weight, at)).collect();
    parts.sort_by_key(|part| part.from);
    parts
}

fn of_bucketed(bucketed: &Bucketed, shape: &Shape, at: u64) -> Vec<Part> {
    let events = Some(bucketed.events());
    match shape.decay {
        Decay::Exponential { rate_per_sec, .. } => {
            let decayed = bucketed.decayed();
            let part = Part::of(PartKind::DecayedSum, decayed.sum, decayed.at(rate_per_sec, at));
            let factor = decayed::left(rate_per_sec, at.saturating_sub(decayed.since));
            let to = Some(Timestamp::from_nanos(decayed.since));
            vec![Part { to, events, factor: Some(factor), ..part }]
        }
        Decay::Linear(grid) => {
            let mut parts = Vec::new();
            bucketed.linear(grid).for_each_live(at, |live| {
                let kind =
                    if live.is_divided() { PartKind::DividedBucket } else { PartKind::Bucket };
                let last = live.first.saturating_add(grid.width() - 1);
                let part = Part::of(kind, live.sum, live.contribution(grid));
                parts.push(part.within(live.first, last));
            });
            parts
        }
        Decay::Permanent => {
            let weight = bucketed.score(shape, at);
            let to = Some(Timestamp::from_nanos(bucketed.newest()));
            let part = Part::of(PartKind::Total, weight, weight);
            vec![Part { to, events, factor: Some(1.0), ..part }]
        }
    }
}

fn of_divided(divided: Divided, width: u64) -> DividedBucket {
    DividedBucket {
        from: Timestamp::from_nanos(divided.first),
        to: Timestamp::from_nanos(divided.last),
        events: divided.count,
        share: divided.instants as f64 / width as f64,
        counted: divided.counted,
    }
}
