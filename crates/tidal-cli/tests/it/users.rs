//! history: what a user did.

use serde_json::json;

use crate::runner::{Bench, Ran, keys};

const SCHEMA: &str = r#"
[[signal]]
name = "purchase"
decay = { half_life = "1d" }
history = true

[[signal]]
name = "view"
decay = "permanent"
"#;

fn shop() -> Bench {
    let bench = Bench::empty();
    bench.write("schema.toml", SCHEMA.as_bytes());
    bench.run(&["init", "--schema", "schema.toml"]).ok();
    bench.write(
        "sales.csv",
        b"item,at,who\nteapot,1700000000,ada\ncup,1700086400,bob\ncup,1700086400,ada\nteapot,1699913600,ada\n",
    );
    bench.import("sales.csv", &["--actor-column", "who"]).ok();
    bench
}

/// G100
#[test]
fn a_history_is_listed_newest_first() {
    let bench = shop();
    let asked = ["history", "ada", "--signal", "purchase", "--at", "last"];
    let ran = bench.run(&asked).ok();
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[0], "purchase by user ada at 2023-11-15T22:13:20Z");
    assert!(lines[3].starts_with("cup") && lines[3].ends_with("2023-11-15T22:13:20Z"), "{ran:?}");
    assert!(lines[4].starts_with("teapot") && lines[4].contains("0.75"), "{ran:?}");
    assert_eq!(lines.len(), 5);
    let value = bench.run(&[&asked[..], &["--limit", "1", "--json"]].concat()).ok().json();
    assert_eq!(keys(&value), ["signal", "user", "name", "at", "kind", "results"]);
    let cup = json!({ "id": 2, "name": "cup", "score": 1.0, "newest": "2023-11-15T22:13:20Z" });
    assert_eq!((&value["user"], &value["name"]), (&json!(1), &json!("ada")));
    assert_eq!((&value["kind"], &value["results"]), (&json!("item"), &json!([cup])));
}

/// G101
#[test]
fn what_was_forgotten_is_not_listed() {
    let bench = shop();
    bench.run(&["forget", "item", "cup", "--yes"]).ok();
    let asked = ["history", "ada", "--signal", "purchase", "--at", "last"];
    let ran = bench.run(&asked).ok();
    assert!(ran.stdout.contains("teapot") && !ran.stdout.contains("cup"), "{ran:?}");
    let ran = bench.run(&["history", "bob", "--signal", "purchase", "--at", "last"]).ok();
    assert_eq!(ran.stdout, "user bob has no purchase on record\n");
    bench.run(&["forget", "user", "ada", "--yes"]).ok();
    bench.run(&asked).fails(1, "no user \"ada\"");
}

#[test]
fn what_cannot_be_listed_is_told() {
    let bench = shop();
    bench.run(&["history", "eve", "--signal", "purchase"]).fails(1, "no user \"eve\"");
    bench.run(&["history", "ada", "--signal", "buy"]).fails(1, "no signal type \"buy\"");
    bench.run(&["history", "ada", "--signal", "view"]).fails(1, "declare `history = true`");
    bench.run(&["history", "ada"]).fails(2, "--signal");
    let before = ["history", "ada", "--signal", "purchase", "--at", "2020-01-01T00:00:00Z"];
    bench.run(&before).fails(1, "newest");
    bench.write("linear.toml", SCHEMA.replace("half_life", "lifetime").as_bytes());
    let init = ["--db", "other", "init", "--schema", "linear.toml"];
    Ran::of(&mut bench.command(&init)).fails(1, "cannot fade linearly");
}
