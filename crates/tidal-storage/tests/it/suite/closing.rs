//! Closed storage.

use std::fmt::Debug;

use tidal_storage::{
    AtomicBatch, Direction, Durability, KeyRange, Result, Storage, StorageEngine, StorageError,
    WriteBatch,
};
use tidal_types::{EntityKind, ErrorKind};

use super::Fixture;

fn assert_closed<T: Debug>(result: Result<T>) {
    let error = result.unwrap_err();
    assert!(matches!(error, StorageError::Closed { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Reopen);
}

fn assert_engine_closed(engine: &dyn StorageEngine) {
    assert_closed(engine.get(b"key"));
    assert_closed(engine.contains(b"key"));
    assert_closed(engine.put(b"key", b"value"));
    assert_closed(engine.delete(b"key"));
    assert_closed(engine.scan_prefix(b"key").map(drop));
    assert_closed(engine.scan_range(KeyRange::all(), Direction::Backward).map(drop));
    assert_closed(engine.write_batch(WriteBatch::new()));
    assert_closed(engine.flush());
    assert_closed(engine.compact());
    assert_closed(engine.stats());
}

pub(crate) fn a_closed_storage_answers_that_it_is_closed(fixture: Fixture) {
    let storage = fixture.storage();
    storage.close().unwrap();
    for kind in EntityKind::ALL {
        assert_engine_closed(storage.backend(kind));
    }
    let mut batch = AtomicBatch::new();
    assert_closed(storage.commit(batch.clone(), Durability::Sync));
    batch.put("fresh", "key", "value");
    assert_closed(storage.commit(batch, Durability::Sync));
    assert_closed(storage.keyspace("system"));
    assert_closed(storage.keyspace("fresh"));
    assert_closed(storage.snapshot().map(drop));
    assert_closed(storage.flush_all());
    assert_closed(storage.stats());
}

pub(crate) fn closing_twice_is_fine(fixture: Fixture) {
    fixture.storage().close().unwrap();
    fixture.storage().close().unwrap();
}

/// A storage, and something of each kind that can outlive its closing.
fn with_survivors(storage: &dyn Storage, check: impl FnOnce()) {
    for n in 0..100u8 {
        storage.backend(EntityKind::Item).put(&[n], b"value").unwrap();
    }
    let engine = storage.keyspace("items").unwrap();
    let snapshot = storage.snapshot().unwrap();
    let mut scan = engine.scan_prefix(b"").unwrap();
    let mut fresh_scan = engine.scan_range(KeyRange::all(), Direction::Backward).unwrap();
    assert_eq!(scan.next().unwrap().unwrap().0, [0]);
    check();
    assert_engine_closed(&*engine);
    assert_closed(snapshot.get(EntityKind::Item.into(), b"key"));
    assert_closed(snapshot.scan_prefix(EntityKind::Item.into(), b"").map(drop));
    assert_closed(scan.next().unwrap());
    assert!(scan.next().is_none());
    assert_closed(fresh_scan.next().unwrap());
}

pub(crate) fn what_outlives_a_closed_storage_answers_too(fixture: Fixture) {
    with_survivors(fixture.storage(), || fixture.storage().close().unwrap());
}

pub(crate) fn dropping_the_storage_closes_what_outlives_it(mut fixture: Fixture) {
    let storage = fixture.take();
    let engine = storage.keyspace("items").unwrap();
    engine.put(b"key", b"value").unwrap();
    let mut scan = engine.scan_prefix(b"").unwrap();
    drop(storage);
    assert_closed(scan.next().unwrap());
    drop(scan);
    assert_engine_closed(&*engine);
}
