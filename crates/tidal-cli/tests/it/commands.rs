//! signal, get, top, put, delete, stats, verify and checkpoint, and the JSON
//! they print.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::runner::{Bench, Ran, keys};

/// Three purchases of two items, the newest at 2011-12-09T12:00:00Z.
fn shop() -> Bench {
    let bench = Bench::new();
    bench.write(
        "sales.csv",
        b"item,at,n\n85123A,2011-12-08T11:00:00Z,6\n85123A,2011-12-09T11:30:00Z,2\n71053,2011-12-09T12:00:00Z,-1\n",
    );
    bench.import("sales.csv", &["--weight-column", "n"]).ok();
    bench
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

#[test]
fn get_prints_everything_about_an_entity() {
    let bench = shop();
    bench.run(&["put", "85123A", "{\"title\":\"Heart\"}"]).ok();
    let value = bench.run(&["get", "85123A", "--at", "last", "--json"]).ok().json();
    assert_eq!(keys(&value), ["kind", "id", "name", "at", "metadata", "attributes", "signals"]);
    assert_eq!(
        (&value["kind"], &value["id"], &value["name"]),
        (&json!("item"), &json!(1), &json!("85123A"))
    );
    assert_eq!(value["at"], "2011-12-09T12:00:00Z");
    assert_eq!(value["metadata"], "{\"title\":\"Heart\"}");
    assert_eq!(keys(&value["signals"]), ["purchase", "view"]);
    let purchase = &value["signals"]["purchase"];
    assert_eq!(keys(purchase), ["score", "count", "sum", "velocity", "uniques"]);
    assert_eq!(purchase["count"], json!({ "1h": 1, "24h": 1, "7d": 2, "all": 2 }));
    assert_eq!(purchase["sum"], json!({ "1h": 2.0, "24h": 2.0, "7d": 8.0, "all": 8.0 }));
    assert_eq!(keys(&purchase["velocity"]), ["1h", "24h", "7d"]);
    assert!((number(&purchase["velocity"]["1h"]) - 1.0 / 3600.0).abs() < 1e-12);
    // 25 hours and half an hour of a half-life of 168 hours.
    assert!((number(&purchase["score"]) - 7.407_84).abs() < 1e-4, "{purchase}");
    let view = &value["signals"]["view"];
    assert_eq!(
        *view,
        json!({ "score": 0.0, "count": { "all": 0 }, "sum": {}, "velocity": {}, "uniques": {} })
    );
}

/// G98: of signal types that declare it, per window.
#[test]
fn get_shows_unique_actors() {
    let bench = Bench::empty();
    let declared = "[[signal]]\nname = \"view\"\ndecay = \"permanent\"\nwindows = [\"1h\", \"all\"]\nuniques = true\n";
    bench.write("schema.toml", declared.as_bytes());
    let ran = bench.run(&["init", "--schema", "schema.toml"]).ok();
    assert!(ran.stdout.contains("windows 1h, all, uniques"), "{ran:?}");
    for (actor, time) in [("ada", "2020-01-01"), ("bob", "2020-01-01"), ("ada", "2020-01-02")] {
        bench.run(&["signal", "view", "film", "--actor", actor, "--time", time]).ok();
    }
    let value = bench.run(&["get", "film", "--at", "last", "--json"]).ok().json();
    assert_eq!(value["signals"]["view"]["uniques"], json!({ "1h": 1, "all": 2 }));
    let ran = bench.run(&["get", "film", "--at", "last"]).ok();
    let row = ran.stdout.lines().find(|line| line.contains("users")).unwrap();
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["users", "1", "2"]);
    bench.write("schema.toml", declared.replace("uniques = true", "").as_bytes());
    bench.run(&["init", "--schema", "schema.toml"]).fails(1, "uniques = true");
}

#[test]
fn get_shows_a_person_the_same() {
    let bench = shop();
    let ran = bench.run(&["get", "85123A", "--at", "last"]).ok();
    for expected in ["item 85123A (id 1)", "2011-12-09T12:00:00Z", "purchase", "7.41", "velocity/s"]
    {
        assert!(ran.stdout.contains(expected), "{ran:#?}");
    }
}

#[test]
fn get_shows_only_the_windows_that_there_are() {
    let bench = Bench::empty();
    bench.write(
        "schema.toml",
        b"[[signal]]\nname = \"view\"\ndecay = \"permanent\"\nwindows = [\"24h\"]\n\
          [[signal]]\nname = \"share\"\ndecay = \"permanent\"\n",
    );
    bench.run(&["init", "--schema", "schema.toml"]).ok();
    bench.run(&["signal", "share", "a", "--weight", "1e15"]).ok();
    let ran = bench.run(&["get", "a"]).ok();
    let table: Vec<Vec<&str>> =
        ran.stdout.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        table,
        [
            vec!["signal", "score", "24h"],
            vec!["view", "0", "count", "0"],
            vec!["share", "1,000,000,000,000,000"],
        ]
    );
}

#[test]
fn a_kind_without_signals_is_said_to_have_none() {
    let bench = shop();
    bench.run(&["signal", "purchase", "85123A", "--time", "last", "--actor", "ada"]).ok();
    let ran = bench.run(&["get", "ada", "--kind", "user"]).ok();
    assert!(ran.stdout.contains("no signal type is about entities of kind user"), "{ran:?}");
    // No score has faded where there is none.
    assert_eq!(ran.stderr, "");
    let value = bench.run(&["--json", "get", "ada", "--kind", "user"]).ok().json();
    assert_eq!(value["signals"], json!({}));
}

#[test]
fn a_kind_has_its_own_names_and_signals() {
    let bench = shop();
    bench.run(&["signal", "follow", "85123A", "--weight", "3", "--time", "last"]).ok();
    let value =
        bench.run(&["get", "85123A", "--kind", "creator", "--at", "last", "--json"]).ok().json();
    assert_eq!(
        value["signals"],
        json!({ "follow": { "score": 3.0, "count": { "24h": 1, "all": 1 }, "sum": {}, "velocity": {}, "uniques": {} } })
    );
    bench.run(&["get", "71053", "--kind", "creator"]).fails(1, "71053");
}

#[test]
fn top_ranks_by_score_count_and_velocity() {
    let bench = shop();
    let top = |more: &[&str]| {
        bench.run(&[&["--json", "top", "purchase", "--at", "last"], more].concat()).ok().json()
    };
    let value = top(&[]);
    assert_eq!(keys(&value), ["signal", "by", "window", "at", "results"]);
    assert_eq!(
        (&value["signal"], &value["by"], &value["window"]),
        (&json!("purchase"), &json!("score"), &Value::Null)
    );
    assert_eq!(value["at"], "2011-12-09T12:00:00Z");
    let results = value["results"].as_array().unwrap();
    assert_eq!(keys(&results[0]), ["rank", "id", "name", "value"]);
    assert_eq!((&results[0]["rank"], &results[0]["name"]), (&json!(1), &json!("85123A")));
    assert_eq!(results[1], json!({ "rank": 2, "id": 2, "name": "71053", "value": -1.0 }));

    let value = top(&["--by", "count", "--window", "all", "--limit", "1"]);
    assert_eq!((&value["by"], &value["window"]), (&json!("count"), &json!("all")));
    assert_eq!(value["results"], json!([{ "rank": 1, "id": 1, "name": "85123A", "value": 2.0 }]));
    let value = top(&["--by", "velocity", "--window", "1h"]);
    // Equal values rank by the lower id.
    assert_eq!(value["results"][0]["name"], "85123A");
    let ran = bench.run(&["top", "purchase", "--at", "last"]).ok();
    assert!(ran.stdout.contains("rank") && ran.stdout.contains("85123A"), "{ran:?}");
}

#[test]
fn the_limit_is_ten_unless_given() {
    let bench = Bench::new();
    let rows: String = (0..25).map(|item| format!("i{item},{}\n", 1_000 + item)).collect();
    bench.write("many.csv", format!("item,at\n{rows}").as_bytes());
    bench.import("many.csv", &[]).ok();
    let shown = |more: &[&str]| {
        let value =
            bench.run(&[&["--json", "top", "purchase", "--at", "last"], more].concat()).ok().json();
        value["results"].as_array().unwrap().len()
    };
    assert_eq!((shown(&[]), shown(&["--limit", "3"]), shown(&["--limit", "100"])), (10, 3, 25));
    assert_eq!(shown(&["--limit", "0"]), 0);
    let none = bench.run(&["top", "purchase", "--at", "last", "--limit", "0"]).ok();
    assert_eq!((none.stdout.as_str(), none.stderr.as_str()), ("", ""));
}

#[test]
fn old_data_is_pointed_to_last_once() {
    let bench = shop();
    for args in [["top", "purchase"], ["get", "85123A"]] {
        let now = bench.run(&args).ok();
        assert_eq!(now.stderr.matches("--at last").count(), 1, "{now:#?}");
        let last = bench.run(&[&args[..], &["--at", "last"]].concat()).ok();
        assert_eq!(last.stderr, "");
    }
    bench.run(&["signal", "purchase", "85123A"]).ok();
    assert_eq!(bench.run(&["top", "purchase"]).ok().stderr, "");
}

#[test]
fn the_past_cannot_be_read() {
    let bench = shop();
    for args in [["get", "85123A"], ["top", "purchase"]] {
        let ran = bench
            .run(&[&args[..], &["--at", "2011-12-09T11:59:59Z"]].concat())
            .fails(1, "--at last");
        assert!(ran.stderr.contains("2011-12-09T12:00:00Z"), "{ran:?}");
        bench.run(&[&args[..], &["--at", "2011-12-09T12:00:00Z"]].concat()).ok();
        // 2011-12-09T13:00:00Z, twice.
        bench.run(&[&args[..], &["--at", "1323435600"]].concat()).ok();
        bench.run(&[&args[..], &["--at", "1323435600.25"]].concat()).ok();
    }
}

#[test]
fn signal_writes_one_event() {
    let bench = Bench::new();
    let value = bench
        .run(&[
            "--json",
            "signal",
            "purchase",
            "a",
            "--weight",
            "-2.5",
            "--time",
            "1323435600",
            "--actor",
            "u",
        ])
        .ok()
        .json();
    assert_eq!(keys(&value), ["signal", "kind", "id", "at", "seq"]);
    assert_eq!((&value["id"], &value["at"]), (&json!(1), &json!("2011-12-09T13:00:00Z")));
    bench.run(&["signal", "purchase", "a", "--time", "last"]).ok();
    let value = bench.run(&["--json", "get", "a", "--at", "last"]).ok().json();
    assert_eq!(value["signals"]["purchase"]["count"]["1h"], 2);
    assert_eq!(value["signals"]["purchase"]["score"], -1.5);
    // The actor has a name, and so is known.
    bench.run(&["get", "u", "--kind", "user"]).ok();
}

#[test]
fn metadata_is_stored_read_and_deleted() {
    let bench = Bench::new();
    bench.write("bytes", b"\xff\x00metadata");
    bench.run(&["put", "a", "first"]).ok();
    bench.run(&["put", "a", "--file", "bytes"]).ok();
    let value = bench.run(&["--json", "get", "a"]).ok().json();
    assert_eq!(
        (&value["metadata"], &value["metadata_encoding"]),
        (&json!("/wBtZXRhZGF0YQ=="), &json!("base64"))
    );
    bench.run(&["signal", "view", "a"]).ok();
    let deleted = bench.run(&["--json", "delete", "a"]).ok().json();
    assert_eq!(deleted, json!({ "kind": "item", "id": 1, "deleted": true }));
    let value = bench.run(&["--json", "get", "a"]).ok().json();
    assert_eq!((&value["metadata"], &value["name"]), (&Value::Null, &json!("a")));
    assert_eq!(value["signals"]["view"]["count"]["all"], 1);
    let again = bench.run(&["--json", "delete", "a"]).ok().json();
    assert_eq!(again["deleted"], false);
}

#[test]
fn stats_count_what_there_is() {
    let bench = shop();
    let value = bench.run(&["--json", "stats"]).ok().json();
    let expected = [
        "entities",
        "cells",
        "records",
        "log_bytes",
        "storage_bytes",
        "memory_bytes",
        "unique_actors_bytes",
        "newest_event",
        "engine",
        "checksum",
        "schema",
    ];
    assert_eq!(keys(&value)[..expected.len()], expected);
    assert_eq!((&value["entities"], &value["cells"]), (&json!(2), &json!(2)));
    assert_eq!(
        (&value["newest_event"], &value["engine"]),
        (&json!("2011-12-09T12:00:00Z"), &json!("fjall"))
    );
    let checksum = value["checksum"].as_str().unwrap();
    assert!(
        checksum.len() >= 32 && checksum.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{checksum}"
    );
    let log = &value["log"];
    assert_eq!((&log["bytes"], &log["first_seq"]), (&value["log_bytes"], &json!(1)));
    assert_eq!((&log["durable_seq"], &log["queued_bytes"]), (&value["records"], &json!(0)));
    assert_eq!((&log["held_by"], &log["cursors"]), (&Value::Null, &json!([])));
    assert!(log["segments"].as_u64().unwrap() > 0);
    assert_eq!((&log["sealed_segments"], &log["original_bytes"]), (&json!(0), &log["bytes"]));
    // A database that was fed the same has the same checksum.
    assert_eq!(shop().run(&["--json", "stats"]).ok().json()["checksum"], value["checksum"]);
    assert!(bench.run(&["stats"]).ok().stdout.contains(checksum));
    let empty = Bench::new().run(&["--json", "stats"]).ok().json();
    assert_eq!((&empty["newest_event"], &empty["entities"]), (&Value::Null, &json!(0)));
}

#[test]
fn checkpoint_changes_no_answer() {
    let bench = shop();
    let before = bench.run(&["--json", "stats"]).ok().json();
    let value = bench.run(&["--json", "checkpoint"]).ok().json();
    assert_eq!(keys(&value), ["log_id", "seq"]);
    assert_eq!(bench.run(&["--json", "stats"]).ok().json()["checksum"], before["checksum"]);
    assert!(bench.run(&["checkpoint"]).ok().stdout.contains("record"));
}

#[test]
fn verify_finds_damage_and_never_writes() {
    let bench = shop();
    let value = bench.run(&["--json", "verify"]).ok().json();
    let fields = [
        "ok",
        "segments",
        "sealed",
        "rewritten",
        "groups",
        "records",
        "log_id",
        "last_seq",
        "digest",
        "problems",
    ];
    assert_eq!(keys(&value), fields);
    assert_eq!((&value["ok"], &value["problems"]), (&json!(true), &json!([])));
    let text = bench.run(&["verify"]).ok().stdout;
    assert!(text.starts_with("ok"), "{text}");
    assert!(text.contains(value["digest"].as_str().unwrap()), "{text}");

    damage(&bench.db());
    let before = contents(&bench.db());
    let ran = bench.run(&["--json", "verify"]).fails(1, "backup");
    let value = ran.json();
    assert_eq!(value["ok"], false);
    assert_eq!(keys(&value["problems"][0]), ["path", "offset", "problem"]);
    let text = bench.run(&["verify"]).fails(1, "backup");
    assert!(text.stdout.contains("at byte"), "{text:?}");
    assert!(contents(&bench.db()) == before);
    bench.run(&["stats"]).fails(1, "");
    Ran::of(&mut bench.command(&["--db", "nowhere", "verify"])).fails(1, "nowhere");
}

/// Turns over every bit of a byte in the first group of records that a log
/// segment holds: an item's name in it.
fn damage(db: &Path) {
    for (path, bytes) in contents(db) {
        let is_log =
            !path.components().any(|part| part.as_os_str().to_string_lossy().contains("storage"));
        let place = bytes.windows(6).position(|window| window == b"85123A");
        if let (true, Some(place)) = (is_log, place) {
            let mut bytes = bytes;
            bytes[place] ^= 0xff;
            fs::write(path, bytes).unwrap();
            return;
        }
    }
    panic!("no log segment holds the name");
}

/// Every file under a directory with its bytes, in order.
fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut paths: Vec<PathBuf> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
    found
}
