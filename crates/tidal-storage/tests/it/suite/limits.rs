//! What is refused before the engine sees it.

use tidal_storage::{AtomicBatch, Durability, KEY_BYTES_MAX, StorageError, VALUE_BYTES_MAX};
use tidal_types::{EntityKind, ErrorKind};

use super::{Fixture, keys};

pub(crate) fn keys_have_1_to_511_bytes(fixture: Fixture) {
    let (storage, items) = (fixture.storage(), fixture.items());
    for key in [&[][..], &[7; KEY_BYTES_MAX + 1], &[7; 70_000]] {
        let mut batch = AtomicBatch::new();
        batch.put(EntityKind::Item, key, "value");
        let snapshot = storage.snapshot().unwrap();
        let refusals = [
            items.put(key, b"value"),
            items.delete(key),
            items.get(key).map(drop),
            items.contains(key).map(drop),
            snapshot.get(EntityKind::Item.into(), key).map(drop),
            snapshot.contains(EntityKind::Item.into(), key).map(drop),
            storage.commit(batch, Durability::Buffer),
        ];
        for refusal in refusals {
            let error = refusal.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Input);
            let told = matches!(&error, StorageError::KeyLength { bytes, max: 511, .. } if *bytes == key.len());
            assert!(told, "{error}");
        }
    }
    items.put(&[7; KEY_BYTES_MAX], b"longest").unwrap();
    items.put(&[7], b"shortest").unwrap();
    assert_eq!(keys(items.scan_prefix(b"")).len(), 2);
}

pub(crate) fn values_have_at_most_64_mebibytes(fixture: Fixture) {
    let value = vec![7; VALUE_BYTES_MAX + 1];
    let error = fixture.items().put(b"key", &value).unwrap_err();
    let told = matches!(&error, StorageError::ValueLength { bytes, max, .. } if *bytes == max + 1);
    assert!(told, "{error}");
    assert!(!fixture.items().contains(b"key").unwrap());
}

pub(crate) fn keyspaces_have_names(fixture: Fixture) {
    let storage = fixture.storage();
    let snapshot = storage.snapshot().unwrap();
    for name in
        ["", "Items", "a b", "../up", "7up", "naïve", "a\0b", &"a".repeat(65), &"a".repeat(300)]
    {
        let mut batch = AtomicBatch::new();
        batch.put(name, "key", "value");
        let refusals = [
            storage.keyspace(name).map(drop),
            snapshot.get(name.into(), b"key").map(drop),
            snapshot.scan_prefix(name.into(), b"key").map(drop),
            storage.commit(batch, Durability::Buffer),
        ];
        for refusal in refusals {
            let error = refusal.unwrap_err();
            assert!(
                matches!(&error, StorageError::KeyspaceName { name: told } if told == name),
                "{error}"
            );
        }
    }
    storage.keyspace(&"a".repeat(64)).unwrap().put(b"key", b"value").unwrap();
}

pub(crate) fn refusals_are_not_counted(fixture: Fixture) {
    fixture.items().put(b"", b"value").unwrap_err();
    fixture.items().delete(b"").unwrap_err();
    fixture.items().get(b"").unwrap_err();
    let stats = fixture.items().stats().unwrap();
    assert_eq!((stats.reads, stats.writes, stats.deletes), (0, 0, 0));
}
