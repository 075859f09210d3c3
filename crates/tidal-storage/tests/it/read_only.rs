//! Storage that was opened for reading only, by every engine that can.

use std::path::Path;

use tidal_storage::{
    AtomicBatch, Direction, Durability, Isolation, KeyRange, Result, Storage, StorageError,
    WriteBatch,
};
use tidal_types::{EntityKind, ErrorKind};

use crate::fixture::{Fixture, Open, keys};

fn assert_read_only<T>(result: Result<T>) {
    let error = result.err().unwrap();
    assert!(matches!(error, StorageError::ReadOnly { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Input);
}

fn refuses_writes(storage: &dyn Storage) {
    let items = storage.backend(EntityKind::Item);
    assert_read_only(items.put(b"key", b"other"));
    assert_read_only(items.delete(b"key"));
    assert_read_only(items.write_batch(WriteBatch::new()));
    assert_read_only(items.compact());
    for expected in [None, Some(&b"value"[..])] {
        assert_read_only(items.compare_and_swap(b"key", expected, None, Durability::Sync));
    }
    let tx = storage.begin().unwrap();
    tx.put(EntityKind::Item, b"key", b"other").unwrap();
    assert_read_only(tx.commit(Durability::Buffer));
    let mut batch = AtomicBatch::new();
    batch.put("fresh", "key", "value");
    assert_read_only(storage.commit(batch, Durability::Sync));
    assert!(!storage.stats().unwrap().keyspaces.contains_key("fresh"));
    items.flush().unwrap();
    storage.flush_all().unwrap();
    // A transaction that has only read has nothing to refuse.
    for durability in [Durability::Buffer, Durability::Sync] {
        let tx = storage.begin_with(Isolation::Serializable).unwrap();
        assert!(tx.contains(EntityKind::Item, b"key").unwrap());
        tx.commit(durability).unwrap();
    }
}

/// How many handles of one process may read at a time. Those of several processes
/// may, whatever the engine.
fn check(open: Open, open_read_only: Open, together: usize) {
    let mut fixture = Fixture::new(open);
    assert!(fixture.storage().capabilities().read_only);
    let error = open_read_only(&fixture.beside()).unwrap_err();
    assert!(matches!(error, StorageError::NotStorage { .. }), "{error}");
    assert!(!fixture.beside().exists());

    fixture.items().put(b"key", b"value").unwrap();
    let path = fixture.path();
    let error = open_read_only(&path).unwrap_err();
    assert!(matches!(error, StorageError::Locked { .. }), "{error}");
    fixture.take().close().unwrap();

    let readers: Vec<_> = (0..together).map(|_| open_read_only(&path).unwrap()).collect();
    for storage in &readers {
        let items = storage.backend(EntityKind::Item);
        assert_eq!(items.get(b"key").unwrap().as_deref(), Some(&b"value"[..]));
        assert_eq!(keys(items.scan_range(KeyRange::all(), Direction::Backward)), [b"key"]);
        let snapshot = storage.snapshot().unwrap();
        assert!(snapshot.contains(EntityKind::Item.into(), b"key").unwrap());
        // Nobody has written to it yet, so it may not be there.
        assert!(keys(storage.keyspace("nowhere").unwrap().scan_prefix(b"")).is_empty());
        assert_eq!(storage.keyspace("nowhere").unwrap().get(b"key").unwrap(), None);
        refuses_writes(&**storage);
    }
    let error = fixture.open_at(&path).unwrap_err();
    assert!(matches!(error, StorageError::Locked { .. }), "{error}");
    for storage in readers {
        storage.close().unwrap();
    }
    fixture.reopen();
    assert_eq!(keys(fixture.items().scan_prefix(b"")), [b"key"]);
    assert!(!fixture.storage().stats().unwrap().keyspaces.contains_key("nowhere"));
}

#[cfg(feature = "lmdb")]
#[test]
fn lmdb_opens_for_reading_only() {
    use tidal_storage::{LmdbOptions, LmdbStorage};
    fn open(path: &Path) -> Result<Box<dyn Storage>> {
        Ok(Box::new(LmdbStorage::open_read_only(path, LmdbOptions::default())?))
    }
    check(crate::engines::open_lmdb, open, 1);
}

#[cfg(feature = "redb")]
#[test]
fn redb_opens_for_reading_only() {
    use tidal_storage::{RedbOptions, RedbStorage};
    fn open(path: &Path) -> Result<Box<dyn Storage>> {
        Ok(Box::new(RedbStorage::open_read_only(path, RedbOptions::default())?))
    }
    check(crate::engines::open_redb, open, 2);
}

#[cfg(feature = "rocksdb")]
#[test]
fn rocksdb_opens_for_reading_only() {
    use tidal_storage::{RocksDbOptions, RocksDbStorage};
    fn open(path: &Path) -> Result<Box<dyn Storage>> {
        Ok(Box::new(RocksDbStorage::open_read_only(path, RocksDbOptions::default())?))
    }
    check(crate::engines::open_rocksdb, open, 2);
}
