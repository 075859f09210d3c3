//! The first time that a question is asked, which makes the indexes that it needs.

use tidal_bench_measure::{Options, Result, Short, Table, now};

use crate::question::Question;
use crate::world::{ITEMS, filled};

pub(crate) fn measure(options: &Options) -> Result<String> {
    let items = if options.quick { ITEMS / 100 } else { ITEMS };
    let (db, at) = filled(items)?;
    let mut table = Table::new(&[
        &format!("asked for the first time, of {} items, in this order", Short(items as f64)),
        "ms",
        "bytes of memory for each item",
    ]);
    for question in Question::ALL {
        let before = db.stats()?.memory_bytes;
        let started = now();
        std::hint::black_box(question.ask(&db, at)?);
        let millis = started.elapsed().as_secs_f64() * 1e3;
        let bytes = db.stats()?.memory_bytes.saturating_sub(before) as f64 / items as f64;
        let (millis, bytes) = (Short(millis).to_string(), Short(bytes).to_string());
        table.row(&[question.title().to_owned(), millis, bytes]);
    }
    Ok(format!("### First questions\n\n{}", table.finish()))
}
