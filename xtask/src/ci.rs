//! What CI runs, in order: what is quickest to tell comes first.

use crate::engines::Engines;
use crate::failure::Result;
use crate::steps::Step;
use crate::{checks, deny, layers, models, tidy};

/// Every step of CI.
pub(crate) fn steps(engines: &Engines) -> Result<Vec<Step>> {
    let mut steps = checks::lint(engines);
    steps.extend([tidy::step(), layers::step()]);
    steps.extend(checks::test(engines)?);
    steps.extend(models::steps()?);
    steps.extend(checks::docs(engines));
    steps.extend(deny::check()?);
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_ci_is_left_out() {
        let shown: Vec<_> = steps(&Engines::All).unwrap().iter().map(Step::to_string).collect();
        for part in [
            "cargo fmt --all --check",
            "cargo clippy --all-targets --workspace --features",
            "cargo xtask tidy",
            "cargo xtask layers",
            "tidal-kvdb-tests/all-backends --doc",
            "--cfg loom",
            "--cfg shuttle",
            "cargo doc --workspace --features",
            "bans licenses sources",
        ] {
            assert!(shown.iter().any(|step| step.contains(part)), "{part} is not in {shown:?}");
        }
        let is_test =
            |step: &String| step.contains("nextest run --workspace") || step.contains("--tests");
        assert!(shown.iter().any(is_test), "{shown:?}");
        assert!(!shown.iter().any(|step| step.contains("advisories")), "{shown:?}");
    }
}
