//! Opening a database that was not checkpointed: every record of its log is folded.

use std::path::Path;

use tidal_bench_measure::{Options, Result, Samples, Short, Table, Zipf, now};
use tidal_db::{Durability, TidalDB};

use crate::world::{builder, view};

const EVENTS: usize = 10_000_000;
const ROUNDS: usize = 3;

pub(crate) fn measure(dir: &Path, options: &Options) -> Result<String> {
    let (events, rounds) = if options.quick { (EVENTS / 100, 1) } else { (EVENTS, ROUNDS) };
    let mut table = Table::new(&["10 million events over", "events a second"]);
    for items in [10_000, 1_000_000] {
        let dir = dir.join(format!("replay-{items}"));
        let db = builder(&dir)?.durability(Durability::Buffered).open()?;
        view(&db, 0, Zipf::new(items, 1.0).take(events))?;
        drop(db);
        let mut rates = Samples::default();
        for _ in 0..rounds {
            let started = now();
            let db = TidalDB::builder_existing(&dir).checkpoint_every(u64::MAX).open()?;
            rates.push(events as f64 / started.elapsed().as_secs_f64());
            // Without a shutdown, so that the next opening replays too.
            drop(db);
        }
        std::fs::remove_dir_all(&dir)?;
        table.row(&[format!("{} items", Short(items as f64)), rates.to_string()]);
    }
    Ok(format!("### Replay\n\n{}", table.finish()))
}
