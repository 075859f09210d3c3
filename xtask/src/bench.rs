//! The benchmarks, which form a package of their own.

use crate::steps::{Command, Step};

/// Runs the benchmarks; `args` go to `cargo bench` as they are.
pub(crate) fn step(args: &[&str]) -> Step {
    let bench = Command::cargo("bench -p tidal-benches");
    let bench = args.iter().fold(bench, |command, &arg| command.arg(arg));
    Step::command("bench", bench)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_passed_on() {
        let shown = step(&["--", "append one"]).to_string();
        assert_eq!(shown, "cargo bench -p tidal-benches -- 'append one'");
    }
}
