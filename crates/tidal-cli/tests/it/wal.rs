//! wal stat, wal dump and wal salvage.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::runner::{Bench, keys};

/// A database with a few purchases, and whether its checkpoint has them.
fn shop() -> Bench {
    let bench = Bench::new();
    for weight in ["1", "2", "3"] {
        bench.run(&["signal", "purchase", "85123A", "--weight", weight, "--actor", "anna"]).ok();
    }
    bench.run(&["put", "85123A", "{}"]).ok();
    bench
}

/// Every file with its bytes and when it was written, but for storage.
fn snapshot(dir: &Path) -> Vec<(PathBuf, Vec<u8>, SystemTime)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        if path.is_dir() {
            files.push((path.clone(), Vec::new(), modified));
            files.extend(snapshot(&path));
        } else {
            files.push((path.clone(), fs::read(&path).unwrap(), modified));
        }
    }
    files.sort();
    files
}

/// Flips a byte of the group that holds the last event: its weight.
fn damage(bench: &Bench) -> String {
    let path = bench.db().join("log/wal-0000000000000000.seg");
    let mut bytes = fs::read(&path).unwrap();
    let weight = 3.0_f64.to_le_bytes();
    let place = bytes.windows(8).rposition(|window| window == weight).unwrap();
    bytes[place] ^= 1;
    fs::write(&path, bytes).unwrap();
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn stat_and_dump_show_a_log_and_never_write() {
    let bench = shop();
    let before = snapshot(&bench.db());
    let stat = bench.run(&["--json", "wal", "stat"]).ok().json();
    let fields = [
        "log_id",
        "parent",
        "first_seq",
        "last_seq",
        "digest",
        "synced",
        "segments",
        "checkpoints",
        "cursors",
        "set_aside",
        "problem",
        "torn_tail",
    ];
    assert_eq!(keys(&stat), fields);
    assert_eq!(stat["cursors"], json!([]));
    let newest = stat["checkpoints"].as_array().unwrap().last().unwrap();
    assert_eq!((&newest["keys"], &newest["owner_state"]), (&json!(0), &json!(7)));
    assert_eq!((&stat["first_seq"], &stat["last_seq"]), (&json!(1), &json!(7)));
    assert_eq!(stat["segments"][0]["records"], 7);
    let text = bench.run(&["wal", "stat", "db"]).ok().stdout;
    for part in ["log_id", "digest"] {
        assert!(text.contains(stat[part].as_str().unwrap()), "{text}");
    }
    assert_eq!(bench.run(&["--json", "verify"]).ok().json()["digest"], stat["digest"]);

    let all = bench.run(&["wal", "dump"]).ok().stdout;
    assert_eq!(all.lines().count(), 7);
    let event = all.lines().find(|line| line.contains("weight 2")).unwrap();
    for part in ["event", "purchase", "85123A", "by anna", " at "] {
        assert!(event.contains(part), "{event}");
    }
    let some = bench.run(&["--json", "wal", "dump", "--from", "4", "--limit", "2"]).ok();
    let some = lines(&some.stdout);
    assert_eq!(some.iter().map(|line| line["seq"].clone()).collect::<Vec<_>>(), [4, 5]);
    let fields = [
        "seq",
        "log_time",
        "kind",
        "signal",
        "signal_id",
        "entity",
        "weight",
        "time",
        "actor",
        "name",
        "actor_name",
        "producer",
    ];
    assert_eq!(keys(&some[0]), fields);
    assert_eq!((&some[0]["name"], &some[0]["signal"]), (&json!("85123A"), &json!("purchase")));
    assert_eq!(bench.run(&["wal", "dump", "--limit", "0"]).ok().stdout, "");

    // The log alone, as another program would keep it.
    let alone = bench.run(&["wal", "dump", "db/log", "--limit", "1"]).ok().stdout;
    assert!(alone.contains("kind 1"), "{alone}");
    assert_eq!(bench.run(&["--json", "wal", "stat", "db/log"]).ok().json(), {
        let mut stat = stat;
        stat["segments"][0]["path"] = json!("db/log/wal-0000000000000000.seg");
        stat
    });

    let name = damage(&bench);
    let damaged = snapshot(&bench.db());
    for command in ["stat", "dump"] {
        let ran = bench.run(&["wal", command]).fails(1, "damaged");
        assert!(ran.stderr.contains(&name) && ran.stderr.contains("at byte"), "{ran:#?}");
        assert!(!ran.stdout.is_empty());
    }
    assert_eq!(bench.run(&["wal", "dump"]).fails(1, "damaged").stdout.lines().count(), 5);
    let stat = bench.run(&["--json", "wal", "stat"]).fails(1, "damaged").json();
    assert_eq!((&stat["last_seq"], &stat["problem"]["offset"]), (&json!(5), &json!(6656)));
    assert_eq!(snapshot(&bench.db()), damaged);
    assert_eq!(before.len(), damaged.len());
    bench.run(&["wal", "stat", "nowhere"]).fails(1, "nowhere");
}

/// G33, G36: told first, done when asked to, and the damaged log is kept.
#[test]
fn salvage_says_what_it_would_do_and_does_it_when_asked() {
    let bench = shop();
    bench.run(&["wal", "salvage", "--yes"]).fails(1, "sound");
    damage(&bench);
    bench.run(&["stats"]).fails(1, "damaged");
    let before = snapshot(&bench.db().join("log"));
    let plan = bench.run(&["--json", "wal", "salvage"]).fails(1, "--rebuild-storage").json();
    assert_eq!((&plan["done"], &plan["records"]), (&json!(false), &json!(5)));
    assert_eq!(plan["lost"]["known"], json!([6, 7]));
    assert_eq!(plan["lost"]["readable"], json!([[7, 7]]));
    assert_eq!((&plan["storage"], &plan["storage_seq"]), (&json!("must be rebuilt"), &json!(7)));
    let ran = bench.run(&["wal", "salvage", "--yes"]).fails(1, "nothing was changed");
    assert!(ran.stdout.contains("6 to 7"), "{ran:#?}");
    assert_eq!(snapshot(&bench.db().join("log")), before);

    bench.run(&["wal", "salvage", "--to", "new"]).fails(1, "--yes");
    assert!(!bench.path("new").exists());
    bench.run(&["wal", "salvage", "--to", "new", "--yes"]).ok();
    let stat = bench.run(&["--json", "wal", "stat", "new"]).ok().json();
    assert_eq!(stat["parent"], plan["parent"]);
    bench.run(&["wal", "salvage", "--to", "new", "--yes"]).fails(1, "not empty");
    bench.run(&["wal", "salvage", "db/log", "--yes"]).fails(1, "--to");
    assert_eq!(snapshot(&bench.db().join("log")), before);

    let done = bench.run(&["--json", "wal", "salvage", "--yes", "--rebuild-storage"]).ok().json();
    assert_eq!((&done["done"], &done["parent"]), (&json!(true), &plan["parent"]));
    assert_eq!(done["set_aside"].as_array().unwrap().len(), 2);
    assert_eq!(bench.count("purchase", "85123A"), 2);
    assert!(bench.run(&["verify"]).ok().stdout.contains("records 5"));
    bench.run(&["signal", "purchase", "85123A"]).ok();
    assert_eq!(bench.count("purchase", "85123A"), 3);
}

/// G27, G33: what a salvage gave up, the same import counts again, and nothing else.
#[test]
fn an_import_after_a_salvage_counts_what_is_missing() {
    let bench = Bench::new();
    let mut csv = String::from("item,at\n");
    for row in 0..3000 {
        csv.push_str(&format!("item{},{}\n", row % 7, 1_600_000_000 + row));
    }
    bench.write("orders.csv", csv.as_bytes());
    bench.import("orders.csv", &["--batch", "5"]).ok();
    let whole = bench.run(&["--json", "stats"]).ok().json();

    let path = bench.db().join("log/wal-0000000000000000.seg");
    let mut bytes = fs::read(&path).unwrap();
    let groups: Vec<_> =
        (4096..bytes.len()).step_by(512).filter(|&at| bytes[at..].starts_with(b"TGRP")).collect();
    bytes[groups[groups.len() / 2] + 90] ^= 1;
    fs::write(&path, bytes).unwrap();
    let done = bench.run(&["--json", "wal", "salvage", "--yes", "--rebuild-storage"]).ok().json();
    assert!(done["records"].as_u64().unwrap() > 10, "{done}");
    let after = bench.run(&["--json", "stats"]).ok().json();
    assert_ne!(after["checksum"], whole["checksum"]);

    let again = bench.import("orders.csv", &["--batch", "5"]).ok().json();
    assert!(again["duplicates"].as_u64().unwrap() > 0, "{again}");
    assert_eq!(bench.run(&["--json", "stats"]).ok().json()["checksum"], whole["checksum"]);
}
