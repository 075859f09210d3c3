//! What if: the same log under another schema. And the same log again: L2.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flate2::read::GzDecoder;
use tidal_db::{
    Batch, By, Checksum, Config, DecaySpec, DumpedRecord, Engine, EntityKind, Event, ManualClock,
    Meaning, Producer, ProducerId, Schema, SchemaBuilder, SchemaError, Seq, TidalDB, TidalError,
    Timestamp, Window, dump, replay, replay_with,
};

use crate::fixture::{self, NOW, event, id, real_data};

const HOUR: Duration = Duration::from_secs(3600);

/// The schema of the fixture under other half-lives, with a signal type more and, if
/// asked for, without `like`.
fn other_schema(with_like: bool) -> Schema {
    let mut builder = SchemaBuilder::new();
    builder
        .signal("share", EntityKind::Item, DecaySpec::Permanent)
        .windows(&[Window::AllTime])
        .add()
        .signal("follow", EntityKind::Creator, DecaySpec::Linear { lifetime: HOUR * 900 })
        .windows(&[Window::SevenDays])
        .sums(true)
        .add()
        .signal("view", EntityKind::Item, DecaySpec::Exponential { half_life: HOUR })
        .windows(&[Window::OneHour, Window::ThirtyDays])
        .add();
    if with_like {
        builder.signal("like", EntityKind::Item, DecaySpec::Permanent).add();
    }
    builder.build().unwrap()
}

fn opened(dir: &Path, schema: Schema, clock: &Arc<ManualClock>) -> TidalDB {
    let config = Config { data_dir: dir.into(), schema };
    let builder = TidalDB::builder(config).segment_bytes(16 << 10);
    builder.clock(Arc::<ManualClock>::clone(clock)).open().unwrap()
}

/// Feeds what is the same each time: events, names, metadata, producers, over log time.
/// Leaves out `like` where the schema lacks it.
fn feed(db: &TidalDB, clock: &ManualClock) {
    let users: Vec<String> = (0..40).map(|number| format!("user {number}")).collect();
    for index in 0..300_u64 {
        clock.set(NOW.saturating_add(Duration::from_secs(index / 3)));
        let event = event(index);
        if db.schema().signal(event.signal).is_none() {
            continue;
        }
        let event = Event { actor: None, ..event };
        let producer = |seq| Producer { id: ProducerId::from_bytes([3; 16]), epoch: 1, seq };
        let event = if index % 5 == 0 { event.from_producer(producer(index + 1)) } else { event };
        let batch = Batch::new().event(event).write_item(id(index % 13), format!("{index}"));
        let batch = if index % 10 == 0 {
            batch.producer_note(producer(0).id, format!("note {index}"))
        } else {
            batch
        };
        db.commit(batch).unwrap();
        if index % 50 == 7 {
            db.delete_item(id(index % 13)).unwrap();
            db.entity_ids(EntityKind::User, &users[..(index / 8) as usize]).unwrap();
        }
    }
}

fn records(dir: &Path) -> Vec<DumpedRecord> {
    let mut records = Vec::new();
    dump(dir, Seq::ZERO, &mut |record| {
        records.push(record.clone());
        ControlFlow::Continue(())
    })
    .unwrap();
    records
}

fn checksum(dir: &Path) -> Checksum {
    TidalDB::open_existing(dir).unwrap().checksum().unwrap()
}

/// G78: the same log under the same schema is the same database, with the same log
/// times, twice and on every engine; and the source stays as it is.
#[test]
fn replayed_under_its_own_schema_it_is_the_same_on_every_engine() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(NOW));
    let db = opened(dir.path(), fixture::schema(), &clock);
    feed(&db, &clock);
    let expected = db.checksum().unwrap();
    db.shutdown().unwrap();
    let source = records(dir.path());
    for &engine in Engine::ALL {
        for _ in 0..2 {
            let to = tempfile::tempdir().unwrap();
            let mut last = None;
            let made =
                replay_with(dir.path(), to.path(), &fixture::schema(), engine, &mut |step| {
                    last = Some(step);
                });
            let made = made.unwrap();
            assert_eq!((made.checksum, made.records), (expected, source.len() as u64));
            assert_eq!(
                last.map(|step| (step.records, step.records_total)),
                Some((made.records, made.records))
            );
            assert!(made.left_out.is_empty() && made.events == 300);
            assert_eq!(records(to.path()), source);
            assert_eq!(checksum(to.path()), expected);
        }
    }
    assert_eq!(records(dir.path()), source);
}

/// G77: under another schema it is the database that would be there had it been the
/// schema from the first record on.
#[test]
fn replayed_under_another_schema_it_is_what_it_would_have_been() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(NOW));
    let db = opened(dir.path(), fixture::schema(), &clock);
    feed(&db, &clock);
    db.shutdown().unwrap();
    let to = tempfile::tempdir().unwrap();
    let made = replay(dir.path(), to.path(), &other_schema(true), Engine::Fjall).unwrap();
    let expected = tempfile::tempdir().unwrap();
    clock.set(NOW);
    let db = opened(expected.path(), other_schema(true), &clock);
    feed(&db, &clock);
    assert_eq!((made.checksum, made.events), (db.checksum().unwrap(), 300));
    assert_eq!(checksum(to.path()), made.checksum);
    // The scores are others, the entities and names are the same.
    let copy = TidalDB::open_existing(to.path()).unwrap();
    assert_eq!(copy.find_entity(EntityKind::User, "user 3").unwrap(), Some(id(4)));
    assert_eq!(copy.read_item(id(2)).unwrap(), db.read_item(id(2)).unwrap());
    let producer = ProducerId::from_bytes([3; 16]);
    assert_eq!(copy.producer(producer).unwrap(), db.producer(producer).unwrap());
}

/// G77: what the new schema lacks is left out and counted, and nothing else is.
#[test]
fn signal_types_that_are_gone_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(NOW));
    let db = opened(dir.path(), fixture::schema(), &clock);
    feed(&db, &clock);
    db.shutdown().unwrap();
    let likes = records(dir.path());
    let likes = likes.iter().filter(|record| match &record.meaning {
        Meaning::Event { declared: Some((name, _)), .. } => name == "like",
        _ => false,
    });
    let (likes, to) = (likes.count() as u64, tempfile::tempdir().unwrap());
    let made = replay(dir.path(), to.path(), &other_schema(false), Engine::Fjall).unwrap();
    assert!(likes > 10);
    assert_eq!((made.left_out[0].signal.as_str(), made.left_out[0].events), ("like", likes));
    assert_eq!((made.left_out.len(), made.events), (1, 300 - likes));
    assert_eq!(made.written + likes, made.records);
    let copy = TidalDB::open_existing(to.path()).unwrap();
    assert!(!copy.top("view", By::Score, 100).unwrap().is_empty());
    assert_eq!(copy.stats().unwrap().records, made.written);
}

/// G77: what cannot be is refused, and what is left of a replay that failed is no
/// database.
#[test]
fn a_replay_that_cannot_be_leaves_no_database() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(NOW));
    let db = opened(dir.path(), fixture::schema(), &clock);
    feed(&db, &clock);
    let to = tempfile::tempdir().unwrap();
    let run =
        |to: &Path, schema: &Schema| replay(dir.path(), to, schema, Engine::Fjall).unwrap_err();
    assert!(matches!(run(to.path(), &other_schema(true)), TidalError::Locked { .. }));
    db.shutdown().unwrap();
    let mut builder = SchemaBuilder::new();
    builder.signal("view", EntityKind::Creator, DecaySpec::Permanent).add();
    let error = run(to.path(), &builder.build().unwrap());
    let told = matches!(&error, TidalError::Schema(SchemaError::Changed { signal, field, .. })
        if signal == "view" && *field == "kind");
    assert!(told, "{error}");
    let error = TidalDB::open_existing(to.path()).unwrap_err();
    assert!(matches!(error, TidalError::RestoreUnfinished { .. }), "{error}");
    assert!(matches!(run(to.path(), &other_schema(true)), TidalError::RestoreUnfinished { .. }));
    run(dir.path(), &other_schema(true));
    checksum(dir.path());
}

/// G78 and L2 on a slice of real data: what was fed, and what is made of its log again,
/// twice and on every engine, are one state.
#[test]
fn real_data_replayed_is_the_same_on_every_engine() {
    let Some(path) = real_data("online-retail/online-retail.csv.gz") else {
        return;
    };
    let mut builder = SchemaBuilder::new();
    builder
        .signal("purchase", EntityKind::Item, DecaySpec::Exponential { half_life: HOUR * 168 })
        .windows(&Window::ALL)
        .velocity(true)
        .sums(true)
        .add();
    let schema = builder.build().unwrap();
    let rows = csv::Reader::from_reader(GzDecoder::new(File::open(path).unwrap())).into_records();
    let rows: Vec<(String, f64, Timestamp)> = rows
        .take(30_000)
        .map(|row| {
            let row = row.unwrap();
            let at: jiff::civil::DateTime = row[4].parse().unwrap();
            let secs = at.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_second();
            let at = Timestamp::from_secs(u64::try_from(secs).unwrap());
            (row[1].to_owned(), row[3].parse().unwrap(), at)
        })
        .collect();
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(rows.last().unwrap().2));
    let db = opened(dir.path(), schema.clone(), &clock);
    for chunk in rows.chunks(500) {
        let names: Vec<&str> = chunk.iter().map(|row| row.0.as_str()).collect();
        let ids = db.entity_ids(EntityKind::Item, &names).unwrap();
        let events =
            chunk.iter().zip(ids).map(|(row, id)| Event::new("purchase", id, row.1, row.2));
        db.commit(events.collect()).unwrap();
    }
    let expected = db.checksum().unwrap();
    db.shutdown().unwrap();
    for &engine in Engine::ALL {
        for _ in 0..2 {
            let to = tempfile::tempdir().unwrap();
            assert_eq!(replay(dir.path(), to.path(), &schema, engine).unwrap().checksum, expected);
            assert_eq!(checksum(to.path()), expected, "{engine:?}");
        }
    }
}
