//! The guard of instruction counts: what tidalDB does most may not take more than
//! [`GROWTH_PERCENT_MAX`](comparison::GROWTH_PERCENT_MAX) percent more instructions than
//! are kept in the repository.
//!
//! Time on a shared machine varies by more than what a careless change costs. The
//! instructions under callgrind hardly vary at all, whatever else the machine does.
//!
//! R1. Counts are compared only with counts that were taken with the same compiler,
//!     valgrind, C library and kind of processor. Where these differ it is said, and nothing
//!     is judged.

mod callgrind;
mod comparison;
mod counts;
mod environment;

use std::fs;
use std::path::{Path, PathBuf};

use crate::console;
use crate::failure::{Failure, Result};
use crate::steps::{self, Command, Step};
use crate::workspace;
use comparison::Comparison;
use counts::{Counts, KEPT};
use environment::Environment;

/// The words that write the kept counts anew.
const UPDATE: &str = "cargo xtask bench --check --update";

const USAGE: &str = "bench --check takes --update, and nothing else";
const MISSING: &str = "valgrind is missing, under which instructions are counted. This installs it:
    apt-get install valgrind        (on Debian; elsewhere it has the same name)";

/// Runs what the words behind `bench --check` ask for.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let check = match words {
        [] => Step::check("bench --check", check),
        ["--update"] => Step::check("bench --check --update", update),
        _ => return Err(Failure::Usage(USAGE.into())),
    };
    if callgrind::version().is_none() {
        return Err(Failure::failed(MISSING));
    }
    steps::run(&[build()?, check])
}

/// What CI does of it: nothing, and says why, where the kept counts do not hold.
pub(crate) fn steps_of_ci() -> Result<Vec<Step>> {
    let name = "bench --check";
    let why = if callgrind::version().is_none() {
        "valgrind is missing (on Debian: apt-get install valgrind)".to_owned()
    } else {
        let kept = Counts::read(&workspace::root()?)?;
        match kept.environment.difference(&Environment::here()?) {
            None => return Ok(vec![build()?, Step::check(name, check)]),
            Some(difference) => difference,
        }
    };
    Ok(vec![Step::left_out(name, why)])
}

/// Builds the program whose instructions are counted. Flags that somebody has set would
/// change the counts, so there are none.
fn build() -> Result<Step> {
    let build = Command::cargo("build --release --locked -p tidal-bench-guard --target-dir")
        .arg(workspace::target()?)
        .variable("CARGO_ENCODED_RUSTFLAGS", "");
    Ok(Step::command("build guard", build))
}

fn check(root: &Path) -> Result<String> {
    let kept = Counts::read(root)?;
    let now = count(root)?;
    let comparison = Comparison::new(&kept, &now);
    console::say(&comparison.to_string());
    if let Some(difference) = kept.environment.difference(&now.environment) {
        return Err(Failure::failed(format!(
            "nothing is judged, since {difference}.\nTo judge a change here, run `{UPDATE}` on \
             what it is based on, and `cargo xtask bench --check` on the change."
        )));
    }
    comparison.verdict()
}

fn update(root: &Path) -> Result<String> {
    let now = count(root)?;
    // What cannot be read is what an update mends.
    if let Ok(kept) = Counts::read(root) {
        console::say(&Comparison::new(&kept, &now).to_string());
    }
    now.write(root)?;
    Ok(format!("{} cases are in {KEPT} as they are now", now.cases.len()))
}

/// Counts the instructions of every case.
fn count(root: &Path) -> Result<Counts> {
    let program = program()?;
    // What callgrind writes stays there, for whoever wants to see where they are.
    let folder = workspace::target()?.join("guard");
    fs::create_dir_all(&folder)
        .map_err(|error| Failure::failed(format!("cannot create {}: {error}", folder.display())))?;
    let mut cases = Vec::new();
    for name in callgrind::cases(&program)? {
        let count = callgrind::count(&program, &name, root, &folder)?;
        cases.push((name, count));
    }
    Ok(Counts { environment: Environment::here()?, cases })
}

fn program() -> Result<PathBuf> {
    let program = workspace::target()?.join("release").join("tidal-bench-guard");
    Ok(program.with_extension(std::env::consts::EXE_EXTENSION))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_can_be_read_and_is_written_the_same() {
        let root = workspace::root().unwrap();
        let kept = Counts::read(&root).unwrap();
        assert!(kept.cases.len() >= 10, "{kept:?}");
        assert_eq!(kept.to_string(), fs::read_to_string(root.join(KEPT)).unwrap());
    }

    #[test]
    fn nobodys_flags_change_the_program() {
        let shown = build().unwrap().to_string();
        assert!(shown.starts_with("CARGO_ENCODED_RUSTFLAGS='' cargo build --release"), "{shown}");
    }

    #[test]
    fn other_words_are_wrong_usage() {
        for words in [&["--quick"][..], &["--update", "counts.txt"]] {
            let failure = run(words).unwrap_err();
            assert!(matches!(failure, Failure::Usage(_)), "{words:?}: {failure:?}");
        }
    }
}
