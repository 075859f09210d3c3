//! cargo-deny: bans, licences, sources and advisories of the dependencies.
//!
//! The version is pinned, since another one may judge the same tree otherwise.
//! It is installed when it is missing, into the cache folder, so that nothing
//! else on the machine changes.

use std::path::{Path, PathBuf};
use std::process;

use crate::apart;
use crate::failure::Result;
use crate::steps::{Command, Step};
use crate::workspace;

const PROGRAM: &str = "cargo-deny";
const VERSION: &str = "0.20.2";

/// Checks bans, licences and sources; the configuration is `deny.toml`. The packages
/// of the benchmarks beside other systems have their own.
pub(crate) fn check() -> Result<Vec<Step>> {
    let line = "check --hide-inclusion-graph bans licenses sources";
    let mut checks = vec![("deny", line.to_owned())];
    checks.extend(apart::ALL.map(|apart| {
        let (manifest, folder) = (apart.manifest(), apart.folder());
        (apart.deny, format!("{manifest} --config {folder}/deny.toml {line}"))
    }));
    with_program(&checks)
}

/// Checks for known advisories. Its answer changes while the tree stays the
/// same, and it needs the network, so CI leaves it out.
pub(crate) fn audit() -> Result<Vec<Step>> {
    with_program(&[("audit", "check advisories".into())])
}

fn with_program(checks: &[(&'static str, String)]) -> Result<Vec<Step>> {
    let run = |program: &Path| -> Vec<Step> {
        let step = |(name, line): &(&'static str, String)| {
            Step::command(name, Command::new(program, line))
        };
        checks.iter().map(step).collect()
    };
    if is_pinned(Path::new(PROGRAM)) {
        return Ok(run(Path::new(PROGRAM)));
    }
    let tools = workspace::cache()?.join("tools");
    let folder = tools.join(format!("{PROGRAM}-{VERSION}"));
    let program = program_in(&folder);
    let mut steps = Vec::new();
    if !is_pinned(&program) {
        steps.push(Step::command("install deny", install(&folder, &tools.join("build"))));
    }
    steps.extend(run(&program));
    Ok(steps)
}

fn program_in(folder: &Path) -> PathBuf {
    folder.join("bin").join(PROGRAM).with_extension(std::env::consts::EXE_EXTENSION)
}

/// Whether this program starts and is the pinned version.
fn is_pinned(program: &Path) -> bool {
    process::Command::new(program).arg("--version").output().is_ok_and(|output| {
        output.status.success() && is_pinned_answer(&String::from_utf8_lossy(&output.stdout))
    })
}

fn is_pinned_answer(answer: &str) -> bool {
    answer.split_whitespace().eq([PROGRAM, VERSION])
}

fn install(folder: &Path, build: &Path) -> Command {
    // `--force` because a folder that a stopped installation has left behind
    // may hold its record without a program that starts.
    Command::cargo(&format!("install --locked --force --version {VERSION} {PROGRAM} --root"))
        .arg(folder)
        .variable("CARGO_TARGET_DIR", build)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pinned_version_is_good_enough() {
        assert!(is_pinned_answer("cargo-deny 0.20.2\n"));
        for other in ["cargo-deny 0.20.1\n", "cargo-deny 0.20.20\n", "cargo-audit 0.20.2\n", ""] {
            assert!(!is_pinned_answer(other), "{other:?}");
        }
        assert!(!is_pinned(Path::new("no-such-program")));
    }

    #[test]
    fn every_workspace_is_checked() {
        let shown: Vec<_> = check().unwrap().iter().map(Step::to_string).collect();
        for name in ["logs", "engines", "rank", "peers"] {
            let folder = format!("benches/{name}");
            let apart =
                format!("--manifest-path {folder}/Cargo.toml --config {folder}/deny.toml check");
            assert!(shown.iter().any(|step| step.contains(&apart)), "{shown:?}");
        }
        assert!(shown.iter().any(|step| step.contains("deny check")), "{shown:?}");
    }

    #[test]
    fn the_installation_is_locked_pinned_and_apart() {
        let shown = install(Path::new("cache/deny"), Path::new("cache/build")).to_string();
        assert_eq!(
            shown,
            "CARGO_TARGET_DIR=cache/build \
             cargo install --locked --force --version 0.20.2 cargo-deny --root cache/deny"
        );
    }
}
