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
