//! What a cell is told of an event.

use tidal_types::AcceptedEvent;

/// The part of an event that is folded.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct RawEvent {
    /// Nanoseconds since the epoch.
    pub(crate) time: u64,
    /// Finite.
    pub(crate) weight: f64,
}

impl RawEvent {
    pub(crate) const fn of(event: &AcceptedEvent) -> Self {
        Self { time: event.timestamp().as_nanos(), weight: event.weight() }
    }
}
