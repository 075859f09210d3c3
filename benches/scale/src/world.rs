//! The databases that are measured, and how they are filled.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use tidal_bench_measure::Result;
use tidal_db::{
    Batch, Builder, Config, DecaySpec, EntityId, EntityKind, Schema, SchemaBuilder, TidalDB,
    Timestamp, Window,
};

/// The time of the first event.
pub(crate) const START: Timestamp = Timestamp::from_secs(1_700_000_000);

/// How many events a commit has.
pub(crate) const BATCH: usize = 1000;
const IN_FLIGHT: usize = 8;

/// One signal type with exponential decay, the four windows that end, and velocity.
pub(crate) fn schema() -> Result<Schema> {
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
    Ok(builder.build()?)
}

/// How such a database is opened: with checkpoints on demand only.
pub(crate) fn builder(dir: &Path) -> Result<Builder> {
    let config = Config { data_dir: dir.into(), schema: schema()? };
    Ok(TidalDB::builder(config).checkpoint_every(u64::MAX).checkpoint_log_bytes(u64::MAX))
}

/// Commits an event for each of these items, 100 ms apart from the event `first` on, in
/// batches of which several are in flight.
pub(crate) fn view(db: &TidalDB, first: u64, items: impl IntoIterator<Item = u64>) -> Result<u64> {
    let mut in_flight = VecDeque::new();
    let mut batch = Batch::new();
    let mut index = first;
    for item in items {
        batch = batch.signal("view", EntityId::new(item), 1.0, time(index));
        index += 1;
        if batch.len() == BATCH {
            in_flight.push_back(db.submit(std::mem::take(&mut batch))?);
            if in_flight.len() >= IN_FLIGHT
                && let Some(ticket) = in_flight.pop_front()
            {
                ticket.wait()?;
            }
        }
    }
    if !batch.is_empty() {
        in_flight.push_back(db.submit(batch)?);
    }
    for ticket in in_flight {
        ticket.wait()?;
    }
    Ok(index)
}

/// The time of the event with this number.
pub(crate) fn time(index: u64) -> Timestamp {
    START.saturating_add(Duration::from_millis(index * 100))
}
