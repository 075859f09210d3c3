//! What CI runs, in order: what is quickest to tell comes first.

use crate::engines::Engines;
use crate::failure::Result;
use crate::steps::Step;
use crate::{checks, deny, guard, layers, models, tidy};

/// How much of it is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speed {
    /// Without what has to be compiled a second time, for speed.
    Daily,
    /// All of it.
    Whole,
}

/// Every step of CI.
pub(crate) fn steps(engines: &Engines, speed: Speed) -> Result<Vec<Step>> {
    let mut steps = checks::lint(engines);
    steps.extend([tidy::step(), layers::step()]);
    steps.extend(checks::test(engines)?);
    steps.extend(models::steps()?);
    steps.extend(checks::docs(engines));
    steps.extend(deny::check()?);
    if speed == Speed::Whole {
        steps.extend(guard::steps_of_ci()?);
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_ci_is_left_out() {
        let steps = steps(&Engines::All, Speed::Whole).unwrap();
        let shown: Vec<_> = steps.iter().map(Step::to_string).collect();
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
        // Or what says why the instructions are not counted here.
        let is_guard =
            |step: &String| step.contains("bench --check") || step.starts_with("left out, ");
        assert!(shown.iter().any(is_guard), "{shown:?}");
    }

    #[test]
    fn daily_work_counts_no_instructions() {
        let daily = steps(&Engines::All, Speed::Daily).unwrap();
        assert!(!daily.iter().any(|step| step.to_string().contains("tidal-bench-guard")));
        assert_eq!(
            daily.len() + guard::steps_of_ci().unwrap().len(),
            steps(&Engines::All, Speed::Whole).unwrap().len()
        );
    }
}
