//! The benchmarks, which form packages of their own.

use crate::apart::{ENGINES, LOGS, PEERS, RANK};
use crate::engines::Engines;
use crate::steps::{Command, Step};

/// Runs the benchmarks; `args` go to `cargo bench` as they are. After `--logs` it is
/// the log beside others, after `--engines` the storage engines beside their own
/// interfaces, after `--rank` rankings, after `--scale` the database on much state, and the
/// rest goes to the program that measures; but a first `--features NAMES` says what it is
/// compiled with.
pub(crate) fn step(args: &[&str]) -> Step {
    let (bench, args) = match args {
        ["--logs", args @ ..] => (program(&LOGS.manifest(), None), args),
        ["--engines", "--features", features, args @ ..] => {
            (program(&ENGINES.manifest(), Some(features)), args)
        }
        ["--engines", args @ ..] => (program(&ENGINES.manifest(), None), args),
        ["--rank", args @ ..] => (program(&RANK.manifest(), None), args),
        ["--scale", args @ ..] => (program("-p tidal-bench-scale", None), args),
        args => (Command::cargo("bench -p tidal-benches"), args),
    };
    with(bench, args)
}

/// Measures tidalDB beside other systems, RocksDB among them where it can be built.
pub(crate) fn peers(engines: &Engines, args: &[&str]) -> Vec<Step> {
    let features = match engines {
        Engines::All => Some("rocksdb"),
        Engines::WithoutRocksDb(_) => None,
    };
    let mut steps: Vec<Step> = engines.left_out().into_iter().collect();
    steps.push(with(program(&PEERS.manifest(), features), args));
    steps
}

fn with(bench: Command, args: &[&str]) -> Step {
    Step::command("bench", args.iter().fold(bench, |command, &arg| command.arg(arg)))
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

    #[test]
    fn rocksdb_is_among_the_peers_where_it_can_be_built() {
        let shown = |engines| {
            let steps = peers(&engines, &["--only", "real"]);
            steps.iter().map(Step::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            shown(Engines::All),
            ["cargo run --release --locked --manifest-path benches/peers/Cargo.toml \
              --features rocksdb -- --only real"]
        );
        assert_eq!(
            shown(Engines::WithoutRocksDb("no compiler".into())),
            [
                "left out, no compiler",
                "cargo run --release --locked --manifest-path benches/peers/Cargo.toml \
                 -- --only real"
            ]
        );
    }
}
