//! What is left in the files of those who were forgotten, what purging does meanwhile, and
//! what the past still tells.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tidal_db::{
    AsOf, AsOfClock, Batch, DedupKey, DedupOptions, EntityKind, Event, FeatureValue, MemoryStorage,
    TidalDB, Window,
};

use super::{ITEM, USER, files_with};
use crate::fixture::{NOW, ago, builder, id, open};
use crate::interrupted::Interrupted;
use crate::stepped::{Stepped, Verdict};

/// Views of items 1 and 2 by users 1 and 2.
fn watch(db: &TidalDB) {
    for at in 0..4 {
        let view = |item, by| Event::new("view", id(item), 2.0, ago(60 - at)).by(id(by));
        db.signals(&[view(1, 1), view(2, 1), view(2, 2)]).unwrap();
    }
}

/// The counts and scores of items 1 and 2, now and before, as each clock has them.
fn past(db: &TidalDB) -> Vec<Vec<FeatureValue>> {
    let rows = [(id(1), ago(58)), (id(2), ago(58)), (id(1), NOW), (id(2), NOW)];
    let mut answers = Vec::new();
    for clock in [AsOfClock::Event, AsOfClock::Known] {
        let request = AsOf::new(ITEM).count("view", Window::AllTime).score("view").rows(rows);
        let features = db.as_of(&request.clock(clock)).unwrap();
        answers.extend((0..rows.len()).map(|row| features.row(row).collect()));
    }
    answers
}

/// G80: the past tells nothing of what was forgotten, with its records still in the log and
/// without them, and of everything else what it always told.
#[test]
fn the_past_tells_nothing_of_what_was_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    watch(&db);
    let before = past(&db);
    let explained = |number| db.explain_from_log("view", id(number), NOW, 50).unwrap();
    let second = explained(2);
    assert_eq!((explained(1).parts.len(), second.parts.len()), (4, 8));
    db.forget(ITEM, id(1)).unwrap();
    db.forget(USER, id(1)).unwrap();
    for purged in [false, true] {
        let after = past(&db);
        for (row, (before, after)) in before.iter().zip(&after).enumerate() {
            if row % 2 == 0 {
                assert_eq!(*after, [FeatureValue::Whole(0), FeatureValue::Real(0.0)]);
            } else {
                assert_eq!(after, before, "{purged}");
            }
        }
        assert_eq!(before[2], [FeatureValue::Whole(4), before[2][1]]);
        let first = explained(1);
        assert_eq!((first.parts.len(), first.events, first.score), (0, 0, 0.0));
        assert_eq!(explained(2), second);
        if !purged {
            assert_eq!(db.purge_forgotten().unwrap().tombstones, 4);
        }
    }
}

/// G82: a purge that ends at any of its commits to storage, and the process with it, is
/// finished by the next one, and replay comes to the same state meanwhile.
#[test]
fn a_purge_that_was_cut_short_is_finished_by_the_next() {
    let name = b"Ada, Countess of Lovelace";
    let mut failures = 0;
    for commits in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let memory = Arc::new(MemoryStorage::new());
        let open = |storage| builder(dir.path()).storage(storage).open().unwrap();
        let db = open(Interrupted::never(&memory));
        db.entity_ids(USER, &[name.as_slice(), b"bob"]).unwrap();
        watch(&db);
        db.shutdown().unwrap();
        let db = open(Interrupted::after(&memory, commits));
        db.forget(USER, id(1)).unwrap();
        let checksum = db.checksum().unwrap();
        let purged = db.purge_forgotten();
        let unpurged = u64::from(purged.is_err());
        failures += unpurged;
        assert_eq!(db.stats().unwrap().unpurged, unpurged);
        drop(db);
        let db = open(Interrupted::never(&memory));
        assert_eq!(db.checksum().unwrap(), checksum, "after {commits} commits");
        assert_eq!(db.stats().unwrap().unpurged, unpurged);
        assert!(db.purge_forgotten().unwrap().is_complete);
        assert_eq!(db.stats().unwrap().unpurged, 0);
        assert_eq!(files_with(&dir.path().join("log"), name), Vec::<PathBuf>::new());
        db.shutdown().unwrap();
        let db = open(Interrupted::never(&memory));
        assert_eq!(db.checksum().unwrap(), checksum);
        assert_eq!(db.stats().unwrap().unpurged, 0, "it is known that it was purged");
        if purged.is_ok() {
            break;
        }
    }
    assert!(failures >= 2, "only {failures} purges were cut short");
}

/// G82: a purge hangs at each of its commits to storage, and everybody else goes on.
#[test]
fn nobody_waits_for_a_purge() {
    let dir = tempfile::tempdir().unwrap();
    let storage = Stepped::over(&Arc::new(MemoryStorage::new()));
    let db = builder(dir.path()).storage(Arc::clone(&storage) as _).open().unwrap();
    watch(&db);
    db.forget(ITEM, id(1)).unwrap();
    let mut steps = 0;
    thread::scope(|scope| {
        let _held = storage.hold();
        let purge = scope.spawn(|| {
            let purged = db.purge_forgotten();
            storage.done();
            purged
        });
        while storage.wait(1) {
            db.signal("view", id(2), 1.0, NOW).unwrap();
            steps += 1;
            assert_eq!(db.windowed_count("view", id(2), Window::AllTime).unwrap(), 8 + steps);
            // It is forgotten behind what is being purged, and so has to be purged still.
            db.forget(ITEM, id(100 + steps)).unwrap();
            storage.step(Verdict::Done);
        }
        assert_eq!(purge.join().unwrap().unwrap().entities, 1);
    });
    assert!(steps >= 3, "a purge made only {steps} commits");
    assert_eq!(db.stats().unwrap().unpurged, steps);
    assert_eq!(db.windowed_count("view", id(2), Window::AllTime).unwrap(), 8 + steps);
}

/// The names and keys of what was forgotten that files of the log hold.
fn left(log: &Path, rounds: u8) -> Vec<PathBuf> {
    let keys = (0..rounds).flat_map(|round| files_with(log, &key(round)));
    keys.chain((0..rounds).flat_map(|round| files_with(log, name(round).as_bytes()))).collect()
}

fn key(round: u8) -> [u8; 16] {
    b"key of someone. ".map(|byte| if byte == b'.' { round | 0x80 } else { byte })
}

fn name(round: u8) -> String {
    format!("a name of {round:03}, to be gone")
}

/// G82: checkpoints of the log, which hold keys, are written while the log is purged of
/// them. Whichever comes first, none is left.
#[test]
fn checkpoints_beside_a_purge_keep_nothing() {
    const ROUNDS: u8 = 25;
    let dir = tempfile::tempdir().unwrap();
    let build = || builder(dir.path()).dedup(DedupOptions::default()).open().unwrap();
    let db = build();
    let log = dir.path().join("log");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let beside = scope.spawn(|| {
            let mut written = 0;
            while !is_over.load(Ordering::Acquire) {
                // Something new, so that there is something to write.
                db.signal("like", id(1 << 40), 1.0, NOW).unwrap();
                db.checkpoint().unwrap();
                written += 1;
            }
            written
        });
        for round in 0..ROUNDS {
            let user = db.entity_id(USER, name(round)).unwrap();
            let seen = Event::new("view", id(2), 1.0, NOW).by(user);
            let seen = Event { key: Some(DedupKey::Client(key(round))), ..seen };
            db.commit(Batch::new().event(seen)).unwrap();
            if round % 5 == 4 {
                assert!(!left(&log, round + 1).is_empty());
                let first = user.get() - 4;
                for user in first..=user.get() {
                    db.forget(USER, id(user)).unwrap();
                }
                assert!(db.purge_forgotten().unwrap().is_complete);
                assert_eq!(left(&log, round + 1), Vec::<PathBuf>::new(), "after {round}");
            }
        }
        is_over.store(true, Ordering::Release);
        assert!(beside.join().unwrap() > 0);
    });
    let checksum = db.checksum().unwrap();
    db.checkpoint().unwrap();
    assert_eq!(left(&log, ROUNDS), Vec::<PathBuf>::new());
    db.shutdown().unwrap();
    assert_eq!(left(&log, ROUNDS), Vec::<PathBuf>::new());
    // Storage is made again from what is left.
    fs::remove_dir_all(dir.path().join("storage")).unwrap();
    let db = build();
    assert_eq!(db.checksum().unwrap(), checksum);
    assert_eq!(db.windowed_count("view", id(2), Window::AllTime).unwrap(), u64::from(ROUNDS));
    assert_eq!(db.entities(EntityKind::Item).unwrap(), [id(2), id(1 << 40)]);
}
