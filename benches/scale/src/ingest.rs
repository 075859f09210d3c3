//! Durable events end to end: schema, log, sync, fold.

use std::path::Path;

use tidal_bench_measure::{Options, Result, Samples, Short, Table, Zipf, now};
use tidal_db::Durability;

use crate::world::{builder, view};

const EVENTS: usize = 4_000_000;
const ROUNDS: usize = 5;

pub(crate) fn measure(dir: &Path, options: &Options) -> Result<String> {
    let (events, rounds) = if options.quick { (EVENTS / 100, 1) } else { (EVENTS, ROUNDS) };
    let mut table = Table::new(&["batches of 1,000, 8 in flight", "events a second"]);
    for items in [10_000, 1_000_000] {
        let ids: Vec<u64> = Zipf::new(items, 1.0).take(events).collect();
        for durability in [Durability::Durable, Durability::Buffered] {
            let mut rates = Samples::default();
            for round in 0..rounds {
                let dir = dir.join(format!("ingest-{items}-{durability:?}-{round}"));
                let db = builder(&dir)?.durability(durability).open()?;
                // The cells are there, as in a database that is in use.
                let next = view(&db, 0, 1..=items)?;
                let started = now();
                view(&db, next, ids.iter().copied())?;
                rates.push(events as f64 / started.elapsed().as_secs_f64());
                drop(db);
                std::fs::remove_dir_all(&dir)?;
            }
            let name = format!("{durability:?}, {} items", Short(items as f64));
            table.row(&[name, rates.to_string()]);
        }
    }
    Ok(format!("### Ingest\n\n{}", table.finish()))
}
