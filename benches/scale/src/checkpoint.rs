//! What a durable write takes while a checkpoint of a million dirty cells runs, beside
//! what it takes without.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tidal_bench_measure::{Options, Result, Samples, Short, Table, now};
use tidal_db::{EntityId, TidalDB};

use crate::world::{builder, time, view};

const CELLS: u64 = 1_000_000;
const ROUNDS: usize = 5;
/// How many writes are timed while nothing else happens.
const WRITES: usize = 5_000;

pub(crate) fn measure(dir: &Path, options: &Options) -> Result<String> {
    let (cells, rounds) = if options.quick { (CELLS / 100, 1) } else { (CELLS, ROUNDS) };
    let dir = dir.join("checkpoint");
    let db = builder(&dir)?.open()?;
    let mut index = 0;
    let [mut without, mut with, mut ratios] = [(); 3].map(|()| Samples::default());
    let (mut took, mut writes) = (Samples::default(), 0);
    for _ in 0..rounds {
        index = view(&db, index, 1..=cells)?;
        let mut quiet = Samples::default();
        for _ in 0..WRITES {
            quiet.push(write(&db, &mut index)?);
        }
        let mut busy = Samples::default();
        let done = AtomicBool::new(false);
        let seconds = thread::scope(|scope| -> Result<f64> {
            let checkpoint = scope.spawn(|| {
                let started = now();
                let outcome = db.checkpoint();
                done.store(true, Ordering::Release);
                outcome.map(|_| started.elapsed().as_secs_f64())
            });
            while !done.load(Ordering::Acquire) {
                busy.push(write(&db, &mut index)?);
            }
            Ok(checkpoint.join().map_err(|_| "the checkpoint panicked")??)
        })?;
        writes += busy.len();
        took.push(seconds);
        without.push(quiet.quantile(0.99));
        with.push(busy.quantile(0.99));
        ratios.push(busy.quantile(0.99) / quiet.quantile(0.99));
    }
    drop(db);
    std::fs::remove_dir_all(&dir)?;
    let mut table = Table::new(&["", "p99 of one durable write, ms"]);
    table.row(&["without a checkpoint".to_owned(), without.to_string()]);
    table.row(&["during one".to_owned(), with.to_string()]);
    table.row(&["ratio".to_owned(), ratios.to_string()]);
    Ok(format!(
        "### Writes during a checkpoint of {} dirty cells\n\n{}\nA checkpoint took {took} s; \
         {writes} writes were answered during {rounds} of them.\n",
        Short(cells as f64),
        table.finish()
    ))
}

/// The milliseconds that one event takes to be durable.
fn write(db: &TidalDB, index: &mut u64) -> Result<f64> {
    *index += 1;
    let started = now();
    db.signal("view", EntityId::new(*index % CELLS + 1), 1.0, time(*index))?;
    Ok(started.elapsed().as_secs_f64() * 1e3)
}
