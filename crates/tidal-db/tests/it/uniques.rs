//! Unique actors: what is read of them, wherever they are, and what becomes of them when
//! an entity or a user is forgotten.

#[cfg(test)]
mod forgetting;
#[cfg(test)]
mod real_data;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tidal_db::{
    Builder, Config, DecaySpec, DeepOptions, Differing, Engine, EntityId, EntityKind, Event,
    ManualClock, QueryError, Schema, SchemaBuilder, SchemaError, TidalDB, TidalError, Timestamp,
    Window, migrate, replay, restore, verify_deep,
};
use tidal_storage::{FjallStorage, Storage};

use crate::fixture::{NOW, ago, id};

/// The standard error that is promised.
pub(crate) const ERROR: f64 = 0.0325;

fn schema() -> Schema {
    let mut builder = SchemaBuilder::new();
    builder
        .signal("view", EntityKind::Item, DecaySpec::Permanent)
        .windows(&[Window::OneHour, Window::SevenDays, Window::AllTime])
        .uniques(true)
        .add()
        .signal("follow", EntityKind::Creator, DecaySpec::Permanent)
        .windows(&[Window::TwentyFourHours])
        .uniques(true)
        .add()
        .signal("like", EntityKind::Item, DecaySpec::Permanent)
        .windows(&[Window::AllTime])
        .add();
    builder.build().unwrap()
}

fn builder(dir: &Path) -> Builder {
    TidalDB::builder(Config { data_dir: dir.into(), schema: schema() })
        .clock(Arc::new(ManualClock::new(NOW)))
}

/// The n-th event of a stream that is the same every time: four items and creators, of
/// which the first have most, actors from a few to hundreds, times from now to ten days ago.
fn event(index: u64) -> Event<'static> {
    let hash = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let entity = id(u64::from((hash >> 60).leading_zeros() - 59));
    let at = ago((hash >> 30) % [3000, 90_000, 900_000][(hash >> 24) as usize % 3]);
    let signal = ["view", "view", "follow", "like"][(hash >> 20) as usize % 4];
    let event = Event::new(signal, entity, 1.0, at);
    if hash >> 11 & 7 == 0 { event } else { event.by(id(hash >> 40 & 0x3ff)) }
}

type Asked = (&'static str, EntityId, Window);

/// Every answer about the signal types that keep unique actors.
fn answers(db: &TidalDB, at: Timestamp) -> BTreeMap<Asked, u64> {
    let mut answers = BTreeMap::new();
    for (signal, windows) in [
        ("view", &[Window::OneHour, Window::SevenDays, Window::AllTime][..]),
        ("follow", &[Window::TwentyFourHours]),
    ] {
        for (entity, &window) in (0..7).flat_map(|entity| windows.iter().map(move |w| (entity, w)))
        {
            let asked = (signal, id(entity), window);
            answers.insert(asked, db.unique_actors_at(signal, id(entity), window, at).unwrap());
        }
    }
    answers
}

/// Compares the answers with plain sets (G98), and tells how many were exact and how many
/// estimated.
fn compare(answers: &BTreeMap<Asked, u64>, db: &TidalDB, events: u64, at: Timestamp) -> [u64; 2] {
    let mut told = [0; 2];
    for (&(signal, entity, window), &found) in answers {
        let actors = |slack: Duration| -> u64 {
            let span = window.duration().map_or(Duration::MAX, |span| span + slack);
            let inside = |event: &Event<'_>| {
                u128::from(at.as_nanos() - event.timestamp.as_nanos()) < span.as_nanos()
            };
            let of = |event: &Event<'_>| event.signal == signal && event.entity == entity;
            let acted = (0..events).map(event).filter(|event| of(event) && inside(event));
            acted.filter_map(|event| event.actor).collect::<BTreeSet<_>>().len() as u64
        };
        let exact = actors(Duration::ZERO);
        let most = db.windowed_count_at(signal, entity, window, at).unwrap();
        assert!(found <= most, "G98: {found} of {most} events");
        if exact < 64 {
            assert_eq!(found, exact.min(most), "G98: {signal} of {entity} in {window}");
            told[0] += u64::from(exact > 0);
        } else {
            let bucket = if signal == "view" { 60 } else { 24 * 60 };
            let upper = actors(Duration::from_secs(bucket)) as f64 * (1.0 + 4.0 * ERROR);
            let range = (exact as f64 * (1.0 - 4.0 * ERROR)).min(most as f64)..=upper;
            assert!(range.contains(&(found as f64)), "{signal} of {entity} in {window}: {found}");
            told[1] += 1;
        }
    }
    told
}

const EVENTS: u64 = 6000;

/// Feeds the stream, with a checkpoint on the way and a tail in the log alone.
fn fed(dir: &Path, engine: Engine) -> TidalDB {
    let db = builder(dir).engine(engine).open().unwrap();
    for from in (0..EVENTS).step_by(500) {
        let events: Vec<_> = (from..from + 500).map(event).collect();
        db.signals(&events).unwrap();
        if from == 3000 {
            db.checkpoint().unwrap();
        }
    }
    db
}

/// G98, G99: in memory, from log and checkpoint after a crash, from storage alone, on every
/// engine.
#[test]
fn unique_actors_are_those_of_a_set_and_survive() {
    for &engine in Engine::ALL {
        let dir = tempfile::tempdir().unwrap();
        let mut db = fed(dir.path(), engine);
        let later = NOW.saturating_add(Duration::from_secs(1801));
        let before = [NOW, later].map(|at| answers(&db, at));
        for (answers, at) in before.iter().zip([NOW, later]) {
            let [exact, estimated] = compare(answers, &db, EVENTS, at);
            assert!(exact >= 3 && estimated >= 5, "{exact} exact, {estimated} estimated");
        }
        assert_eq!(
            db.unique_actors("view", id(1), Window::OneHour).unwrap(),
            before[0][&("view", id(1), Window::OneHour)]
        );
        assert!(db.stats().unwrap().unique_actors_bytes > 0);
        for is_clean in [false, true, true] {
            if is_clean {
                db.shutdown().unwrap();
            }
            drop(db);
            db = builder(dir.path()).engine(engine).open().unwrap();
            assert_eq!([NOW, later].map(|at| answers(&db, at)), before, "{engine:?}");
        }
        assert_eq!(db.stats().unwrap().unique_actors_bytes, 0);
        // What was sent before changes nothing when it comes again.
        db.signals(&(0..EVENTS).map(event).collect::<Vec<_>>()).unwrap();
        let again = answers(&db, NOW);
        for (asked, count) in &before[0] {
            assert!(again[asked] >= *count, "more events may be counted now: {asked:?}");
        }
        compare(&again, &db, EVENTS, NOW);
    }
}

/// G99: wherever a database goes, its unique actors go along.
#[test]
fn copies_have_the_same_unique_actors() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    let db = fed(&path("first"), Engine::Fjall);
    let expected = answers(&db, NOW);
    db.backup(path("backup")).unwrap();
    db.shutdown().unwrap();
    drop(db);
    restore(path("backup"), path("restored"), Engine::Fjall).unwrap();
    let other = Engine::ALL.last().copied().unwrap();
    migrate(path("first"), path("migrated"), other).unwrap();
    replay(path("first"), path("replayed"), &schema(), other).unwrap();
    for (copy, engine) in [("restored", Engine::Fjall), ("migrated", other), ("replayed", other)] {
        let db = builder(&path(copy)).engine(engine).open().unwrap();
        assert_eq!(answers(&db, NOW), expected, "{copy}");
    }
}

#[test]
fn what_is_not_kept_is_refused() {
    let db = TidalDB::in_memory(schema()).unwrap();
    db.signals(&[Event::new("view", id(1), 1.0, NOW).by(id(2))]).unwrap();
    let ask = |signal, window| db.unique_actors(signal, id(1), window).unwrap_err();
    let not_kept = ask("like", Window::AllTime);
    assert!(
        matches!(&not_kept, TidalError::Query(QueryError::NotKept { signal, .. }) if signal == "like"),
        "{not_kept}"
    );
    let not_declared = ask("view", Window::ThirtyDays);
    assert!(matches!(not_declared, TidalError::WindowNotDeclared { .. }), "{not_declared}");
    let unknown = ask("share", Window::AllTime);
    assert!(matches!(unknown, TidalError::Schema(SchemaError::UnknownSignal { .. })), "{unknown}");
    let before = db.unique_actors_at("view", id(1), Window::AllTime, ago(1)).unwrap_err();
    assert!(matches!(before, TidalError::BeforeNewest { .. }), "{before}");
    assert_eq!(db.unique_actors("view", id(1), Window::AllTime).unwrap(), 1);
    assert_eq!(db.unique_actors("view", id(9), Window::AllTime).unwrap(), 0);
    db.shutdown().unwrap();
    assert!(matches!(ask("view", Window::AllTime), TidalError::Closed));
}

/// G98: events that do not say who acted count nobody, and one user counts once.
#[test]
fn nobody_counts_twice_and_nobody_unnamed_counts() {
    let db = TidalDB::in_memory(schema()).unwrap();
    let view = Event::new("view", id(1), 1.0, NOW);
    db.signals(&[view, view]).unwrap();
    let count = || db.unique_actors("view", id(1), Window::AllTime).unwrap();
    assert_eq!(count(), 0);
    db.signals(&[view.by(id(7)), view.by(id(7)), view.by(id(0))]).unwrap();
    assert_eq!(count(), 2);
}

/// G98: where each user acted once, an estimate that is too high is cut to the number of
/// events.
#[test]
fn there_are_never_more_users_than_events() {
    let db = TidalDB::in_memory(schema()).unwrap();
    let mut cut = 0;
    for user in 1..=300 {
        db.signals(&[Event::new("view", id(1), 1.0, NOW).by(id(user))]).unwrap();
        let found = db.unique_actors_at("view", id(1), Window::AllTime, NOW).unwrap();
        assert!(found <= user, "{found} of {user} events");
        cut += u64::from(user >= 64 && found == user);
    }
    assert!(cut >= 20, "no estimate was too high, so nothing was cut: {cut}");
}

pub(crate) fn deep(dir: &Path) -> tidal_db::DeepState {
    let scratch = tempfile::tempdir().unwrap();
    verify_deep(dir, &DeepOptions::new(scratch.path().join("work"))).unwrap().state.unwrap()
}

/// The sketches that storage has of items, see tidal-keys.
pub(crate) fn sketches(storage: &dyn Storage) -> Vec<(Vec<u8>, Vec<u8>)> {
    const MV: u8 = 5;
    let entries = storage.backend(EntityKind::Item).scan_prefix(&[]).unwrap();
    let entries = entries.map(|entry| entry.unwrap()).filter(|(key, _)| key[9] == MV);
    entries.map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
}

/// G76, G99: unique actors that are not those of the log are told; and what is no sketch
/// is refused.
#[test]
fn deep_verification_compares_unique_actors() {
    let dir = tempfile::tempdir().unwrap();
    fed(dir.path(), Engine::Fjall).shutdown().unwrap();
    assert!(deep(dir.path()).ok());
    let tamper = |value: &[u8]| {
        let storage = FjallStorage::open(dir.path().join("storage")).unwrap();
        let (key, _) = sketches(&storage).remove(1);
        storage.backend(EntityKind::Item).put(&key, value).unwrap();
        storage.flush_all().unwrap();
        storage.close().unwrap();
    };
    tamper(&[1, 1, 5, 7]);
    let state = deep(dir.path());
    assert!(!state.ok());
    assert_eq!(Some(state.recomputed), state.stored, "no checksum covers them");
    assert_eq!(state.differences.count, 1);
    let told = &state.differences.first[0];
    assert_eq!(told.what, Differing::UniqueActors("view".into(), id(2)));
    assert_eq!(told.what.to_string(), "unique actors view of 2");
    assert!(told.stored.as_ref().unwrap().contains("1 in all"), "{told:?}");
    tamper(&[2]);
    let db = builder(dir.path()).open().unwrap();
    let error = db.unique_actors("view", id(2), Window::AllTime).unwrap_err();
    assert!(matches!(error, TidalError::Damaged { .. }), "{error}");
}
