//! Rule: a relative link in a document leads to a file, and its fragment to a
//! heading of that file.

use super::Finding;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.documents() {
        for (line, link) in links(text) {
            if let Some(problem) = problem(tree, path, text, link) {
                findings.push(Finding::new(path, line, format!("the link `{link}` {problem}")));
            }
        }
    }
    findings
}

fn problem(tree: &Tree, path: &str, text: &str, link: &str) -> Option<&'static str> {
    let (target, fragment) = link.split_once('#').unwrap_or((link, ""));
    let (target, headings) = if target.is_empty() {
        (path.to_owned(), Some(text))
    } else {
        let Some(target) = resolve(path, target) else {
            return Some("leads out of the repository");
        };
        let headings = tree.texts.get(&target).map(String::as_str);
        (target, headings)
    };
    if !target.is_empty() && !tree.paths.contains(&target) {
        return Some("leads to no file");
    }
    if fragment.is_empty() || !target.ends_with(".md") {
        return None;
    }
    let found = headings.is_some_and(|text| anchors(text).any(|anchor| anchor == fragment));
    (!found).then_some("leads to no heading")
}

/// The path, from the root, to which `target` leads from the file at `path`.
fn resolve(path: &str, target: &str) -> Option<String> {
    let mut parts: Vec<_> = path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The relative links with their lines; code is left out.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    for (line, prose) in prose(text) {
        // Every other part is between back-ticks, and so is code.
        for part in prose.split('`').step_by(2) {
            let targets = part.match_indices("](").filter_map(|(at, open)| {
                part.get(at + open.len()..)?.split_once(')').map(|(target, _)| target)
            });
            let definition = part
                .trim_start()
                .strip_prefix('[')
                .and_then(|rest| rest.split_once("]: ").map(|(_, target)| target.trim()));
            links.extend(
                targets.chain(definition).filter(|link| is_relative(link)).map(|link| (line, link)),
            );
        }
    }
    links
}

fn is_relative(link: &str) -> bool {
    !link.contains("://") && !link.starts_with("mailto:")
}

/// The anchors that the headings of a document make.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    let headings = prose(text).filter_map(|(_, line)| {
        let title = line.trim_start_matches('#');
        (title.len() < line.len()).then(|| title.strip_prefix(' ')).flatten()
    });
    headings.map(|title| {
        let kept = title.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

/// The lines, from 1, that are not in a block of code.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        (!in_code && !fence).then_some((index + 1, line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(link: &str) -> Vec<String> {
        let text = format!("# Top\n\nSee [this]({link}).\n");
        let tree = Tree::of(&[
            ("docs/a.md", &text),
            ("docs/b.md", "# The `way` of a write\n"),
            ("crates/a/src/lib.rs", "//! A.\n"),
        ]);
        check(&tree).into_iter().map(|finding| finding.problem).collect()
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        for (link, problem) in [
            ("c.md", "leads to no file"),
            ("../crates/a/src/main.rs", "leads to no file"),
            ("../../shared", "leads out of the repository"),
            ("b.md#the-way-of-a-read", "leads to no heading"),
            ("#bottom", "leads to no heading"),
        ] {
            assert_eq!(found(link), [format!("the link `{link}` {problem}")]);
        }
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        for link in [
            "b.md",
            "./b.md",
            "../docs/b.md#the-way-of-a-write",
            "#top",
            "../crates/a/src/lib.rs",
            "../crates/a",
            "https://example.org/x.md",
        ] {
            assert_eq!(found(link), [""; 0], "{link}");
        }
    }

    #[test]
    fn definitions_are_links_and_code_is_not() {
        let text = "[a]: gone.md\n`[b](gone.md)`\n```text\n[c](gone.md)\n```\n";
        assert_eq!(links(text), [(1, "gone.md")]);
    }
}
