//! The log under the model checkers loom and shuttle, each of which needs a build of
//! its own, with a flag of the compiler. The builds lie apart from the others, so that
//! nothing else is compiled again.

use std::path::Path;

use crate::failure::Result;
use crate::steps::{Command, Step};
use crate::workspace;

/// The step of each checker.
pub(crate) fn steps() -> Result<Vec<Step>> {
    let target = workspace::target()?;
    Ok(vec![
        Step::command("loom", command("loom", &target)),
        Step::command("shuttle", command("shuttle", &target)),
    ])
}

/// The lives that shuttle draws from so many seeds, from `first` on.
pub(crate) fn soak(first: u64, seeds: u64) -> Result<Command> {
    Ok(command("shuttle", &workspace::target()?)
        .variable("TIDAL_MODEL_SEED", first.to_string())
        .variable("TIDAL_MODEL_SEEDS", seeds.to_string()))
}

fn command(checker: &str, target: &Path) -> Command {
    Command::cargo("test --quiet -p tidal-wal --lib models:: --target-dir")
        .arg(target.join("models").join(checker))
        .variable("RUSTFLAGS", format!("--cfg {checker} -D warnings"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_checker_has_a_flag_and_a_folder_of_its_own() {
        assert_eq!(
            command("loom", Path::new("target")).to_string(),
            "RUSTFLAGS='--cfg loom -D warnings' \
             cargo test --quiet -p tidal-wal --lib models:: --target-dir target/models/loom"
        );
        let soak = soak(7, 9).unwrap().to_string();
        assert!(soak.contains("TIDAL_MODEL_SEED=7 TIDAL_MODEL_SEEDS=9 "), "{soak}");
    }
}
