//! The checks that cargo itself does: formatting, lints, tests, documentation.

use std::env;
use std::path::Path;
use std::process::{self, Stdio};

use crate::apart;
use crate::console;
use crate::engines::Engines;
use crate::failure::{Failure, Result};
use crate::steps::{Command, Step};
use crate::workspace;

/// The variable that names the folder of the real data.
const TEST_DATA: &str = "TIDAL_TEST_DATA";

/// The sets of features that have to compile without a warning, each on its
/// own: a build of the whole workspace unites the features that its members ask
/// for, and so hides what breaks when one is missing.
const FEATURE_SETS: &[(&str, &str)] = &[
    ("clippy storage", "-p tidal-storage"),
    ("clippy memory only", "-p tidal-storage --no-default-features"),
    ("clippy hybrid only", "-p tidal-storage --no-default-features --features hybrid"),
    ("clippy redb only", "-p tidal-storage --no-default-features --features redb"),
    ("clippy lmdb only", "-p tidal-storage --no-default-features --features lmdb"),
    ("clippy simulation", "-p tidal-wal --features sim"),
    ("clippy fuzzing", "-p tidal-wal --features fuzzing"),
];

/// Formatting and lints.
pub(crate) fn lint(engines: &Engines) -> Vec<Step> {
    let clippy = |name, packages: &str| {
        let line = format!("clippy --all-targets {packages} -- -D warnings");
        Step::command(name, Command::cargo(&line))
    };
    let mut steps: Vec<Step> = engines.left_out().into_iter().collect();
    steps.push(Step::command("fmt", Command::cargo("fmt --all --check")));
    // Their lints are not checked here: for that, what they compare is compiled.
    steps.extend(apart::ALL.map(|apart| {
        Step::command(apart.fmt, Command::cargo(&format!("fmt --check {}", apart.manifest())))
    }));
    steps.push(clippy("clippy", &format!("--workspace {}", engines.arguments())));
    steps.extend(FEATURE_SETS.iter().map(|&(name, packages)| clippy(name, packages)));
    steps
}

/// The tests, then the examples in the documentation, which nextest does not
/// run.
pub(crate) fn test(engines: &Engines) -> Result<Vec<Step>> {
    let data = env::var_os(TEST_DATA).filter(|value| !value.is_empty());
    match &data {
        None => console::say(&format!("note: {TEST_DATA} is not set: tests on real data skip")),
        Some(path) if Path::new(path).is_absolute() && Path::new(path).is_dir() => {}
        Some(path) => {
            let problem = format!("{TEST_DATA} is not the absolute path of a folder: {path:?}");
            return Err(Failure::failed(problem));
        }
    }
    // All targets but the benches, which only `cargo xtask bench` builds for
    // speed; clippy has seen that they compile.
    let engines = engines.arguments();
    let line = if has_nextest() {
        format!("nextest run --workspace {engines}")
    } else {
        format!("test --workspace --lib --bins --tests --examples {engines}")
    };
    Ok(vec![
        Step::command("test", Command::cargo(&line)),
        Step::command("doctest", Command::cargo(&format!("test --workspace {engines} --doc"))),
    ])
}

fn has_nextest() -> bool {
    process::Command::new(workspace::cargo())
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The documentation.
pub(crate) fn docs(engines: &Engines) -> Vec<Step> {
    let features = format!("{},tidal-storage/conformance", engines.arguments());
    let doc = Command::cargo(&format!("doc --workspace {features} --no-deps"));
    vec![Step::command("docs", doc.variable("RUSTDOCFLAGS", "-D warnings"))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_denied_in_every_lint_and_in_the_documentation() {
        let shown: Vec<_> = lint(&Engines::All).iter().map(Step::to_string).collect();
        assert_eq!(
            shown,
            [
                "cargo fmt --all --check",
                "cargo fmt --check --manifest-path benches/logs/Cargo.toml",
                "cargo fmt --check --manifest-path benches/engines/Cargo.toml",
                "cargo fmt --check --manifest-path benches/rank/Cargo.toml",
                "cargo fmt --check --manifest-path benches/peers/Cargo.toml",
                "cargo clippy --all-targets --workspace --features \
                 tidal-storage/all-backends,tidal-db/all-backends,tidal-cli/all-backends,\
                 tidal-kvdb-tests/all-backends \
                 -- -D warnings",
                "cargo clippy --all-targets -p tidal-storage -- -D warnings",
                "cargo clippy --all-targets -p tidal-storage --no-default-features -- -D warnings",
                "cargo clippy --all-targets -p tidal-storage --no-default-features --features hybrid \
                 -- -D warnings",
                "cargo clippy --all-targets -p tidal-storage --no-default-features --features redb \
                 -- -D warnings",
                "cargo clippy --all-targets -p tidal-storage --no-default-features --features lmdb \
                 -- -D warnings",
                "cargo clippy --all-targets -p tidal-wal --features sim -- -D warnings",
                "cargo clippy --all-targets -p tidal-wal --features fuzzing -- -D warnings",
            ]
        );
        let without = Engines::WithoutRocksDb("no compiler".into());
        assert_eq!(lint(&without)[0].to_string(), "left out, no compiler");
        let shown: Vec<_> = docs(&Engines::All).iter().map(Step::to_string).collect();
        assert_eq!(
            shown,
            [format!(
                "RUSTDOCFLAGS='-D warnings' cargo doc --workspace {},tidal-storage/conformance --no-deps",
                Engines::All.arguments()
            )]
        );
    }
}
