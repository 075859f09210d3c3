//! Rule: no tabs, no space before the end of a line, a line end at the end of
//! the file. In every text file.

use super::Finding;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in &tree.texts {
        for (index, line) in text.split('\n').enumerate() {
            if line.contains('\t') {
                findings.push(Finding::new(path, index + 1, "a tab"));
            }
            if line.ends_with(|c: char| c.is_whitespace() && c != '\t') {
                findings.push(Finding::new(path, index + 1, "space at the end of the line"));
            }
        }
        if !text.is_empty() && !text.ends_with('\n') {
            let last = text.lines().count();
            findings.push(Finding::new(path, last, "no line end at the end of the file"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untidy_white_space_is_found() {
        let found = |text| {
            let findings = check(&Tree::of(&[("docs/a.md", text)]));
            findings.into_iter().map(|finding| (finding.line, finding.problem)).collect::<Vec<_>>()
        };
        assert_eq!(found("a\nb\n"), []);
        assert_eq!(found("a\n\tb\n"), [(2, "a tab".into())]);
        assert_eq!(found("a \nb\n"), [(1, "space at the end of the line".into())]);
        assert_eq!(found("a\r\nb\n"), [(1, "space at the end of the line".into())]);
        assert_eq!(found("a\nb"), [(2, "no line end at the end of the file".into())]);
    }
}
