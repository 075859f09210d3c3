//! A score taken apart.
//!
//! E1. The contributions of the parts sum to the score as it is read, to 1e-12 of the
//!     sum of their absolute values, and a count is just the whole buckets and what is
//!     counted of the divided one.
//! E2. Nothing is invented: what a cell does not keep is `None`.

use std::time::Duration;

use tidal_types::{DecaySpec, EntityId, Seq, SignalTypeDefinition, Timestamp, Window};

use super::SignalLedger;
use super::shape::Shape;
use crate::Result;

/// A score, taken apart; see [`TidalDB::explain`](crate::TidalDB::explain).
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The signal type.
    pub signal: String,
    /// The entity.
    pub entity: EntityId,
    /// The time of the read.
    pub at: Timestamp,
    /// How weights fade.
    pub decay: DecaySpec,
    /// The score, as [`TidalDB::decay_score_at`](crate::TidalDB::decay_score_at) reads it:
    /// the sum of the contributions of the parts.
    pub score: f64,
    /// How many events the entity ever had.
    pub events: u64,
    /// What the score is made of, oldest first. Events that have faded to nothing may be
    /// missing.
    pub parts: Vec<Part>,
    /// The count of each declared window, shortest first.
    pub windows: Vec<WindowPart>,
    /// When events were grouped, since there are more than parts were asked for.
    pub grouped: Option<Grouped>,
}

/// What is known of an event or of several.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// No event of it is older; `None` when that is not known.
    pub from: Option<Timestamp>,
    /// No event of it is newer; `None` when that is not known.
    pub to: Option<Timestamp>,
    /// How many events it is made of; `None` when that is not kept.
    pub events: Option<u64>,
    /// The sum of their weights; of a [`PartKind::DecayedSum`] the sum as of [`Part::to`].
    pub weight: f64,
    /// What the decay leaves of each unit of weight, 0 to 1 when weights have one sign;
    /// `None` when the weights sum to 0.
    pub factor: Option<f64>,
    /// What it adds to the score: the weight times the factor.
    pub contribution: f64,
}

/// What a part of a score is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartKind {
    /// One event.
    Event,
    /// The events of a stretch of time that the log keeps.
    Events,
    /// A bucket of a linear score whose events are all within the lifetime.
    Bucket,
    /// The bucket that the end of the lifetime divides; its events are taken to be spread
    /// evenly.
    DividedBucket,
    /// All events, of an exponential score, in the one sum that is kept of them. Its
    /// newest event with a weight is at [`Part::to`].
    DecayedSum,
    /// All events, of a score that does not fade.
    Total,
    /// What the score has of events that the log does not keep any more.
    BeforeLog,
    /// What the score has beside the events that are in the log: roundings, and what the
    /// estimate of a divided bucket is off by.
    Rest,
}

/// A count over a window, taken apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WindowPart {
    /// The window.
    pub window: Window,
    /// The count, as [`TidalDB::windowed_count_at`](crate::TidalDB::windowed_count_at)
    /// reads it: `whole`, and what is counted of the divided bucket.
    pub count: u64,
    /// How many events are surely inside the window.
    pub whole: u64,
    /// The bucket that the beginning of the window divides, if there is one with events.
    pub divided: Option<DividedBucket>,
}

/// The bucket that the beginning of a window divides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DividedBucket {
    /// Its first instant.
    pub from: Timestamp,
    /// Its last instant.
    pub to: Timestamp,
    /// How many events it has.
    pub events: u64,
    /// The share of its time that is inside the window, above 0 and below 1.
    pub share: f64,
    /// How many of its events are counted: its events times the share, rounded.
    pub counted: u64,
}

/// How the events of an explanation were grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grouped {
    /// How many events were grouped: all that the log has.
    pub events: u64,
    /// The time that a group spans: an hour, a day, or days. Groups begin at multiples
    /// of it since the epoch, so days are those of UTC.
    pub width: Duration,
}

/// What a cell says of itself at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct CellParts {
    /// When it was read, in nanoseconds since the epoch.
    pub(crate) at: u64,
    pub(crate) score: f64,
    pub(crate) events: u64,
    /// The sum of all weights.
    pub(crate) weight: f64,
    /// The last record in it.
    pub(crate) applied: Seq,
    /// Oldest first.
    pub(crate) parts: Vec<Part>,
    /// For each window that ends, shortest first: how many events are surely inside, and
    /// the bucket that is divided.
    pub(crate) windows: Vec<(u64, Option<DividedBucket>)>,
}

impl SignalLedger {
    /// The score of an entity at the time `at`, which is not before the newest event in
    /// the database, taken apart; and what its cell says beside that.
    pub(crate) fn explain(
        &self,
        signal: &SignalTypeDefinition,
        id: EntityId,
        at: Timestamp,
    ) -> Result<(Explanation, CellParts)> {
        let cell = self.read(signal.id(), id, |kept, cell| cell.explain(&kept.shape, at))?;
        let mut cell = cell.unwrap_or_else(|| CellParts::none(&Shape::of(signal), at));
        let windows = signal.windows().iter().enumerate().map(|(place, &window)| {
            // The window that never ends is the last, and has no buckets.
            let (whole, divided) = cell.windows.get(place).copied().unwrap_or((cell.events, None));
            let count = whole + divided.map_or(0, |divided| divided.counted);
            WindowPart { window, count, whole, divided }
        });
        let explanation = Explanation {
            signal: signal.name().into(),
            entity: id,
            at: Timestamp::from_nanos(cell.at),
            decay: signal.decay(),
            score: cell.score,
            events: cell.events,
            windows: windows.collect(),
            parts: std::mem::take(&mut cell.parts),
            grouped: None,
        };
        Ok((explanation, cell))
    }
}

impl CellParts {
    /// Of an entity without events.
    fn none(shape: &Shape, at: Timestamp) -> Self {
        let windows = shape.windows.iter().map(|_| (0, None)).collect();
        Self { at: at.as_nanos(), windows, ..Self::default() }
    }
}
