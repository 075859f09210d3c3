//! Rule: no path of one machine in what runs on all of them.
//!
//! Tests are left out: a sample may name any path.

use super::Finding;
use super::source::Source;
use super::tree::Tree;

/// Folders at the root of a machine that no code of ours names.
const FOLDERS: [&str; 5] = ["home", "root", "srv", "tmp", "Users"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.sources.iter().flat_map(findings).collect()
}

fn findings(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for folder in FOLDERS.map(|name| format!("/{name}/")) {
        for (offset, _) in source.text.match_indices(&folder) {
            let before = source.text.get(..offset).unwrap_or_default();
            // Inside of a longer, relative path it is anybody's folder.
            let is_absolute =
                !before.ends_with(|c: char| c.is_alphanumeric() || "_-./}".contains(c));
            if is_absolute && !source.is_test_at(offset) {
                let problem = format!("`{folder}` is a path of one machine");
                findings.push(Finding::new(&source.path, source.line_of(offset), problem));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn paths_of_a_machine_are_found_outside_tests() {
        for bad in ["const A: &str = \"/home/ann/db\";", "//! See /tmp/db.", "// `/srv/x`"] {
            assert_eq!(found("crates/a/src/lib.rs", bad), 1, "{bad}");
            assert_eq!(found("crates/a/src/tests.rs", bad), 0, "{bad}");
        }
    }

    #[test]
    fn relative_paths_pass() {
        for good in ["//! See crates/srv/src.", "//! ./tmp/x, ../root/y, {base}/home/z"] {
            assert_eq!(found("crates/a/src/lib.rs", good), 0, "{good}");
        }
    }
}
