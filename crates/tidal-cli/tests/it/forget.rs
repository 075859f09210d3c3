//! forget: whom, whether it was meant, and what is left.

use std::fs;

use serde_json::{Value, json};

use crate::runner::{Bench, keys};

fn shop() -> Bench {
    let bench = Bench::new();
    bench.write(
        "sales.csv",
        b"item,at,who\nteapot,1700000000,ada\nteapot,1700000001,bob\ncup,1700000002,ada\n",
    );
    bench.import("sales.csv", &["--actor-column", "who"]).ok();
    bench.run(&["put", "teapot", "White, with a crack"]).ok();
    bench
}

fn dumped(bench: &Bench) -> Vec<Value> {
    let ran = bench.run(&["wal", "dump", "--json"]).ok();
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn nothing_is_forgotten_unless_it_was_meant() {
    let bench = shop();
    let before = bench.run(&["stats", "--json"]).ok().json();
    let ran = bench.run(&["forget", "item", "teapot"]);
    assert!(ran.stdout.contains("would forget item teapot (id 1)"), "{ran:?}");
    ran.fails(1, "nothing was changed; say --yes");
    let after = bench.run(&["stats", "--json"]).ok().json();
    assert_eq!(before["checksum"], after["checksum"]);
    assert_eq!(before["records"], after["records"]);
    bench.run(&["forget", "item", "saucer", "--yes"]).fails(1, "no item \"saucer\"");
    bench.run(&["forget", "thing", "teapot"]).fails(2, "thing");
    bench.run(&["forget", "item"]).fails(2, "ENTITY");
}

/// G80, G84
#[test]
fn what_was_forgotten_is_unknown() {
    let bench = shop();
    let value = bench.run(&["forget", "item", "teapot", "--yes", "--json"]).ok().json();
    assert_eq!(keys(&value), ["done", "entities", "purged"]);
    assert_eq!(value["done"], true);
    assert_eq!(
        value["entities"],
        json!([{ "kind": "item", "id": 1, "entity": "teapot", "was_forgotten": false }])
    );
    assert_eq!(
        keys(&value["purged"]),
        ["entities", "tombstones", "without_actor", "segments", "complete"]
    );
    assert_eq!(value["purged"]["entities"], 1);
    let stats = bench.run(&["--json", "stats"]).ok().json();
    assert_eq!((&stats["forgotten"], &stats["unpurged"]), (&json!(1), &json!(0)));
    bench.run(&["get", "teapot", "--at", "last"]).fails(1, "no item \"teapot\"");
    bench.run(&["forget", "item", "teapot", "--yes"]).fails(1, "no item \"teapot\"");
    assert_eq!(bench.count("purchase", "cup"), 1);
    // Importing the file again counts nothing, and the name stays forgotten.
    let again = bench.import("sales.csv", &["--actor-column", "who"]).ok().json();
    assert_eq!((&again["accepted"], &again["duplicates"]), (&json!(0), &json!(3)));
    bench.run(&["get", "teapot", "--at", "last"]).fails(1, "no item \"teapot\"");
    bench.run(&["put", "teapot", "Blue"]).ok();
    let blue = bench.run(&["get", "teapot", "--at", "last", "--json"]).ok().json();
    assert_eq!(blue["id"], 3);
    assert_eq!(blue["signals"]["purchase"]["count"]["all"], 0);
}

#[test]
fn several_are_forgotten_at_once_and_the_log_says_so() {
    let bench = shop();
    let ran = bench.run(&["forget", "user", "ada", "bob", "--yes"]).ok();
    for expected in ["forgot user ada (id 1)", "forgot user bob (id 2)", "purged 2 entities"] {
        assert!(ran.stdout.contains(expected), "{ran:?}");
    }
    let forgets: Vec<_> =
        dumped(&bench).into_iter().filter(|record| record["kind"] == "forget").collect();
    assert_eq!(forgets.len(), 2);
    assert_eq!((&forgets[1]["entity_kind"], &forgets[1]["entity"]), (&json!("user"), &json!(2)));
    let nothing = bench.run(&["purge"]).ok();
    assert!(nothing.stdout.contains("events without their user"), "{nothing:?}");
    // Their events count on.
    assert_eq!(bench.count("purchase", "teapot"), 2);
    bench.run(&["verify"]).ok();
}

#[test]
fn a_number_may_be_forgotten_twice_and_is_refused_afterwards() {
    let bench = Bench::new();
    bench.write("sales.csv", b"item,at\n7,1700000000\n8,1700000001\n");
    bench.import("sales.csv", &["--numeric-ids"]).ok();
    for was_forgotten in [false, true] {
        let value = bench.run(&["forget", "item", "7", "--yes", "--json"]).ok().json();
        assert_eq!(value["entities"][0]["was_forgotten"], was_forgotten);
    }
    bench.run(&["signal", "view", "7"]).fails(1, "item 7 was forgotten");
    bench.write("more.csv", b"item,at\n7,1700000002\n8,1700000003\n");
    let more = bench.import("more.csv", &["--numeric-ids"]);
    assert!(more.stderr.contains("item 7 was forgotten"), "{more:?}");
    assert_eq!(bench.count("purchase", "8"), 2);
}

/// What a salvage has put aside is no part of the database, and is pointed to.
#[test]
fn logs_that_were_put_aside_are_pointed_to() {
    let bench = shop();
    fs::create_dir(bench.db().join("log.damaged.0")).unwrap();
    let ran = bench.run(&["forget", "user", "ada", "--yes"]).ok();
    assert!(ran.stderr.contains("log.damaged.0 was put aside by a salvage"), "{ran:?}");
}
