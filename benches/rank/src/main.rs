//! Rankings: what a query takes, what indexes cost those who write, and how both grow with
//! the number of items. It is what `cargo xtask bench --rank` runs.
//!
//! Prints the tables of `docs/benchmarks/rank.md`, and with `--update FILE` puts them in
//! place of those in the file and draws the chart beside it. `--quick` measures for a moment
//! only, to see that all works; `--dir FOLDER` says where databases are written, by default
//! beside this program; `--only` and the name of a part does that part.

mod chart;
mod first;
mod growth;
mod ingest;
mod latency;
mod parts;
mod question;
mod world;

use std::process::ExitCode;

use tidal_bench_measure::{Options, Result, complain, describe, ended, now, publish};

use question::Question;

/// The parts that are no question by themselves.
const OTHERS: [&str; 3] = ["first", "ingest", "scale"];

fn main() -> ExitCode {
    ended(run())
}

fn run() -> Result<()> {
    let names: Vec<&str> = Question::ALL.map(Question::name).into_iter().chain(OTHERS).collect();
    let options = Options::parse(std::env::args().skip(1), &names)?;
    let dir = tempfile::tempdir_in(options.dir()?)?;
    let started = now();
    let begins = |name: &str| {
        complain(&format!("{name}: begins after {:.0} s", started.elapsed().as_secs_f64()));
    };
    let mut tables = vec![describe(dir.path())?];
    if Question::ALL.iter().any(|question| options.does(question.name())) {
        begins("questions");
        tables.push(parts::measure(&options)?);
    }
    if options.does("first") {
        begins("first");
        tables.push(first::measure(&options)?);
    }
    if options.does("ingest") {
        begins("ingest");
        tables.push(ingest::measure(dir.path(), &options)?);
    }
    if options.does("scale") {
        begins("scale");
        let growth = growth::measure(&options)?;
        tables.push(growth::table(&growth));
        if let Some(document) = &options.update {
            chart::draw(&document.with_extension("svg"), &growth)?;
        }
    }
    tables.push(format!("The run took {:.0} seconds.\n", started.elapsed().as_secs_f64()));
    publish(&tables.join("\n"), options.update.as_deref())
}
