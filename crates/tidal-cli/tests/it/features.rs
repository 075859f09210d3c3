//! Features as they were: what is written, what is rejected, and real events against a
//! count made here.

use std::collections::HashMap;
use std::fs::File;

use flate2::read::MultiGzDecoder;
use serde_json::json;

use crate::runner::{Bench, Ran, keys, real_data};

/// Three purchases, the last of which was written late.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("events.csv", b"item,at,n\na,1000,1\nb,4600,2\na,8200,4\na,2000,8\n");
    bench.import("events.csv", &["--weight-column", "n"]).ok();
    bench
}

fn features(bench: &Bench, more: &[&str]) -> Ran {
    bench.run(&[&["features", "--requests", "in.csv", "--out", "out.csv"], more].concat())
}

const TWO: [&str; 4] = ["--count", "purchase:1h", "--sum", "purchase:all"];

/// G65, G69
#[test]
fn rows_come_out_as_they_stand_with_their_features() {
    let bench = bench();
    bench.write(
        "in.csv",
        b"label,entity,\"the \"\"time\"\"\"\r\n1,a,8200\r\n\"x,\n\"\"y\",b,4599\r\n0,a,1000\n7,nobody,9000\n,b,4600",
    );
    let ran = features(&bench, &[&TWO[..], &["--time-column", "the \"time\"", "--json"]].concat());
    let value = ran.ok().json();
    assert_eq!(
        keys(&value),
        ["rows", "accepted", "rejected", "unknown", "features", "records", "passes", "seconds"]
    );
    assert_eq!((&value["rows"], &value["unknown"]), (&json!(5), &json!(1)));
    assert_eq!((&value["features"], &value["passes"]), (&json!(2), &json!(1)));
    // The window of an hour that ends at 8200 begins behind 4600.
    assert_eq!(
        bench.read("out.csv"),
        "label,entity,\"the \"\"time\"\"\",purchase_count_1h,purchase_sum_all\r\n\
         1,a,8200,1,13.0\r\n\
         \"x,\n\"\"y\",b,4599,0,0.0\r\n\
         0,a,1000,1,1.0\n\
         7,nobody,9000,0,0.0\n\
         ,b,4600,1,2.0\n"
    );
}

#[test]
fn without_a_choice_everything_declared_is_written() {
    let bench = bench();
    bench.write("in.csv", b"time\tentity\n8200\ta\n");
    let ran = features(&bench, &["--delimiter", "\\t"]).ok();
    assert!(ran.stdout.starts_with("1 row with 14 features in "), "{ran:?}");
    assert!(ran.stdout.contains("1 pass over "), "{ran:?}");
    let written = bench.read("out.csv");
    let (header, row) = written.split_once('\n').unwrap();
    let names = "purchase_score,purchase_count_1h,purchase_sum_1h,purchase_velocity_1h,\
        purchase_count_24h,purchase_sum_24h,purchase_velocity_24h,purchase_count_7d,\
        purchase_sum_7d,purchase_velocity_7d,purchase_count_all,purchase_sum_all,\
        view_score,view_count_all";
    let names: Vec<&str> = names.split(',').map(str::trim).collect();
    assert_eq!(header.split('\t').skip(2).collect::<Vec<_>>(), names);
    assert_eq!(row.trim_end().split('\t').count(), 2 + names.len());
}

/// What an import brought is known from the import on.
/// G66
#[test]
fn by_known_time_nothing_was_known_before_it_was_imported() {
    let bench = bench();
    bench.write("in.csv", b"entity,time\na,8200\na,2100-01-01\n");
    let all = ["--count", "purchase:all"];
    features(&bench, &all).ok();
    assert_eq!(bench.read("out.csv"), "entity,time,purchase_count_all\na,8200,3\na,2100-01-01,3\n");
    features(&bench, &[&all[..], &["--known-by"]].concat()).ok();
    assert_eq!(bench.read("out.csv"), "entity,time,purchase_count_all\na,8200,0\na,2100-01-01,3\n");
}

/// G69
#[test]
fn bad_rows_are_named_by_line_and_the_others_are_written() {
    let bench = bench();
    let rows = "entity,time\na,8200\n,8200\na,soon\na,-5\nb\n\"b\"x,1\n\na,9000\n";
    bench.write("in.csv", rows.as_bytes());
    let ran = features(&bench, &TWO).fails(1, "5 of 7 rows were rejected and not written");
    let said: Vec<&str> = ran.stderr.lines().collect();
    let expected =
        ["line 3: no entity", "line 4: time \"soon\"", "line 5: ", "line 6: 1 columns", "line 7: "];
    for (line, expected) in said.iter().zip(expected) {
        assert!(line.contains(expected), "{line:?} lacks {expected:?}");
    }
    let good = "entity,time,purchase_count_1h,purchase_sum_all\na,8200,1,13.0\na,9000,1,13.0\n";
    assert_eq!(bench.read("out.csv"), good);
    let value =
        features(&bench, &[&TWO[..], &["--reject", "bad.csv", "--json"]].concat()).ok().json();
    assert_eq!((&value["accepted"], &value["rejected"]), (&json!(2), &json!(5)));
    assert_eq!(bench.read("bad.csv"), "entity,time\n,8200\na,soon\na,-5\nb\n\"b\"x,1\n");
    assert_eq!(bench.read("out.csv"), good);
}

#[test]
fn streams_without_a_header_and_with_numbers() {
    let bench = Bench::new();
    bench.write("events.csv", b"item,at\n7,1000\n");
    bench.import("events.csv", &["--numeric-ids"]).ok();
    let args = ["features", "--requests", "-", "--out", "-", "--no-header"];
    let args = [&args[..], &["--count", "purchase:all"]].concat();
    let ran = bench.pipe(&args, b"7,1000\n8,1000\n7,999\n").ok();
    assert_eq!(ran.stdout, "7,1000,1\n8,1000,0\n7,999,0\n");
    let ran = bench.pipe(&args, b"seven,1000\n").fails(1, "1 of 1 row was rejected");
    assert!(ran.stderr.contains("line 1: \"seven\" is not a number"), "{ran:?}");
    bench.pipe(&[&args[..], &["--json"]].concat(), b"").fails(2, "name a file with --out");
}

/// G69
#[test]
fn an_output_is_whole_or_not_there_and_never_an_input() {
    let bench = bench();
    bench.write("in.csv", b"entity,time\na,8200\n");
    bench.write("out.csv", b"before");
    features(&bench, &["--entity-column", "thing"]).fails(1, "no column \"thing\"");
    assert_eq!(bench.read("out.csv"), "before");
    let to_itself = ["features", "--requests", "in.csv", "--out", "./in.csv"];
    bench.run(&to_itself).fails(1, "--out would overwrite ./in.csv");
    features(&bench, &["--reject", "out.csv"]).fails(1, "choose two files");
    features(&bench, &["--reject", "in.csv"]).fails(1, "--reject would overwrite");
    assert_eq!(bench.read("in.csv"), "entity,time\na,8200\n");
    features(&bench, &TWO).ok();
    assert!(bench.read("out.csv").contains("a,8200,1,13.0"));
    assert!(!bench.path("out.csv.part").exists());
    let again = ["features", "--requests", "out.csv", "--out", "more.csv"];
    bench
        .run(&[&again[..], &TWO[..]].concat())
        .fails(1, "the header has a column \"purchase_count_1h\" already");
    assert!(!bench.path("more.csv").exists());
}

#[test]
fn what_the_schema_does_not_have_is_refused() {
    let bench = bench();
    bench.write("in.csv", b"entity,time\na,8200\n");
    for (args, code, expected) in [
        (["--score", "fame"].as_slice(), 1, "no signal type \"fame\""),
        (&["--score", "follow"], 2, "is about entities of kind creator, not item"),
        (&["--count", "view:1h"], 2, "has no window 1h; declared are all"),
        (&["--sum", "view:all"], 2, "keeps no sums"),
        (&["--velocity", "purchase:all"], 2, "no velocity over all"),
        (&["--count", "purchase"], 2, "divided by a colon"),
        (&["--count", "purchase:2h"], 2, "a window is 1h, 24h, 7d, 30d or all"),
        (&["--kind", "user"], 1, "no signal type is about entities of kind user"),
        (&["--no-header", "--time-column", "time"], 2, "a number from 1"),
        (&["--reject", "-"], 2, "standard output carries data"),
    ] {
        features(&bench, args).fails(code, expected);
        assert!(!bench.path("out.csv").exists());
    }
}

/// How often, and how many, each item was bought by the time of every five-hundredth row,
/// counted from the file.
/// G65
#[test]
fn online_retail_as_of_its_own_rows() {
    let Some(path) = real_data("online-retail/online-retail.csv.gz") else {
        return;
    };
    let bench = Bench::new();
    bench.import_online_retail(&path).ok();
    let file = MultiGzDecoder::new(File::open(path).unwrap());
    let mut reader = csv::Reader::from_reader(file);
    let records: Vec<csv::ByteRecord> = reader.byte_records().collect::<Result<_, _>>().unwrap();
    let mut input = b"StockCode,InvoiceDate\n".to_vec();
    let mut expected = Vec::new();
    let mut bought: HashMap<&[u8], Vec<(&[u8], i64)>> = HashMap::new();
    for record in &records {
        let quantity = std::str::from_utf8(&record[3]).unwrap().parse().unwrap();
        bought.entry(&record[1]).or_default().push((&record[4], quantity));
    }
    for record in records.iter().step_by(500) {
        let mut writer = csv::Writer::from_writer(&mut input);
        writer.write_record([&record[1], &record[4]]).unwrap();
        drop(writer);
        // Times of this form are in the order of their letters.
        let seen = bought[&record[1]].iter().filter(|(time, _)| *time <= &record[4]);
        expected.push((seen.clone().count(), seen.map(|(_, quantity)| quantity).sum::<i64>()));
    }
    bench.write("in.csv", &input);
    let names = ["--entity-column", "StockCode", "--time-column", "InvoiceDate"];
    let asked = ["--count", "purchase:all", "--sum", "purchase:all"];
    let ran = features(&bench, &[names, asked].concat()).ok();
    assert!(ran.stdout.starts_with("1,084 rows with 2 features"), "{ran:?}");
    let mut written = csv::Reader::from_path(bench.path("out.csv")).unwrap();
    let found: Vec<(usize, i64)> = written
        .records()
        .map(|record| {
            let record = record.unwrap();
            (record[2].parse().unwrap(), record[3].parse::<f64>().unwrap() as i64)
        })
        .collect();
    assert_eq!(found, expected);
}
