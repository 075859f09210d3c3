//! What is forgotten goes, and who is forgotten counts on without a name.

use tidal_db::{MemoryStorage, Retention};

use super::*;
use crate::interrupted::Interrupted;

/// Its bytes, as a sketch has them, are like no others.
const ADA: u64 = 0x0123_4567_89ab_cdef;

/// An id as sketches have it.
fn bytes_of(mut id: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while id >= 0x80 {
        bytes.push(id as u8 | 0x80);
        id >>= 7;
    }
    bytes.push(id as u8);
    bytes
}

fn name_ada(storage: &dyn Storage) -> usize {
    let ada = bytes_of(ADA);
    let names = |(_, value): &(Vec<u8>, Vec<u8>)| value.windows(ada.len()).any(|at| at == ada);
    sketches(storage).iter().filter(|sketch| names(sketch)).count()
}

/// Views of items 1 to 3 by some users, of whom the last is Ada: few, as many as are kept
/// by id, and more.
fn watch(db: &TidalDB) {
    for (item, users) in [(1, 3), (2, 64), (3, 200)] {
        let view = |user| Event::new("view", id(item), 1.0, ago(300 - user)).by(id(user));
        let mut events: Vec<_> = (1..users).map(view).collect();
        events.push(Event::new("view", id(item), 1.0, ago(5)).by(id(ADA)));
        db.signals(&events).unwrap();
    }
}

/// G80: the unique actors of an entity go with it, from memory and from storage.
#[test]
fn a_forgotten_entity_has_no_unique_actors() {
    for is_stored in [false, true] {
        let storage = Arc::new(MemoryStorage::new());
        let dir = tempfile::tempdir().unwrap();
        let open = || builder(dir.path()).storage(Interrupted::never(&storage)).open();
        let db = open().unwrap();
        watch(&db);
        if is_stored {
            db.checkpoint().unwrap();
            assert_eq!(sketches(&*storage).len(), 3);
        }
        db.forget(EntityKind::Item, id(3)).unwrap();
        let count = |db: &TidalDB, item| {
            db.unique_actors_at("view", id(item), Window::AllTime, NOW).unwrap()
        };
        assert_eq!([count(&db, 2), count(&db, 3)].map(|count| count > 0), [true, false]);
        db.checkpoint().unwrap();
        assert_eq!(sketches(&*storage).len(), 2);
        assert_eq!(count(&db, 3), 0);
    }
}

/// G99: a user who is forgotten counts on, and once a purge is complete no sketch says who
/// it was: not in storage, and not after it was opened again.
#[test]
fn a_purge_takes_the_ids_of_users_out_of_sketches() {
    let storage = Arc::new(MemoryStorage::new());
    let dir = tempfile::tempdir().unwrap();
    let open = || builder(dir.path()).storage(Interrupted::never(&storage)).open();
    let db = open().unwrap();
    watch(&db);
    let before = answers(&db, NOW);
    db.checkpoint().unwrap();
    assert_eq!(name_ada(&*storage), 3);
    db.forget(EntityKind::User, id(ADA)).unwrap();
    assert_eq!(answers(&db, NOW), before);
    let purged = db.purge_forgotten().unwrap();
    assert!(purged.is_complete && purged.without_actor == 3);
    assert_eq!(name_ada(&*storage), 0);
    assert_eq!(answers(&db, NOW), before);
    drop(db);
    let db = open().unwrap();
    assert_eq!(answers(&db, NOW), before);
    // Behind it the sketches go on as before.
    db.signals(&[Event::new("view", id(1), 1.0, NOW).by(id(99))]).unwrap();
    let count = db.unique_actors("view", id(1), Window::AllTime).unwrap();
    assert_eq!(count, before[&("view", id(1), Window::AllTime)] + 1);
    assert_eq!(db.purge_forgotten().unwrap().entities, 0);
}

/// G82, G99: a purge that is cut short at any commit leaves nobody counted twice or lost, and
/// purging again finishes it.
#[test]
fn a_purge_that_is_cut_short_counts_nobody_twice() {
    let mut cuts = 0;
    loop {
        let storage = Arc::new(MemoryStorage::new());
        let dir = tempfile::tempdir().unwrap();
        let open = |storage| builder(dir.path()).storage(storage).open().unwrap();
        let db = open(Interrupted::never(&storage));
        watch(&db);
        let before = answers(&db, NOW);
        db.checkpoint().unwrap();
        // Behind the checkpoint, too, Ada acts before she is forgotten.
        db.signals(&[Event::new("view", id(1), 1.0, ago(4)).by(id(ADA))]).unwrap();
        db.forget(EntityKind::User, id(ADA)).unwrap();
        drop(db);
        let db = open(Interrupted::after(&storage, cuts));
        let is_done = db.purge_forgotten().is_ok();
        drop(db);
        let db = open(Interrupted::never(&storage));
        assert_eq!(answers(&db, NOW), before, "after {cuts} commits");
        assert!(db.purge_forgotten().unwrap().is_complete);
        assert_eq!(name_ada(&*storage), 0, "after {cuts} commits");
        assert_eq!(answers(&db, NOW), before, "after {cuts} commits");
        if is_done {
            break;
        }
        cuts += 1;
    }
    assert!(cuts >= 4, "two checkpoints, and what was purged: {cuts}");
}

/// G99: a state that is made from a log without the actor counts it no more, which is no
/// difference for a deep verification; the base, too, has lost the id.
#[test]
fn deep_verification_does_not_compare_whom_a_purged_log_lost() {
    let dir = tempfile::tempdir().unwrap();
    let db = builder(dir.path())
        .segment_bytes(16 << 10)
        .retain(Retention::For(Duration::from_secs(3600)))
        .open()
        .unwrap();
    watch(&db);
    db.forget(EntityKind::User, id(ADA)).unwrap();
    assert!(db.purge_forgotten().unwrap().is_complete);
    let checksum = db.checksum().unwrap();
    db.shutdown().unwrap();
    drop(db);
    let state = deep(dir.path());
    assert!(state.ok());
    assert_eq!(state.recomputed, checksum);
    let again = tempfile::tempdir().unwrap();
    replay(dir.path(), again.path().join("again"), &schema(), Engine::Fjall).unwrap();
    let db = builder(&again.path().join("again")).open().unwrap();
    assert_eq!(db.unique_actors("view", id(1), Window::AllTime).unwrap(), 2);
}
