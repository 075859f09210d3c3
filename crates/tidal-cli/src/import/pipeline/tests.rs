use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use tidal_db::{
    By, Config, DecaySpec, EntityId, Event, ManualClock, SchemaBuilder, Timestamp, Window,
};

use super::*;
use crate::import::Meaning;

/// What the database's clock shows; it takes events up to an hour later.
const NOW: u64 = 1_000_000;

/// A database whose clock is far behind the one of the program, so that it
/// refuses events that the program lets through.
fn slow_database() -> (TempDir, TidalDB) {
    let mut builder = SchemaBuilder::new();
    builder
        .signal("view", EntityKind::Item, DecaySpec::Permanent)
        .windows(&[Window::AllTime])
        .add();
    let dir = tempfile::tempdir().unwrap();
    let config = Config { data_dir: dir.path().join("db"), schema: builder.build().unwrap() };
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(NOW)));
    let db = TidalDB::builder(config).clock(clock).open().unwrap();
    (dir, db)
}

fn pipeline<'d>(
    db: &'d TidalDB,
    say: &'d dyn Fn(&str),
    rejects: Option<&Path>,
    source: Option<&str>,
) -> Pipeline<'d> {
    let identities = Identities::new(db, &[EntityKind::Item], true).unwrap();
    let mut rejects = Rejects::check(rejects, Path::new("-")).unwrap();
    rejects.begin(b"").unwrap();
    let origin = source.map(|name| Origin::of_source(db, name, &Meaning::default(), b"").unwrap());
    Pipeline::new(db, identities, origin, rejects, 100, say)
}

fn add<'d>(
    pipeline: &mut Pipeline<'d>,
    db: &'d TidalDB,
    line: u64,
    at: u64,
) -> Result<bool, Failure> {
    let reading = Reading {
        signal: db.schema().require("view").unwrap(),
        entity: b"7",
        actor: None,
        weight: 1.0,
        at: Timestamp::from_secs(at),
    };
    pipeline.add(line, format!("row {line}\n").as_bytes(), Ok(reading))
}

/// Feeds 1,000 rows, of a source if it has a name, of which `is_future` says which lie too far ahead; answers
/// the counts and what was collected.
fn feed(source: Option<&str>, is_future: impl Fn(u64) -> bool) -> (Tally, u64, String) {
    let (dir, db) = slow_database();
    let collected = dir.path().join("rejected");
    let said = RefCell::new(Vec::new());
    let say = |text: &str| said.borrow_mut().push(text.to_owned());
    let mut pipeline = pipeline(&db, &say, Some(&collected), source);
    for line in 1..=1_000 {
        let at = if is_future(line) { NOW + 3_601 } else { NOW + 3_600 };
        add(&mut pipeline, &db, line, at).unwrap();
    }
    let tally = pipeline.finish().unwrap();
    let named = tally.rejected.min(20) + u64::from(tally.rejected > 20);
    assert_eq!(said.borrow().len() as u64, named, "{:?}", said.borrow());
    let views = db.top("view", By::Count(Window::AllTime), 1).unwrap();
    let durable = views.first().map_or(0, |views| views.value as u64);
    (tally, durable, fs::read_to_string(collected).unwrap())
}

/// A name, and which rows lie too far ahead.
type Case = (&'static str, fn(u64) -> bool);

#[test]
fn a_row_that_the_database_refuses_takes_no_other_with_it() {
    let cases: [Case; 5] = [
        ("none", |_| false),
        ("one", |line| line == 477),
        ("the first and the last", |line| line == 1 || line == 1_000),
        ("many", |line| line % 7 == 3 || (300..420).contains(&line)),
        ("all", |_| true),
    ];
    for (name, is_future) in cases {
        for source in [None, Some("source")] {
            let (tally, durable, collected) = feed(source, is_future);
            let expected: Vec<u64> = (1..=1_000).filter(|line| is_future(*line)).collect();
            let rejected = expected.len() as u64;
            let counts = Tally { accepted: 1_000 - rejected, duplicates: 0, rejected };
            assert_eq!((tally, durable), (counts, 1_000 - rejected), "{name}, {source:?}");
            let rows: String = expected.iter().map(|line| format!("row {line}\n")).collect();
            assert_eq!(collected, rows, "{name}, {source:?}");
        }
    }
}

/// A database that refuses one of a batch gets it in parts, and the first parts
/// have no note: a source that was stopped between them goes on all the same.
#[test]
fn a_source_without_a_note_goes_on() {
    let (_dir, db) = slow_database();
    let origin = || Origin::of_source(&db, "source", &Meaning::default(), b"").unwrap();
    let mut first = origin();
    first.next_row(b"row 1\n", true).unwrap();
    let event = Event::new("view", EntityId::new(7), 1.0, Timestamp::from_secs(NOW));
    db.signals(&[event.from_producer(first.producer())]).unwrap();
    let mut again = origin();
    assert!(again.next_row(b"row 1\n", true).unwrap());
    assert!(!again.next_row(b"row 2\n", true).unwrap());
    again.check_whole().unwrap();
}

#[test]
fn a_failure_on_the_way_says_what_is_durable() {
    let (_dir, db) = slow_database();
    let mut pipeline = pipeline(&db, &|_| {}, None, None);
    for line in 1..=200 {
        add(&mut pipeline, &db, line, NOW).unwrap();
    }
    db.shutdown().unwrap();
    let failure = (201..=300)
        .map(|line| add(&mut pipeline, &db, line, NOW))
        .find_map(Result::err)
        .or_else(|| pipeline.finish().err())
        .unwrap();
    let text = failure.message();
    assert!(text.contains("behind line 200, 200 rows are acknowledged and durable"), "{text}");
    assert!(text.contains("shut down"), "{text}");
}
