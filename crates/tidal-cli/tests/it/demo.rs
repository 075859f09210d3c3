//! The demonstration runs, keeps its promise and cleans up.

use std::fs;

use crate::runner::{Bench, Ran};

#[test]
fn the_demonstration_proves_itself_and_leaves_nothing() {
    let bench = Bench::empty();
    fs::create_dir(bench.path("tmp")).unwrap();
    let ran =
        Ran::of(bench.command(&["demo", "--events", "5000"]).env("TMPDIR", bench.path("tmp"))).ok();
    for expected in [
        "Hottest now",
        "Fastest now",
        "Most liked",
        "equal to the last bit",
        "events/s",
        "tidal demo --keep",
    ] {
        assert!(ran.stdout.contains(expected), "{expected} is missing in\n{}", ran.stdout);
    }
    assert_eq!(ran.stderr, "");
    assert_eq!(fs::read_dir(bench.path("tmp")).unwrap().count(), 0);
}

#[test]
fn a_kept_demonstration_can_be_read() {
    let bench = Bench::empty();
    let summary =
        Ran::of(&mut bench.command(&["demo", "--events", "5000", "--keep", "db", "--json"]))
            .ok()
            .json();
    assert_eq!(summary["equal_after_reopening"], true);
    let stats = bench.run(&["--json", "stats"]).ok().json();
    assert_eq!(stats["checksum"], summary["checksum"]);
    let top = bench.run(&["--json", "top", "view"]).ok().json();
    assert_eq!(top["results"].as_array().unwrap().len(), 10);
    Ran::of(&mut bench.command(&["demo", "--events", "5000", "--keep", "db"]))
        .fails(1, "not empty");
    assert_eq!(bench.run(&["--json", "stats"]).ok().json()["checksum"], summary["checksum"]);
}

#[test]
fn a_small_demonstration_shows_what_there_is_and_no_more() {
    let bench = Bench::empty();
    let one = Ran::of(&mut bench.command(&["demo", "--events", "1"])).ok();
    assert!(one.stdout.contains("up to now, 1 event.\n"), "{}", one.stdout);
    assert!(one.stdout.contains("Taken in: 1 event,"), "{}", one.stdout);
    for events in ["1", "10", "40"] {
        let ran = Ran::of(&mut bench.command(&["demo", "--events", events])).ok();
        assert!(!ran.stdout.contains("(0)"), "{}", ran.stdout);
        let numbered_and_empty = ran
            .stdout
            .lines()
            .any(|line| line.starts_with("  ") && line.trim().parse::<u8>().is_ok());
        assert!(!numbered_and_empty, "{}", ran.stdout);
        let fastest =
            ran.stdout.split("\n\n").skip_while(|part| !part.starts_with("Fastest")).nth(1);
        for line in fastest.unwrap().lines().filter(|line| line.contains("  ")).skip(1) {
            let views_per_hour = line.split_whitespace().rev().nth(2).unwrap();
            assert_ne!(views_per_hour, "0", "{}", ran.stdout);
        }
    }
}

#[test]
fn a_database_in_the_environment_does_not_stop_a_demonstration() {
    let bench = Bench::new();
    Ran::of(bench.command(&["demo", "--events", "1", "--json"]).env("TIDAL_DB", "db")).ok();
    assert_eq!(bench.run(&["--json", "stats"]).ok().json()["entities"], 0);
}
