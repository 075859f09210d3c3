//! What is made again of a log that was purged: by deep verification, by a replay, from a
//! base, on another engine, from a backup.

use std::path::Path;

use tidal_db::{
    AsOf, AsOfClock, DeepOptions, Engine, EntityKind, FeatureValue, Outcome, Retention, Seq,
    TidalDB, Window, migrate, replay, restore, verify_deep,
};
use tidal_storage::{FjallStorage, KeyspaceName, Storage as _};

use super::{ITEM, USER, assert_forgotten, sent};
use crate::fixture::{NOW, event, id, open, schema};
use crate::retention::{DAY, on_day};

const CREATOR: EntityKind = EntityKind::Creator;

/// What is stored, the base, and the log come to one state, which is this one.
#[track_caller]
fn assert_deep(dir: &Path, checksum: tidal_db::Checksum) -> Seq {
    let scratch = tempfile::tempdir().unwrap();
    let report = verify_deep(dir, &DeepOptions::new(scratch.path().join("work"))).unwrap();
    assert!(report.ok(), "{report:?}");
    let state = report.state.unwrap();
    assert_eq!((state.recomputed, state.stored), (checksum, Some(checksum)));
    state.from
}

/// Events of all kinds, by a producer too, metadata and names.
fn feed(db: &TidalDB) {
    db.entity_ids(USER, &["ada", "bob"]).unwrap();
    for index in 0..200 {
        let event = tidal_db::Event { actor: None, ..event(index) };
        let by = if index % 3 == 0 { event.by(id(1 + index % 2)) } else { event };
        db.commit(tidal_db::Batch::new().event(by).write_item(id(index % 5), format!("{index}")))
            .unwrap();
    }
    for number in 1..=9 {
        db.signals(&[sent(number % 3, number)]).unwrap();
    }
}

/// Items 1 and 7, of which nobody knew, creator 1, and ada, who has a name.
fn forget(db: &TidalDB) {
    for (kind, number) in [(ITEM, 1), (ITEM, 7), (CREATOR, 1), (USER, 1)] {
        db.forget(kind, id(number)).unwrap();
    }
}

/// What was forgotten stays so, and the producer's number is known: its last event, about
/// an item that was forgotten, is told from new ones.
#[track_caller]
fn assert_keeps(db: &TidalDB) {
    for (kind, number) in [(ITEM, 1), (ITEM, 7), (CREATOR, 1), (USER, 1)] {
        assert!(db.is_forgotten(kind, id(number)).unwrap());
    }
    assert_forgotten(db.signal("view", id(1), 1.0, NOW), ITEM, 1);
    assert_forgotten(db.write_item(id(7), "x"), ITEM, 7);
    assert_forgotten(db.signal("follow", id(1), 1.0, NOW), CREATOR, 1);
    let seen = tidal_db::Event::new("view", id(2), 1.0, NOW).by(id(1));
    assert_forgotten(db.signals(&[seen]), USER, 1);
    assert_eq!(db.find_entity(USER, "ada").unwrap(), None);
    assert_eq!(db.find_entity(USER, "bob").unwrap(), Some(id(2)));
    let again = db.signals(&[sent(2, 10)]).unwrap();
    assert_eq!(again.outcomes, [Outcome::Duplicate { seq: None }]);
    assert_eq!(db.entity_id(USER, "ada").unwrap(), id(3));
}

/// G76, G78, G80, G82: before and after a purge, whoever makes the state again comes to the
/// same, and to what was forgotten and how far producers are.
#[test]
fn whoever_makes_the_state_again_comes_to_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    feed(&db);
    // The last one of the producer, which nothing but a tombstone will tell.
    db.signals(&[sent(1, 10)]).unwrap();
    forget(&db);
    let checksum = db.checksum().unwrap();
    drop(db);
    for is_purged in [false, true] {
        if is_purged {
            let db = open(dir.path());
            let purged = db.purge_forgotten().unwrap();
            assert!(purged.is_complete && purged.tombstones > 50, "{purged:?}");
            db.shutdown().unwrap();
        }
        assert_eq!(assert_deep(dir.path(), checksum), Seq::FIRST);
        for &engine in Engine::ALL {
            let parts = tempfile::tempdir().unwrap();
            let path = |name: &str| parts.path().join(name);
            let made = replay(dir.path(), path("replayed"), &schema(), engine).unwrap();
            assert_eq!(made.checksum, checksum, "{engine:?}, purged: {is_purged}");
            migrate(dir.path(), path("copied"), engine).unwrap();
            let db = open(dir.path());
            db.backup(path("backup")).unwrap();
            db.shutdown().unwrap();
            restore(path("backup"), path("restored"), engine).unwrap();
            for name in ["replayed", "copied", "restored"] {
                if name != "restored" {
                    assert_deep(&path(name), checksum);
                }
                let db = TidalDB::open_existing(path(name)).unwrap();
                assert_eq!(db.checksum().unwrap(), checksum, "{name}");
                assert_keeps(&db);
                db.shutdown().unwrap();
            }
        }
    }
    let db = open(dir.path());
    assert_keeps(&db);
}

/// The features of two creators and two items, as either clock has them.
fn past(db: &TidalDB, from_day: u32) -> Vec<Vec<FeatureValue>> {
    let mut answers = Vec::new();
    for clock in [AsOfClock::Event, AsOfClock::Known] {
        for (kind, signal) in [(ITEM, "view"), (CREATOR, "follow")] {
            let days = [from_day, from_day + 1, from_day + 2];
            let rows = days.into_iter().flat_map(|day| {
                let at = NOW.saturating_add(DAY * day);
                [(id(1), at), (id(2), at), (id(10), at)]
            });
            let request = AsOf::new(kind).count(signal, Window::AllTime).score(signal).rows(rows);
            let features = db.as_of(&request.clock(clock)).unwrap();
            answers.extend((0..9).map(|row| features.row(row).collect()));
        }
    }
    answers
}

/// Whether the base has anything of item 1, of creator 1, and of the name ada.
fn in_base(dir: &Path) -> (bool, bool, bool) {
    let base = FjallStorage::open(dir.join("base")).unwrap();
    let snapshot = base.snapshot().unwrap();
    let has = |kind: EntityKind| {
        let prefix = tidal_keys::entity_prefix(id(1));
        snapshot.scan_prefix(KeyspaceName::from(kind), &prefix).unwrap().count() > 0
    };
    let system = snapshot.scan_prefix(KeyspaceName::SYSTEM, &[]).unwrap();
    let mut names = system.map(|entry| entry.unwrap().1);
    (has(ITEM), has(CREATOR), names.any(|value| *value == *b"ada"))
}

/// G68, G76, G80, G82: over a log that was cut by age, with the records that forget behind
/// its base: purged, base and log come to the same, the past of all others is what it was,
/// and neither names nor cells nor metadata of what was forgotten are in the base.
#[test]
fn a_purged_base_and_a_purged_log_come_to_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let named = on_day(dir.path(), 0).open().unwrap();
    named.entity_ids(USER, &["ada", "bob"]).unwrap();
    named.shutdown().unwrap();
    for day in 0..9 {
        let db = on_day(dir.path(), day).retain(Retention::For(DAY * 3)).open().unwrap();
        for number in 0..12 {
            let index = u64::from(day) * 12 + number;
            let event = tidal_db::Event { actor: None, ..event(index) };
            let batch = tidal_db::Batch::new().event(event);
            db.commit(batch.write_item(id(index % 9), vec![b'm'; 900])).unwrap();
        }
        db.shutdown().unwrap();
    }
    let db = on_day(dir.path(), 9).open().unwrap();
    let before = past(&db, 7);
    forget(&db);
    let (checksum, first) = (db.checksum().unwrap(), db.stats().unwrap().log.first_seq);
    assert!(first > Seq::FIRST);
    db.shutdown().unwrap();
    assert_eq!(in_base(dir.path()), (true, true, true));
    assert!(assert_deep(dir.path(), checksum) > Seq::FIRST);
    let db = on_day(dir.path(), 9).open().unwrap();
    assert!(db.purge_forgotten().unwrap().is_complete);
    let after = past(&db, 7);
    for (row, (before, after)) in before.iter().zip(&after).enumerate() {
        if row % 3 == 0 {
            assert_eq!(*after, [FeatureValue::Whole(0), FeatureValue::Real(0.0)]);
        } else {
            assert_eq!(after, before, "{row}");
        }
    }
    assert!(before.iter().step_by(3).any(|row| row[0] != FeatureValue::Whole(0)));
    db.shutdown().unwrap();
    assert_eq!(in_base(dir.path()), (false, false, false));
    assert!(assert_deep(dir.path(), checksum) > Seq::FIRST);
}
