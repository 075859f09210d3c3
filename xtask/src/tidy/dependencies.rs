//! Rule: a dependency is named by a decision record, which says why it is there.

use super::Finding;
use super::tree::Tree;

const MANIFEST: &str = "Cargo.toml";
const RECORDS: &str = "docs/adr/";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let manifest = tree.texts.get(MANIFEST).map(String::as_str).unwrap_or_default();
    let records: Vec<_> = tree.documents().filter(|(path, _)| path.starts_with(RECORDS)).collect();
    dependencies(manifest)
        .filter(|(_, name)| !records.iter().any(|(_, text)| text.contains(&format!("`{name}`"))))
        .map(|(line, name)| {
            let problem = format!("no record in {RECORDS} says why `{name}` is needed");
            Finding::new(MANIFEST, line, problem)
        })
        .collect()
}

/// The dependencies on other people's crates, each with its line.
fn dependencies(manifest: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = manifest.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines
        .skip_while(|&(_, line)| line != "[workspace.dependencies]")
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
            (MANIFEST, manifest),
            ("docs/adr/0001-dependencies.md", "`libm` computes.\n"),
            ("docs/testing.md", "`csv` is read.\n"),
        ]);
        let expected = "no record in docs/adr/ says why `csv` is needed";
        assert_eq!(check(&tree), [Finding::new(MANIFEST, 4, expected)]);
    }
}
