//! This test binary again, as a process that does one thing.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{a_million_keys, kill};

const CHILD: &str = "TIDAL_TEST_CHILD";
const DIR: &str = "TIDAL_TEST_CHILD_DIR";

pub(super) fn command(what: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "backup::child::child_process", "--nocapture", "--test-threads=1"])
        .env(CHILD, what)
        .env(DIR, dir)
        .stderr(Stdio::inherit());
    command
}

/// Runs it to its end.
pub(super) fn run(what: &str, dir: &Path) {
    let status = command(what, dir).stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{what}: {status}");
}

/// Not a test of its own: what [`command`] runs.
#[test]
fn child_process() {
    let (Ok(what), Some(dir)) = (std::env::var(CHILD), std::env::var_os(DIR)) else {
        return;
    };
    match what.as_str() {
        "a million keys" => a_million_keys(),
        other => kill::child(other, Path::new(&dir)),
    }
}

/// The most memory that this process has ever had, where the system tells it.
pub(super) fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}
