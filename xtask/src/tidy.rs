//! The rules of the house that no lint knows.
//!
//! Each rule owns one file below this one, with a test that shows it fail on a
//! bad sample. A rule reads a [`Tree`] and answers findings; it never changes
//! what it reads.

mod code;
mod comments;
mod dependencies;
mod headings;
mod length;
mod links;
mod machine_paths;
mod manifests;
mod promises;
mod source;
mod tree;
mod whitespace;

use std::fmt;
use std::path::Path;

use crate::failure::{Failure, Result};
use crate::steps::Step;
use tree::Tree;

/// Every rule.
const RULES: &[fn(&Tree) -> Vec<Finding>] = &[
    headings::check,
    length::check,
    code::check,
    comments::check,
    machine_paths::check,
    whitespace::check,
    manifests::check,
    dependencies::check,
    links::check,
    promises::check,
];

/// Something that a rule does not like, and where.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    /// Counted from 1.
    line: usize,
    problem: String,
}

impl Finding {
    fn new(path: &str, line: usize, problem: impl Into<String>) -> Self {
        Self { path: path.into(), line, problem: problem.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.problem)
    }
}

/// The rules as a step.
pub(crate) fn step() -> Step {
    Step::check("tidy", check)
}

fn check(root: &Path) -> Result<String> {
    let tree = Tree::read(root)?;
    let mut findings: Vec<_> = RULES.iter().flat_map(|rule| rule(&tree)).collect();
    findings.sort();
    if findings.is_empty() {
        return Ok(format!(
            "{} source files and {} documents are tidy{}",
            tree.sources.len(),
            tree.documents().count(),
            promises::note(&tree)
        ));
    }
    let count = findings.len();
    let mut lines: Vec<_> = findings.iter().map(Finding::to_string).collect();
    lines.push(format!("{count} {}", if count == 1 { "finding" } else { "findings" }));
    Err(Failure::failed(lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_tidy() {
        if let Err(Failure::Failed(problem)) = check(&crate::workspace::root().unwrap()) {
            panic!("{problem}");
        }
    }

    #[test]
    fn a_finding_reads_like_a_message_of_the_compiler() {
        let finding = Finding::new("crates/a/src/lib.rs", 7, "a tab");
        assert_eq!(finding.to_string(), "crates/a/src/lib.rs:7: a tab");
    }
}
