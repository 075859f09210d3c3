//! tidal-wal beside other logs, on the same records with the same durability, in one
//! run: what `cargo xtask bench --logs` runs.
//!
//! Prints the tables of `docs/benchmarks/logs.md`, and with `--update FILE` puts them in
//! place of those in the file. `--quick` measures for a moment only, to see that all
//! works; `--dir FOLDER` says where the logs are written, by default beside this
//! program; `--only append`, `size` or `open` does a part.

mod append;
mod opening;
mod options;
mod payloads;
mod size;
mod sync;
mod systems;

use std::process::ExitCode;

use options::{Options, Part};
use tidal_bench_measure::{Result, describe, ended, now, publish};

fn main() -> ExitCode {
    ended(run())
}

fn run() -> Result<()> {
    let options = Options::parse(std::env::args().skip(1))?;
    let dir = tempfile::tempdir_in(options.dir()?)?;
    let started = now();
    let mut tables = vec![describe(dir.path())?];
    if options.does(Part::Append) {
        tables.extend(append::measure(dir.path(), &options)?);
    }
    if options.does(Part::Size) {
        tables.push(size::measure(dir.path())?);
    }
    if options.does(Part::Open) {
        tables.extend(opening::measure(dir.path(), &options)?);
    }
    tables.push(format!("The run took {:.0} seconds.\n", started.elapsed().as_secs_f64()));
    publish(&tables.join("\n"), options.update())
}
