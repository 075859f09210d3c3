//! Rule: every promise in [`GUARANTEES`] is named by a test.
//!
//! A promise has an id, such as `G12` or `C1`, that stands in bold at the start
//! of a list item, a table row or a heading. A test names it in a comment, in
//! its own name or in a message. What merely mentions an id is no promise. The
//! tests of xtask are left out, since they are about these rules.

use std::collections::BTreeMap;

use super::Finding;
use super::tree::Tree;

const GUARANTEES: &str = "docs/guarantees.md";

/// The letters of ids: guarantees, the ledger, crashes, the log's recovery.
const LETTERS: [char; 4] = ['G', 'L', 'C', 'R'];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(text) = tree.texts.get(GUARANTEES) else {
        return Vec::new();
    };
    let promised = promised(text);
    if promised.is_empty() {
        return vec![Finding::new(GUARANTEES, 1, "no promise has an id in bold, such as **G1**")];
    }
    let tested = tested(tree);
    promised
        .into_iter()
        .filter(|(id, _)| !tested.iter().any(|text| ids(text).any(|other| other == *id)))
        .map(|(id, line)| Finding::new(GUARANTEES, line, format!("no test names {id}")))
        .collect()
}

/// What to add to the report while there are no promises yet.
pub(super) fn note(tree: &Tree) -> &'static str {
    if tree.texts.contains_key(GUARANTEES) { "" } else { " (no promises yet to be named by tests)" }
}

/// The ids with the line of their promise.
fn promised(text: &str) -> BTreeMap<&str, usize> {
    let mut promised = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let opening = line.trim_start().trim_start_matches(|c: char| {
            c.is_ascii_digit() || c.is_whitespace() || "-+|#.)".contains(c)
        });
        let opening = opening.strip_prefix("* ").unwrap_or(opening);
        let is_item = opening.len() < line.len();
        let bold = opening.strip_prefix("**").and_then(|rest| rest.split_once("**"));
        if let Some((bold, _)) = bold.filter(|_| is_item) {
            for id in ids(bold) {
                promised.entry(id).or_insert(index + 1);
            }
        }
    }
    promised
}

/// The text of everything that is compiled for tests only.
fn tested(tree: &Tree) -> Vec<String> {
    let sources = tree.sources.iter().filter(|source| !source.path.starts_with("xtask/"));
    sources
        .map(|source| {
            let lines = source.lines().filter(|&(offset, _)| source.is_test_at(offset));
            lines.map(|(_, line)| line).collect()
        })
        .collect()
}

/// The ids in a text, each a word of its own; `_` divides words, so that the
/// name of a function can hold one.
fn ids(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| {
        word.strip_prefix(LETTERS)
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(guarantees: &str, path: &str, test: &str) -> Vec<(usize, String)> {
        let findings = check(&Tree::of(&[(GUARANTEES, guarantees), (path, test)]));
        findings.into_iter().map(|finding| (finding.line, finding.problem)).collect()
    }

    #[test]
    fn a_promise_that_no_test_names_is_found() {
        let path = "crates/a/tests/it/crash.rs";
        for line in
            ["- **G12** Kept.", "| **G12** | kept |", "3. **G12. Kept.**", "### **G12** Kept"]
        {
            let text = format!("# Promises\n\n{line}\n");
            assert_eq!(
                found(&text, path, "// G1, G123, aG12\n"),
                [(3, "no test names G12".into())]
            );
            assert_eq!(found(&text, path, "// G12 holds.\n"), []);
        }
    }

    #[test]
    fn only_tests_count() {
        let text = "- **C1** Kept.\n";
        let code = "//! C1\n// C1\n#[cfg(test)]\nmod tests {\n}\n";
        assert_eq!(found(text, "crates/a/src/lib.rs", code).len(), 1);
        let code = "//! A.\n#[cfg(test)]\nmod tests {\n    // C1\n}\n";
        assert_eq!(found(text, "crates/a/src/lib.rs", code), []);
        assert_eq!(found(text, "xtask/src/tests.rs", "// C1\n").len(), 1);
    }

    #[test]
    fn only_bold_ids_at_the_start_are_promises() {
        let text = "- **G1** Kept, as R3 says.\n- G2 is not bold\nThat **G4** is prose.\n";
        let promised: Vec<_> = promised(text).into_keys().collect();
        assert_eq!(promised, ["G1"]);
    }

    #[test]
    fn a_page_without_promises_is_found_and_no_page_is_not() {
        assert_eq!(found("# Promises\n", "crates/a/src/lib.rs", "//! A.\n").len(), 1);
        assert_eq!(check(&Tree::of(&[("crates/a/src/lib.rs", "//! A.\n")])), []);
    }
}
