//! Importing again what was imported before, whole or in part.

use std::process::Stdio;

use serde_json::Value;

use crate::runner::{Bench, real_data};

/// Accepted, duplicate and rejected rows.
fn counts(value: &Value) -> [u64; 3] {
    ["accepted", "duplicates", "rejected"].map(|key| value[key].as_u64().unwrap())
}

impl Bench {
    fn imported(&self, name: &str, more: &[&str]) -> [u64; 3] {
        counts(&self.import(name, more).ok().json())
    }

    fn checksum(&self) -> Value {
        self.run(&["--json", "stats"]).ok().json()["checksum"].clone()
    }
}

/// Rows with new names all along.
fn rows(count: u64) -> String {
    let row = |row| format!("item-{},{},user-{}\n", row * row % 977, 1_000_000 + row, row / 7);
    std::iter::once("item,at,user\n".to_owned()).chain((0..count).map(row)).collect()
}

/// G27
#[test]
fn the_same_import_counts_once() {
    let bench = Bench::new();
    bench.write("f.csv", b"item,at\na,1000\nb,1001\n,1002\na,1003\n");
    let reject = ["--reject", "bad.csv"];
    assert_eq!(bench.imported("f.csv", &reject), [3, 0, 1]);
    let (checksum, rejected) = (bench.checksum(), bench.read("bad.csv"));
    for batch in ["1", "10000"] {
        let again = [&reject[..], &["--batch", batch]].concat();
        assert_eq!(bench.imported("f.csv", &again), [0, 3, 1]);
        assert_eq!((bench.checksum(), bench.read("bad.csv")), (checksum.clone(), rejected.clone()));
    }
    // Another name, and compressed, but the same content.
    bench.write_gz("g.csv.gz", b"item,at\na,1000\nb,1001\n,1002\na,1003\n");
    assert_eq!(bench.imported("g.csv.gz", &reject), [0, 3, 1]);
    assert_eq!(bench.count("purchase", "a"), 2);
    // Mended, it is a new input.
    bench.write("bad.csv", b"item,at\nc,1002\n");
    assert_eq!(bench.imported("bad.csv", &[]), [1, 0, 0]);
}

/// G27: other rows or other options are a new import, other words for the same
/// are not.
#[test]
fn what_rows_mean_is_part_of_an_import() {
    let bench = Bench::new();
    bench.write("f.csv", b"item,at,n\na,1000,2\nb,1001,3\n");
    assert_eq!(bench.imported("f.csv", &[]), [2, 0, 0]);
    assert_eq!(bench.imported("f.csv", &["--weight-column", "n"]), [2, 0, 0]);
    assert_eq!(bench.imported("f.csv", &["--actor-column", "n"]), [2, 0, 0]);
    assert_eq!(bench.imported("f.csv", &["--time-format", "unix"]), [2, 0, 0]);
    assert_eq!(bench.imported("f.csv", &["--time-format", "unix"]), [0, 2, 0]);
    for same in [&["--format", "csv"][..], &["--kind", "item"], &["--delimiter", ","]] {
        assert_eq!(bench.imported("f.csv", same), [0, 2, 0], "{same:?}");
    }
    bench.write("f.csv", b"item,at,n\na,1000,2\nb,1001,4\n");
    assert_eq!(bench.imported("f.csv", &[]), [2, 0, 0]);
}

#[test]
fn standard_input_is_always_new() {
    let bench = Bench::new();
    let args =
        ["import", "--json", "--signal", "view", "--entity-column", "item", "--time-column", "at"];
    for _ in 0..2 {
        let ran = bench.pipe(&[&args[..], &["-"]].concat(), b"item,at\na,1000\n").ok();
        assert_eq!(counts(&ran.json()), [1, 0, 0]);
    }
    for expected in [[1, 0, 0], [0, 1, 0]] {
        let named = [&args[..], &["--source", "s", "-"]].concat();
        let ran = bench.pipe(&named, b"item,at\na,1000\n").ok();
        assert_eq!(counts(&ran.json()), expected);
    }
}

/// A row that was rejected and can be read by now comes too late: it is neither
/// counted nor are its names taken up.
#[test]
fn a_row_that_was_passed_over_leaves_no_name() {
    let bench = Bench::new();
    bench.write("f.csv", b"item,at,signal\na,1000,view\nlate,1001,share\nb,1002,view\n");
    let args = [
        "import",
        "--json",
        "--signal-column",
        "signal",
        "--entity-column",
        "item",
        "--time-column",
        "at",
        "--reject",
        "bad.csv",
        "f.csv",
    ];
    assert_eq!(counts(&bench.run(&args).ok().json()), [2, 0, 1]);
    let schema =
        bench.read("schema.toml") + "\n[[signal]]\nname = \"share\"\ndecay = \"permanent\"\n";
    bench.write("schema.toml", schema.as_bytes());
    let rejected = bench.read("bad.csv");
    bench.run(&["init", "--schema", "schema.toml"]).ok();
    let checksum = bench.checksum();
    assert_eq!(counts(&bench.run(&args).ok().json()), [0, 3, 0]);
    assert_eq!(bench.checksum(), checksum);
    bench.run(&["get", "late"]).fails(1, "late");
    // The rejected row is a new input.
    bench.write("mended.csv", rejected.as_bytes());
    let mended = [&args[..args.len() - 1], &["mended.csv"]].concat();
    assert_eq!(counts(&bench.run(&mended).ok().json()), [1, 0, 0]);
}

/// G28
#[test]
fn a_source_that_grows_goes_on_where_it_ended() {
    let whole = rows(100);
    let cut = |rows: usize| whole.split_inclusive('\n').take(rows + 1).collect::<String>();
    let source = ["--source", "shop", "--actor-column", "user", "--batch", "7", "--reject", "bad"];
    let bench = Bench::new();
    bench.write("f.csv", cut(30).trim_end().as_bytes());
    assert_eq!(bench.imported("f.csv", &source), [30, 0, 0]);
    assert_eq!(bench.imported("f.csv", &source), [0, 30, 0]);
    // The last row is torn: it is read again once it is whole.
    bench.write("f.csv", &cut(61).as_bytes()[..cut(60).len() + 4]);
    assert_eq!(bench.imported("f.csv", &source), [30, 30, 1]);
    bench.write_gz("other.csv.gz", whole.replace('\n', "\r\n").as_bytes());
    assert_eq!(bench.imported("other.csv.gz", &source), [40, 60, 0]);

    let once = Bench::new();
    once.write("f.csv", whole.as_bytes());
    assert_eq!(once.imported("f.csv", &source), [100, 0, 0]);
    assert_eq!(bench.checksum(), once.checksum());
}

/// G28
#[test]
fn a_source_that_has_changed_is_refused_before_anything_is_written() {
    let whole = rows(40);
    let source = ["--source", "shop", "--batch", "7"];
    let bench = Bench::new();
    bench.write("f.csv", whole.as_bytes());
    bench.imported("f.csv", &source);
    let checksum = bench.checksum();
    let more = whole.clone() + "new,2000000,user-1\n";
    let cases = [
        ("a row", more.replace("1000003", "1000002"), "first 40 rows"),
        ("the last row", more.replace("1000039", "1000038"), "first 40 rows"),
        ("a row less", more.replace("item-0,1000000,user-0\n", ""), "first 40 rows"),
        ("the header", more.replace("user\n", "viewer\n"), "first 40 rows"),
        ("the end", rows(39), "only 39"),
        ("all", rows(0), "only 0"),
    ];
    for (what, changed, expected) in cases {
        bench.write("f.csv", changed.as_bytes());
        let ran = bench.import("f.csv", &source).fails(1, expected);
        assert!(ran.stderr.contains("nothing was written"), "{what}: {ran:?}");
        assert_eq!(bench.checksum(), checksum, "{what}");
    }
    bench.write("f.csv", more.as_bytes());
    let other = [&source[..], &["--actor-column", "user"]].concat();
    bench.import("f.csv", &other).fails(1, "mean something else by the options");
    assert_eq!(bench.checksum(), checksum);
    assert_eq!(bench.imported("f.csv", &["--source", "other"]), [41, 0, 0]);
    assert_eq!(bench.imported("f.csv", &source), [1, 40, 0]);
    bench.import("f.csv", &["--source", ""]).fails(2, "--source");
}

/// How many groups the log of the database holds, more or less.
fn groups(bench: &Bench) -> u64 {
    let segments = std::fs::read_dir(bench.path("db/log")).unwrap();
    let bytes = segments.map(|file| std::fs::read(file.unwrap().path()).unwrap_or_default());
    bytes
        .map(|bytes| bytes.chunks(512).filter(|block| block.starts_with(b"TGRP")).count() as u64)
        .sum()
}

/// G27, G28: killed at any moment and run again, an import comes to the state of
/// one that was left alone.
#[test]
fn an_import_that_was_killed_goes_on() {
    const ROWS: u64 = 20_000;
    let file = rows(ROWS);
    for (round, source) in [None, Some("shop")].into_iter().enumerate() {
        let mut more = vec!["--actor-column", "user", "--batch", "300"];
        more.extend(source.iter().flat_map(|name| ["--source", name]));
        let once = Bench::new();
        once.write("f.csv", file.as_bytes());
        assert_eq!(once.imported("f.csv", &more), [ROWS, 0, 0]);
        let expected = once.checksum();

        let mut partial = 0;
        for seed in 0..8_u64 {
            let bench = Bench::new();
            bench.write("f.csv", file.as_bytes());
            let args = ["import", "--signal", "purchase", "--entity-column", "item"];
            let args = [&["--db", "db"][..], &args, &["--time-column", "at"], &more, &["f.csv"]];
            let mut child = bench
                .command(&args.concat())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            // Killed once so many groups are in the log; it may be further by then.
            while groups(&bench) < 3 + 2 * seed && child.try_wait().unwrap().is_none() {}
            child.kill().unwrap();
            child.wait().unwrap();
            let [accepted, duplicates, rejected] = bench.imported("f.csv", &more);
            assert_eq!((accepted + duplicates, rejected), (ROWS, 0), "round {round}, seed {seed}");
            assert_eq!(bench.checksum(), expected, "round {round}, seed {seed}");
            partial += u64::from(accepted > 0 && duplicates > 0);
        }
        assert!(partial > 0, "round {round}: no kill came in the middle");
    }
}

/// G27
#[test]
fn online_retail_counts_once() {
    let Some(path) = real_data("online-retail/online-retail.csv.gz") else {
        return;
    };
    let bench = Bench::new();
    let import = || counts(&bench.import_online_retail(&path).ok().json());
    assert_eq!(import(), [541_909, 0, 0]);
    let checksum = bench.checksum();
    assert_eq!(import(), [0, 541_909, 0]);
    assert_eq!(bench.checksum(), checksum);
}

/// What was rejected and can be read by now counts as a repeat, so the file that
/// holds it is not written over.
#[test]
fn earlier_rejects_are_kept() {
    let bench = Bench::new();
    bench.write("f.csv", b"item,at\na,1000\nb,never\nc,1002\n");
    bench.import("f.csv", &["--reject", "bad.csv"]).ok();
    let rejected = bench.read("bad.csv");
    assert!(rejected.contains("b,never"), "{rejected}");
    let ran = bench.import("f.csv", &["--reject", "bad.csv"]).ok();
    assert!(ran.stderr.contains("bad.csv.1"), "{}", ran.stderr);
    assert_eq!(bench.read("bad.csv.1"), rejected);
    assert_eq!(bench.read("bad.csv"), rejected);
}
