//! `cargo xtask`: the checks and chores of the workspace.
//!
//! X1. `cargo xtask ci` is CI, word for word: what passes here passes there.
//! X2. A chore never changes a file that is kept in the repository, unless `--update` asks
//!     for it on the command line.
//! X3. Exit code 0 when everything passed, 1 when something failed, 2 when the
//!     words were not understood.

mod apart;
mod bench;
mod checks;
mod ci;
mod console;
mod deny;
mod engines;
mod failure;
mod fuzz;
mod guard;
mod layers;
mod models;
mod mutants;
mod soak;
mod steps;
mod tidy;
mod workspace;

use std::process::ExitCode;

use engines::Engines;
use failure::{Failure, Result};

const USAGE: &str = "\
The checks and chores of the tidalDB workspace.

Usage: cargo xtask COMMAND

Commands:
  ci            everything that CI runs: lint, tidy, layers, test, models,
                docs, deny; --fast leaves the engine RocksDB out, --all
                fails where it cannot be built; so do lint, test and docs;
                --fast also leaves `bench --check` out
  lint          rustfmt's check, and clippy with warnings denied
  tidy          the rules of the house that no lint knows
  layers        which crate may depend on which
  test          unit, integration and documentation tests
  models        the log's threads under the model checkers loom and shuttle
  docs          rustdoc with warnings denied
  engines       whether every storage engine can be built on this machine
  deny          bans, licences and sources of all dependencies
  audit         known advisories against dependencies; needs the network
  bench [ARGS]  the benchmarks; ARGS go to `cargo bench`
  bench --logs  the log beside other logs, as tables in Markdown;
                --update FILE puts them into a document, --quick only tries
  bench --engines
                the storage engines beside their own interfaces, likewise,
                and a chart beside the document; --features rocksdb before
                the rest takes RocksDB in, which needs libclang
  bench --rank  rankings: queries, ingest beside indexes, growth with the number
                of items; likewise, and a chart beside the document
  bench --peers tidalDB beside Redis, PostgreSQL, SQLite, RocksDB and fjall, likewise,
                and charts; half an hour at most, once all is compiled
  bench --scale the database on much state: budgets of memory, checkpoints,
                replay, opening; likewise
  bench --check whether append, apply, score, count, top-K and opening take more
                instructions than are kept; needs valgrind; --update keeps
                what they take now
  fuzz          any bytes as a log; --minutes N for each target;
                needs cargo-fuzz and a nightly compiler
  mutants       deliberate faults, each of which a test has to catch;
                --list shows them, --only NAMES tries those that begin so
  soak          simulated crashes of the log, and shuttle, until a seed fails;
                --minutes N ends it earlier, --seed S begins at a seed

Options:
  -h, --help    print this";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(problem)) => {
            console::complain(&format!("error: {problem}\n\n{USAGE}"));
            ExitCode::from(2)
        }
        Err(Failure::Failed(problem)) => {
            console::complain(&format!("error: {problem}"));
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<()> {
    match words {
        ["-h" | "--help" | "help"] => {
            console::say(USAGE);
            Ok(())
        }
        ["ci", words @ ..] => {
            let speed = if words == [engines::FAST] { ci::Speed::Daily } else { ci::Speed::Whole };
            steps::run(&ci::steps(&Engines::asked_for(words)?, speed)?)
        }
        ["lint", words @ ..] => steps::run(&checks::lint(&Engines::asked_for(words)?)),
        ["tidy"] => steps::run(&[tidy::step()]),
        ["layers"] => steps::run(&[layers::step()]),
        ["test", words @ ..] => steps::run(&checks::test(&Engines::asked_for(words)?)?),
        ["models"] => steps::run(&models::steps()?),
        ["docs", words @ ..] => steps::run(&checks::docs(&Engines::asked_for(words)?)),
        ["engines"] => engines::report(),
        ["deny"] => steps::run(&deny::check()?),
        ["audit"] => steps::run(&deny::audit()?),
        ["bench", "--check", words @ ..] => guard::run(words),
        ["bench", "--peers", args @ ..] => steps::run(&bench::peers(&Engines::possible(), args)),
        ["bench", args @ ..] => steps::run(&[bench::step(args)]),
        ["fuzz", args @ ..] => fuzz::run(args),
        ["mutants", args @ ..] => mutants::run(args),
        ["soak", args @ ..] => soak::run(args),
        [] => Err(Failure::Usage("a command is needed".into())),
        words => Err(Failure::Usage(format!("`{}` is not a command", words.join(" ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_are_wrong_usage() {
        for words in [
            &[][..],
            &["frobnicate"],
            &["ci", "twice"],
            &["ci", "--fast", "--all"],
            &["engines", "--fast"],
            &["tidy", "--fix"],
            &["soak", "long"],
            &["bench", "--check", "--quick"],
            &["fuzz", "long"],
            &["mutants", "--only"],
        ] {
            let failure = run(words).unwrap_err();
            assert!(matches!(failure, Failure::Usage(_)), "{words:?}: {failure:?}");
        }
    }

    #[test]
    fn the_usage_names_every_command() {
        for command in [
            "ci", "lint", "tidy", "layers", "test", "models", "docs", "engines", "deny", "audit",
            "bench", "fuzz", "mutants", "soak",
        ] {
            assert!(USAGE.contains(&format!("\n  {command} ")), "{command}");
        }
    }
}
