//! Opening a directory that a process has left without a shutdown: with a checkpoint, and a
//! tail of the log behind it.

use std::path::Path;
use std::time::Duration;

use tidal_bench_measure::{Random, Result};
use tidal_db::{Builder, Config, EntityId, TidalDB};

use crate::Work;
use crate::world::{VIEW, schema, send, views};

const ITEMS: u64 = 10_000;

/// Fewer than what is folded by more threads where there are more cores.
const TAIL: usize = 8_000;

const OPENINGS: u64 = 5;

/// An operation is an opening, with a first read, and the end of the database.
pub(crate) fn open(dir: &Path) -> Result<Work> {
    let dir = dir.join("db");
    let config = Config { data_dir: dir.clone(), schema: schema()? };
    let db = without_checkpoints(TidalDB::builder(config)).open()?;
    let events = views((1..=ITEMS).chain(tail()));
    let (first, tail) = events.split_at(ITEMS as usize);
    send(&db, first)?;
    db.checkpoint()?;
    send(&db, tail)?;
    drop(db);
    let run = move || {
        (0..OPENINGS).try_for_each(|_| {
            let db = without_checkpoints(TidalDB::builder_existing(&dir)).open()?;
            let newest = db.newest_event().ok_or("the database has no event")?;
            db.decay_score_at(VIEW, EntityId::new(ITEMS), newest)?;
            Ok(())
        })
    };
    Ok(Work { operations: OPENINGS, run: Box::new(run) })
}

fn tail() -> impl Iterator<Item = u64> {
    let mut random = Random::new(0x5eed);
    (0..TAIL).map(move |_| random.below(ITEMS) + 1)
}

/// With no checkpoints but those that are asked for.
fn without_checkpoints(builder: Builder) -> Builder {
    builder
        .checkpoint_every(u64::MAX)
        .checkpoint_log_bytes(u64::MAX)
        .checkpoint_interval(Duration::MAX)
}
