//! Rule: a dependency is named by a decision record, which says why it is there.

use super::Finding;
use super::tree::Tree;

/// The manifests that name dependencies, each with the section that does.
const MANIFESTS: [(&str, &str); 5] = [
    ("Cargo.toml", "[workspace.dependencies]"),
    ("benches/logs/Cargo.toml", "[dependencies]"),
    ("benches/engines/Cargo.toml", "[dependencies]"),
    ("benches/rank/Cargo.toml", "[dependencies]"),
    ("benches/peers/Cargo.toml", "[dependencies]"),
];
const RECORDS: &str = "docs/adr/";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let records: Vec<_> = tree.documents().filter(|(path, _)| path.starts_with(RECORDS)).collect();
    let is_recorded =
        |name: &str| records.iter().any(|(_, text)| text.contains(&format!("`{name}`")));
    let mut findings = Vec::new();
    for (path, section) in MANIFESTS {
        let manifest = tree.texts.get(path).map(String::as_str).unwrap_or_default();
        for (line, name) in dependencies(manifest, section).filter(|(_, name)| !is_recorded(name)) {
            let problem = format!("no record in {RECORDS} says why `{name}` is needed");
            findings.push(Finding::new(path, line, problem));
        }
    }
    findings
}

/// The dependencies on other people's crates, each with its line.
fn dependencies<'a>(manifest: &'a str, section: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    let lines = manifest.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines
        .skip_while(move |&(_, line)| line != section)
        .skip(1)
        .take_while(|(_, line)| !line.starts_with('['))
        .filter_map(|(line, text)| Some((line, text.split_once([' ', '='])?)))
        .filter(|(_, (name, value))| !name.starts_with('#') && !value.contains("path = "))
        .map(|(line, (name, _))| (line, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_without_a_record_is_found() {
        let manifest = "[workspace.dependencies]\n\
                        tidal-keys = { path = \"crates/tidal-keys\" }\n\
                        # Why.\n\
                        csv = \"1\"\n\
                        libm = { version = \"0.2\" }\n\n\
                        [profile.dev]\nopt-level = 1\n";
        let tree = Tree::of(&[
            ("Cargo.toml", manifest),
            ("benches/logs/Cargo.toml", "[dependencies]\nlibm = \"1\"\nfast-log = \"1\"\n"),
            ("benches/engines/Cargo.toml", "[dependencies]\nfast-chart = \"1\"\n"),
            ("docs/adr/0001-dependencies.md", "`libm` computes.\n"),
            ("docs/testing.md", "`csv` is read.\n"),
        ]);
        let csv = "no record in docs/adr/ says why `csv` is needed";
        let fast_chart = "no record in docs/adr/ says why `fast-chart` is needed";
        let fast_log = "no record in docs/adr/ says why `fast-log` is needed";
        assert_eq!(
            check(&tree),
            [
                Finding::new("Cargo.toml", 4, csv),
                Finding::new("benches/logs/Cargo.toml", 3, fast_log),
                Finding::new("benches/engines/Cargo.toml", 2, fast_chart)
            ]
        );
    }
}
