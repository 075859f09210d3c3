//! The benchmarks, which form packages of their own.

use crate::steps::{Command, Step};
use crate::workspace::BENCH_LOGS_MANIFEST;

/// Runs the benchmarks; `args` go to `cargo bench` as they are. After `--logs` it is
/// the log beside others, and the rest goes to the program that compares them.
pub(crate) fn step(args: &[&str]) -> Step {
    let (bench, args) = match args {
        ["--logs", args @ ..] => {
            let line = format!("run --release --locked {BENCH_LOGS_MANIFEST} --");
            (Command::cargo(&line), args)
        }
        args => (Command::cargo("bench -p tidal-benches"), args),
    };
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
        let shown = step(&["--logs", "--quick"]).to_string();
        assert_eq!(
            shown,
            "cargo run --release --locked --manifest-path benches/logs/Cargo.toml -- --quick"
        );
    }
}
