//! Rule: one concept per file, so a file has at most [`LINES_MAX`] lines.
//!
//! Tests do not count, be they files or modules inside of one. A longer file
//! may be entered in [`RATCHET`] as `path lines`; it may then only shrink, and
//! leaves the list when it is short enough. The list does not exist while every
//! file is short enough.

use super::Finding;
use super::source::Source;
use super::tree::Tree;

/// Most files stay under 300 lines; this is where it ends.
const LINES_MAX: usize = 400;

/// The list of exceptions.
const RATCHET: &str = "xtask/length-ratchet.txt";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let entries = tree.texts.get(RATCHET).map(String::as_str).unwrap_or_default();
    let mut findings = Vec::new();
    for source in tree.sources.iter().filter(|source| !source.is_test) {
        let lines = lines(source);
        if allowed(entries, &source.path).is_none() && lines > LINES_MAX {
            let problem = format!("{lines} lines without tests, {LINES_MAX} at most");
            findings.push(Finding::new(&source.path, 1, problem));
        }
    }
    for (index, entry) in entries.lines().enumerate() {
        let path = entry.split_whitespace().next().unwrap_or_default();
        let lines = tree.sources.iter().find(|source| source.path == path).map(lines);
        let problem = match (lines, allowed(entry, path)) {
            (None, _) => "there is no such file".to_owned(),
            (Some(_), None) => "an entry is a path and a number of lines".to_owned(),
            (Some(lines), Some(_)) if lines <= LINES_MAX => "short enough: remove it".to_owned(),
            (Some(lines), Some(allowed)) if lines != allowed => {
                format!("{path} has {lines} lines: it may not grow, and the list follows it down")
            }
            (Some(_), Some(_)) => continue,
        };
        findings.push(Finding::new(RATCHET, index + 1, problem));
    }
    findings
}

fn lines(source: &Source) -> usize {
    source.lines().filter(|&(offset, _)| !source.is_test_at(offset)).count()
}

fn allowed(entries: &str, path: &str) -> Option<usize> {
    let mut entries = entries.lines().filter_map(|entry| entry.split_once(' '));
    entries.find(|&(entry, _)| entry == path)?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "crates/a/src/lib.rs";

    fn found(lines: usize, ratchet: &str) -> Vec<String> {
        let tests = "#[cfg(test)]\nmod tests {\n".to_owned() + &"fn a() {}\n".repeat(500) + "}\n";
        let text = "//! A.\n".repeat(lines) + &tests;
        let findings = check(&Tree::of(&[(PATH, &text), (RATCHET, ratchet)]));
        findings.into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn a_long_file_is_found_and_its_tests_do_not_count() {
        assert_eq!(found(LINES_MAX, ""), [""; 0]);
        assert_eq!(found(LINES_MAX + 1, ""), [PATH]);
    }

    #[test]
    fn the_ratchet_only_turns_one_way() {
        let entry = format!("{PATH} 450");
        assert_eq!(found(450, &entry), [""; 0]);
        for lines in [LINES_MAX, 449, 451] {
            assert_eq!(found(lines, &entry), [RATCHET], "{lines}");
        }
        assert_eq!(found(10, "crates/gone.rs 450"), [RATCHET]);
        assert_eq!(found(450, &format!("{PATH} many")), [PATH, RATCHET]);
    }
}
