//! tidal-wal beside other logs, on the same records with the same durability, in one
//! run: what `cargo xtask bench --logs` runs.
//!
//! Prints the tables of `docs/benchmarks/logs.md`, and with `--update FILE` puts them in
//! place of those in the file. `--quick` measures for a moment only, to see that all
//! works; `--dir FOLDER` says where the logs are written, by default beside this
//! program; `--only append`, `size` or `open` does a part.

mod append;
mod document;
mod machine;
mod opening;
mod options;
mod payloads;
mod size;
mod stats;
mod sync;
mod systems;
mod table;

use std::error::Error;
use std::fs;
use std::process::ExitCode;
use std::time::Instant;

use options::{Options, Part};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let options = Options::parse(std::env::args().skip(1))?;
    let dir = tempfile::tempdir_in(options.dir()?)?;
    let started = now();
    let mut tables = vec![machine::describe(dir.path())?];
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
    let tables = tables.join("\n");
    match &options.update {
        None => say(&tables),
        Some(path) => {
            let text = fs::read_to_string(path).map_err(|error| document::at(path, error))?;
            let updated = document::updated(&text, &tables).ok_or_else(|| {
                format!("{}: the lines around the tables are missing", path.display())
            })?;
            fs::write(path, updated).map_err(|error| document::at(path, error))?;
            say(&format!("updated {}", path.display()));
        }
    }
    Ok(())
}

/// The time, which is what is measured here.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::print_stdout, reason = "the tables are what the program is for")]
fn say(text: &str) {
    println!("{text}");
}

/// What is being done, and what went wrong.
#[expect(clippy::print_stderr, reason = "a person waits for minutes")]
fn complain(text: &str) {
    eprintln!("{text}");
}
