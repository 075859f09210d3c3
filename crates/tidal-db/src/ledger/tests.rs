//! The ledger against its definition.

mod concurrent;
mod decay;
mod golden;
mod indexes;
mod memory;
mod persistence;
mod preload;
mod ranking;
mod residency;
mod steps;
mod store;
mod windows;

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tidal_types::{
    AcceptedEvent, DecaySpec, EntityId, EntityKind, Event, SPAN_MAX, Schema, SchemaBuilder, Seq,
    SignalTypeDefinition, SignalTypeId, Timestamp, Window,
};

use tidal_wal::Batch;

use super::{Cell, SignalLedger};
use crate::change::Change;
use crate::log::{NoopLog, RecordLog as _};
use crate::record;
use crate::tests::reference::Reference;

/// The windows that end.
const SLIDING: [Window; 4] =
    [Window::OneHour, Window::TwentyFourHours, Window::SevenDays, Window::ThirtyDays];

/// A ledger with one signal type, fed over a log that gives out numbers and keeps
/// nothing.
struct Fixture {
    ledger: SignalLedger,
    log: NoopLog,
}

impl Fixture {
    /// The signal type has every window, velocity and sums.
    fn new(decay: DecaySpec) -> Self {
        let mut builder = SchemaBuilder::new();
        builder
            .signal("view", EntityKind::Item, decay)
            .windows(&Window::ALL)
            .velocity(true)
            .sums(true)
            .add();
        Self::with_schema(builder.build().unwrap())
    }

    fn with_schema(schema: Schema) -> Self {
        Self { ledger: SignalLedger::new(Arc::new(schema)), log: NoopLog::new() }
    }

    fn signal(&self) -> &SignalTypeDefinition {
        self.ledger.schema().signal("view").unwrap()
    }

    fn apply(&mut self, id: u64, time: u64, weight: f64) {
        let event = self.accept(id, time, weight);
        let mut payload = Vec::new();
        let kind = record::encode(&Change::Event(event), &mut payload);
        let mut batch = Batch::new();
        batch.push(kind, &payload).unwrap();
        let appending = self.log.append(&batch).unwrap();
        let seq = appending.first;
        appending.wait().unwrap();
        self.ledger.apply(seq, &event).unwrap();
    }

    fn apply_as(&self, seq: Seq, id: u64, time: u64, weight: f64) {
        self.ledger.apply(seq, &self.accept(id, time, weight)).unwrap();
    }

    fn accept(&self, id: u64, time: u64, weight: f64) -> AcceptedEvent {
        let event = Event::new("view", EntityId::new(id), weight, Timestamp::from_nanos(time));
        self.ledger.schema().accept(&event).unwrap()
    }

    /// Feeds one entity, number 1, and gives its definition.
    fn feed(&mut self, events: &[(u64, f64)]) -> Reference {
        let mut reference = Reference::default();
        for &(time, weight) in events {
            self.apply(1, time, weight);
            reference.push(time, weight);
        }
        reference
    }

    fn score(&self, id: u64, at: u64) -> f64 {
        self.ledger.score(self.signal(), EntityId::new(id), Timestamp::from_nanos(at)).unwrap()
    }

    fn count(&self, id: u64, window: Window, at: u64) -> u64 {
        self.ledger
            .count(self.signal(), EntityId::new(id), window, Timestamp::from_nanos(at))
            .unwrap()
    }

    fn sum(&self, id: u64, window: Window, at: u64) -> f64 {
        self.ledger
            .sum(self.signal(), EntityId::new(id), window, Timestamp::from_nanos(at))
            .unwrap()
    }

    /// The state that a checksum covers: signal, entity, canonical bytes.
    fn canonical(&self) -> Vec<u8> {
        canonical(&self.ledger)
    }
}

fn canonical(ledger: &SignalLedger) -> Vec<u8> {
    let mut out = Vec::new();
    let show = |signal: SignalTypeId, id: EntityId, cell: &Cell| {
        out.extend(signal.get().to_le_bytes());
        out.extend(id.get().to_le_bytes());
        cell.encode_canonical(&mut out);
    };
    ledger.for_each_sorted(show).unwrap();
    out
}

fn exponential(half_life: Duration) -> DecaySpec {
    DecaySpec::Exponential { half_life }
}

/// From a nanosecond to a century.
fn any_span() -> impl Strategy<Value = Duration> {
    prop_oneof![
        Just(Duration::from_nanos(1)),
        Just(Duration::from_nanos(59)),
        Just(Duration::from_secs(1)),
        Just(Duration::from_secs(3600)),
        Just(Duration::from_secs(7 * 24 * 3600)),
        Just(SPAN_MAX),
        (1..SPAN_MAX.as_nanos() as u64).prop_map(Duration::from_nanos),
    ]
}

fn any_decay() -> impl Strategy<Value = DecaySpec> {
    prop_oneof![
        any_span().prop_map(exponential),
        any_span().prop_map(|lifetime| DecaySpec::Linear { lifetime }),
        Just(DecaySpec::Permanent),
    ]
}

fn any_weight() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => Just(1.0),
        1 => Just(0.0),
        1 => Just(-0.0),
        1 => Just(1e15),
        1 => Just(-1e15),
        1 => Just(1e-9),
        4 => -10.0..10.0_f64,
    ]
}

/// Events of one entity in any order: crowded or far apart, with ties, anywhere
/// between the epoch and the end of time.
fn any_events(most: usize) -> impl Strategy<Value = Vec<(u64, f64)>> {
    let start =
        prop_oneof![Just(0_u64), Just(1_700_000_000_000_000_000), Just(u64::MAX), any::<u64>(),];
    // The longest distance between two events: nanoseconds, minutes, weeks, all.
    let reach = prop_oneof![
        Just(100_u64),
        Just(3_600_000_000_000),
        Just(3_000_000_000_000_000),
        Just(u64::MAX)
    ];
    (start, reach).prop_flat_map(move |(start, reach)| {
        let time = (0..=reach, 0..8_u8).prop_map(move |(ahead, tie)| {
            let ahead = if tie == 0 { reach / 2 } else { ahead };
            start.checked_add(ahead).unwrap_or(start.saturating_sub(ahead))
        });
        prop::collection::vec((time, any_weight()), 1..most)
    })
}

/// How long after the newest event a read is, in nanoseconds.
fn any_delay() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0_u64),
        Just(1),
        0..100_u64,
        0..4_000_000_000_000_u64,
        0..4_000_000_000_000_000_u64,
        any::<u64>()
    ]
}
