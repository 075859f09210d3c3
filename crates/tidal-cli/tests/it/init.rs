//! `init`: creating, extending, refusing.

use std::fs;

use crate::runner::{Bench, SCHEMA};

#[test]
fn a_database_is_created_once() {
    let bench = Bench::empty();
    let first = bench.run(&["init", "--schema", "schema.toml", "--json"]).ok().json();
    assert_eq!(
        first.to_string(),
        r#"{"created":true,"added":["purchase","view","follow"],"signals":["purchase","view","follow"],"added_attributes":[],"attributes":[],"changed_profiles":[],"profiles":[]}"#
    );
    let again = bench.run(&["init", "--schema", "schema.toml", "--json"]).ok().json();
    assert_eq!(
        again.to_string(),
        r#"{"created":false,"added":[],"signals":["purchase","view","follow"],"added_attributes":[],"attributes":[],"changed_profiles":[],"profiles":[]}"#
    );
}

#[test]
fn new_signal_types_are_added_and_usable() {
    let bench = Bench::new();
    bench.run(&["signal", "view", "a"]).ok();
    bench.write(
        "more.toml",
        format!(
            "{SCHEMA}\n[[signal]]\nname = \"like\"\ndecay = \"permanent\"\nwindows = [\"all\"]\n"
        )
        .as_bytes(),
    );
    let ran = bench.run(&["init", "--schema", "more.toml"]).ok();
    assert!(
        ran.stdout.contains("added")
            && ran.stdout.contains("like (item)")
            && !ran.stdout.contains("view"),
        "{ran:?}"
    );
    bench.run(&["signal", "like", "a"]).ok();
    assert_eq!((bench.count("like", "a"), bench.count("view", "a")), (1, 1));
}

#[test]
fn a_change_is_refused_in_the_words_of_the_schema_file() {
    let bench = Bench::new();
    for (from, to, expected) in [
        ("half_life = \"7d\"", "half_life = \"6d\"", "decay = { half_life = \"7d\" }"),
        ("\"1h\", \"24h\", \"7d\", \"all\"", "\"1h\"", "windows = [1h, 24h, 7d, all]"),
        ("velocity = true", "velocity = false", "velocity = true"),
        ("sums = true", "sums = false", "sums = true"),
        ("kind = \"creator\"", "kind = \"user\"", "kind = creator"),
        ("name = \"view\"", "name = \"look\"", "cannot be removed"),
    ] {
        bench.write("changed.toml", SCHEMA.replace(from, to).as_bytes());
        let ran = bench.run(&["init", "--schema", "changed.toml"]).fails(1, expected);
        assert!(!ran.stderr.contains('{') || ran.stderr.contains("half_life"), "{ran:?}");
    }
    bench.run(&["init", "--schema", "schema.toml"]).ok();
}

#[test]
fn a_schema_file_that_cannot_be_used_fails_and_creates_nothing() {
    let bench = Bench::empty();
    bench.write("bad.toml", b"[[signal]]\nname = \"view\"\ndecay = \"permanent\"\ncolour = 1\n");
    bench
        .run(&["init", "--schema", "bad.toml"])
        .fails(1, "bad.toml: line 4: unknown field `colour`");
    bench.run(&["init", "--schema", "missing.toml"]).fails(1, "missing.toml");
    assert!(!bench.db().exists());
}

#[test]
fn a_directory_of_something_else_is_left_alone() {
    let bench = Bench::empty();
    fs::create_dir(bench.db()).unwrap();
    bench.write("db/diary.txt", b"dear diary");
    bench.run(&["init", "--schema", "schema.toml"]).fails(1, "not a tidalDB directory");
    bench.run(&["stats"]).fails(1, "tidal");
    assert_eq!(fs::read_dir(bench.db()).unwrap().count(), 1);
}

#[test]
fn sums_without_windows_are_taken_and_pointed_out_once() {
    let bench = Bench::empty();
    bench.write("sums.toml", b"[[signal]]\nname = \"share\"\ndecay = \"permanent\"\nsums = true\n");
    let ran = bench.run(&["init", "--schema", "sums.toml", "--json"]).ok();
    assert_eq!(ran.json()["added"], serde_json::json!(["share"]));
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
    assert!(ran.stderr.contains("\"share\" has sums = true"), "{ran:?}");
    assert_eq!(bench.run(&["init", "--schema", "sums.toml"]).ok().stderr, "");
}

/// On each engine that the program was built with.
#[test]
fn a_database_is_created_on_the_engine_that_is_asked_for() {
    for engine in tidal_db::Engine::ALL.iter().map(|engine| engine.name()) {
        let bench = Bench::empty();
        bench.run(&["init", "--schema", "schema.toml", "--engine", engine]).ok();
        bench.run(&["signal", "view", "a"]).ok();
        assert_eq!(bench.run(&["--json", "stats"]).ok().json()["engine"], engine);
        bench.run(&["init", "--schema", "schema.toml"]).ok();
    }
    let bench = Bench::empty();
    let ran = bench.run(&["init", "--schema", "schema.toml", "--engine", "pebble"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("fjall") && !bench.db().exists(), "{ran:?}");
}
