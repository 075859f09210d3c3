//! The files of the repository that the rules read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::source::Source;
use crate::failure::{Failure, Result};

/// Folders that are not a part of the repository.
const NOT_OURS: [&str; 2] = [".git", "target"];

/// The folders that hold Rust.
const RUST_FOLDERS: [&str; 3] = ["crates/", "benches/", "xtask/"];

/// Ends of the names of files that are read as text.
const TEXT_ENDS: [&str; 5] = [".rs", ".md", ".toml", ".txt", ".ci/run"];

/// What the rules read. Paths are relative to the root and divided by `/`.
pub(super) struct Tree {
    /// Every file and folder.
    pub(super) paths: BTreeSet<String>,
    /// The text of each text file.
    pub(super) texts: BTreeMap<String, String>,
    /// Each file of Rust.
    pub(super) sources: Vec<Source>,
}

impl Tree {
    /// Reads the repository.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut paths = BTreeSet::new();
        walk(root, "", &mut paths)?;
        let mut texts = BTreeMap::new();
        for path in &paths {
            let file = root.join(path);
            if TEXT_ENDS.iter().any(|end| path.ends_with(end)) && file.is_file() {
                let text = fs::read_to_string(&file)
                    .map_err(|error| Failure::failed(format!("cannot read {path}: {error}")))?;
                texts.insert(path.clone(), text);
            }
        }
        Ok(Self::new(paths, texts))
    }

    fn new(paths: BTreeSet<String>, texts: BTreeMap<String, String>) -> Self {
        let mut sources: Vec<_> = texts
            .iter()
            .filter(|(path, _)| path.ends_with(".rs"))
            .filter(|(path, _)| RUST_FOLDERS.iter().any(|folder| path.starts_with(folder)))
            .map(|(path, text)| Source::new(path, text))
            .collect();
        // A file is a test too where its parent declares it only for tests.
        let declared: Vec<_> = sources.iter().flat_map(Source::test_modules).collect();
        for source in &mut sources {
            source.is_test |= declared.iter().any(|module| {
                source.path == format!("{module}.rs")
                    || source.path.starts_with(&format!("{module}/"))
            });
        }
        Self { paths, texts, sources }
    }

    /// The Markdown files.
    pub(super) fn documents(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts
            .iter()
            .filter(|(path, _)| path.ends_with(".md"))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// A tree of these files, for the tests of the rules.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let texts: BTreeMap<_, _> =
            files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned())).collect();
        let mut paths: BTreeSet<_> = texts.keys().cloned().collect();
        for path in texts.keys() {
            let ends = path.match_indices('/').map(|(end, _)| end);
            paths.extend(ends.map(|end| path[..end].to_owned()));
        }
        Self::new(paths, texts)
    }
}

fn walk(root: &Path, folder: &str, paths: &mut BTreeSet<String>) -> Result<()> {
    let cannot = |error| Failure::failed(format!("cannot read the folder {folder:?}: {error}"));
    for entry in fs::read_dir(root.join(folder)).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if NOT_OURS.contains(&name.as_str()) {
            continue;
        }
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if entry.file_type().map_err(cannot)?.is_dir() {
            walk(root, &path, paths)?;
        }
        paths.insert(path);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_declared_for_tests_is_a_test() {
        let tree = Tree::of(&[
            ("crates/a/src/lib.rs", "//! A.\n#[cfg(test)]\nmod model;\nmod real;\n"),
            ("crates/a/src/model.rs", ""),
            ("crates/a/src/model/deep.rs", ""),
            ("crates/a/src/real.rs", "#[cfg(test)]\nmod sample;\n"),
            ("crates/a/src/real/sample.rs", ""),
            ("crates/a/src/real/tests.rs", ""),
            ("crates/a/tests/it/main.rs", ""),
            ("crates/a/src/sample.rs", ""),
        ]);
        let tests: Vec<_> = tree
            .sources
            .iter()
            .filter(|source| source.is_test)
            .map(|source| &*source.path)
            .collect();
        let expected = [
            "crates/a/src/model.rs",
            "crates/a/src/model/deep.rs",
            "crates/a/src/real/sample.rs",
            "crates/a/src/real/tests.rs",
            "crates/a/tests/it/main.rs",
        ];
        assert_eq!(tests, expected);
    }
}
