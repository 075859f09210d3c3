//! Each question, asked of a million items while nobody writes.

use std::hint::black_box;

use tidal_bench_measure::{Options, Result, Samples, Short, Table, now};
use tidal_db::{By, EntityId, TidalDB, Timestamp};

use crate::latency::{self, Latency};
use crate::question::{PLACES, Question};
use crate::world::{ITEMS, SIGNALS, VIEW, filled};

/// Of all items so many are read to tell what reading all of them would take.
const READ: u64 = 100_000;

pub(crate) fn measure(options: &Options) -> Result<String> {
    let items = if options.quick { ITEMS / 100 } else { ITEMS };
    let (db, at) = filled(items)?;
    let mut table = Table::new(&[
        &format!("the first {PLACES} of {} by", Short(items as f64)),
        "median, us",
        "p99, us",
        "target, us",
        "entries looked at",
        "items evaluated",
        "method",
    ]);
    for question in Question::ALL {
        if options.does(question.name()) {
            let times = latency::times(question, options.quick);
            table.row(&row(question, &latency::measure(&db, question, at, times)?));
        }
    }
    let everyone = everyone(&db, items, at)?;
    Ok(format!(
        "### Questions\n\n{}\nBy `TidalDB::top`, which knows no filters and no pages, the first of \
         them takes {} us. Reading the three scores of every item, without sorting, takes {} \
         ms.\n",
        table.finish(),
        Short(by_top(&db, at, options.quick)?),
        Short(everyone * 1e3)
    ))
}

fn row(question: Question, latency: &Latency) -> [String; 7] {
    let Latency { micros, statistics } = latency;
    let median = Short(micros.median()).to_string();
    let is_missed = question.target().is_some_and(|target| micros.median() > target);
    [
        question.title().to_owned(),
        if is_missed { format!("**{median}**") } else { median },
        Short(micros.quantile(0.99)).to_string(),
        question.target().map_or_else(String::new, |target| Short(target).to_string()),
        statistics.looked_at.to_string(),
        statistics.evaluated.to_string(),
        format!("{:?}", statistics.method).to_lowercase(),
    ]
}

/// The median of the first question asked of `TidalDB::top`, in microseconds.
fn by_top(db: &TidalDB, at: Timestamp, is_quick: bool) -> Result<f64> {
    let mut micros = Samples::default();
    for _ in 0..latency::times(Question::Top, is_quick) {
        let started = now();
        let top = db.top_at(VIEW, By::Score, PLACES, at)?;
        micros.push(started.elapsed().as_secs_f64() * 1e6);
        black_box(top);
    }
    Ok(micros.median())
}

/// About how many seconds it takes to read what a mixture is made of for every item.
pub(crate) fn everyone(db: &TidalDB, items: u64, at: Timestamp) -> Result<f64> {
    let read = READ.min(items);
    let started = now();
    // All over the ids, as neighbours may be in one line of the cache.
    for number in 0..read {
        let id = EntityId::new(1 + number * (items / read));
        for (signal, _) in SIGNALS {
            black_box(db.decay_score_at(signal, id, at)?);
        }
    }
    Ok(started.elapsed().as_secs_f64() * items as f64 / read as f64)
}
