//! What has become of each case.

use std::fmt;

use super::UPDATE;
use super::counts::{Count, Counts, KEPT};
use crate::failure::{Failure, Result};

/// How many instructions more a case may take than are kept, in percent.
pub(super) const GROWTH_PERCENT_MAX: u64 = 5;

/// A case, with what is kept of it and what it takes now.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    case: String,
    kept: Option<Count>,
    now: Option<Count>,
}

/// What is to be said of a case.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    /// It has grown by no more than is allowed, and has not fallen by more than that.
    Small,
    Grown,
    Fallen,
    /// Nothing is kept of it.
    New,
    /// It is kept, and there is no such case.
    Gone,
}

impl Row {
    fn change(&self) -> Change {
        let percent = |count: Count, percent: u64| u128::from(count.tenths()) * u128::from(percent);
        match (self.kept, self.now) {
            (Some(kept), Some(now)) => {
                if percent(now, 100) > percent(kept, 100 + GROWTH_PERCENT_MAX) {
                    Change::Grown
                } else if percent(now, 100) < percent(kept, 100 - GROWTH_PERCENT_MAX) {
                    Change::Fallen
                } else {
                    Change::Small
                }
            }
            (None, _) => Change::New,
            (Some(_), None) => Change::Gone,
        }
    }

    /// For a person: by how much.
    fn percent(&self) -> String {
        match (self.kept, self.now) {
            (Some(kept), Some(now)) => {
                let ratio = now.tenths() as f64 / kept.tenths() as f64;
                format!("{:+.2}%", (ratio - 1.0) * 100.0)
            }
            (None, _) => "new".into(),
            (Some(_), None) => "gone".into(),
        }
    }
}

/// What is kept of each case beside what it takes now.
#[derive(Debug)]
pub(super) struct Comparison(Vec<Row>);

impl Comparison {
    /// All cases of both, those that are there now first.
    pub(super) fn new(kept: &Counts, now: &Counts) -> Self {
        let row =
            |case: &String| Row { case: case.clone(), kept: kept.of(case), now: now.of(case) };
        let gone = kept.cases.iter().filter(|(case, _)| now.of(case).is_none());
        Self(now.cases.iter().chain(gone).map(|(case, _)| row(case)).collect())
    }

    /// Passes if no case has grown by more than is allowed, and each is kept.
    pub(super) fn verdict(&self) -> Result<String> {
        let mut problems = Vec::new();
        let mut has_grown = false;
        for row in &self.0 {
            let case = &row.case;
            match row.change() {
                Change::Small | Change::Fallen => {}
                Change::Grown => {
                    has_grown = true;
                    let percent = row.percent();
                    problems.push(format!(
                        "case `{case}`: {percent} instructions, at most +{GROWTH_PERCENT_MAX}% \
                         are allowed"
                    ));
                }
                Change::New => {
                    problems.push(format!("case `{case}`: no count is kept; `{UPDATE}` keeps it"));
                }
                Change::Gone => problems.push(format!(
                    "case `{case}`: there is no such case any more; `{UPDATE}` drops its count"
                )),
            }
        }
        if has_grown {
            problems.push(format!(
                "Where they are is told by `callgrind_annotate`, see docs/benchmarks/guard.md. If \
                 they are the price of something, keep the new counts by `{UPDATE}`, and say in \
                 the commit what it is."
            ));
        }
        if !problems.is_empty() {
            return Err(Failure::failed(problems.join("\n")));
        }
        let count = self.0.len();
        let passed = format!("{count} cases, none by more than {GROWTH_PERCENT_MAX}% above {KEPT}");
        let fallen: Vec<_> = self
            .0
            .iter()
            .filter(|row| row.change() == Change::Fallen)
            .map(|row| row.case.as_str())
            .collect();
        if fallen.is_empty() {
            return Ok(passed);
        }
        let fallen = fallen.join(", ");
        Ok(format!(
            "{passed}\nFallen: {fallen}. So that it stays so, run `{UPDATE}` and commit it."
        ))
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, [case, kept, now, change]: [&str; 4]| {
            writeln!(f, "{case:<20} {kept:>14} {now:>14} {change:>10}")
        };
        writeln!(f, "Instructions an operation:\n")?;
        line(f, ["case", "kept", "now", "change"])?;
        let shown = |count: Option<Count>| count.map_or_else(|| "-".into(), |it| it.to_string());
        for row in &self.0 {
            line(f, [&row.case, &shown(row.kept), &shown(row.now), &row.percent()])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::environment::Environment;
    use super::*;

    fn counts(cases: &[(&str, u64)]) -> Counts {
        let count = |&(case, count): &(&str, u64)| (case.to_owned(), Count::of(count, 1).unwrap());
        Counts {
            environment: Environment::of(|_| Ok::<_, String>("any".into())).unwrap(),
            cases: cases.iter().map(count).collect(),
        }
    }

    fn compared(kept: &[(&str, u64)], now: &[(&str, u64)]) -> Comparison {
        Comparison::new(&counts(kept), &counts(now))
    }

    fn problem(comparison: &Comparison) -> String {
        match comparison.verdict() {
            Err(Failure::Failed(problem)) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn growth_of_exactly_five_percent_passes_and_of_more_fails_by_the_name_of_the_case() {
        let passed = compared(&[("a", 1000), ("b", 1000)], &[("a", 1050), ("b", 950)]).verdict();
        assert_eq!(passed.unwrap(), format!("2 cases, none by more than 5% above {KEPT}"));
        let problem = problem(&compared(&[("a", 1000), ("b", 1000)], &[("a", 1051), ("b", 900)]));
        let expected = "case `a`: +5.10% instructions, at most +5% are allowed\n";
        assert!(problem.starts_with(expected), "{problem}");
        assert!(!problem.contains("`b`") && problem.contains(UPDATE), "{problem}");
        // No rounding, and no overflow.
        assert!(compared(&[("a", 10_000_000)], &[("a", 10_500_001)]).verdict().is_err());
        let most = u64::MAX / 10;
        assert!(compared(&[("a", most)], &[("a", most)]).verdict().is_ok());
    }

    #[test]
    fn a_fall_passes_and_asks_for_an_update_when_it_is_more_than_five_percent() {
        let passed = compared(&[("a", 1000), ("b", 1000)], &[("a", 950), ("b", 949)]).verdict();
        let passed = passed.unwrap();
        assert!(passed.contains("Fallen: b. ") && passed.contains(UPDATE), "{passed}");
    }

    #[test]
    fn a_case_that_is_new_or_gone_fails() {
        let comparison = compared(&[("a", 1), ("gone", 1)], &[("a", 1), ("new", 1)]);
        let problem = problem(&comparison);
        let expected = [
            format!("case `new`: no count is kept; `{UPDATE}` keeps it"),
            format!("case `gone`: there is no such case any more; `{UPDATE}` drops its count"),
        ];
        assert_eq!(problem.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_table_shows_every_case() {
        let comparison = compared(&[("a", 200), ("gone", 7)], &[("a", 201), ("new", 3)]);
        let table = comparison.to_string();
        let rows: Vec<_> = table.lines().skip(2).collect();
        let expected = [
            "case                           kept            now     change",
            "a                             200.0          201.0     +0.50%",
            "new                               -            3.0        new",
            "gone                            7.0              -       gone",
        ];
        assert_eq!(rows, expected);
    }
}
