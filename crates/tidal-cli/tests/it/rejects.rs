//! Rows that are not taken: said by line, collected unchanged, and never at the
//! cost of another.

use serde_json::json;

use crate::runner::Bench;

const MIXED: &str = "item,at,n,kind\n\
    good,1000,1,purchase\n\
    ,1001,1,purchase\n\
    bad,,1,purchase\n\
    bad,soon,1,purchase\n\
    bad,-5,1,purchase\n\
    bad,99999999999,1,purchase\n\
    bad,1000,NaN,purchase\n\
    bad,1000,1e16,purchase\n\
    bad,1000,much,purchase\n\
    bad,1000,1,fame\n\
    bad,1000,1,\n\
    bad,1000,1\n\
    bad,1000,1,purchase,more\n\
    \"bad\"x,1000,1,purchase\n\
    bad,1000,1,follow\n\
    \"good\",1001,,purchase\n";

fn import(bench: &Bench, more: &[&str]) -> crate::runner::Ran {
    let args = [
        "import",
        "--json",
        "--signal-column",
        "kind",
        "--entity-column",
        "item",
        "--time-column",
        "at",
        "--weight-column",
        "n",
        "--kind",
        "item",
    ];
    bench.run(&[&args, more, &["mixed.csv"]].concat())
}

/// G21
#[test]
fn bad_rows_are_named_by_line_and_good_rows_are_in() {
    let bench = Bench::new();
    bench.write("mixed.csv", MIXED.as_bytes());
    let ran = import(&bench, &[]).fails(1, "--reject FILE");
    let value = ran.json();
    assert_eq!(
        (&value["rows"], &value["accepted"], &value["rejected"]),
        (&json!(16), &json!(2), &json!(14))
    );
    let expected = [
        "line 3: no entity",
        "line 4: no time",
        "line 5: time \"soon\"",
        "line 6: time \"-5\"",
        "line 7: time \"99999999999\"",
        "line 8: signal type \"purchase\": weight NaN",
        "line 9: ",
        "line 10: weight \"much\"",
        "line 11: no signal type \"fame\"",
        "line 12: no signal type",
        "line 13: 3 columns",
        "line 14: 5 columns",
        "line 15: a quoted field",
        "line 16: signal type \"follow\" is about entities of kind creator",
    ];
    let said: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(said.len(), expected.len() + 1, "{ran:#?}");
    for (line, expected) in said.iter().zip(expected) {
        assert!(line.contains(expected), "{line:?} lacks {expected:?}");
    }
    assert_eq!(bench.count("purchase", "good"), 2);
    bench.run(&["get", "bad"]).fails(1, "bad");
}

#[test]
fn rejected_rows_are_collected_unchanged() {
    let bench = Bench::new();
    bench.write("mixed.csv", MIXED.as_bytes());
    let value = import(&bench, &["--reject", "bad.csv"]).ok().json();
    assert_eq!(value["rejected"], 14);
    let expected: String = MIXED
        .lines()
        .filter(|line| !line.contains("good"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(bench.read("bad.csv"), expected);
}

#[test]
fn the_first_twenty_are_named_and_the_rest_counted() {
    let bench = Bench::new();
    let rows: String = (0..57)
        .map(|row| if row % 3 == 0 { format!("a,{row}\n") } else { "a,never\n".into() })
        .collect();
    bench.write("mixed.csv", format!("item,at\n{rows}").as_bytes());
    let ran = bench.import("mixed.csv", &[]).fails(1, "38 of 57 rows");
    assert_eq!(ran.stderr.lines().filter(|line| line.contains("line ")).count(), 20, "{ran:#?}");
    assert!(ran.stderr.contains("18 more rejected rows"), "{ran:#?}");
    assert_eq!(bench.count("purchase", "a"), 19);
}

#[test]
fn lines_are_those_of_the_file_even_behind_quoted_line_breaks() {
    let bench = Bench::new();
    bench.write("f.csv", b"item,at\r\n\"two\r\nlines\",1000\r\n\r\nbad,x\r\n\"a\nb\nc\",y\r\nd,z");
    let ran = bench.import("f.csv", &["--reject", "bad.csv"]).ok();
    let lines: Vec<&str> = ran.stderr.lines().filter_map(|line| line.split(':').nth(1)).collect();
    assert_eq!(lines, [" line 5", " line 6", " line 9"]);
    assert_eq!(bench.read("bad.csv"), "item,at\r\nbad,x\r\n\"a\nb\nc\",y\r\nd,z\n");
}

#[test]
fn json_lines_are_collected_as_they_stand() {
    let bench = Bench::new();
    bench.write("f.jsonl", b"{\"item\":\"a\",\"at\":1000}\n{\"item\":[1],\"at\":1}\n\nnot json\n{\"at\":1}\n{ \"item\":\"a\", \"at\":\"x\" }");
    let ran = bench.import("f.jsonl", &["--reject", "bad.jsonl"]).ok();
    assert_eq!((&ran.json()["rows"], &ran.json()["rejected"]), (&json!(5), &json!(4)));
    assert_eq!(
        bench.read("bad.jsonl"),
        "{\"item\":[1],\"at\":1}\nnot json\n{\"at\":1}\n{ \"item\":\"a\", \"at\":\"x\" }\n"
    );
    for line in ["line 2: ", "line 4: ", "line 5: no entity", "line 6: "] {
        assert!(ran.stderr.contains(line), "{ran:#?}");
    }
}

#[test]
fn long_names_are_rejected_and_the_longest_is_not() {
    let bench = Bench::new();
    let (fits, too_long) = ("x".repeat(255), "y".repeat(256));
    bench.write("f.csv", format!("item,at\n{fits},1000\n{too_long},1000\n").as_bytes());
    let ran = bench.import("f.csv", &["--reject", "bad.csv"]).ok();
    assert_eq!((&ran.json()["accepted"], &ran.json()["rejected"]), (&json!(1), &json!(1)));
    assert!(ran.stderr.contains("256 bytes"), "{ran:?}");
}

#[test]
fn a_batch_of_bad_rows_and_a_broken_quote_lose_no_good_row() {
    let bench = Bench::new();
    let mut rows = String::new();
    for row in 0..1000 {
        rows.push_str(&format!("good{},{}\n", row % 10, 1000 + row));
        if row % 100 == 50 {
            rows.push_str("\"open,1000\n");
        }
    }
    bench.write("f.csv", format!("item,at\n{rows}").as_bytes());
    let ran = bench.import("f.csv", &["--batch", "100", "--reject", "bad.csv"]).ok();
    assert_eq!((&ran.json()["accepted"], &ran.json()["rejected"]), (&json!(1000), &json!(10)));
    assert_eq!(bench.count("purchase", "good3"), 100);
}

#[test]
fn a_file_of_rejects_is_there_even_when_it_holds_the_header_only() {
    let bench = Bench::new();
    bench.write("f.csv", b"item,at\na,1000\n");
    bench.import("f.csv", &["--reject", "bad.csv"]).ok();
    assert_eq!(bench.read("bad.csv"), "item,at\n");
    bench.import("f.csv", &["--reject", "f.csv"]).fails(1, "overwrite");
    assert_eq!(bench.read("f.csv"), "item,at\na,1000\n");
    bench.import("f.csv", &["--reject", "no/such/dir.csv"]).fails(1, "no/such/dir.csv");
}

#[test]
fn a_header_that_lacks_a_column_is_no_matter_of_rows() {
    let bench = Bench::new();
    bench.write("f.csv", b"thing,at\na,1000\n");
    bench.import("f.csv", &[]).fails(1, r#"which has "thing", "at""#);
    bench.write("g.csv", b"");
    bench.import("g.csv", &[]).fails(1, "header");
    bench.write("s.csv", b"item ,at\na,1000\n");
    bench.import("s.csv", &[]).fails(1, r#"which has "item ", "at""#);
}

#[test]
fn a_file_without_rows_is_pointed_out_and_no_failure() {
    let bench = Bench::new();
    let import = |name: &str| {
        bench.run(&["import", "--json", "--signal", "purchase", "--entity-column", "item", name])
    };
    for (name, bytes, expected) in [
        ("header.csv", b"item,at\r\n".as_slice(), "header.csv has a header and no rows"),
        ("lone.csv", b"item,at\ra,1000\rb,1001\r", "CR alone"),
        ("empty.jsonl", b"\n\n", "empty.jsonl has no rows"),
    ] {
        bench.write(name, bytes);
        let ran = import(name).ok();
        assert_eq!(ran.json()["rows"], 0, "{name}");
        assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
        assert!(ran.stderr.contains(expected), "{ran:?}");
    }
}

#[test]
fn when_every_row_is_rejected_none_is_said_to_be_in() {
    let bench = Bench::new();
    bench.write("f.csv", b"item,at\na,never\n");
    let ran = bench.import("f.csv", &[]).fails(1, "1 of 1 row was rejected, none is in");
    assert!(!ran.stderr.contains("others"), "{ran:?}");
}
