//! The tables of the document.

use serde::{Deserialize, Serialize};
use tidal_bench_measure::{Samples, Short, Table};

use crate::contest::Row;
use crate::data::DataSet;
use crate::figure::{Figure, shown};
use crate::limits::Limits;
use crate::load::Load;
use crate::system::Kind;

/// All that was measured.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Findings {
    pub(crate) machine: String,
    /// How many cores the machine has.
    pub(crate) cores: usize,
    /// How long all took.
    pub(crate) seconds: f64,
    pub(crate) limits: Option<Limits>,
    pub(crate) rows: Vec<Row>,
    /// Data sets that are not here, and why.
    #[serde(default)]
    pub(crate) left_out: Vec<String>,
}

/// What was promised: a figure, and how many times better than Redis `everysec` it is to be.
const TARGETS: [(Figure, f64); 5] = [
    (Figure::Batches, 20.0),
    (Figure::Read, 50.0),
    (Figure::Restart, 10.0),
    (Figure::Memory, 3.0),
    (Figure::Top, 1.0),
];

impl Findings {
    fn row(&self, system: Kind, set: DataSet, cores: Option<usize>) -> Option<&Row> {
        self.rows.iter().find(|row| (row.system, row.set, row.cores) == (system, set, cores))
    }

    /// Every data set, once, with the cores that it was measured on.
    fn contests(&self) -> Vec<(DataSet, Option<usize>)> {
        let mut contests = Vec::new();
        for row in &self.rows {
            if !contests.contains(&(row.set, row.cores)) {
                contests.push((row.set, row.cores));
            }
        }
        contests
    }

    /// All tables.
    pub(crate) fn tables(&self) -> String {
        let mut parts = vec![self.machine.clone(), self.targets(), self.systems()];
        parts.extend(self.limits.as_ref().map(|limits| self.limits(limits)));
        parts.extend(self.contests().into_iter().map(|(set, cores)| self.contest(set, cores)));
        parts.push(self.better());
        parts.push(self.failures());
        parts.push(format!("The run took {:.0} seconds.\n", self.seconds));
        parts.retain(|part| !part.is_empty());
        parts.join("\n")
    }

    fn targets(&self) -> String {
        let contests = self.contests();
        let measured = contests.into_iter().filter(|(_, cores)| cores.is_none());
        let pairs: Vec<_> = measured
            .filter_map(|(set, cores)| {
                let ours = self.row(Kind::Tidal, set, cores)?;
                Some((set, ours, self.row(Kind::RedisEverysec, set, cores)?))
            })
            .collect();
        let mut headings = vec!["times better than Redis everysec".into(), "target".into()];
        headings.extend(pairs.iter().map(|(set, ..)| set.name()));
        let mut table = Table::new(&headings.iter().map(String::as_str).collect::<Vec<_>>());
        for (figure, target) in TARGETS {
            let mut cells = vec![figure.title(), Short(target).to_string()];
            cells.extend(pairs.iter().map(|(_, ours, theirs)| {
                figure.times_better(ours, theirs).map_or_else(
                    || "not measured".into(),
                    |times| {
                        let verdict = if times >= target { "met" } else { "missed" };
                        format!("{}, {verdict}", Short(times))
                    },
                )
            }));
            table.row(&cells);
        }
        format!("### Targets\n\n{}", table.finish())
    }

    /// Each with its settings, which are the same for all data sets.
    fn systems(&self) -> String {
        let mut table = Table::new(&["system", "version and settings"]);
        for system in Kind::ALL {
            let mut rows = self.rows.iter().filter(|row| row.system == system);
            let about = rows.clone().map(|row| &row.filled.about).find(|about| !about.is_empty());
            let mut why = || rows.find_map(|row| row.failure.clone()).unwrap_or_default();
            let told = about.cloned().unwrap_or_else(|| format!("not measured: {}", why()));
            table.row(&[system.name().to_owned(), told]);
        }
        format!("### Systems\n\n{}", table.finish())
    }

    fn contest(&self, set: DataSet, cores: Option<usize>) -> String {
        let mut headings = vec![String::new()];
        headings.extend(Kind::ALL.map(|system| system.name().to_owned()));
        let mut table = Table::new(&headings.iter().map(String::as_str).collect::<Vec<_>>());
        let rows = || Kind::ALL.into_iter().map(|system| self.row(system, set, cores));
        let none = || "not measured".to_owned();
        for figure in Figure::ALL {
            let mut cells = vec![figure.title()];
            cells.extend(rows().map(|row| row.map_or_else(none, |row| shown(&figure.of(row)))));
            table.row(&cells);
        }
        for (name, p99) in [
            ("score and three counts, p99, us", (|row| row.served.read.p99) as fn(&Row) -> f64),
            ("top 100, p99, us", |row| row.served.top.p99),
        ] {
            let shown = |row: &Row| match p99(row) {
                p99 if p99 > 0.0 && row.is_right() => Short(p99).to_string(),
                _ => none(),
            };
            let mut cells = vec![name.to_owned()];
            cells.extend(rows().map(|row| row.map_or_else(none, shown)));
            table.row(&cells);
        }
        let row = rows().flatten().find(|row| row.is_whole());
        let events = row.map_or(0, |row| row.filled.events);
        let cores = match cores {
            Some(1) => ", on one core".into(),
            Some(cores) => format!(", on {cores} cores"),
            None => String::new(),
        };
        let events = Short(events as f64);
        format!("### {}, {events} events{cores}\n\n{}", set.name(), table.finish())
    }

    /// How many times better tidalDB is than each of the others, by data set.
    fn better(&self) -> String {
        let mut text = String::from("### How many times better tidalDB is\n");
        for (set, cores) in self.contests() {
            let Some(ours) = self.row(Kind::Tidal, set, cores) else { continue };
            let others = &Kind::ALL[1..];
            let mut headings = vec![set.name()];
            headings.extend(others.iter().map(|system| system.name().to_owned()));
            let mut table = Table::new(&headings.iter().map(String::as_str).collect::<Vec<_>>());
            for figure in Figure::ALL {
                let mut cells = vec![figure.title()];
                cells.extend(others.iter().map(|&system| {
                    let theirs = self.row(system, set, cores);
                    let times = theirs.and_then(|theirs| figure.times_better(ours, theirs));
                    times.map_or_else(|| "not measured".into(), |times| Short(times).to_string())
                }));
                table.row(&cells);
            }
            text.push_str(&format!("\n{}", table.finish()));
        }
        text
    }

    /// How far tidalDB is from what the machine can do.
    fn limits(&self, limits: &Limits) -> String {
        let row = self.largest();
        let of = |samples: &[f64]| samples.iter().copied().collect::<Samples>();
        let figure = |figure: Figure| row.map(|row| figure.of(row)).unwrap_or_default();
        let (miss, syncs) = (of(&limits.miss), of(&limits.syncs));
        let written = figure(Figure::Batches);
        let one = figure(Figure::Under(Load::OneByOne { clients: 1 }));
        let read = figure(Figure::Read);
        let per_second = |bytes: &Samples| format!("{} MB/s", Short(bytes.median() / 1e6));
        let mut table = Table::new(&["limit", "the machine", "tidalDB", "how far"]);
        table.row(&[
            "writes of 512 bytes, each synced, per second".into(),
            shown(&syncs),
            format!("{} events one by one", shown(&one)),
            format!("{} of it", Short(one.median() / syncs.median())),
        ]);
        let writing = of(&limits.writing);
        let log = written.median() * figure(Figure::Written).median();
        table.row(&[
            "sequential write".into(),
            per_second(&writing),
            format!("{} MB/s for events in batches", Short(log / 1e6)),
            format!("{} of it", Short(log / writing.median())),
        ]);
        table.row(&[
            "one number from anywhere in memory, ns".into(),
            shown(&miss),
            format!("{} us for the score and three counts of an item", shown(&read)),
            format!("{} misses", Short(read.median() * 1e3 / miss.median())),
        ]);
        let reading = of(&limits.reading);
        let cell = figure(Figure::Memory).median();
        table.row(&[
            "reading memory from one end to the other".into(),
            per_second(&reading),
            format!(
                "{} MB/s of cells changed by events in batches",
                Short(written.median() * cell / 1e6)
            ),
            format!("{} of it", Short(written.median() * cell / reading.median())),
        ]);
        format!("### Limits of the machine\n\n{}", table.finish())
    }

    /// The million items, or the most that was measured.
    fn largest(&self) -> Option<&Row> {
        let ours = self.rows.iter().filter(|row| row.system == Kind::Tidal && row.is_whole());
        ours.filter(|row| row.cores.is_none() && row.filled.items <= 1_000_000)
            .max_by_key(|row| row.filled.items)
    }

    fn failures(&self) -> String {
        let failed = self.rows.iter().filter_map(|row| {
            let failure = row.failure.as_ref()?;
            Some(format!("- {}, {}: {failure}\n", row.system.name(), row.set.name()))
        });
        let left_out = self.left_out.iter().map(|why| format!("- {why}\n"));
        let text: String = left_out.chain(failed).collect();
        if text.is_empty() { text } else { format!("### What was not measured, and why\n\n{text}") }
    }
}

#[cfg(test)]
impl Findings {
    /// Two systems, two sizes and two numbers of cores.
    pub(crate) fn example() -> Self {
        let row = |system, items: u64, cores, rate: f64| {
            let set = DataSet::Generated(items);
            let mut row = Row::skipped(system, set, cores, String::new());
            row.failure = None;
            row.served.checked = true;
            row.filled.items = items;
            row.filled.events = 10;
            row.filled.batches = vec![rate];
            row.served.read.medians = vec![1e6 / rate];
            row.memory = 100.0 * items as f64;
            row
        };
        let rows = vec![
            row(Kind::Tidal, 1000, None, 2e6),
            row(Kind::RedisEverysec, 1000, None, 1e5),
            row(Kind::Tidal, 10_000, None, 1e6),
            row(Kind::RedisEverysec, 10_000, None, 1e5),
            row(Kind::Tidal, 1000, Some(1), 5e5),
        ];
        Self { cores: 2, rows, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_met_missed_or_not_measured() {
        let table = Findings::example().targets();
        let line = |title: &str| table.lines().find(|line| line.contains(title)).unwrap();
        assert_eq!(line("batches").matches("20.0, met").count(), 1, "{table}");
        assert_eq!(line("batches").matches("10.0, missed").count(), 1, "{table}");
        assert_eq!(line("memory").matches("1.00, missed").count(), 2, "{table}");
        assert_eq!(line("restart").matches("not measured").count(), 2, "{table}");
    }

    #[test]
    fn a_row_with_wrong_answers_does_not_count() {
        let mut findings = Findings::example();
        findings.rows[0].served.wrong = Some("a count".into());
        findings.rows[0].failure = Some("wrong answers: a count".into());
        assert!(findings.targets().contains("not measured"));
        assert!(findings.tables().contains("- tidalDB, 1000 items: wrong answers: a count"));
    }

    #[test]
    fn what_was_not_checked_or_is_nothing_meets_no_target() {
        let mut findings = Findings::example();
        findings.rows[0].served.checked = false;
        findings.rows[2].memory = -100.0;
        let table = findings.targets();
        let line = |title: &str| table.lines().find(|line| line.contains(title)).unwrap();
        assert_eq!(line("batches").matches("not measured").count(), 1, "{table}");
        assert_eq!(line("memory").matches("not measured").count(), 2, "{table}");
    }
}
