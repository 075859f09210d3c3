//! The fuzz targets of the log, one after the other.
//!
//! cargo-fuzz needs a nightly compiler, so CI does without; what the targets check is
//! checked there by proptest. What the fuzzer learns is kept in the target folder, and
//! the next run begins with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;

use crate::console;
use crate::failure::{Failure, Result};
use crate::steps::{self, Command, Step};
use crate::workspace;

/// Each target, with whether the golden fixtures are inputs for it.
const TARGETS: &[(&str, bool)] = &[("decode", true), ("open", false)];

const FUZZ_FOLDER: &str = "crates/tidal-wal/fuzz";
const FIXTURES: &str = "crates/tidal-wal/src/format/fixtures";

/// How long each target runs when nobody says.
const MINUTES: u64 = 5;

/// No input makes the log allocate more than this at once. Its segments have a few
/// kilobytes.
const ALLOCATION_MIB_MAX: u64 = 1;

const USAGE: &str = "fuzz takes --minutes N, a whole number";
const MISSING: &str = "cargo-fuzz or a nightly compiler is missing. This installs them:
    rustup toolchain install nightly --profile minimal
    cargo install cargo-fuzz --locked";

/// Runs what the words on the command line ask for.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let minutes = parse(words).ok_or_else(|| Failure::Usage(USAGE.into()))?;
    if !is_installed() {
        return Err(Failure::failed(MISSING));
    }
    let root = workspace::root()?;
    let folder = workspace::target()?.join("fuzz");
    let mut all = Vec::new();
    for &(target, has_seeds) in TARGETS {
        let inputs = Inputs::prepare(&root, &folder, target, has_seeds)?;
        all.push(Step::command(target, command(target, &folder, &inputs, minutes)));
    }
    steps::run(&all)?;
    console::say(&format!("what was learned is kept in {}", folder.display()));
    Ok(())
}

fn parse(words: &[&str]) -> Option<u64> {
    match words {
        [] => Some(MINUTES),
        ["--minutes", minutes] => minutes.parse().ok(),
        _ => None,
    }
}

fn is_installed() -> bool {
    process::Command::new("rustup")
        .args(["run", "nightly", "cargo", "fuzz", "--version"])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Where a target finds and keeps what it works with.
struct Inputs {
    corpus: PathBuf,
    seeds: Option<PathBuf>,
    /// With a separator at the end, for the fuzzer puts a name right behind it.
    artifacts: PathBuf,
}

impl Inputs {
    fn prepare(root: &Path, folder: &Path, target: &str, has_seeds: bool) -> Result<Self> {
        let inputs = Self {
            corpus: folder.join("corpus").join(target),
            seeds: has_seeds.then(|| folder.join("seeds").join(target)),
            artifacts: folder.join("artifacts").join(target).join(""),
        };
        for folder in [&inputs.corpus, &inputs.artifacts] {
            create(folder)?;
        }
        if let Some(seeds) = &inputs.seeds {
            create(seeds)?;
            write_fixtures(&root.join(FIXTURES), seeds)?;
        }
        Ok(inputs)
    }
}

fn create(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)
        .map_err(|error| Failure::failed(format!("cannot create {}: {error}", folder.display())))
}

/// Writes the bytes of each fixture, which are kept as hexadecimal digits.
fn write_fixtures(fixtures: &Path, seeds: &Path) -> Result<()> {
    let cannot = |what: &Path, problem: &dyn std::fmt::Display| {
        Failure::failed(format!("cannot take {} as a seed: {problem}", what.display()))
    };
    let entries = fs::read_dir(fixtures).map_err(|error| cannot(fixtures, &error))?;
    for entry in entries {
        let path = entry.map_err(|error| cannot(fixtures, &error))?.path();
        let digits = fs::read_to_string(&path).map_err(|error| cannot(&path, &error))?;
        let bytes = bytes_of(digits.trim()).ok_or_else(|| cannot(&path, &"no hexadecimal"))?;
        let name = path.file_stem().unwrap_or_default();
        fs::write(seeds.join(name), bytes).map_err(|error| cannot(&path, &error))?;
    }
    Ok(())
}

fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).ok());
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

fn command(target: &str, folder: &Path, inputs: &Inputs, minutes: u64) -> Command {
    let mut artifacts = std::ffi::OsString::from("-artifact_prefix=");
    artifacts.push(&inputs.artifacts);
    let mut command = Command::new("rustup", "run nightly cargo fuzz run --fuzz-dir")
        .arg(FUZZ_FOLDER)
        .arg("--target-dir")
        .arg(folder.join("build"))
        .arg(target)
        .arg(&inputs.corpus);
    if let Some(seeds) = &inputs.seeds {
        command = command.arg(seeds);
    }
    command
        .arg("--")
        .arg(format!("-max_total_time={}", minutes.saturating_mul(60)))
        .arg(format!("-malloc_limit_mb={ALLOCATION_MIB_MAX}"))
        .arg(artifacts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_understood() {
        assert_eq!(parse(&[]), Some(MINUTES));
        assert_eq!(parse(&["--minutes", "3"]), Some(3));
        for words in [&["--minutes"][..], &["--minutes", "x"], &["3"], &["--hours", "1"]] {
            assert_eq!(parse(words), None, "{words:?}");
        }
    }

    #[test]
    fn every_target_is_one_of_the_package() {
        let root = workspace::root().unwrap();
        for (target, _) in TARGETS {
            let file = root.join(FUZZ_FOLDER).join("fuzz_targets").join(target);
            assert!(file.with_extension("rs").is_file(), "{target}");
        }
        let count = fs::read_dir(root.join(FUZZ_FOLDER).join("fuzz_targets")).unwrap().count();
        assert_eq!(count, TARGETS.len());
    }

    #[test]
    fn fixtures_are_digits() {
        assert_eq!(bytes_of("00ff7a"), Some(vec![0, 255, 0x7a]));
        assert_eq!(bytes_of("0g"), None);
    }
}
