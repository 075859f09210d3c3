//! Rule: every crate takes the lints and the licence of the workspace.
//!
//! A crate that leaves them out is checked by nothing, and nobody notices. One
//! crate has lints of its own, since a lint that is forbidden cannot be expected
//! anywhere: they must be those of the workspace, with `unsafe_code` denied.

use super::Finding;
use super::tree::Tree;

const INHERITED: [&str; 4] = [
    INHERITED_LINTS,
    "license.workspace = true",
    "edition.workspace = true",
    "publish.workspace = true",
];

const INHERITED_LINTS: &str = "[lints]\nworkspace = true";
const WITH_OWN_LINTS: &str = "crates/tidal-storage/Cargo.toml";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = own_lints(tree);
    let members = tree.texts.iter().filter(|(path, _)| path.ends_with("/Cargo.toml"));
    for (path, text) in members {
        let missing = |inherited: &&&str| {
            !text.contains(**inherited)
                && (path != WITH_OWN_LINTS || **inherited != INHERITED_LINTS)
        };
        for inherited in INHERITED.iter().filter(missing) {
            let problem = format!("`{}` is missing", inherited.replace('\n', " "));
            findings.push(Finding::new(path, 1, problem));
        }
    }
    findings
}

/// Where the lints of the one crate differ from those of the workspace.
fn own_lints(tree: &Tree) -> Vec<Finding> {
    let (Some(root), Some(own)) = (tree.texts.get("Cargo.toml"), tree.texts.get(WITH_OWN_LINTS))
    else {
        return Vec::new();
    };
    let wanted = lints(root, "[workspace.lints.");
    let wanted =
        wanted.map(|lint| lint.replace("unsafe_code = \"forbid\"", "unsafe_code = \"deny\""));
    if wanted.eq(lints(own, "[lints.")) {
        return Vec::new();
    }
    let problem = "its lints are not those of the workspace with `unsafe_code = \"deny\"`";
    vec![Finding::new(WITH_OWN_LINTS, 1, problem.to_owned())]
}

/// The lines of the tables whose headings begin so, each with the name of its table.
fn lints<'t>(manifest: &'t str, heading: &'t str) -> impl Iterator<Item = String> + 't {
    let mut table = None;
    manifest.lines().filter_map(move |line| {
        if line.starts_with('[') {
            table = line.strip_prefix(heading);
            return None;
        }
        table.filter(|_| line.contains('=')).map(|table| format!("{table} {line}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_without_the_lints_is_found() {
        let complete = INHERITED.join("\n");
        assert_eq!(check(&Tree::of(&[("crates/a/Cargo.toml", &complete)])), []);
        let without = complete.replace("[lints]", "[other]");
        assert_eq!(
            check(&Tree::of(&[("crates/a/Cargo.toml", &without)])),
            [Finding::new("crates/a/Cargo.toml", 1, "`[lints] workspace = true` is missing")]
        );
    }
    #[test]
    fn own_lints_that_differ_are_found() {
        let root = "[workspace.lints.rust]\nunsafe_code = \"forbid\"\na = \"warn\"\n\n\
                    [workspace.lints.clippy]\nb = \"warn\"\n\n[profile.dev]\nc = 1\n";
        let rest = INHERITED.get(1..).unwrap().join("\n");
        let own = |rust: &str| {
            format!("[lints.rust]\n{rust}\n\n[lints.clippy]\nb = \"warn\"\n\n[x]\n{rest}\n")
        };
        let check = |own: &str| check(&Tree::of(&[("Cargo.toml", root), (WITH_OWN_LINTS, own)]));
        assert_eq!(check(&own("unsafe_code = \"deny\"\na = \"warn\"")), []);
        for other in
            ["unsafe_code = \"allow\"\na = \"warn\"", "unsafe_code = \"deny\"", "a = \"warn\""]
        {
            assert_eq!(check(&own(other)).len(), 1, "{other}");
        }
    }
}
