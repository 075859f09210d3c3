//! Rule: a file of Rust opens with `//!`, saying what it owns.
//!
//! Tests are left out: what a `tests.rs` is about is said by the file that it
//! stands beside.

use super::Finding;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let files = tree.sources.iter().filter(|source| !source.is_test);
    files
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| Finding::new(&source.path, 1, "a file opens with `//!` and what it owns"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_heading_is_found() {
        let found = |path| !check(&Tree::of(&[(path, "use std::fmt;\n")])).is_empty();
        assert!(found("crates/a/src/b.rs"));
        assert!(found("benches/benches/append.rs"));
        assert!(!found("crates/a/src/b/tests.rs"));
        assert!(!found("crates/a/tests/it/b.rs"));
        assert_eq!(check(&Tree::of(&[("crates/a/src/b.rs", "//! B.\n")])), []);
    }
}
