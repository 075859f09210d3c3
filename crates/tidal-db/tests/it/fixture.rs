//! What the tests share: a schema, databases, and a stream of events.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tidal_db::{
    Builder, Config, DecaySpec, EntityId, EntityKind, Event, ManualClock, Schema, SchemaBuilder,
    TidalDB, Timestamp, Window,
};

/// The clock of every test database.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

pub(crate) fn schema() -> Schema {
    let mut builder = SchemaBuilder::new();
    declare(&mut builder);
    builder.build().unwrap()
}

pub(crate) fn declare(builder: &mut SchemaBuilder) {
    let half_life = Duration::from_secs(24 * 3600);
    builder
        .signal("view", EntityKind::Item, DecaySpec::Exponential { half_life })
        .windows(&[Window::OneHour, Window::SevenDays, Window::AllTime])
        .velocity(true)
        .sums(true)
        .add()
        .signal("like", EntityKind::Item, DecaySpec::Linear { lifetime: 7 * half_life })
        .windows(&[Window::AllTime])
        .add()
        .signal("follow", EntityKind::Creator, DecaySpec::Permanent)
        .windows(&[Window::AllTime])
        .add();
}

pub(crate) fn config(data_dir: &Path) -> Config {
    Config { data_dir: data_dir.into(), schema: schema() }
}

/// A builder whose clock shows [`NOW`] and whose log has small segments.
pub(crate) fn builder(data_dir: &Path) -> Builder {
    TidalDB::builder(config(data_dir))
        .clock(Arc::new(ManualClock::new(NOW)))
        .segment_bytes(64 << 10)
}

pub(crate) fn open(data_dir: &Path) -> TidalDB {
    builder(data_dir).open().unwrap()
}

pub(crate) fn id(number: u64) -> EntityId {
    EntityId::new(number)
}

pub(crate) fn ago(secs: u64) -> Timestamp {
    NOW.saturating_sub(Duration::from_secs(secs))
}

/// The n-th event of a stream that is the same every time: all three signals,
/// late events, negative weights, actors.
pub(crate) fn event(index: u64) -> Event<'static> {
    // A multiplicative hash: spreads, and needs no state.
    let hash = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let entity = id(1 + (hash >> 60) * (hash >> 58 & 3));
    let at = ago(hash >> 32 & 0xf_ffff).saturating_add(Duration::from_nanos(index));
    let weight = [1.0, 1.0, 2.5, -1.0][(hash >> 20 & 3) as usize];
    let event = match hash >> 24 & 7 {
        0 | 1 => Event::new("like", entity, weight, at),
        2 => Event::new("follow", entity, weight, at),
        _ => Event::new("view", entity, weight, at),
    };
    if hash >> 40 & 1 == 1 { event.by(id(hash >> 41 & 0xff)) } else { event }
}

/// The real data, or `None` with a message when it is not there.
pub(crate) fn real_data(file: &str) -> Option<PathBuf> {
    let Some(dir) = std::env::var_os("TIDAL_TEST_DATA") else {
        println!("skipped: TIDAL_TEST_DATA does not say where the real data is");
        return None;
    };
    let path = PathBuf::from(dir).join(file);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: no {file} in TIDAL_TEST_DATA");
    None
}
