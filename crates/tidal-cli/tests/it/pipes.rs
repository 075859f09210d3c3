//! A reader that closes the pipe early, and other streams that fail.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::runner::{Bench, Ran};

#[test]
fn a_closed_pipe_ends_quietly() {
    let bench = Bench::new();
    // Far more output than a pipe holds.
    let rows: String = (0..50_000).map(|row| format!("item-{row},1000\n")).collect();
    bench.write("f.csv", format!("item,at\n{rows}").as_bytes());
    bench.import("f.csv", &[]).ok();
    let mut child = bench
        .command(&["--db", "db", "top", "purchase", "--limit", "50000", "--at", "last"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::with_capacity(64, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("purchase at"), "{first}");
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()),
        (Some(0), "")
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_under_standard_output_is_said() {
    let bench = Bench::new();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = bench.command(&["--db", "db", "stats"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .starts_with("tidal: cannot write to standard output")
    );
}

#[test]
fn no_progress_bar_is_drawn_into_a_file() {
    let bench = Bench::new();
    bench.write("f.csv", b"item,at\na,1000\n");
    assert_eq!(bench.import("f.csv", &["--batch", "1"]).ok().stderr, "");
    let quiet =
        Ran::of(bench.command(&["--db", "db", "stats", "--json"]).stdin(Stdio::null())).ok();
    assert_eq!(quiet.stderr, "");
}
