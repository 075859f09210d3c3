//! Which crate of the workspace may depend on which.
//!
//! Y1. An edge that is not in [`LAYERS`] fails, whatever its kind: a dependency
//!     of tests or of a build script ties crates together too.
//! Y2. A crate that is not in [`LAYERS`] fails, so that a new one is given its
//!     place on purpose.

use std::path::Path;
use std::process;

use serde_json::Value;

use crate::apart;
use crate::failure::{Failure, Result};
use crate::steps::Step;
use crate::workspace;

/// Each crate with the crates it may depend on. Downward only: a crate stands
/// below whatever may depend on it.
const LAYERS: &[(&str, &[&str])] = &[
    ("tidal-types", &[]),
    ("tidal-keys", &["tidal-types"]),
    ("tidal-wal", &["tidal-types"]),
    ("tidal-storage", &["tidal-keys", "tidal-types"]),
    ("tidal-db", &["tidal-storage", "tidal-wal", "tidal-keys", "tidal-types"]),
    ("tidal-cli", &["tidal-db"]),
    // Beside the crates: nothing else may depend on these.
    ("tidal-benches", &["tidal-db", "tidal-wal", "tidal-storage", "tidal-types"]),
    ("tidal-bench-measure", &[]),
    ("tidal-bench-scale", &["tidal-bench-measure", "tidal-db"]),
    ("tidal-bench-guard", &["tidal-bench-measure", "tidal-db", "tidal-wal"]),
    ("tidal-bench-logs", &["tidal-bench-measure", "tidal-wal"]),
    ("tidal-bench-rank", &["tidal-bench-measure", "tidal-db"]),
    ("tidal-bench-peers", &["tidal-bench-measure", "tidal-db"]),
    ("tidal-kvdb-tests", &["tidal-storage"]),
    ("tidal-bench-engines", &["tidal-bench-measure", "tidal-storage", "tidal-keys", "tidal-types"]),
    ("xtask", &[]),
];

/// The check as a step.
pub(crate) fn step() -> Step {
    Step::check("layers", check)
}

fn check(root: &Path) -> Result<String> {
    let mut packages = packages(&metadata(root)?)?;
    packages.extend(packages_of_benches(root)?);
    let edges = edges(&packages)?;
    let problems = problems(&edges);
    if problems.is_empty() {
        let count: usize = edges.iter().map(|(_, targets)| targets.len()).sum();
        return Ok(format!("{count} edges between {} crates, all allowed", edges.len()));
    }
    Err(Failure::failed(problems.join("\n")))
}

/// The packages that are workspaces of their own.
fn packages_of_benches(root: &Path) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    for apart in apart::ALL {
        found.extend(packages(&metadata(&root.join(apart.folder()))?)?);
    }
    Ok(found)
}

/// What cargo says of a workspace's own packages.
fn metadata(root: &Path) -> Result<Value> {
    let output = process::Command::new(workspace::cargo())
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(root)
        .output()
        .map_err(|error| Failure::failed(format!("cannot start cargo: {error}")))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::failed(format!("`cargo metadata` failed: {}", complaint.trim())));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::failed(format!("`cargo metadata` gave no JSON: {error}")))
}

fn packages(metadata: &Value) -> Result<Vec<Value>> {
    array(metadata, "packages").cloned()
}

/// Each package with those of its dependencies that are among the packages too.
fn edges(packages: &[Value]) -> Result<Vec<(String, Vec<String>)>> {
    let names = packages.iter().map(|package| text(package, "name")).collect::<Result<Vec<_>>>()?;
    let mut edges = Vec::with_capacity(packages.len());
    for (package, &name) in packages.iter().zip(&names) {
        let mut targets = Vec::new();
        for dependency in array(package, "dependencies")? {
            // `name` is that of the package, also where it is renamed.
            let target = text(dependency, "name")?;
            if names.contains(&target) {
                targets.push(target.to_owned());
            }
        }
        edges.push((name.to_owned(), targets));
    }
    Ok(edges)
}

fn array<'a>(value: &'a Value, field: &str) -> Result<&'a Vec<Value>> {
    value
        .get(field)
        .and_then(Value::as_array)
        .ok_or_else(|| Failure::failed(format!("`cargo metadata` has no list `{field}`")))
}

fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str> {
    value
        .get(field)
        .and_then(Value::as_str)
        .ok_or_else(|| Failure::failed(format!("`cargo metadata` has no text `{field}`")))
}

/// A line for each edge and each crate that has no place in [`LAYERS`].
fn problems(edges: &[(String, Vec<String>)]) -> Vec<String> {
    let mut problems = Vec::new();
    for (from, targets) in edges {
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| name == from) else {
            problems.push(format!("{from} has no place among the layers (xtask/src/layers.rs)"));
            continue;
        };
        for to in targets {
            // A crate may ask for its own features in its tests.
            if to != from && !allowed.contains(&to.as_str()) {
                let allowed = if allowed.is_empty() { "none".into() } else { allowed.join(", ") };
                problems.push(format!("{from} may not depend on {to}; allowed: {allowed}"));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems_of(from: &str, to: &str) -> Vec<String> {
        let packages = format!(
            r#"{{ "packages": [
                {{ "name": "{from}", "dependencies": [
                    {{ "name": "{to}", "kind": "dev" }}, {{ "name": "serde", "kind": null }} ] }},
                {{ "name": "{to}", "dependencies": [] }} ] }}"#
        );
        let packages = super::packages(&serde_json::from_str(&packages).unwrap()).unwrap();
        problems(&edges(&packages).unwrap())
    }

    #[test]
    fn the_workspace_keeps_its_layers() {
        if let Err(failure) = check(&workspace::root().unwrap()) {
            panic!("{failure:?}");
        }
    }

    #[test]
    fn the_packages_apart_are_looked_at_too() {
        let packages = packages_of_benches(&workspace::root().unwrap()).unwrap();
        let names: Vec<_> = packages.iter().map(|package| text(package, "name").unwrap()).collect();
        assert_eq!(
            names,
            ["logs", "engines", "rank", "peers"].map(|name| format!("tidal-bench-{name}"))
        );
    }

    #[test]
    fn an_edge_upward_fails_and_names_both_ends_and_what_is_allowed() {
        let expected = "tidal-storage may not depend on tidal-db; allowed: tidal-keys, tidal-types";
        assert_eq!(problems_of("tidal-storage", "tidal-db"), [expected]);
        let expected = "tidal-types may not depend on tidal-keys; allowed: none";
        assert_eq!(problems_of("tidal-types", "tidal-keys"), [expected]);
    }

    #[test]
    fn edges_sideways_and_past_a_layer_fail() {
        for (from, to) in [
            ("tidal-wal", "tidal-keys"),
            ("tidal-storage", "tidal-wal"),
            ("tidal-cli", "tidal-types"),
            ("tidal-db", "tidal-benches"),
            ("tidal-db", "xtask"),
            ("tidal-bench-logs", "tidal-db"),
            ("tidal-wal", "tidal-bench-logs"),
            ("tidal-storage", "tidal-bench-measure"),
            ("tidal-bench-engines", "tidal-db"),
            ("xtask", "tidal-types"),
        ] {
            assert_eq!(problems_of(from, to).len(), 1, "{from} -> {to}");
        }
    }

    #[test]
    fn edges_of_the_table_and_to_oneself_pass() {
        assert_eq!(problems_of("tidal-cli", "tidal-db"), [""; 0]);
        assert_eq!(problems_of("tidal-benches", "tidal-wal"), [""; 0]);
        let own = [("tidal-storage".to_owned(), vec!["tidal-storage".to_owned()])];
        assert_eq!(problems(&own), [""; 0]);
    }

    #[test]
    fn a_crate_without_a_place_fails() {
        assert_eq!(problems_of("tidal-extra", "tidal-types").len(), 1);
    }

    #[test]
    fn the_table_points_downward_only() {
        // Whatever is allowed stands further up in the table, so no cycle can.
        for (index, (from, allowed)) in LAYERS.iter().enumerate() {
            for to in *allowed {
                let place = LAYERS.iter().position(|(name, _)| name == to).unwrap();
                assert!(place < index, "{from} -> {to}");
            }
        }
    }
}
