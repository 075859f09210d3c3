//! Exit codes, and what may stand where on the line.

use crate::runner::{Bench, Ran};

#[test]
fn the_database_and_json_stand_anywhere() {
    let bench = Bench::new();
    for args in [
        ["--db", "db", "--json", "stats"].as_slice(),
        &["stats", "--json", "--db", "db"],
        &["--json", "stats", "--db=db"],
        &["--db", "db", "stats", "--json"],
    ] {
        let ran = Ran::of(&mut bench.command(args)).ok();
        assert_eq!(
            ran.json()["records"].as_u64().map(|records| records > 0),
            Some(true),
            "{args:?}"
        );
    }
}

#[test]
fn the_environment_names_a_database_and_the_option_wins() {
    let bench = Bench::new();
    Ran::of(bench.command(&["stats"]).env("TIDAL_DB", "db")).ok();
    Ran::of(bench.command(&["--db", "db", "stats"]).env("TIDAL_DB", "elsewhere")).ok();
    Ran::of(bench.command(&["stats", "--db", "db"]).env("TIDAL_DB", "elsewhere")).ok();
    Ran::of(bench.command(&["stats"]).env("TIDAL_DB", "elsewhere")).fails(1, "init");
    Ran::of(bench.command(&["stats"]).env("TIDAL_DB", "")).fails(2, "--db DIR");
    Ran::of(bench.command(&["--db", "db", "stats"]).env("TIDAL_DB", "")).ok();
}

const IMPORT_VIEWS: [&str; 7] =
    ["--db", "db", "import", "--entity-column", "a", "--signal", "view"];

#[test]
fn wrong_usage_exits_with_2() {
    let bench = Bench::new();
    for (args, expected) in [
        (["stats"].as_slice(), "--db"),
        (&["--db", "db", "fly"], "fly"),
        (&["--db", "db", "stats", "--colour"], "--colour"),
        (&["--db", "db", "get"], "<ENTITY>"),
        (&["--db", "db", "init"], "--schema"),
        (&["--db", "db", "put", "a"], "VALUE"),
        (&["--db", "db", "top", "purchase", "--by", "fame"], "fame"),
        (&["--db", "db", "top", "purchase", "--by", "count"], "--window"),
        (&["--db", "db", "top", "purchase", "--by", "velocity"], "--window"),
        (
            &["--db", "db", "top", "purchase", "--by", "count", "--window", "30d"],
            "declared: 1h, 24h, 7d, all",
        ),
        (&["--db", "db", "top", "purchase", "--by", "velocity", "--window", "30d"], "declared"),
        (&["--db", "db", "top", "purchase", "--by", "velocity", "--window", "all"], "ends"),
        (
            &["--db", "db", "top", "purchase", "--by", "count", "--window", "2h"],
            "1h, 24h, 7d, 30d or all",
        ),
        (&["--db", "db", "top", "follow", "--by", "velocity", "--window", "24h"], "no velocity"),
        (&["--db", "db", "top", "purchase", "--window", "1h"], "no window"),
        (&["--db", "db", "top", "purchase", "--at", "soon"], "soon"),
        (&["--db", "db", "top", "purchase", "--limit", "-1"], "must be 0 or more"),
        (
            &["--db", "db", "top", "purchase", "--limit", "ten"],
            "'ten' for '--limit <N>': it is not a number",
        ),
        (&["--db", "db", "top", "purchase", "--limit", "1.5"], "not a whole number"),
        (&["--db", "db", "top", "purchase", "--limit", "99999999999999999999"], "too large"),
        (&["--db", "db", "top", "purchase", "--limt", "1"], "did you mean --limit?"),
        (&["--db", "db", "signal", "view", "a", "--weight", "heavy"], "it is not a number"),
        (&["--db", "db", "signal", "view", "a", "--weight", "1e999"], "too large"),
        (&["--db", "db", "get", "-1"], "unexpected argument '-1' found; see --help"),
        (&["--db", "db", "stat"], "did you mean stats?"),
        (&["demo", "--events", "-1"], "must be from 1 to 100,000,000"),
        (&["demo", "--events", "99999999999999999999"], "must be from 1 to 100,000,000"),
        (&["--db", "db", "demo"], "tidal demo --keep db"),
        (&["help", "fly"], "\"fly\""),
        (&["--db", "db", "import", "--entity-column", "a", "f.csv"], "--signal"),
        (&[&IMPORT_VIEWS[..], &["--batch", "-5", "f.csv"]].concat(), "must be from 1 to 1,000,000"),
        (&[&IMPORT_VIEWS[..], &["--time-format", "unix", "f.csv"]].concat(), "add --time-column"),
        (
            &[&IMPORT_VIEWS[..], &["--reject", "-", "f.csv"]].concat(),
            "standard output carries data",
        ),
        (
            &[&IMPORT_VIEWS[..], &["--format", "jsonl", "--no-header", "f.csv"]].concat(),
            "this is JSONL",
        ),
        (
            &["--db", "db", "import", "--entity-column", "a", "--signal", "view", "f.dat"],
            "--format",
        ),
        (
            &[
                "--db",
                "db",
                "import",
                "--entity-column",
                "a",
                "--signal",
                "view",
                "--no-header",
                "f.csv",
            ],
            "number from 1",
        ),
        (
            &[
                "--db",
                "db",
                "import",
                "--entity-column",
                "a",
                "--signal",
                "view",
                "--time-format",
                "when",
                "f.csv",
            ],
            "unix-ms",
        ),
        (
            &[
                "--db",
                "db",
                "import",
                "--entity-column",
                "a",
                "--signal",
                "view",
                "--delimiter",
                "ab",
                "f.csv",
            ],
            "one byte",
        ),
        (
            &[
                "--db",
                "db",
                "import",
                "--entity-column",
                "a",
                "--signal",
                "view",
                "--delimiter",
                ",",
                "f.jsonl",
            ],
            "JSONL",
        ),
    ] {
        let ran = Ran::of(&mut bench.command(args)).fails(2, expected);
        assert_eq!(ran.stderr.lines().count(), 1, "{ran:#?}");
        assert_eq!(ran.stdout, "", "{args:?}");
    }
    assert!(!bench.path("-").exists());
}

#[test]
fn what_cannot_be_done_exits_with_1() {
    let bench = Bench::new();
    bench.write("big", &vec![b'x'; tidal_db::METADATA_BYTES_MAX + 1]);
    for (args, expected) in [
        (["--db", "nowhere", "stats"].as_slice(), "tidal --db nowhere init --schema"),
        (
            &["--db", "nowhere", "import", "--entity-column", "a", "--signal", "view", "f.csv"],
            "init",
        ),
        (&["--db", "db", "top", "fame"], "purchase, view, follow"),
        (&["--db", "db", "signal", "fame", "a"], "purchase, view, follow"),
        (&["--db", "db", "get", "nobody"], "nobody"),
        (&["--db", "db", "get", "nobody", "--kind", "creator"], "creator"),
        (&["--db", "db", "delete", "nobody"], "nobody"),
        (&["--db", "db", "top", "view", "--at", "last"], "newest event"),
        (&["--db", "db", "put", "a", "--file", "missing"], "missing"),
        (&["--db", "db", "put", "a", "--file", "big"], "too many"),
        (
            &["--db", "db", "import", "--entity-column", "a", "--signal", "view", "missing.csv"],
            "missing.csv",
        ),
        (
            &[
                "--db",
                "db",
                "import",
                "--entity-column",
                "a",
                "--signal",
                "view",
                "--kind",
                "user",
                "f.csv",
            ],
            "kind item",
        ),
        (&["--db", "db", "signal", "view", "a", "--weight", "nan"], "finite"),
        (&["--db", "db", "signal", "view", "a", "--weight", "1e16"], "1e15"),
        (&["--db", "db", "signal", "view", "a", "--time", "2500-01-01T00:00:00Z"], "clock"),
        (&["--db", "db", "signal", "view", ""], "1 to 255"),
    ] {
        let ran = Ran::of(&mut bench.command(args)).fails(1, expected);
        assert_eq!(ran.stderr.lines().count(), 1, "{ran:#?}");
        assert_eq!(ran.stdout, "", "{args:?}");
    }
    // None of that left a name behind.
    bench.run(&["get", "a"]).fails(1, "no item \"a\"");
    assert_eq!(bench.run(&["stats", "--json"]).ok().json()["records"], 1);
}

#[test]
fn help_and_version_are_data() {
    let bench = Bench::empty();
    let help = Ran::of(&mut bench.command(&["--help"])).ok();
    for command in [
        "init",
        "import",
        "signal",
        "set",
        "import-attributes",
        "get",
        "top",
        "rank",
        "put",
        "delete",
        "stats",
        "verify",
        "wal",
        "checkpoint",
        "backup",
        "restore",
        "verify-backup",
        "migrate",
        "demo",
    ] {
        assert!(help.stdout.contains(command), "{command}");
        let inner = Ran::of(&mut bench.command(&[command, "--help"])).ok();
        assert!(inner.stdout.contains("Example"), "{command}");
        assert_eq!(inner.stderr, "");
    }
    assert!(Ran::of(&mut bench.command(&["--version"])).ok().stdout.starts_with("tidal "));
    let nothing = Ran::of(&mut bench.command(&[]));
    assert_eq!((nothing.code, nothing.stdout.as_str()), (Some(2), ""));
}

#[test]
fn a_second_process_is_turned_away() {
    let bench = Bench::new();
    let held = tidal_db::TidalDB::open_existing(bench.db()).unwrap();
    bench.run(&["stats"]).fails(1, "open elsewhere");
    held.shutdown().unwrap();
    drop(held);
    bench.run(&["stats"]).ok();
}

#[test]
fn a_file_is_no_database() {
    let bench = Bench::empty();
    bench.write("orders.csv", b"item\na\n");
    for command in [["stats"].as_slice(), &["verify"], &["init", "--schema", "schema.toml"]] {
        let args = [&["--db", "orders.csv"], command].concat();
        Ran::of(&mut bench.command(&args)).fails(1, "orders.csv is a file and not a database");
    }
    assert_eq!(bench.read("orders.csv"), "item\na\n");
}

#[test]
fn help_may_stand_in_front() {
    let bench = Bench::empty();
    for (args, expected) in [
        (["help"].as_slice(), "Usage: tidal [OPTIONS] <COMMAND>"),
        (&["help", "--help"], "Usage: tidal help"),
        (&["help", "help"], "Usage: tidal help"),
        (&["help", "import"], "Usage: tidal import"),
    ] {
        let ran = Ran::of(&mut bench.command(args)).ok();
        assert!(ran.stdout.contains(expected), "{args:?}: {ran:#?}");
    }
    let (front, behind) = (["help", "top"], ["top", "--help"]);
    assert_eq!(
        Ran::of(&mut bench.command(&front)).ok().stdout,
        Ran::of(&mut bench.command(&behind)).ok().stdout
    );
}

#[test]
fn help_answers_what_people_ask() {
    let bench = Bench::empty();
    for (command, expected) in [
        (
            "import",
            [
                "uniques or history",
                "what was acknowledged before is in",
                "`tidal stats`",
                "without\n          zone is UTC",
            ]
            .as_slice(),
        ),
        ("signal", &["uniques or history", "UTC if it has no zone"]),
        ("get", &["UTC if it has no zone"]),
        ("top", &["UTC if it has no zone"]),
        ("verify", &["Only the log is checked", "opening it"]),
    ] {
        let help = Ran::of(&mut bench.command(&[command, "--help"])).ok().stdout;
        for expected in expected {
            assert!(help.contains(expected), "{command} lacks {expected:?} in\n{help}");
        }
    }
}
