//! Reads of cells that are in memory, through the database.

use std::hint::black_box;
use std::path::Path;

use tidal_bench_measure::{Options, Random, Result, Samples, Short, Table, now};
use tidal_db::{EntityId, TidalDB, Window};

use crate::world::{schema, time, view};

const READS: usize = 200_000;
const QUIET: u64 = 100_000;
const BUSY: u64 = 1_000;
const BUSY_EVENTS: u64 = 5_000;

/// What is read of an item.
type Read = fn(&TidalDB, EntityId) -> Result<f64>;

const READ: [(&str, Read); 4] = [
    ("score", |db, id| Ok(db.decay_score("view", id)?)),
    (
        "count over 24 h",
        |db, id| Ok(db.windowed_count("view", id, Window::TwentyFourHours)? as f64),
    ),
    ("count over 30 days", |db, id| Ok(db.windowed_count("view", id, Window::ThirtyDays)? as f64)),
    ("velocity over 1 h", |db, id| Ok(db.velocity("view", id, Window::OneHour)?)),
];

pub(crate) fn measure(_dir: &Path, options: &Options) -> Result<String> {
    let quiet = TidalDB::in_memory(schema()?)?;
    view(&quiet, 0, (0..2).flat_map(|_| 1..=QUIET))?;
    let busy = TidalDB::in_memory(schema()?)?;
    let rounds = if options.quick { 10 } else { BUSY_EVENTS };
    // An item has an event every 100 s, so that all its buckets are in use.
    let newest = view(&busy, 0, (0..rounds).flat_map(|_| 1..=BUSY))?;
    let mut table = Table::new(&["", "2 events, ns", "5,000 events, ns"]);
    for (name, read) in READ {
        let quiet = nanos(&quiet, QUIET, read)?;
        let busy = nanos(&busy, BUSY, read)?;
        table.row(&[name.to_owned(), Short(quiet).to_string(), Short(busy).to_string()]);
    }
    let days = (time(newest).as_nanos() - time(0).as_nanos()) as f64 / 86_400e9;
    Ok(format!(
        "### Reads of resident cells\n\n{}\nThe busy items have events over {days:.0} days.\n",
        table.finish()
    ))
}

/// The median over rounds of what a read takes, on average within a round.
fn nanos(db: &TidalDB, items: u64, read: Read) -> Result<f64> {
    let mut samples = Samples::default();
    let mut random = Random::new(7);
    let ids: Vec<EntityId> = (0..READS).map(|_| EntityId::new(random.below(items) + 1)).collect();
    for _ in 0..9 {
        let started = now();
        for &id in &ids {
            black_box(read(db, id)?);
        }
        samples.push(started.elapsed().as_secs_f64() * 1e9 / READS as f64);
    }
    Ok(samples.median())
}
