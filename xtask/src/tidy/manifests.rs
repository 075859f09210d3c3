//! Rule: every crate takes the lints and the licence of the workspace.
//!
//! A crate that leaves them out is checked by nothing, and nobody notices.

use super::Finding;
use super::tree::Tree;

const INHERITED: [&str; 4] = [
    "[lints]\nworkspace = true",
    "license.workspace = true",
    "edition.workspace = true",
    "publish.workspace = true",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let members = tree.texts.iter().filter(|(path, _)| path.ends_with("/Cargo.toml"));
    for (path, text) in members {
        for inherited in INHERITED.iter().filter(|inherited| !text.contains(**inherited)) {
            let problem = format!("`{}` is missing", inherited.replace('\n', " "));
            findings.push(Finding::new(path, 1, problem));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_without_the_lints_is_found() {
        let complete = INHERITED.join("\n");
        assert_eq!(check(&Tree::of(&[("crates/a/Cargo.toml", &complete)])), []);
        let without = complete.replace("[lints]", "[other]");
        assert_eq!(
            check(&Tree::of(&[("crates/a/Cargo.toml", &without)])),
            [Finding::new("crates/a/Cargo.toml", 1, "`[lints] workspace = true` is missing")]
        );
    }
}
