//! Batches.

use tidal_storage::{AtomicBatch, Durability, StorageError, WriteBatch};
use tidal_types::EntityKind;

use super::{Fixture, entries, keys};

pub(crate) fn the_last_operation_on_a_key_wins(fixture: Fixture) {
    let items = fixture.items();
    items.put(b"replaced", b"before").unwrap();
    let mut batch = WriteBatch::new();
    batch.put("replaced", "1").put("other", "x").put("replaced", "2");
    batch.put("deleted", "1").delete("deleted");
    batch.delete("put").put("put", "1");
    items.write_batch(batch).unwrap();
    let expected = [("other", "x"), ("put", "1"), ("replaced", "2")];
    assert_eq!(
        entries(items.scan_prefix(b"")),
        expected.map(|(key, value)| (key.into(), value.into()))
    );

    let mut batch = AtomicBatch::new();
    batch
        .put(EntityKind::Item, "put", "2")
        .put(EntityKind::User, "put", "u")
        .delete("items", "put");
    fixture.storage().commit(batch, Durability::Buffer).unwrap();
    assert!(!items.contains(b"put").unwrap());
    assert!(fixture.storage().backend(EntityKind::User).contains(b"put").unwrap());
}

pub(crate) fn a_batch_crosses_keyspaces(fixture: Fixture) {
    let storage = fixture.storage();
    for durability in [Durability::Buffer, Durability::Sync] {
        let value = format!("{durability:?}");
        let mut batch = AtomicBatch::new();
        for kind in EntityKind::ALL {
            batch.put(kind, "key", value.clone());
        }
        batch.put("system", "applied", value.clone());
        storage.commit(batch, durability).unwrap();
        for kind in EntityKind::ALL {
            assert_eq!(
                storage.backend(kind).get(b"key").unwrap().as_deref(),
                Some(value.as_bytes())
            );
        }
        let system = storage.keyspace("system").unwrap();
        assert_eq!(system.get(b"applied").unwrap().as_deref(), Some(value.as_bytes()));
    }
}

pub(crate) fn a_commit_creates_the_keyspaces_that_it_names(fixture: Fixture) {
    let mut batch = AtomicBatch::new();
    batch.put("one", "key", "1").put("two", "key", "2").put("one", "other", "3");
    fixture.storage().commit(batch, Durability::Buffer).unwrap();
    assert_eq!(
        keys(fixture.storage().keyspace("one").unwrap().scan_prefix(b"")),
        [&b"key"[..], b"other"]
    );
    assert_eq!(keys(fixture.storage().keyspace("two").unwrap().scan_prefix(b"")), [b"key"]);
}

pub(crate) fn a_refused_batch_changes_nothing(fixture: Fixture) {
    let storage = fixture.storage();
    let mut empty_key = AtomicBatch::new();
    empty_key
        .put("fresh", "key", "1")
        .put(EntityKind::Item, "key", "1")
        .delete(EntityKind::User, "");
    let mut bad_name = AtomicBatch::new();
    bad_name.put("fresh", "key", "1").put(EntityKind::Item, "key", "1").put("No Name", "key", "1");
    for batch in [empty_key, bad_name] {
        storage.commit(batch, Durability::Sync).unwrap_err();
        assert!(!fixture.items().contains(b"key").unwrap());
        assert!(!storage.stats().unwrap().keyspaces.contains_key("fresh"));
    }
    let mut batch = WriteBatch::new();
    batch.put("key", "1").put([7; 512], "2");
    let error = fixture.items().write_batch(batch).unwrap_err();
    assert!(
        matches!(&error, StorageError::KeyLength { keyspace, bytes: 512, .. } if keyspace == "items"),
        "{error}"
    );
    assert!(!fixture.items().contains(b"key").unwrap());
}

pub(crate) fn ten_thousand_operations(fixture: Fixture) {
    let storage = fixture.storage();
    let mut batch = AtomicBatch::new();
    // Descending, so that the engine is not handed its order; a tenth deletes
    // what the batch itself has put.
    for n in (0..9_000u32).rev() {
        let kind = EntityKind::ALL[usize::try_from(n).unwrap() % 3];
        batch.put(kind, format!("{n:05}"), n.to_le_bytes());
    }
    for n in (0..9_000u32).step_by(9) {
        batch.delete(EntityKind::ALL[usize::try_from(n).unwrap() % 3], format!("{n:05}"));
    }
    assert_eq!(batch.len(), 10_000);
    storage.commit(batch, Durability::Sync).unwrap();
    for (index, kind) in (0..).zip(EntityKind::ALL) {
        let left = (0..9_000u32).filter(|n| n % 3 == index && n % 9 != 0);
        let expected: Vec<_> =
            left.map(|n| (format!("{n:05}").into(), n.to_le_bytes().into())).collect();
        assert!(entries(storage.backend(kind).scan_prefix(b"")) == expected);
    }
}

pub(crate) fn a_batch_without_operations_is_fine(fixture: Fixture) {
    fixture.storage().commit(AtomicBatch::new(), Durability::Buffer).unwrap();
    fixture.storage().commit(AtomicBatch::new(), Durability::Sync).unwrap();
    fixture.items().write_batch(WriteBatch::new()).unwrap();
    assert!(keys(fixture.items().scan_prefix(b"")).is_empty());
}
