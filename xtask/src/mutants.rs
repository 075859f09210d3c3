//! Deliberate faults, to see that the tests can fail.
//!
//! Each fault is a small edit of the sources that breaks a promise, with the tests
//! that have to notice it; they are listed in [`fault::FOLDER`], one file per crate.
//!
//! M1. The checkout is never edited: faults are made in a copy of its sources, below
//!     cargo's target folder.
//! M2. An edit fits its file exactly once, so that the list cannot rot silently. A
//!     test of this program holds that, without building anything.
//! M3. A fault that does not compile is not caught, and neither is one whose tests
//!     fail without it.

mod copy;
mod fault;
mod trial;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::console;
use crate::failure::{Failure, Result};
use crate::workspace;
use copy::Copy;
use fault::Fault;
use trial::{Outcome, Trials};

const USAGE: &str = "mutants takes --list, or --only with the beginning of names";

/// Runs what the words on the command line ask for.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let only = match words {
        [] | ["--list"] => &[""],
        ["--only", names @ ..] if !names.is_empty() => names,
        _ => return Err(Failure::Usage(USAGE.into())),
    };
    let root = workspace::root()?;
    let mut faults = fault::read(&root)?;
    faults.retain(|fault| only.iter().any(|name| fault.name.starts_with(name)));
    if words == ["--list"] {
        faults.iter().for_each(|fault| console::say(&fault.to_string()));
        return Ok(());
    }
    if faults.is_empty() {
        return Err(Failure::Usage(format!(
            "no fault is called {}; see --list",
            only.join(" or ")
        )));
    }
    try_all(&root, &faults)
}

fn try_all(root: &Path, faults: &[Fault]) -> Result<()> {
    if let Some(problem) = faults.iter().find_map(|fault| fault.misfit(root)) {
        return Err(Failure::failed(problem));
    }
    let copy = Copy::of(root, &workspace::target()?.join("mutants"))?;
    let mut trials = Trials::new(&copy);
    let tests: BTreeSet<_> = faults.iter().flat_map(|fault| &fault.tests).collect();
    console::say(&format!("{} tests have to pass without any fault", tests.len()));
    for test in tests {
        trials.expect_pass(test)?;
    }
    console::say(&row("fault", "outcome", "took"));
    let started = now();
    let mut missed = Vec::new();
    for fault in faults {
        let began = now();
        let outcome = trials.run(fault)?;
        console::say(&row(&fault.name, &outcome.to_string(), &seconds(began.elapsed())));
        if !matches!(outcome, Outcome::Caught | Outcome::Hung) {
            missed.push(fault.name.as_str());
        }
    }
    let caught = faults.len() - missed.len();
    let sum = format!("{caught} of {} caught", faults.len());
    console::say(&row("all", &sum, &seconds(started.elapsed())));
    if missed.is_empty() {
        return Ok(());
    }
    Err(Failure::failed(format!("not caught: {}", missed.join(", "))))
}

fn row(name: &str, outcome: &str, took: &str) -> String {
    format!("{name:<54} {took:>9}  {outcome}")
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[expect(clippy::disallowed_methods, reason = "a person wants to know which fault is slow")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// M2
    #[test]
    fn every_fault_fits_the_sources() {
        let root = workspace::root().unwrap();
        let faults = fault::read(&root).unwrap();
        assert!(faults.len() >= 25, "{}", faults.len());
        let problems: Vec<_> = faults.iter().filter_map(|fault| fault.misfit(&root)).collect();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
        let names: BTreeSet<_> = faults.iter().map(|fault| &fault.name).collect();
        assert_eq!(names.len(), faults.len(), "two faults have one name");
    }
}
