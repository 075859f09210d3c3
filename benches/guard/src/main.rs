//! What tidalDB does most, one case at a time. `cargo xtask bench --check` counts the
//! instructions of each under callgrind and compares them with those that are kept.
//!
//! Without an argument it prints the names of all cases, one a line. With the name of a
//! case it does that case, and then prints how many operations it had.
//!
//! G1. What is counted happens in one call of [`counted_by_callgrind`], in whatever thread,
//!     and what it needs is there before.
//! G2. A case does the same in every run and on every machine: its numbers are drawn from
//!     seeds, it reads as of times that it names, and it gives nothing so much work that it
//!     would be done by as many threads as there are cores.

mod fold;
mod log;
mod opening;
mod ranking;
mod reads;
mod world;

use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;

use tidal_bench_measure::{Result, complain, say};

/// What a case does, once everything it needs is there.
struct Work {
    /// How many operations it is; the counts are divided by it.
    operations: u64,
    run: Box<dyn FnMut() -> Result<()>>,
}

/// A case: its name, and what prepares it, with a folder of its own.
type Case = (&'static str, fn(&Path) -> Result<Work>);

const CASES: [Case; 12] = [
    ("append-one", log::one),
    ("append-thousand", log::thousand),
    ("apply-few", fold::few),
    ("apply-many", fold::many),
    ("commit-thousand", fold::commit),
    ("score-quiet", reads::score_quiet),
    ("score-busy", reads::score_busy),
    ("count-quiet", reads::count_quiet),
    ("count-busy", reads::count_busy),
    ("top", ranking::top),
    ("rank", ranking::mixture),
    ("open", opening::open),
];

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
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name] = words.as_slice() else {
        CASES.iter().for_each(|(name, _)| say(name));
        return Ok(());
    };
    let (_, prepare) = CASES
        .iter()
        .find(|(case, _)| case == name)
        .ok_or_else(|| format!("`{name}` is not a case; without an argument all are shown"))?;
    let program = std::env::current_exe()?;
    // On a disk, and not in the memory that a folder for temporary files may be.
    let dir = tempfile::tempdir_in(program.parent().ok_or("this program lies in no folder")?)?;
    let mut work = prepare(dir.path())?;
    counted_by_callgrind(&mut work)?;
    say(&work.operations.to_string());
    Ok(())
}

/// Does the work. Callgrind knows it by its name, and counts from its first instruction to
/// its last: so it is never inlined, and the work is not its last instruction.
#[inline(never)]
fn counted_by_callgrind(work: &mut Work) -> Result<()> {
    black_box((work.run)())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const KEPT: &str = include_str!("../counts.txt");

    #[test]
    fn every_case_does_its_work() {
        for (name, prepare) in CASES {
            let dir = tempfile::tempdir().unwrap();
            let mut work = prepare(dir.path()).unwrap();
            assert!(work.operations > 0, "{name}");
            counted_by_callgrind(&mut work).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }

    #[test]
    fn every_case_has_a_name_of_its_own_and_a_kept_count() {
        let names: HashSet<_> = CASES.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), CASES.len());
        for name in names {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
            let is_kept = |line: &str| line.split_whitespace().next() == Some(name);
            assert!(KEPT.lines().any(is_kept), "{name}: cargo xtask bench --check --update");
        }
    }
}
