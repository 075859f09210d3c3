//! What indexes cost those who write: two databases with the same items take turns, one of
//! which has every index, and is asked now and then.

use std::path::Path;

use tidal_bench_measure::{Options, Result, Samples, Table, now, turns};
use tidal_db::{Config, TidalDB};

use crate::question::Question;
use crate::world::{ITEMS, Traffic, describe, schema};

/// How many events a turn has.
const EVENTS: u64 = 1_000_000;

/// Between two rounds of questions there are so many.
const EVENTS_BETWEEN: u64 = 100_000;

const ROUNDS: usize = 5;

/// What share of the rate without indexes is good enough.
const SHARE_MIN: f64 = 0.6;

pub(crate) fn measure(dir: &Path, options: &Options) -> Result<String> {
    let share = if options.quick { 100 } else { 1 };
    let (items, events) = (ITEMS / share, EVENTS / share);
    let rounds = if options.quick { 1 } else { ROUNDS };
    let mut table =
        Table::new(&["events a second", "without indexes", "with all of them", "ratio"]);
    for is_durable in [false, true] {
        let open = |name: &str| -> Result<TidalDB> {
            if !is_durable {
                return Ok(TidalDB::in_memory(schema()?)?);
            }
            let config = Config { data_dir: dir.join(name), schema: schema()? };
            let builder = TidalDB::builder(config);
            Ok(builder.checkpoint_every(u64::MAX).checkpoint_log_bytes(u64::MAX).open()?)
        };
        let sides = [open("without")?, open("with")?];
        let traffic = Traffic::new(items, events * rounds as u64);
        let mut traffics = [traffic.clone(), traffic];
        for (db, traffic) in sides.iter().zip(&mut traffics) {
            traffic.send(db, items)?;
            describe(db, items)?;
        }
        let mut rates = [Samples::default(), Samples::default()];
        for round in 0..rounds {
            for side in turns(round, 2) {
                let (Some(db), Some(traffic), Some(rates)) =
                    (sides.get(side), traffics.get_mut(side), rates.get_mut(side))
                else {
                    continue;
                };
                rates.push(rate(db, traffic, events, side == 1)?);
            }
        }
        let [without, with] = &rates;
        let ratio = with.over(without);
        let name = if is_durable { "durable" } else { "in memory, without a log" };
        table.row(&[name.to_owned(), without.to_string(), with.to_string(), judged(&ratio)]);
    }
    Ok(format!("### Ingest of {ITEMS} items with and without indexes\n\n{}", table.finish()))
}

/// Events a second; asked, a database also keeps the indexes that the questions need.
fn rate(db: &TidalDB, traffic: &mut Traffic, events: u64, is_asked: bool) -> Result<f64> {
    if is_asked {
        ask(db)?;
    }
    let started = now();
    let mut left = events;
    while left > 0 {
        let some = left.min(EVENTS_BETWEEN);
        traffic.send(db, some)?;
        if is_asked {
            ask(db)?;
        }
        left -= some;
    }
    Ok(events as f64 / started.elapsed().as_secs_f64())
}

fn ask(db: &TidalDB) -> Result<()> {
    for question in Question::ALL {
        std::hint::black_box(question.ask(db, db.now())?);
    }
    Ok(())
}

/// The ratio, in bold if it is too low.
fn judged(ratio: &Samples) -> String {
    if ratio.median() < SHARE_MIN { format!("**{ratio}**") } else { ratio.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_slow_is_bold() {
        let judge = |with: f64| {
            let (mut a, mut b) = (Samples::default(), Samples::default());
            a.push(with);
            b.push(100.0);
            judged(&a.over(&b))
        };
        assert_eq!(judge(61.0), "0.61 (0.61 to 0.61)");
        assert_eq!(judge(59.0), "**0.59 (0.59 to 0.59)**");
    }
}
