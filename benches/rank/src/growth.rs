//! What questions take, by the number of items.

use tidal_bench_measure::{Options, Result, Short, Table, complain, now};
use tidal_db::TidalDB;

use crate::latency;
use crate::parts::everyone;
use crate::question::Question;
use crate::world::{Traffic, schema};

const ITEMS: [u64; 4] = [10_000, 100_000, 1_000_000, 10_000_000];

/// What is asked; no attributes, since those of ten million items are not what is measured.
pub(crate) const QUESTIONS: [Question; 3] = [Question::Top, Question::Mixture, Question::Window];

/// The most events beside the first one of each item.
const EVENTS_MAX: u64 = 4_000_000;

/// What was measured with one number of items.
#[derive(Debug, Clone, Default)]
pub(crate) struct Point {
    pub(crate) items: u64,
    /// The median of each of [`QUESTIONS`], in microseconds.
    pub(crate) micros: [f64; QUESTIONS.len()],
    /// What reading every item takes, in microseconds.
    pub(crate) everyone: f64,
    /// What the first question takes, in milliseconds.
    pub(crate) first: f64,
}

pub(crate) fn measure(options: &Options) -> Result<Vec<Point>> {
    let sizes = if options.quick { &ITEMS[..2] } else { &ITEMS[..] };
    sizes.iter().map(|&items| point(items, options.quick)).collect()
}

fn point(items: u64, is_quick: bool) -> Result<Point> {
    complain(&format!("  {} items", Short(items as f64)));
    let db = TidalDB::in_memory(schema()?)?;
    let more = EVENTS_MAX.min(4 * items);
    let mut traffic = Traffic::new(items, more);
    traffic.send(&db, items + more)?;
    let at = traffic.newest();
    let started = now();
    std::hint::black_box(Question::Top.ask(&db, at)?);
    let first = started.elapsed().as_secs_f64() * 1e3;
    let mut micros = [0.0; QUESTIONS.len()];
    for (micros, question) in micros.iter_mut().zip(QUESTIONS) {
        let times = latency::times(question, is_quick);
        *micros = latency::measure(&db, question, at, times)?.micros.median();
    }
    Ok(Point { items, micros, everyone: everyone(&db, items, at)? * 1e6, first })
}

pub(crate) fn table(points: &[Point]) -> String {
    let [a, b, c] = QUESTIONS.map(Question::title);
    let headings =
        ["items", a, b, c, "three signals, every item read", "the first question of all, ms"];
    let mut table = Table::new(&headings);
    for point in points {
        let [a, b, c] = point.micros;
        let numbers = [point.items as f64, a, b, c, point.everyone, point.first];
        table.row(&numbers.map(|number| Short(number).to_string()));
    }
    format!("### Growth: medians, in microseconds\n\n{}", table.finish())
}
