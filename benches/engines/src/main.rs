//! Each engine of tidal-storage beside the engine's own interface, and the engines
//! beside each other, in one run: what `cargo xtask bench --engines` runs.
//!
//! Prints the tables of `docs/benchmarks/engines.md`, and with `--update FILE` puts them
//! in place of those in the file and draws the chart beside it. `--quick` measures for a
//! moment only, to see that all works; `--dir FOLDER` says where the files are written,
//! by default beside this program; `--only ENGINE` opens one engine.

mod chart;
mod contest;
mod data;
mod engine;
mod native;
mod report;
mod scale;
mod store;
mod through;
mod work;

use std::process::ExitCode;

use tidal_bench_measure::{Options, Result, describe, ended, now, publish};

use contest::Contest;
use engine::Engine;
use scale::Scale;

fn main() -> ExitCode {
    ended(run())
}

fn run() -> Result<()> {
    let names: Vec<_> = Engine::ALL.iter().map(|engine| engine.name()).collect();
    let options = Options::parse(std::env::args().skip(1), &names)?;
    let engines: Vec<_> =
        Engine::ALL.iter().copied().filter(|engine| options.does(engine.name())).collect();
    let dir = tempfile::tempdir_in(options.dir()?)?;
    let started = now();
    let scale = Scale::of(options.quick);
    let machine = describe(dir.path())?;
    let mut contest = Contest::prepare(dir.path(), &engines, scale)?;
    contest.run()?;
    let results = contest.results();
    let mut parts = vec![machine, scale.describe()];
    parts.extend(report::tables(&results));
    parts.push(format!("The run took {:.0} seconds.\n", started.elapsed().as_secs_f64()));
    publish(&parts.join("\n"), options.update.as_deref())?;
    if let Some(document) = &options.update {
        chart::draw(&document.with_extension("svg"), &results)?;
    }
    Ok(())
}
