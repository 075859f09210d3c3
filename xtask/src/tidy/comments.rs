//! Rule: a comment is a sentence; it is neither code nor a promise to finish.

use super::Finding;
use super::source::Source;
use super::tree::Tree;

/// How statements begin, for telling code from prose.
const STATEMENTS: [&str; 9] =
    ["let ", "use ", "pub ", "fn ", "return ", "impl ", "struct ", "assert", "#["];

/// What marks unfinished work, in two halves so that this file is tidy.
const UNFINISHED: [(&str, &str); 3] = [("TO", "DO"), ("FIX", "ME"), ("XX", "X")];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.sources.iter().flat_map(findings).collect()
}

fn findings(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in source.comments.lines().enumerate() {
        let mut add = |problem: &str| findings.push(Finding::new(&source.path, index + 1, problem));
        if UNFINISHED.iter().any(|(first, second)| has_word(line, &[*first, *second].concat())) {
            add("a comment that promises to finish: finish it, or file an issue");
        }
        if plain_comment(line).is_some_and(is_code) {
            add("code in a comment: remove it, the history keeps it");
        }
    }
    findings
}

/// What an ordinary comment says; documentation may show code.
fn plain_comment(line: &str) -> Option<&str> {
    let comment = line.trim().strip_prefix("//")?;
    (!comment.starts_with(['/', '!'])).then(|| comment.trim())
}

fn is_code(comment: &str) -> bool {
    let ends_statement = comment.ends_with([';', '{']);
    let begins_statement = STATEMENTS.iter().any(|begin| comment.starts_with(begin));
    matches!(comment, "}" | "};" | "});" | ");")
        || ends_statement && begins_statement
        || comment.starts_with("#[") && comment.ends_with(']')
        || comment.ends_with(");") && is_call(comment)
}

/// Whether the line begins with what is called, as in `self.log.append(`.
fn is_call(comment: &str) -> bool {
    let callee = comment.split_once('(').map_or("", |(callee, _)| callee);
    !callee.is_empty() && callee.chars().all(|c| c.is_ascii_alphanumeric() || "_.:!&*?".contains(c))
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(comment: &str) -> bool {
        let text = format!("//! A.\n{comment}\n");
        !check(&Tree::of(&[("crates/a/src/lib.rs", &text)])).is_empty()
    }

    #[test]
    fn code_in_a_comment_is_found() {
        for bad in [
            "// let x = 1;",
            "    // self.log.append(batch);",
            "// println!(\"x\");",
            "// pub fn old() {",
            "// }",
            "// #[test]",
        ] {
            assert!(found(bad), "{bad}");
        }
    }

    #[test]
    fn unfinished_work_is_found() {
        for (first, second) in UNFINISHED {
            assert!(found(&format!("// {first}{second}: later")), "{second}");
            assert!(found(&format!("/// {first}{second} later")), "{second}");
        }
    }

    #[test]
    fn sentences_and_examples_pass() {
        for good in [
            "// The head is read first (see W1);",
            "// Let the writer go on;",
            "/// let x = 1;",
            "//! db.shutdown();",
            "// A batch is all there, or not at all.",
            "// https://example.org/a(b);",
        ] {
            assert!(!found(good), "{good}");
        }
    }
}
