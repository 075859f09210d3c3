//! Counting the instructions of a case under callgrind.
//!
//! The program does what is to be counted in one call of a function. Callgrind writes what
//! it has counted, in all threads, when that function is entered and when it is left, each
//! time into a file with the next number behind its name: the second file is what is wanted.

use std::fs;
use std::path::Path;
use std::process::{self, Output};

use super::counts::Count;
use crate::failure::{Failure, Result};

/// The function, as callgrind names it.
const COUNTED: &str = "tidal_bench_guard::counted_by_callgrind";

/// The line of a file that says why it was written.
const WRITTEN: &str = "desc: Trigger: --dump-after=";

/// The version of valgrind; `None` where it does not start.
pub(super) fn version() -> Option<String> {
    let output = process::Command::new("valgrind").arg("--version").output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| version.trim().to_owned())
}

/// The names of the program's cases.
pub(super) fn cases(program: &Path) -> Result<Vec<String>> {
    let output = output(&mut process::Command::new(program))?;
    Ok(output.lines().map(str::to_owned).collect())
}

/// The instructions of an operation of this case. What callgrind writes is put into `folder`
/// and stays there.
pub(super) fn count(program: &Path, case: &str, root: &Path, folder: &Path) -> Result<Count> {
    let file = folder.join(case);
    let written = folder.join(format!("{case}.2"));
    // One of an earlier run would be taken for that of this one.
    if let Err(error) = fs::remove_file(&written)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(Failure::failed(format!("cannot remove {}: {error}", written.display())));
    }
    let mut valgrind = process::Command::new("valgrind");
    // Nothing that somebody has set changes what valgrind or the C library does.
    valgrind.env_clear().current_dir(root);
    if let Some(path) = std::env::var_os("PATH") {
        valgrind.env("PATH", path);
    }
    valgrind
        // Threads take turns: by itself valgrind lets one that waits in a loop hold up the
        // others for minutes where cores are free.
        .args(["-q", "--tool=callgrind", "--fair-sched=try"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(format!("--dump-before={COUNTED}"))
        .arg(format!("--dump-after={COUNTED}"))
        .arg(program)
        .arg(case);
    let said = output(&mut valgrind)?;
    let operations = said.trim().parse().map_err(|_| {
        Failure::failed(format!("case `{case}` does not say how many operations it has: {said:?}"))
    })?;
    let text = fs::read_to_string(&written).map_err(|error| {
        let problem = format!("callgrind has not seen the function {COUNTED} in case `{case}`");
        Failure::failed(format!("{problem}: {}: {error}", written.display()))
    })?;
    let counted = instructions(&text).and_then(|all| {
        Count::of(all, operations).ok_or_else(|| format!("{all} instructions, {operations} times"))
    });
    counted.map_err(|problem| Failure::failed(format!("{}: {problem}", written.display())))
}

/// What a program prints, if it succeeds.
fn output(command: &mut process::Command) -> Result<String> {
    let Output { status, stdout, stderr } = command
        .output()
        .map_err(|error| Failure::failed(format!("cannot start {command:?}: {error}")))?;
    if !status.success() {
        let complaint = String::from_utf8_lossy(&stderr);
        let problem = format!("{command:?} ended with {status}: {}", complaint.trim());
        return Err(Failure::failed(problem));
    }
    String::from_utf8(stdout)
        .map_err(|_| Failure::failed(format!("{command:?} does not print text")))
}

/// All instructions that a file of callgrind tells of, or why it cannot be believed.
fn instructions(file: &str) -> std::result::Result<u64, String> {
    if !file.lines().any(|line| line.strip_prefix(WRITTEN) == Some(COUNTED)) {
        return Err(format!("it was not written when {COUNTED} was left"));
    }
    let events = field(file, "events:").ok_or("it does not say once what was counted")?;
    if events != "Ir" {
        return Err(format!("`{events}` was counted, and not instructions alone"));
    }
    let totals = field(file, "totals:").ok_or("it does not say once how many there are")?;
    totals.parse().map_err(|_| format!("`{totals}` is not a number of instructions"))
}

/// What stands behind a name at the beginning of the only line that has it.
fn field<'f>(file: &'f str, name: &str) -> Option<&'f str> {
    let mut values = file.lines().filter_map(|line| line.strip_prefix(name));
    let value = values.next()?;
    values.next().is_none().then(|| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning and the end of what callgrind wrote for a case.
    const FILE: &str = "# callgrind format\nversion: 1\ncreator: callgrind-3.19.0\npid: 7\n\
        part: 2\n\n\ndesc: I1 cache: \ndesc: Timerange: Basic block 5814329 - 11715624\n\
        desc: Trigger: --dump-after=tidal_bench_guard::counted_by_callgrind\n\n\
        positions: line\nevents: Ir\nsummary: 42960265\n\n\n\
        fn=(1622) tidal_bench_guard::counted_by_callgrind\n0 3\ntotals: 42960264\n";

    #[test]
    fn the_totals_are_what_is_counted() {
        assert_eq!(instructions(FILE), Ok(42_960_264));
    }

    #[test]
    fn a_file_that_says_something_else_is_not_believed() {
        for (from, to) in [
            ("events: Ir", "events: Ir Dr Dw"),
            ("events: Ir", ""),
            ("totals: 42960264", ""),
            ("totals: 42960264", "totals: many"),
            ("totals: 42960264", "totals: 1\ntotals: 42960264"),
            ("totals: 42960264", "totals: 99999999999999999999999"),
            ("--dump-after=", "--dump-before="),
            ("counted_by_callgrind\n\n", "counted_by_callgrind::again\n\n"),
        ] {
            let changed = FILE.replacen(from, to, 1);
            assert_ne!(changed, FILE, "{from}");
            assert!(instructions(&changed).is_err(), "{from} -> {to}");
        }
        assert!(instructions("").is_err());
        assert!(instructions(FILE.split_at(FILE.len() / 2).0).is_err());
    }

    #[test]
    fn a_program_that_fails_or_does_not_start_is_a_failure() {
        assert!(cases(Path::new("no-such-program")).is_err());
        let mut cargo = process::Command::new(crate::workspace::cargo());
        assert!(output(cargo.arg("no-such-command")).is_err());
    }
}
