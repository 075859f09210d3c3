//! The tables of the document.

use tidal_bench_measure::{Samples, Short, Table};

use crate::contest::Outcome;
use crate::engine::Way;
use crate::work::Work;

/// What share of an engine's own rate is good enough.
const SHARE_MIN: f64 = 0.9;

/// What a read of a warm key may take on fjall, in microseconds: the median.
const READ_MICROS_MAX: f64 = 5.0;

pub(crate) fn tables(results: &[Outcome]) -> Vec<String> {
    vec![
        "The engines beside each other, through tidal-storage: medians of the rounds.\n".into(),
        engines(results),
        "Each engine by its own interface and through tidal-storage: the median, and the middle \
         half of the rounds. The ratio is that of the rates within a round; below 1 \
         tidal-storage is slower, and bold if by more than 10 %.\n"
            .into(),
        ways(results),
        format!(
            "What a random read takes, in microseconds. On fjall, through tidal-storage, the \
             median may be {READ_MICROS_MAX}.\n"
        ),
        latencies(results),
    ]
}

/// The outcomes through tidal-storage, one for each engine.
pub(crate) fn through(results: &[Outcome]) -> impl Iterator<Item = &Outcome> {
    results.iter().filter(|outcome| outcome.way == Way::Through)
}

fn engines(results: &[Outcome]) -> String {
    let mut headings = vec!["", "unit"];
    headings.extend(through(results).map(|outcome| outcome.engine.name()));
    let mut table = Table::new(&headings);
    for work in Work::ALL {
        let mut cells = vec![work.name().to_owned(), work.unit().to_owned()];
        cells.extend(through(results).map(|outcome| match outcome.rates(work) {
            Some(rates) => Short(rates.median()).to_string(),
            None => String::new(),
        }));
        table.row(&cells);
    }
    table.finish()
}

fn ways(results: &[Outcome]) -> String {
    let mut table =
        Table::new(&["", "its own interface", "through tidal-storage", "ratio of the rates"]);
    for (own, ours) in pairs(results) {
        for work in Work::ALL {
            let (Some(own_rates), Some(our_rates)) = (own.rates(work), ours.rates(work)) else {
                continue;
            };
            table.row(&[
                format!("{}: {}, {}", ours.engine.name(), work.name(), work.unit()),
                own_rates.to_string(),
                our_rates.to_string(),
                judged(&our_rates.over(own_rates)),
            ]);
        }
    }
    table.finish()
}

/// The ratios, in bold if they are too low.
fn judged(ratios: &Samples) -> String {
    if ratios.median() < SHARE_MIN { format!("**{ratios}**") } else { ratios.to_string() }
}

/// Each engine that has an interface of its own, by both ways.
fn pairs(results: &[Outcome]) -> impl Iterator<Item = (&Outcome, &Outcome)> {
    through(results).filter_map(|ours| {
        let is_own = |own: &&Outcome| own.engine == ours.engine && own.way == Way::Native;
        Some((results.iter().find(is_own)?, ours))
    })
}

fn latencies(results: &[Outcome]) -> String {
    let mut table = Table::new(&["", "p50", "p99"]);
    for outcome in results {
        let way = match outcome.way {
            Way::Native => "its own interface",
            Way::Through => "through tidal-storage",
        };
        table.row(&[
            format!("{}: {way}", outcome.engine.name()),
            Short(outcome.latencies.quantile(0.5)).to_string(),
            Short(outcome.latencies.quantile(0.99)).to_string(),
        ]);
    }
    table.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_slow_is_bold() {
        let judge = |ours: f64| {
            let (mut a, mut b) = (Samples::default(), Samples::default());
            a.push(ours);
            b.push(100.0);
            judged(&a.over(&b))
        };
        assert_eq!(judge(91.0), "0.91 (0.91 to 0.91)");
        assert_eq!(judge(80.0), "**0.80 (0.80 to 0.80)**");
    }
}
