//! The benchmarks, which form packages of their own.

use crate::steps::{Command, Step};
use crate::workspace::{BENCH_ENGINES_MANIFEST, BENCH_LOGS_MANIFEST, BENCH_RANK_MANIFEST};

/// Runs the benchmarks; `args` go to `cargo bench` as they are. After `--logs` it is
/// the log beside others, after `--engines` the storage engines beside their own
/// interfaces, after `--rank` rankings, after `--scale` the database on much state, and the
/// rest goes to the program that measures; but a first `--features NAMES` says what it is
/// compiled with.
pub(crate) fn step(args: &[&str]) -> Step {
    let (bench, args) = match args {
        ["--logs", args @ ..] => (program(BENCH_LOGS_MANIFEST, None), args),
        ["--engines", "--features", features, args @ ..] => {
            (program(BENCH_ENGINES_MANIFEST, Some(features)), args)
        }
        ["--engines", args @ ..] => (program(BENCH_ENGINES_MANIFEST, None), args),
        ["--rank", args @ ..] => (program(BENCH_RANK_MANIFEST, None), args),
        ["--scale", args @ ..] => (program("-p tidal-bench-scale", None), args),
        args => (Command::cargo("bench -p tidal-benches"), args),
    };
    let bench = args.iter().fold(bench, |command, &arg| command.arg(arg));
    Step::command("bench", bench)
}

/// The program of a package, found by these arguments of cargo, up to its own.
fn program(package: &str, features: Option<&str>) -> Command {
    let run = Command::cargo(&format!("run --release --locked {package}"));
    let run = match features {
        Some(features) => run.arg("--features").arg(features),
        None => run,
    };
    run.arg("--")
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
        let shown = step(&["--rank", "--only", "top"]).to_string();
        assert_eq!(
            shown,
            "cargo run --release --locked --manifest-path benches/rank/Cargo.toml -- --only top"
        );
        let shown = step(&["--scale", "--quick"]).to_string();
        assert_eq!(shown, "cargo run --release --locked -p tidal-bench-scale -- --quick");
        let shown = step(&["--engines", "--quick"]).to_string();
        assert_eq!(
            shown,
            "cargo run --release --locked --manifest-path benches/engines/Cargo.toml -- --quick"
        );
        let shown = step(&["--engines", "--features", "a,b", "--quick"]).to_string();
        assert_eq!(
            shown,
            "cargo run --release --locked --manifest-path benches/engines/Cargo.toml \
             --features a,b -- --quick"
        );
    }
}
