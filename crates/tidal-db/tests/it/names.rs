//! Names, numeric ids, and that they do not mix.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;

use tidal_db::{
    Batch, EntityKind, ErrorKind, Event, IdMode, MemoryStorage, Storage as _, TidalDB, TidalError,
};
use tidal_storage::{AtomicBatch, Durability};

use crate::fixture::{NOW, builder, id, open, schema};
use crate::interrupted::Interrupted;

/// G15
#[test]
fn names_get_ids_from_one_and_keep_them() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    assert_eq!(db.id_mode(EntityKind::Item), None);
    assert_eq!(db.entity_id(EntityKind::Item, "85123A").unwrap(), id(1));
    assert_eq!(db.entity_id(EntityKind::Item, "85123a").unwrap(), id(2));
    assert_eq!(db.entity_id(EntityKind::User, "85123A").unwrap(), id(1));
    let ids = db.entity_ids(EntityKind::Item, &["new", "85123A", "new", " new"]).unwrap();
    assert_eq!(ids, [id(3), id(1), id(3), id(4)]);
    assert_eq!(db.id_mode(EntityKind::Item), Some(IdMode::Named));
    let checksum = db.checksum().unwrap();
    drop(db);

    let db = open(dir.path());
    assert_eq!(db.find_entity(EntityKind::Item, "new").unwrap(), Some(id(3)));
    assert_eq!(db.find_entity(EntityKind::Item, "New").unwrap(), None);
    assert_eq!(
        db.entity_name(EntityKind::Item, id(4)).unwrap().as_deref(),
        Some(b" new".as_slice())
    );
    assert_eq!(db.entity_name(EntityKind::Item, id(5)).unwrap(), None);
    assert_eq!(db.checksum().unwrap(), checksum);
    db.shutdown().unwrap();

    let db = open(dir.path());
    assert_eq!(db.entity_id(EntityKind::Item, b"\xff\x00 any bytes").unwrap(), id(5));
    assert_eq!(db.entity_id(EntityKind::Item, "new").unwrap(), id(3));
}

/// G15
#[test]
fn looking_up_a_name_writes_nothing() {
    let db = TidalDB::in_memory(schema()).unwrap();
    let records = db.stats().unwrap().records;
    assert_eq!(db.find_entity(EntityKind::Item, "x").unwrap(), None);
    assert_eq!(db.id_mode(EntityKind::Item), None);
    assert_eq!(db.stats().unwrap().records, records);
}

#[test]
fn names_have_a_length() {
    let db = TidalDB::in_memory(schema()).unwrap();
    db.entity_id(EntityKind::Item, [b'x'; 255]).unwrap();
    for bad in [Vec::new(), vec![b'x'; 256]] {
        let outcome = db.entity_ids(EntityKind::Item, &[b"good".to_vec(), bad]);
        assert!(matches!(outcome, Err(TidalError::NameLength { max: 255, .. })), "{outcome:?}");
    }
    assert_eq!(db.find_entity(EntityKind::Item, "good").unwrap(), None);
}

/// G16
#[test]
fn a_named_kind_refuses_numbers_nobody_was_given() {
    let db = TidalDB::in_memory(schema()).unwrap();
    let named = db.entity_id(EntityKind::Item, "a").unwrap();
    db.signal("view", named, 1.0, NOW).unwrap();
    let outcomes = [
        db.signal("view", id(2), 1.0, NOW).map(|_| ()),
        db.write_item(id(2), "x").map(|_| ()),
        db.delete_item(id(2)).map(|_| ()),
    ];
    for outcome in outcomes {
        assert!(
            matches!(outcome, Err(TidalError::KindIsNamed { kind: EntityKind::Item, id: refused }) if refused == id(2)),
            "{outcome:?}"
        );
    }
}

/// G16
#[test]
fn a_numeric_kind_refuses_names() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    db.signal("view", id(1 << 60), 1.0, NOW).unwrap();
    let refused = db.entity_id(EntityKind::Item, "a");
    assert!(
        matches!(refused, Err(TidalError::KindIsNumeric { kind: EntityKind::Item })),
        "{refused:?}"
    );
    // The kind of an actor is decided by its first use, too.
    assert_eq!(db.id_mode(EntityKind::User), None);
    db.signals(&[Event::new("view", id(1), 1.0, NOW).by(id(9))]).unwrap();
    assert_eq!(db.id_mode(EntityKind::User), Some(IdMode::Numeric));
    drop(db);
    let db = open(dir.path());
    assert_eq!(db.id_mode(EntityKind::Item), Some(IdMode::Numeric));
    db.shutdown().unwrap();
    let db = open(dir.path());
    assert!(db.entity_id(EntityKind::Item, "a").is_err());
    db.entity_id(EntityKind::Creator, "a").unwrap();
}

/// What is still on its way decides, too.
#[test]
fn kinds_are_decided_in_the_order_of_the_log() {
    for _ in 0..20 {
        let db = TidalDB::in_memory(schema()).unwrap();
        let ticket = db.submit(Batch::new().signal("view", id(1), 1.0, NOW)).unwrap();
        assert!(matches!(
            db.entity_id(EntityKind::Item, "a"),
            Err(TidalError::KindIsNumeric { .. })
        ));
        ticket.wait().unwrap();
    }
}

#[test]
fn threads_that_name_the_same_things_agree() {
    let db = Arc::new(TidalDB::in_memory(schema()).unwrap());
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let db = Arc::clone(&db);
            thread::spawn(move || {
                let name = |index: usize| format!("item {}", (index * 7 + thread) % 100);
                let names: Vec<_> = (0..100).map(name).collect();
                let mut pairs: Vec<_> = Vec::new();
                for names in names.chunks(9) {
                    let ids = db.entity_ids(EntityKind::Item, names).unwrap();
                    pairs.extend(names.iter().cloned().zip(ids));
                }
                pairs
            })
        })
        .collect();
    let pairs: BTreeSet<_> =
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    let ids: BTreeSet<_> = pairs.iter().map(|(_, id)| id.get()).collect();
    assert_eq!(pairs.len(), 100, "a name has one id");
    assert_eq!(ids, (1..=100).collect(), "ids are dense from one");
}

/// G16: a kind that comes to be named while a batch of numbers is on its way
/// refuses the batch, or is refused itself.
#[test]
fn numbers_and_names_never_both_get_in() {
    for round in 0..100 {
        let db = Arc::new(TidalDB::in_memory(schema()).unwrap());
        let namer = {
            let db = Arc::clone(&db);
            thread::spawn(move || db.entity_id(EntityKind::Item, "a").is_ok())
        };
        // Long enough to be prepared while the name comes in.
        let events: Vec<_> = (0..500).map(|_| Event::new("view", id(42), 1.0, NOW)).collect();
        let numeric = db.signals(&events).is_ok();
        let named = namer.join().unwrap();
        assert!(numeric != named, "round {round}: numeric {numeric}, named {named}");
    }
}

/// C3: opening looks at no name, not even at one that is damaged; whoever asks for it is
/// told, and so is who asks for all of them.
#[test]
fn opening_reads_no_names() {
    let dir = tempfile::tempdir().unwrap();
    let memory = Arc::new(MemoryStorage::new());
    let open = || builder(dir.path()).storage(Interrupted::never(&memory)).open().unwrap();
    let db = open();
    let names: Vec<String> = (0..1000).map(|number| format!("name {number}")).collect();
    db.entity_ids(EntityKind::User, &names).unwrap();
    db.shutdown().unwrap();
    let mut damage = AtomicBatch::new();
    damage.put("system", b"named\0\x01\x01\0\x01name 7", "no id");
    damage.put("system", b"name\0\x01\x01\0\x01no id\0\x01", "name");
    memory.commit(damage, Durability::Sync).unwrap();

    let db = open();
    for (number, name) in (1..).zip(&names).filter(|&(number, _)| number != 8) {
        assert_eq!(db.find_entity(EntityKind::User, name).unwrap(), Some(id(number)));
        let read = db.entity_name(EntityKind::User, id(number)).unwrap();
        assert_eq!(read.as_deref(), Some(name.as_bytes()));
    }
    assert_eq!(db.find_entity(EntityKind::User, "name 1000").unwrap(), None);
    let errors = [
        db.find_entity(EntityKind::User, "name 7").map(drop),
        db.entity_id(EntityKind::User, "name 7").map(drop),
        db.checksum().map(drop),
    ];
    for error in errors {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Damage);
    }
    let next = db.entity_id(EntityKind::User, "another").unwrap();
    assert_eq!(next, id(1001));
}
