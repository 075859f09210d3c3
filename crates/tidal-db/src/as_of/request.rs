//! What is asked: features, rows, and by which clock.

use std::fmt;

use tidal_types::{EntityId, EntityKind, Schema, Timestamp, Window};

use super::VALUES_AT_ONCE_MAX;

/// By which clock the past is divided from what came after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AsOfClock {
    /// A row sees every logged event that happened by its time, also those that were
    /// written later. What a complete record of that time would have shown.
    #[default]
    Event,
    /// A row sees the events that happened by its time and were logged by its time, so
    /// nothing that a reader at that time could not have known. Training sets that must
    /// not leak the future want this one, if events were written as they happened: a
    /// history that was imported later was known from its import on.
    Known,
}

/// A request for features as they were at given times, for
/// [`TidalDB::as_of`](crate::TidalDB::as_of).
///
/// ```
/// use tidal_db::{AsOf, AsOfClock, EntityId, EntityKind, Timestamp, Window};
///
/// let request = AsOf::new(EntityKind::Item)
///     .score("view")
///     .count("view", Window::OneHour)
///     .velocity("view", Window::OneHour)
///     .clock(AsOfClock::Known)
///     .row(EntityId::new(42), Timestamp::from_secs(1_700_000_000));
/// assert_eq!(request.names(), ["view_score", "view_count_1h", "view_velocity_1h"]);
/// ```
#[derive(Debug, Clone)]
pub struct AsOf {
    kind: EntityKind,
    features: Vec<Feature>,
    clock: AsOfClock,
    rows: Vec<(EntityId, Timestamp)>,
}

/// A feature that is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Feature {
    pub(crate) signal: String,
    pub(crate) measure: Measure,
}

/// What is measured of a signal type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    Score,
    Count(Window),
    Sum(Window),
    Velocity(Window),
}

impl fmt::Display for Feature {
    /// The name of its column. Whatever the signal types are called, no two features
    /// have the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signal = &self.signal;
        match self.measure {
            Measure::Score => write!(f, "{signal}_score"),
            Measure::Count(window) => write!(f, "{signal}_count_{window}"),
            Measure::Sum(window) => write!(f, "{signal}_sum_{window}"),
            Measure::Velocity(window) => write!(f, "{signal}_velocity_{window}"),
        }
    }
}

impl AsOf {
    /// A request about entities of one kind, by [`AsOfClock::Event`], without features
    /// and rows yet.
    #[must_use]
    pub const fn new(kind: EntityKind) -> Self {
        Self { kind, features: Vec::new(), clock: AsOfClock::Event, rows: Vec::new() }
    }

    /// A request for everything that the schema declares for a kind: of each signal type
    /// its score, and over each of its windows the count, the sum and the velocity as
    /// far as there are any.
    #[must_use]
    pub fn declared(schema: &Schema, kind: EntityKind) -> Self {
        let mut request = Self::new(kind);
        for signal in schema.signals().iter().filter(|signal| signal.kind() == kind) {
            let name = signal.name();
            request = request.score(name);
            for &window in signal.windows() {
                request = request.count(name, window);
                if signal.sums() {
                    request = request.sum(name, window);
                }
                if signal.velocity() && window.duration().is_some() {
                    request = request.velocity(name, window);
                }
            }
        }
        request
    }

    /// Adds the decayed score of a signal type.
    #[must_use]
    pub fn score(self, signal: &str) -> Self {
        self.feature(signal, Measure::Score)
    }

    /// Adds the number of events in a window of the schema that ends at the time of the
    /// row.
    #[must_use]
    pub fn count(self, signal: &str, window: Window) -> Self {
        self.feature(signal, Measure::Count(window))
    }

    /// Adds the sum of the weights of these events.
    #[must_use]
    pub fn sum(self, signal: &str, window: Window) -> Self {
        self.feature(signal, Measure::Sum(window))
    }

    /// Adds the number of these events divided by the length of the window, in events
    /// per second.
    #[must_use]
    pub fn velocity(self, signal: &str, window: Window) -> Self {
        self.feature(signal, Measure::Velocity(window))
    }

    /// Chooses the clock. Default: [`AsOfClock::Event`].
    #[must_use]
    pub const fn clock(mut self, clock: AsOfClock) -> Self {
        self.clock = clock;
        self
    }

    /// Adds a row: an entity and the time to look at it. Rows may be in any order, and
    /// the same one may come again. A time may be later than the newest event.
    #[must_use]
    pub fn row(self, id: EntityId, at: Timestamp) -> Self {
        self.rows([(id, at)])
    }

    /// Adds rows.
    #[must_use]
    pub fn rows(mut self, rows: impl IntoIterator<Item = (EntityId, Timestamp)>) -> Self {
        self.rows.extend(rows);
        self
    }

    /// The names of the features, in the order in which they were added: the signal
    /// type, what is measured, and the window, as in `view_count_1h`.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.features.iter().map(ToString::to_string).collect()
    }

    /// How many rows with these features are answered by one pass over the log. More
    /// are answered too, by more passes.
    #[must_use]
    pub fn rows_per_pass(&self) -> usize {
        (VALUES_AT_ONCE_MAX / self.features.len().max(1)).max(1)
    }

    pub(crate) const fn kind(&self) -> EntityKind {
        self.kind
    }

    pub(crate) fn features(&self) -> &[Feature] {
        &self.features
    }

    pub(crate) const fn chosen_clock(&self) -> AsOfClock {
        self.clock
    }

    pub(crate) fn asked_rows(&self) -> &[(EntityId, Timestamp)] {
        &self.rows
    }

    fn feature(mut self, signal: &str, measure: Measure) -> Self {
        self.features.push(Feature { signal: signal.into(), measure });
        self
    }
}
