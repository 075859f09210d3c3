//! CSV, TSV, text and JSONL, plain and compressed, from files and standard
//! input.

use serde_json::json;

use crate::runner::{Bench, keys};

const CSV: &[u8] = b"\xef\xbb\xbfitem,at,n\r\na,1000,2\r\n\"a,b\",1001,\r\n\r\na,1002,-0.5\r\n";

#[test]
fn the_answer_counts_every_row_once() {
    let bench = Bench::new();
    bench.write("a.csv", CSV);
    let value = bench.import("a.csv", &["--weight-column", "n"]).ok().json();
    assert_eq!(
        keys(&value),
        ["rows", "accepted", "duplicates", "rejected", "seconds", "events_per_second"]
    );
    assert_eq!(
        (&value["rows"], &value["accepted"], &value["duplicates"], &value["rejected"]),
        (&json!(3), &json!(3), &json!(0), &json!(0))
    );
    let a = bench.run(&["--json", "get", "a", "--at", "last"]).ok().json();
    assert_eq!(a["signals"]["purchase"]["sum"]["all"], 1.5);
    let quoted = bench.run(&["--json", "get", "a,b", "--at", "last"]).ok().json();
    assert_eq!(quoted["signals"]["purchase"]["sum"]["all"], 1.0);
    let text = bench
        .run(&[
            "import",
            "--signal",
            "view",
            "--entity-column",
            "item",
            "--time-column",
            "at",
            "a.csv",
        ])
        .ok();
    assert!(text.stdout.contains("3 rows") && text.stdout.contains("accepted"), "{text:?}");
}

#[test]
fn every_ending_is_understood() {
    let bench = Bench::new();
    let tabs = b"item\tat\na\t1000\na,b\t1001\n";
    let json = b"{\"item\":\"a\",\"at\":1000}\n{\"item\":\"a,b\",\"at\":\"1001\"}\n";
    let commas = b"item,at\na,1000\n\"a,b\",1001\n";
    let files: [(&str, &[u8]); 4] =
        [("f.csv", commas), ("f.txt", commas), ("f.tsv", tabs), ("f.jsonl", json)];
    for (name, bytes) in files {
        bench.write(name, bytes);
        let compressed = format!("{name}.gz");
        bench.write_gz(&compressed, bytes);
        // As sources of their own, since their contents are the same.
        for name in [name, &compressed] {
            let imported = bench.import(name, &["--source", name]).ok().json();
            assert_eq!(imported["accepted"], 2, "{name}");
        }
    }
    assert_eq!((bench.count("purchase", "a"), bench.count("purchase", "a,b")), (8, 8));
}

#[test]
fn the_format_and_delimiter_that_are_given_win() {
    let bench = Bench::new();
    bench.write("f.dat", b"item;at\na;1000\n");
    assert_eq!(
        bench.import("f.dat", &["--format", "csv", "--delimiter", ";"]).ok().json()["accepted"],
        1
    );
    bench.write("g.csv", b"item\tat\na\t1000\n");
    assert_eq!(bench.import("g.csv", &["--delimiter", "\\t"]).ok().json()["accepted"], 1);
    bench.write("h.csv", b"{\"item\":\"a\",\"at\":1000}\n");
    assert_eq!(bench.import("h.csv", &["--format", "jsonl"]).ok().json()["accepted"], 1);
    assert_eq!(bench.count("purchase", "a"), 3);
}

#[test]
fn columns_without_a_header_are_numbers() {
    let bench = Bench::new();
    bench.write_gz("f.txt.gz", b"7 a 1000\n8 b 1001\n7 a 1002\n");
    let args = [
        "import",
        "--json",
        "--no-header",
        "--delimiter",
        " ",
        "--signal",
        "view",
        "--entity-column",
        "2",
        "--time-column",
        "3",
        "--actor-column",
        "1",
        "f.txt.gz",
    ];
    assert_eq!(bench.run(&args).ok().json()["rows"], 3);
    assert_eq!((bench.count("view", "a"), bench.count("view", "b")), (2, 1));
    bench.run(&["get", "8", "--kind", "user"]).ok();
}

#[test]
fn standard_input_is_csv_unless_it_is_said_to_be_json() {
    let bench = Bench::new();
    let args =
        ["import", "--json", "--signal", "view", "--entity-column", "item", "--time-column", "at"];
    let piped = |more: &[&str], input: &[u8]| {
        bench.pipe(&[&args, more, &["-"]].concat(), input).ok().json()["accepted"].clone()
    };
    assert_eq!(piped(&[], b"item,at\na,1000\n"), 1);
    assert_eq!(piped(&["--format", "jsonl"], b"{\"item\":\"a\",\"at\":1000}"), 1);
    bench.write_gz("f.gz", b"item,at\na,1000\n");
    let compressed = std::fs::read(bench.path("f.gz")).unwrap();
    assert_eq!(piped(&[], &compressed), 1);
    assert_eq!(bench.count("view", "a"), 3);
}

#[test]
fn a_column_may_name_the_signal_type() {
    let bench = Bench::new();
    bench.write("f.jsonl", b"{\"k\":\"view\",\"e\":\"x\",\"t\":1000}\n{\"k\":\"follow\",\"e\":\"x\",\"t\":1001,\"w\":2.5,\"u\":7}\n");
    let args = [
        "import",
        "--json",
        "--signal-column",
        "k",
        "--entity-column",
        "e",
        "--time-column",
        "t",
        "--weight-column",
        "w",
        "--actor-column",
        "u",
        "f.jsonl",
    ];
    assert_eq!(bench.run(&args).ok().json()["accepted"], 2);
    assert_eq!(bench.count("view", "x"), 1);
    let creator =
        bench.run(&["--json", "get", "x", "--kind", "creator", "--at", "last"]).ok().json();
    assert_eq!(creator["signals"]["follow"]["score"], 2.5);
    bench.run(&["get", "7", "--kind", "user"]).ok();
}

#[test]
fn a_key_that_no_row_has_is_pointed_out() {
    let bench = Bench::new();
    bench.write("f.jsonl", b"{\"item\":\"x\",\"at\":1000,\"weight\":3}\n");
    let ran = bench.import("f.jsonl", &["--weight-column", "wieght"]).ok();
    assert!(ran.stderr.contains("wieght"), "{ran:?}");
}

#[test]
fn names_are_exact_bytes() {
    let bench = Bench::new();
    bench.write(
        "f.csv",
        b"item,at\na,1000\nA,1001\n a,1002\n\"a \",1003\ncaf\xe9,1004\n\xc3\xa4,1005\n",
    );
    assert_eq!(bench.import("f.csv", &[]).ok().json()["accepted"], 6);
    let value = bench
        .run(&["--json", "top", "purchase", "--at", "last", "--by", "count", "--window", "all"])
        .ok()
        .json();
    let names: Vec<&str> = value["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["a", "A", " a", "a ", "Y2Fm6Q==", "\u{e4}"]);
    assert_eq!(value["results"][4]["name_encoding"], "base64");
}

#[test]
fn batches_of_every_size_give_the_same_state() {
    let rows: String =
        (0..500).map(|row| format!("i{},{},u{}\n", row % 37, 1_000 + row % 91, row % 11)).collect();
    let checksum = |batch: &str| {
        let bench = Bench::new();
        bench.write("f.csv", format!("item,at,user\n{rows}").as_bytes());
        let value =
            bench.import("f.csv", &["--batch", batch, "--actor-column", "user"]).ok().json();
        assert_eq!(value["accepted"], 500);
        let top = bench.run(&[
            "--json", "top", "purchase", "--at", "last", "--by", "count", "--window", "all",
            "--limit", "99",
        ]);
        let mut counts: Vec<(String, u64)> = top.ok().json()["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| {
                (
                    entry["name"].as_str().unwrap().to_owned(),
                    entry["value"].as_f64().unwrap() as u64,
                )
            })
            .collect();
        counts.sort();
        counts
    };
    let whole = checksum("10000");
    assert_eq!(whole.len(), 37);
    for batch in ["1", "7", "250", "500"] {
        assert_eq!(checksum(batch), whole, "{batch}");
    }
}

#[test]
fn a_file_that_breaks_off_is_refused_unless_it_has_a_name() {
    let bench = Bench::new();
    let rows: String =
        (0..200_000).map(|row| format!("i{},{}\n", row * 7919 % 1009, 1_000 + row)).collect();
    bench.write_gz("f.csv.gz", format!("item,at\n{rows}").as_bytes());
    let mut bytes = std::fs::read(bench.path("f.csv.gz")).unwrap();
    bytes.truncate(bytes.len() / 2);
    bench.write("f.csv.gz", &bytes);
    let entities = || bench.run(&["--json", "stats"]).ok().json()["entities"].as_u64().unwrap();
    // The mended file would count these rows again.
    let ran = bench.import("f.csv.gz", &[]).fails(1, "nothing was written");
    assert_eq!((ran.stdout.as_str(), entities()), ("", 0));
    let ran = bench.import("f.csv.gz", &["--source", "f"]).fails(1, "are in");
    assert_eq!((ran.stdout.as_str(), entities()), ("", 1009));
}

#[test]
fn a_header_of_another_format_is_pointed_out() {
    let bench = Bench::new();
    for (text, expected) in [
        ("item;at\na;1000\n", "--delimiter ';'"),
        ("item\tat\na\t1000\n", "--delimiter '\\t'"),
        ("item|at\na|1000\n", "--delimiter '|'"),
        ("item,at\ra,1000\rb,1001\r", "CR alone"),
    ] {
        bench.write("f.csv", text.as_bytes());
        bench.import("f.csv", &[]).fails(1, expected);
    }
    let args = ["import", "--signal", "view", "--entity-column", "item", "-"];
    bench.pipe(&args, b"{\"item\":\"a\"}\n").fails(1, "--format jsonl");
    assert_eq!(bench.run(&["--json", "stats"]).ok().json()["entities"], 0);
}
