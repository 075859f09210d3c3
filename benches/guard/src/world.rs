//! The schema of all cases, and the databases that are read.

use std::time::Duration;

use tidal_bench_measure::Result;
use tidal_db::{
    Batch, DecaySpec, EntityId, EntityKind, Event, Schema, SchemaBuilder, TidalDB, Timestamp,
    Window,
};

pub(crate) const VIEW: &str = "view";
pub(crate) const LIKE: &str = "like";
pub(crate) const SHARE: &str = "share";

/// The signal types and their half-lives in hours.
const SIGNALS: [(&str, u64); 3] = [(VIEW, 48), (LIKE, 6), (SHARE, 14 * 24)];

/// The time of the first event.
pub(crate) const START: Timestamp = Timestamp::from_secs(1_700_000_000);

/// How many events a commit has.
pub(crate) const BATCH: usize = 1000;

/// Three signal types with exponential decay, the four windows that end, and velocity.
pub(crate) fn schema() -> Result<Schema> {
    let mut builder = SchemaBuilder::new();
    for (name, hours) in SIGNALS {
        let half_life = Duration::from_secs(hours * 3600);
        let signal = builder.signal(name, EntityKind::Item, DecaySpec::Exponential { half_life });
        signal.windows(&Window::ALL).velocity(true).add();
    }
    Ok(builder.build()?)
}

/// An event of an item, so many seconds after the first event.
pub(crate) fn event(signal: &'static str, item: u64, secs: u64) -> Event<'static> {
    let at = START.saturating_add(Duration::from_secs(secs));
    Event::new(signal, EntityId::new(item), 1.0, at)
}

/// A view of each of these items in turn, a second apart.
pub(crate) fn views(items: impl IntoIterator<Item = u64>) -> Vec<Event<'static>> {
    items.into_iter().zip(0..).map(|(item, secs)| event(VIEW, item, secs)).collect()
}

/// Commits these events, a batch after the other.
pub(crate) fn send(db: &TidalDB, events: &[Event<'static>]) -> Result<()> {
    for batch in events.chunks(BATCH) {
        db.commit(batch.iter().copied().collect::<Batch<'_>>())?;
    }
    Ok(())
}
