//! Opening after a clean shutdown, against the number of cells.

use std::path::Path;

use tidal_bench_measure::{Options, Result, Samples, Short, Table, now};
use tidal_db::{Durability, EntityId, TidalDB};

use crate::world::{builder, view};

const ROUNDS: usize = 5;

pub(crate) fn measure(dir: &Path, options: &Options) -> Result<String> {
    let share = if options.quick { 100 } else { 1 };
    let mut table =
        Table::new(&["cells", "opening, ms", "first read of a cell, us", "storage, MB"]);
    for cells in [100_000_u64, 1_000_000, 10_000_000].map(|cells| cells / share) {
        let dir = dir.join("opening");
        let db = builder(&dir)?.durability(Durability::Buffered).open()?;
        view(&db, 0, 1..=cells)?;
        db.shutdown()?;
        drop(db);
        let [mut opening, mut first] = [(); 2].map(|()| Samples::default());
        let mut bytes = 0;
        for round in 0..ROUNDS as u64 {
            let started = now();
            let db = TidalDB::open_existing(&dir)?;
            opening.push(started.elapsed().as_secs_f64() * 1e3);
            let started = now();
            db.decay_score("view", EntityId::new(cells / (round + 2)))?;
            first.push(started.elapsed().as_secs_f64() * 1e6);
            bytes = db.stats()?.storage_bytes;
            db.shutdown()?;
        }
        std::fs::remove_dir_all(&dir)?;
        table.row(&[
            Short(cells as f64).to_string(),
            opening.to_string(),
            first.to_string(),
            Short(bytes as f64 / 1e6).to_string(),
        ]);
    }
    Ok(format!("### Opening after a clean shutdown\n\n{}", table.finish()))
}
