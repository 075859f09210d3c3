//! Times in files.

use crate::runner::Bench;

/// 2011-12-09T12:50:00Z, written in every way the program reads.
#[test]
fn every_time_format_means_the_same_instant() {
    for (text, format) in [
        ("1323435000", None),
        ("2011-12-09T12:50:00Z", None),
        ("2011-12-09T13:50:00+01:00", None),
        ("2011-12-09 12:50:00", None),
        ("1323435000", Some("unix")),
        ("1323435000.000", Some("unix")),
        ("1323435000000", Some("unix-ms")),
        ("1323435000000000000", Some("unix-ns")),
        ("2011-12-09 12:50:00", Some("rfc3339")),
        ("9.12.2011 12:50", Some("%d.%m.%Y %H:%M")),
        ("12/09/2011 12:50 PM", Some("%m/%d/%Y %I:%M %p")),
    ] {
        let bench = Bench::new();
        bench.write("f.csv", format!("item,at\na,{text}\n").as_bytes());
        let more: Vec<&str> = format.map_or_else(Vec::new, |format| vec!["--time-format", format]);
        bench.import("f.csv", &more).ok();
        let value = bench.run(&["--json", "stats"]).ok().json();
        assert_eq!(value["newest_event"], "2011-12-09T12:50:00Z", "{text} {format:?}");
    }
}

#[test]
fn nanoseconds_survive() {
    let bench = Bench::new();
    bench.write("f.csv", b"item,at\na,2011-12-09T12:50:00.123456789Z\n");
    bench.import("f.csv", &[]).ok();
    assert_eq!(
        bench.run(&["--json", "stats"]).ok().json()["newest_event"],
        "2011-12-09T12:50:00.123456789Z"
    );
}

#[test]
fn without_a_time_column_everything_happens_now() {
    let bench = Bench::new();
    bench.write("f.csv", b"item\na\na\n");
    bench.run(&["import", "--signal", "purchase", "--entity-column", "item", "f.csv"]).ok();
    let value = bench.run(&["--json", "get", "a"]).ok().json();
    assert_eq!(value["signals"]["purchase"]["count"]["1h"], 2);
}

#[test]
fn late_rows_are_taken() {
    let bench = Bench::new();
    bench.write("f.csv", b"item,at\na,2000000\na,1000\na,1999999\n");
    bench.import("f.csv", &[]).ok();
    let value = bench.run(&["--json", "get", "a", "--at", "last"]).ok().json();
    assert_eq!(value["signals"]["purchase"]["count"]["all"], 3);
    assert_eq!(value["signals"]["purchase"]["count"]["1h"], 2);
}
