//! tidalDB beside what people use today: Redis, PostgreSQL, SQLite, RocksDB and fjall, on
//! the same events, on the same machine, in the same run. It is what
//! `cargo xtask bench --peers` runs.
//!
//! Prints the tables of `docs/benchmarks/peers.md`, and with `--update FILE` puts them in
//! place of those in the file and draws the charts beside it. `--quick` measures for a moment
//! only, to see that all works; `--dir FOLDER` says where files are written, by default
//! beside this program; `--only` and the name of a part does that part. What was measured
//! is also left in that folder as JSON, and `render JSON FILE` makes the document of it anew.

mod cell;
mod chart;
mod contest;
mod data;
mod figure;
mod group;
mod job;
mod limits;
mod load;
mod oracle;
mod plan;
mod processes;
mod report;
mod server;
mod system;
mod systems;
mod worker;
mod workplace;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tidal_bench_measure::{Options, Result, at, ended, publish};

use chart::Along;
use report::Findings;

/// What was measured, in the folder of the options.
const FINDINGS: &str = "tidal-bench-peers.json";

fn main() -> ExitCode {
    ended(run())
}

fn run() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["worker", order] => worker::run(order),
        ["sweep", dir] => workplace::sweep(Path::new(dir), std::io::stdin()),
        ["render", json, document] => {
            let findings = serde_json::from_slice(&std::fs::read(json)?)?;
            write(&findings, Some(Path::new(document)))
        }
        _ => {
            let words = words.iter().map(|&word| word.to_owned());
            let options = Options::parse(words, &plan::PARTS)?;
            let findings = plan::carry_out(&options)?;
            let json: PathBuf = options.dir()?.join(FINDINGS);
            let kept = std::fs::write(&json, serde_json::to_vec_pretty(&findings)?);
            // What took so long is told even where the disk is full.
            write(&findings, options.update.as_deref())?;
            Ok(kept.map_err(|error| at(&json, &error))?)
        }
    }
}

fn write(findings: &Findings, document: Option<&Path>) -> Result<()> {
    publish(&findings.tables(), document)?;
    if let Some(document) = document {
        chart::draw(&document.with_extension("svg"), findings, Along::Items)?;
        let cores = Along::Cores(plan::SET_OF_CORES);
        chart::draw(&document.with_file_name("peers-cores.svg"), findings, cores)?;
    }
    Ok(())
}
