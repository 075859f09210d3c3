//! The program on half a million real events, against a count made here.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};
use flate2::read::MultiGzDecoder;
use serde_json::json;
use tidal_db::{By, EntityKind, TidalDB, Window};

use crate::runner::{Bench, real_data};

const FORUM: &str = "
[[signal]]
name = \"answer\"
decay = { half_life = \"30d\" }
windows = [\"24h\", \"all\"]
[[signal]]
name = \"question_comment\"
decay = { half_life = \"30d\" }
windows = [\"24h\", \"all\"]
[[signal]]
name = \"answer_comment\"
decay = { half_life = \"30d\" }
windows = [\"24h\", \"all\"]
";

/// The rows of a file, split by the csv crate.
fn records(path: &Path, delimiter: u8, header: bool) -> Vec<ByteRecord> {
    let file = MultiGzDecoder::new(File::open(path).unwrap());
    let mut reader =
        ReaderBuilder::new().delimiter(delimiter).has_headers(header).from_reader(file);
    reader.byte_records().collect::<Result<_, _>>().unwrap()
}

/// Names with a number, in order.
type Tally = Vec<(Vec<u8>, f64)>;

fn sorted(tally: HashMap<Vec<u8>, f64>) -> Tally {
    let mut tally: Tally = tally.into_iter().collect();
    tally.sort_by(|one, other| one.0.cmp(&other.0));
    tally
}

fn counts(db: &TidalDB, signal: &str) -> Tally {
    let ranked = db.top(signal, By::Count(Window::AllTime), usize::MAX).unwrap();
    let name = |id| db.entity_name(EntityKind::Item, id).unwrap().unwrap();
    sorted(ranked.into_iter().map(|ranked| (name(ranked.id), ranked.value)).collect())
}

/// G21
#[test]
fn online_retail_loses_no_row() {
    let Some(path) = real_data("online-retail/online-retail.csv.gz") else {
        return;
    };
    let bench = Bench::new();
    let value = bench.import_online_retail(&path).ok().json();
    assert_eq!(
        (&value["rows"], &value["accepted"], &value["rejected"]),
        (&json!(541_909), &json!(541_909), &json!(0))
    );
    let stats = bench.run(&["--json", "stats"]).ok().json();
    assert_eq!(stats["newest_event"], "2011-12-09T12:50:00Z");

    let (mut expected, mut quantity) = (HashMap::new(), HashMap::new());
    for record in records(&path, b',', true) {
        let weight: f64 = std::str::from_utf8(&record[3]).unwrap().parse().unwrap();
        *expected.entry(record[1].to_vec()).or_insert(0.0) += 1.0;
        *quantity.entry(record[1].to_vec()).or_insert(0.0) += weight;
    }
    let db = TidalDB::open_existing(bench.db()).unwrap();
    let found = counts(&db, "purchase");
    // Names that differ in case only are names of their own.
    assert_eq!(found.len(), 4_070);
    assert_eq!(found, sorted(expected));
    let newest = db.newest_event().unwrap();
    for (name, weight) in sorted(quantity) {
        let id = db.find_entity(EntityKind::Item, &name).unwrap().unwrap();
        // Whole numbers below 2^53 add up exactly, in any order.
        let sum = db.windowed_sum_at("purchase", id, Window::AllTime, newest).unwrap();
        assert_eq!(sum, weight, "{}", String::from_utf8_lossy(&name));
    }
}

#[test]
fn mathoverflow_comes_in_three_files_of_three_signal_types() {
    let Some(dir) = real_data("sx-mathoverflow") else {
        return;
    };
    let bench = Bench::empty();
    bench.write("forum.toml", FORUM.as_bytes());
    bench.run(&["init", "--schema", "forum.toml"]).ok();
    let files = [
        ("answer", "a2q", 107_581),
        ("question_comment", "c2q", 203_639),
        ("answer_comment", "c2a", 195_330),
    ];
    for (signal, file, rows) in files {
        let path = dir.join(format!("sx-mathoverflow-{file}.txt.gz"));
        let args = [
            "import",
            "--json",
            "--no-header",
            "--delimiter",
            " ",
            "--signal",
            signal,
            "--entity-column",
            "2",
            "--time-column",
            "3",
            "--actor-column",
            "1",
        ];
        let value = bench.run(&[&args, [path.to_str().unwrap()].as_slice()].concat()).ok().json();
        assert_eq!((&value["rows"], &value["accepted"]), (&json!(rows), &json!(rows)), "{signal}");
    }
    let db = TidalDB::open_existing(bench.db()).unwrap();
    for (signal, file, _) in files {
        let mut expected = HashMap::new();
        for record in records(&dir.join(format!("sx-mathoverflow-{file}.txt.gz")), b' ', false) {
            *expected.entry(record[1].to_vec()).or_insert(0.0) += 1.0;
        }
        assert_eq!(counts(&db, signal), sorted(expected), "{signal}");
    }
}

/// Sorted by user, so that half of the rows go back in time; columns are
/// separated by two colons, which makes every second column empty.
#[test]
fn movietweetings_comes_in_with_numeric_ids_and_late_rows() {
    let Some(path) = real_data("movietweetings-100k/ratings.dat.gz") else { return };
    let bench = Bench::new();
    let args = [
        "import",
        "--json",
        "--format",
        "csv",
        "--delimiter",
        ":",
        "--no-header",
        "--signal",
        "purchase",
        "--numeric-ids",
        "--entity-column",
        "3",
        "--actor-column",
        "1",
        "--weight-column",
        "5",
        "--time-column",
        "7",
    ];
    let value = bench.run(&[&args, [path.to_str().unwrap()].as_slice()].concat()).ok().json();
    assert_eq!((&value["rows"], &value["accepted"]), (&json!(100_000), &json!(100_000)));

    let mut expected = HashMap::new();
    for record in records(&path, b':', false) {
        let movie: u64 = std::str::from_utf8(&record[2]).unwrap().parse().unwrap();
        *expected.entry(movie).or_insert(0.0) += 1.0;
    }
    let db = TidalDB::open_existing(bench.db()).unwrap();
    let ranked = db.top("purchase", By::Count(Window::AllTime), usize::MAX).unwrap();
    let found: HashMap<u64, f64> =
        ranked.iter().map(|ranked| (ranked.id.get(), ranked.value)).collect();
    assert_eq!(found, expected);
}
