//! Events under a budget of a tenth of the state, beside a budget that holds it all.

use std::path::Path;

use tidal_bench_measure::{Options, Result, Samples, Short, Table, Zipf, now, turns};
use tidal_db::{Durability, TidalDB};

use crate::world::{builder, view};

const ITEMS: u64 = 1_000_000;
/// Events before it is measured, so that what is popular is in memory.
const WARM: usize = 3_000_000;
const EVENTS: usize = 1_000_000;
const ROUNDS: usize = 5;

pub(crate) fn measure(dir: &Path, options: &Options) -> Result<String> {
    let share = if options.quick { 50 } else { 1 };
    let mut table = Table::new(&[
        "durability, s",
        "all in memory, events/s",
        "a tenth, events/s",
        "ratio",
        "loads per event",
    ]);
    for durability in [Durability::Durable, Durability::Buffered] {
        for s in [1.2, 1.0] {
            let name = format!("{durability:?}, {s}");
            let outcome = ratio(&dir.join("budget"), durability, s, share)?;
            let Outcome { all, tenth, loads } = outcome;
            table.row(&[
                name,
                all.to_string(),
                tenth.to_string(),
                tenth.over(&all).to_string(),
                Short(loads).to_string(),
            ]);
        }
    }
    Ok(format!("### A budget of a tenth\n\n{}", table.finish()))
}

struct Outcome {
    all: Samples,
    tenth: Samples,
    loads: f64,
}

fn ratio(dir: &Path, durability: Durability, s: f64, share: u64) -> Result<Outcome> {
    let (items, warm, events) = (ITEMS / share, WARM / share as usize, EVENTS / share as usize);
    let mut zipf = Zipf::new(items, s);
    let paths = [dir.join("all"), dir.join("tenth")];
    let state = {
        let db = builder(&paths[0])?.durability(durability).open()?;
        let next = view(&db, 0, 1..=items)?;
        view(&db, next, zipf.clone().take(warm))?;
        let bytes = db.stats()?.resident.bytes;
        db.shutdown()?;
        bytes
    };
    copy(&paths[0], &paths[1])?;
    let open = |path: &Path, budget: u64| -> Result<TidalDB> {
        Ok(builder(path)?.durability(durability).memory_budget(budget).open()?)
    };
    let (whole, small) = (open(&paths[0], 8 * state)?, open(&paths[1], state / 10)?);
    let mut next = items + warm as u64;
    let warming: Vec<u64> = zipf.by_ref().take(warm).collect();
    // All of it is loaded once.
    view(&whole, next, 1..=items)?;
    for db in [&whole, &small] {
        view(db, next, warming.iter().copied())?;
    }
    next += warm as u64;
    let (mut all, mut tenth) = (Samples::default(), Samples::default());
    let before = small.stats()?.resident.loads;
    for round in 0..ROUNDS {
        let ids: Vec<u64> = zipf.by_ref().take(events).collect();
        for turn in turns(round, 2) {
            let (db, rates) = if turn == 0 { (&whole, &mut all) } else { (&small, &mut tenth) };
            let started = now();
            view(db, next, ids.iter().copied())?;
            rates.push(events as f64 / started.elapsed().as_secs_f64());
        }
        next += events as u64;
    }
    let loads = (small.stats()?.resident.loads - before) as f64 / (ROUNDS * events) as f64;
    drop((whole, small));
    std::fs::remove_dir_all(dir)?;
    Ok(Outcome { all, tenth, loads })
}

/// Copies a database that is closed.
fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
