//! Reading a score and a count of cells in memory, through the database.

use std::hint::black_box;
use std::path::Path;

use tidal_bench_measure::{Random, Result};
use tidal_db::{EntityId, TidalDB, Timestamp, Window};

use crate::Work;
use crate::world::{VIEW, schema, send, views};

const READS: usize = 50_000;

/// Items with two events each, which their cells have as they are.
const QUIET: u64 = 10_000;
const QUIET_EVENTS: u64 = 2;

/// Items with so many events that their cells have buckets, over a day and some hours.
const BUSY: u64 = 100;
const BUSY_EVENTS: u64 = 1000;

pub(crate) fn score_quiet(_dir: &Path) -> Result<Work> {
    read(QUIET, QUIET_EVENTS, score)
}

pub(crate) fn score_busy(_dir: &Path) -> Result<Work> {
    read(BUSY, BUSY_EVENTS, score)
}

pub(crate) fn count_quiet(_dir: &Path) -> Result<Work> {
    read(QUIET, QUIET_EVENTS, count)
}

pub(crate) fn count_busy(_dir: &Path) -> Result<Work> {
    read(BUSY, BUSY_EVENTS, count)
}

/// What is read of an item as of a time.
type Read = fn(&TidalDB, EntityId, Timestamp) -> Result<()>;

fn score(db: &TidalDB, id: EntityId, at: Timestamp) -> Result<()> {
    black_box(db.decay_score_at(VIEW, id, at)?);
    Ok(())
}

fn count(db: &TidalDB, id: EntityId, at: Timestamp) -> Result<()> {
    black_box(db.windowed_count_at(VIEW, id, Window::TwentyFourHours, at)?);
    Ok(())
}

/// An operation is a read.
fn read(items: u64, events: u64, read: Read) -> Result<Work> {
    let db = TidalDB::in_memory(schema()?)?;
    send(&db, &views((0..events).flat_map(|_| 1..=items)))?;
    let at = db.newest_event().ok_or("the database has no event")?;
    let mut random = Random::new(7);
    let ids: Vec<_> = (0..READS).map(|_| EntityId::new(random.below(items) + 1)).collect();
    let run = move || ids.iter().try_for_each(|&id| read(&db, id, at));
    Ok(Work { operations: READS as u64, run: Box::new(run) })
}
