//! tidalDB on much state: what a small budget of memory, a running checkpoint, replay
//! and opening cost. It is what `cargo xtask bench --scale` runs.
//!
//! Prints the tables of `docs/benchmarks/ledger.md`, and with `--update FILE` puts them
//! in place of those in the file. `--quick` measures for a moment only, to see that all
//! works; `--dir FOLDER` says where databases are written, by default beside this
//! program; `--only` and the name of a part does that part.

mod budget;
mod checkpoint;
mod ingest;
mod memory;
mod opening;
mod reads;
mod replay;
mod world;

use std::path::Path;
use std::process::ExitCode;

use tidal_bench_measure::{Options, Result, complain, describe, ended, now, publish};

/// A part: its name, and what measures it.
type Part = (&'static str, fn(&Path, &Options) -> Result<String>);

const PARTS: [Part; 7] = [
    ("memory", memory::measure),
    ("reads", reads::measure),
    ("ingest", ingest::measure),
    ("budget", budget::measure),
    ("checkpoint", checkpoint::measure),
    ("replay", replay::measure),
    ("opening", opening::measure),
];

fn main() -> ExitCode {
    ended(run())
}

fn run() -> Result<()> {
    let names = PARTS.map(|(name, _)| name);
    let options = Options::parse(std::env::args().skip(1), &names)?;
    let dir = tempfile::tempdir_in(options.dir()?)?;
    let started = now();
    let mut tables = vec![describe(dir.path())?];
    for (name, measure) in PARTS {
        if options.does(name) {
            complain(&format!("{name}: begins after {:.0} s", started.elapsed().as_secs_f64()));
            tables.push(measure(dir.path(), &options)?);
        }
    }
    tables.push(format!("The run took {:.0} seconds.\n", started.elapsed().as_secs_f64()));
    publish(&tables.join("\n"), options.update.as_deref())
}
