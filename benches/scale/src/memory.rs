//! How much memory a cell takes, everything counted.

use std::path::Path;

use tidal_bench_measure::{Options, Result, Short, Table};
use tidal_db::TidalDB;

use crate::world::{schema, view};

pub(crate) fn measure(_dir: &Path, options: &Options) -> Result<String> {
    let share = if options.quick { 100 } else { 1 };
    let mut table = Table::new(&["cells", "events each", "bytes of memory a cell"]);
    for (cells, events) in
        [(1_000_000 / share, 1), (1_000_000 / share, 4), (1_400_000 / share, 4), (2_000, 5_000)]
    {
        let db = TidalDB::in_memory(schema()?)?;
        let before = db.stats()?.memory_bytes;
        let mut index = 0;
        for _ in 0..events {
            index = view(&db, index, 1..=cells)?;
        }
        let bytes = db.stats()?.memory_bytes - before;
        table.row(&[
            Short(cells as f64).to_string(),
            events.to_string(),
            Short(bytes as f64 / cells as f64).to_string(),
        ]);
    }
    Ok(format!("### Memory\n\n{}", table.finish()))
}
