//! Real events against the definitions of section "Scores and windows" of the
//! guarantees, computed the straightforward way from the file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flate2::read::GzDecoder;
use tidal_db::{
    By, Config, DecaySpec, EntityId, EntityKind, Event, ManualClock, Schema, SchemaBuilder,
    SignalTypeDefinition, TidalDB, Timestamp, Window,
};

use crate::fixture::real_data;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// One event of a file, as a person would write it down.
struct Row {
    signal: &'static str,
    entity: Vec<u8>,
    weight: f64,
    time: u64,
}

fn signal_of_each_decay(builder: &mut SchemaBuilder, names: [&str; 3]) {
    let decays = [
        DecaySpec::Exponential { half_life: 7 * DAY },
        DecaySpec::Linear { lifetime: 30 * DAY },
        DecaySpec::Permanent,
    ];
    for (name, decay) in names.into_iter().zip(decays) {
        builder
            .signal(name, EntityKind::Item, decay)
            .windows(&Window::ALL)
            .velocity(true)
            .sums(true)
            .add();
    }
}

fn schema(names: [&str; 3]) -> Schema {
    let mut builder = SchemaBuilder::new();
    signal_of_each_decay(&mut builder, names);
    builder.build().unwrap()
}

/// Feeds the rows, in their order, to a database in `dir`.
fn feed(dir: &Path, schema: &Schema, rows: &[Row]) -> TidalDB {
    let newest = rows.iter().map(|row| row.time).max().unwrap();
    let config = Config { data_dir: dir.into(), schema: schema.clone() };
    let db = TidalDB::builder(config)
        .clock(Arc::new(ManualClock::new(Timestamp::from_nanos(newest))))
        .checkpoint_every(200_000)
        .open()
        .unwrap();
    let mut tickets = Vec::new();
    for chunk in rows.chunks(10_000) {
        let names: Vec<&[u8]> = chunk.iter().map(|row| row.entity.as_slice()).collect();
        let ids = db.entity_ids(EntityKind::Item, &names).unwrap();
        let events = chunk.iter().zip(ids).map(|(row, id)| {
            Event::new(row.signal, id, row.weight, Timestamp::from_nanos(row.time))
        });
        tickets.push(db.submit(events.collect()).unwrap());
    }
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    db
}

/// The events of one entity and signal, and what the definitions say of them at
/// a time.
#[derive(Default)]
struct Reference {
    events: Vec<(u64, f64)>,
}

impl Reference {
    fn score(&self, decay: DecaySpec, at: u64) -> f64 {
        self.events.iter().map(|&(time, weight)| weight * remaining(decay, at - time)).sum()
    }

    /// The sum of the absolute contributions, and how far off the score may be.
    fn tolerance(&self, decay: DecaySpec, at: u64) -> f64 {
        let contributions: f64 = self
            .events
            .iter()
            .map(|&(time, weight)| weight.abs() * remaining(decay, at - time))
            .sum();
        let rounding = 1e-9 * contributions;
        let DecaySpec::Linear { lifetime } = decay else {
            return rounding;
        };
        // Every event of the bucket that holds the edge of the lifetime may be
        // off by as much of its weight as the bucket is of the lifetime.
        let lifetime = lifetime.as_nanos() as u64;
        let bucket = lifetime.div_ceil(60);
        let edge = (at - lifetime) / bucket;
        let at_edge = self.events.iter().filter(|&&(time, _)| time / bucket == edge);
        let weights: f64 = at_edge.map(|&(_, weight)| weight.abs()).sum();
        rounding + weights * bucket as f64 / lifetime as f64
    }

    /// Events in the window, and how many the estimate may be off.
    fn count(&self, window: Window, at: u64) -> (u64, u64) {
        let Some(length) = window.duration() else {
            return (self.events.len() as u64, 0);
        };
        let length = length.as_nanos() as u64;
        let inside = self.events.iter().filter(|&&(time, _)| time > at - length).count();
        if self.events.len() <= 4 {
            return (inside as u64, 0);
        }
        let bucket = length / 60;
        let oldest = (at - length) / bucket;
        let in_oldest = self.events.iter().filter(|&&(time, _)| time / bucket == oldest).count();
        (inside as u64, in_oldest as u64)
    }
}

/// What is left of a weight of 1 after `age` nanoseconds.
fn remaining(decay: DecaySpec, age: u64) -> f64 {
    let age = age as f64;
    match decay {
        DecaySpec::Exponential { half_life } => libm::exp2(-age / half_life.as_nanos() as f64),
        DecaySpec::Linear { lifetime } => (1.0 - age / lifetime.as_nanos() as f64).max(0.0),
        DecaySpec::Permanent => 1.0,
    }
}

type References<'a> = BTreeMap<(&'a str, &'a [u8]), Reference>;

fn references(rows: &[Row]) -> References<'_> {
    let mut references = References::new();
    for row in rows {
        let reference = references.entry((row.signal, &row.entity)).or_default();
        reference.events.push((row.time, row.weight));
    }
    references
}

/// Compares every cell at a time with the definitions.
fn compare(db: &TidalDB, references: &References<'_>, at: u64) {
    for (&(signal, name), reference) in references {
        let id = db.find_entity(EntityKind::Item, name).unwrap().unwrap();
        let definition = db.schema().signal(signal).unwrap();
        compare_cell(db, definition, id, reference, at);
    }
    for signal in db.schema().signals() {
        compare_ranking(db, signal, references, at);
    }
}

fn compare_cell(
    db: &TidalDB,
    signal: &SignalTypeDefinition,
    id: EntityId,
    reference: &Reference,
    at: u64,
) {
    let time = Timestamp::from_nanos(at);
    let context = || format!("{} of {id} with {} events", signal.name(), reference.events.len());
    let score = db.decay_score_at(signal.name(), id, time).unwrap();
    let expected = reference.score(signal.decay(), at);
    let tolerance = reference.tolerance(signal.decay(), at);
    assert!((score - expected).abs() <= tolerance, "{}: {score} is not {expected}", context());
    for &window in signal.windows() {
        let count = db.windowed_count_at(signal.name(), id, window, time).unwrap();
        let (expected, tolerance) = reference.count(window, at);
        assert!(
            count.abs_diff(expected) <= tolerance,
            "{}: {count} in {window} is not {expected} within {tolerance}",
            context()
        );
        if let Some(length) = window.duration() {
            let velocity = db.velocity_at(signal.name(), id, window, time).unwrap();
            assert_eq!(velocity, count as f64 / length.as_secs_f64(), "{}", context());
        }
    }
    let sum = db.windowed_sum_at(signal.name(), id, Window::AllTime, time).unwrap();
    let expected: f64 = reference.events.iter().map(|&(_, weight)| weight).sum();
    let weights: f64 = reference.events.iter().map(|&(_, weight)| weight.abs()).sum();
    assert!((sum - expected).abs() <= 1e-9 * weights, "{}: {sum} is not {expected}", context());
}

/// The first hundred by count are those that a sort of the file's counts gives.
fn compare_ranking(
    db: &TidalDB,
    signal: &SignalTypeDefinition,
    references: &References<'_>,
    at: u64,
) {
    let mut expected: Vec<(u64, EntityId)> = references
        .iter()
        .filter(|((name, _), _)| *name == signal.name())
        .map(|((_, name), reference)| {
            let id = db.find_entity(EntityKind::Item, name).unwrap().unwrap();
            (reference.events.len() as u64, id)
        })
        .collect();
    expected.sort_unstable_by_key(|&(count, id)| (std::cmp::Reverse(count), id));
    let by = By::Count(Window::AllTime);
    let top = db.top_at(signal.name(), by, 100, Timestamp::from_nanos(at)).unwrap();
    let top: Vec<_> = top.iter().map(|ranked| (ranked.value as u64, ranked.id)).collect();
    assert_eq!(top, expected[..expected.len().min(100)]);
}

/// Feeds, compares now and a few days later, and again after reopening.
fn check(names: [&'static str; 3], rows: &[Row]) -> TidalDB {
    let schema = schema(names);
    let dir = tempfile::tempdir().unwrap();
    let references = references(rows);
    let newest = rows.iter().map(|row| row.time).max().unwrap();
    let db = feed(dir.path(), &schema, rows);
    for days in [0, 1, 12] {
        compare(&db, &references, newest + days * DAY.as_nanos() as u64 / 3);
    }
    let checksum = db.checksum().unwrap();
    drop(db);
    let db = TidalDB::open_existing(dir.path()).unwrap();
    assert_eq!(db.checksum().unwrap(), checksum);
    compare(&db, &references, newest + DAY.as_nanos() as u64);
    db
}

/// G7, G8, G9, G11
#[test]
fn online_retail_equals_the_definitions() {
    let Some(path) = real_data("online-retail/online-retail.csv.gz") else {
        return;
    };
    let mut reader = csv::Reader::from_reader(GzDecoder::new(File::open(path).unwrap()));
    let mut rows = Vec::new();
    for record in reader.byte_records() {
        let record = record.unwrap();
        let text = |column: usize| std::str::from_utf8(&record[column]).unwrap();
        let time: jiff::civil::DateTime = text(4).parse().unwrap();
        let time = time.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
        let row = |signal| Row {
            signal,
            entity: record[1].to_vec(),
            weight: text(3).parse().unwrap(),
            time: time.as_nanosecond() as u64,
        };
        rows.push(row("purchase"));
        rows.push(row("fading"));
        rows.push(row("total"));
    }
    assert_eq!(rows.len(), 3 * 541_909);
    let names: BTreeSet<&[u8]> = rows.iter().map(|row| row.entity.as_slice()).collect();
    let folded: BTreeSet<_> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    assert_eq!((names.len(), names.len() - folded.len()), (4070, 112));
    let db = check(["purchase", "fading", "total"], &rows);
    assert_eq!(db.entities(EntityKind::Item).unwrap().len(), 4070);
}

/// G7, G8, G9
#[test]
fn mathoverflow_equals_the_definitions() {
    let mut rows = Vec::new();
    for signal in ["a2q", "c2q", "c2a"] {
        let file = format!("sx-mathoverflow/sx-mathoverflow-{signal}.txt.gz");
        let Some(path) = real_data(&file) else {
            return;
        };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(b' ')
            .has_headers(false)
            .from_reader(GzDecoder::new(File::open(path).unwrap()));
        for record in reader.byte_records() {
            let record = record.unwrap();
            let seconds: u64 = std::str::from_utf8(&record[2]).unwrap().parse().unwrap();
            let (entity, time) = (record[1].to_vec(), seconds * 1_000_000_000);
            rows.push(Row { signal, entity, weight: 1.0, time });
        }
    }
    assert_eq!(rows.len(), 506_550);
    let db = check(["a2q", "c2q", "c2a"], &rows);
    assert_eq!(db.entities(EntityKind::Item).unwrap().len(), 21_980);
}

/// Half the rows go back in time: the order of arrival does not matter.
/// G10
#[test]
fn movietweetings_out_of_order_equals_the_definitions() {
    let Some(path) = real_data("movietweetings-100k/ratings.dat.gz") else {
        return;
    };
    let mut text = String::new();
    std::io::Read::read_to_string(&mut GzDecoder::new(File::open(path).unwrap()), &mut text)
        .unwrap();
    let mut rows: Vec<Row> = Vec::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split("::").collect();
        let seconds: u64 = fields[3].parse().unwrap();
        let row = |signal| Row {
            signal,
            entity: fields[1].into(),
            weight: fields[2].parse().unwrap(),
            time: seconds * 1_000_000_000,
        };
        rows.push(row("rated"));
        rows.push(row("fading"));
        rows.push(row("total"));
    }
    assert_eq!(rows.len(), 3 * 100_000);
    check(["rated", "fading", "total"], &rows);
    rows.sort_by_key(|row| row.time);
    check(["rated", "fading", "total"], &rows);
}
