//! What the benchmarks of tidalDB share: a schema and a stream of events.
//!
//! The benchmarks themselves are in `benches/`, one file a subject; run them with
//! `cargo xtask bench`.

use std::time::Duration;

use tidal_db::{
    DecaySpec, EntityId, EntityKind, Event, Schema, SchemaBuilder, SchemaError, Timestamp, Window,
};

/// The time of the first event.
pub const START: Timestamp = Timestamp::from_secs(1_700_000_000);

/// One signal type with everything that costs: exponential decay, four windows
/// and the count of all time, velocity.
///
/// # Errors
/// None: the declaration is sound.
pub fn schema() -> Result<Schema, SchemaError> {
    let mut builder = SchemaBuilder::new();
    builder
        .signal(
            "view",
            EntityKind::Item,
            DecaySpec::Exponential { half_life: Duration::from_secs(24 * 3600) },
        )
        .windows(&Window::ALL)
        .velocity(true)
        .add();
    builder.build()
}

/// A stream that is the same every time: a few entities have most of the events,
/// one event in sixteen is late, and a day has about 900,000 events.
#[derive(Debug, Clone)]
pub struct Stream {
    entities: u64,
    index: u64,
    random: u64,
}

impl Stream {
    /// A stream over this many entities, at least one.
    #[must_use]
    pub const fn new(entities: u64) -> Self {
        Self { entities: if entities == 0 { 1 } else { entities }, index: 0, random: 0x5eed }
    }
}

impl Iterator for Stream {
    type Item = Event<'static>;

    fn next(&mut self) -> Option<Event<'static>> {
        // xorshift64
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let share = (self.random >> 11) as f64 / (1_u64 << 53) as f64;
        // The cube makes the density fall with the rank, much as Zipf's law does.
        let entity = (share * share * share * self.entities as f64) as u64;
        let late = if self.random & 15 == 0 { self.random >> 40 & 0xfff } else { 0 };
        let at = START
            .saturating_add(Duration::from_millis(self.index * 96))
            .saturating_sub(Duration::from_secs(late));
        self.index += 1;
        Some(Event::new("view", EntityId::new(entity), 1.0, at))
    }
}
