//! Passes over a log that is being written.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tidal_types::{EntityId, EntityKind, Timestamp, Window};

use super::schema;
use crate::{AsOf, Batch, Config, FeatureValue, TidalDB};

/// Sets the flag when it goes, also when the test fails, so that the writer ends.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Each commit is about four entities. Each entity has a pass of its own, and yet all
/// have the same number of events: those up to the position that is told.
/// G67
#[test]
fn all_passes_end_at_one_record_while_others_write() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { data_dir: dir.path().join("db"), schema: schema() };
    let db = TidalDB::open(config).unwrap();
    let ids = [1, 2, 3, 4].map(EntityId::new);
    let commit = || {
        let at = Timestamp::from_secs(60);
        let batch = ids.iter().fold(Batch::new(), |b, &id| b.signal("permanent", id, 1.0, at));
        db.commit(batch).unwrap()
    };
    commit();
    let request = AsOf::new(EntityKind::Item)
        .count("permanent", Window::AllTime)
        .rows(ids.map(|id| (id, Timestamp::from_secs(60))));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let _stop = Stop(&stop);
        scope.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                commit();
            }
        });
        let mut last = 0;
        for _ in 0..50 {
            let answered = commit().position.seq;
            let features = db.as_of_in_passes(&request, 1).unwrap();
            assert_eq!(features.passes, 4);
            assert!(features.position.seq >= answered);
            // Record 1 is the schema.
            let expected = (features.position.seq.get() - 1) / 4;
            assert!(expected > last, "a commit was answered before the call");
            last = expected;
            for place in 0..ids.len() {
                let counts: Vec<_> = features.row(place).collect();
                assert_eq!(counts, [FeatureValue::Whole(expected)]);
            }
        }
    });
}

/// G80: when an entity is forgotten, and the log is purged of it, between two passes, none
/// tells of it.
#[test]
fn no_pass_tells_of_what_is_forgotten_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { data_dir: dir.path().join("db"), schema: schema() };
    let db = TidalDB::builder(config).segment_bytes(64 << 10).open().unwrap();
    let at = |later| Timestamp::from_secs(60 + later);
    for number in 1..=4 {
        let id = EntityId::new(number);
        db.signal("permanent", id, 1.0, at(0)).unwrap();
        let rows: Vec<_> = (0..3000_u64).map(|later| (id, at(later))).collect();
        let request = AsOf::new(EntityKind::Item).count("permanent", Window::AllTime).rows(rows);
        thread::scope(|scope| {
            let forgetting = scope.spawn(|| {
                db.forget(EntityKind::Item, id).unwrap();
                db.purge_forgotten().unwrap();
            });
            loop {
                let is_over = forgetting.is_finished();
                let features = db.as_of_in_passes(&request, 1).unwrap();
                let counts: Vec<_> = (0..3000).flat_map(|place| features.row(place)).collect();
                assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
                if is_over {
                    assert_eq!(counts[0], FeatureValue::Whole(0));
                    break;
                }
            }
        });
    }
}
