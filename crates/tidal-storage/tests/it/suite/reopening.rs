//! What is there after closing, dropping and killing.

use std::fs;
use std::path::Path;

use tidal_storage::{
    AtomicBatch, Durability, SEQUENCE_BLOCK_IDS, Storage, StorageError, StorageExt,
};
use tidal_types::{EntityKind, ErrorKind};

use super::{Fixture, keys};

fn assert_locked(result: tidal_storage::Result<Box<dyn Storage>>, path: &Path) {
    let error = result.unwrap_err();
    assert!(matches!(&error, StorageError::Locked { path: told } if told == path), "{error}");
    assert_eq!(error.kind(), ErrorKind::Retry);
}

pub(crate) fn what_was_written_is_there(mut fixture: Fixture) {
    for (round, durability) in
        (1u8..).zip([Durability::Buffer, Durability::Sync, Durability::Buffer])
    {
        let storage = fixture.storage();
        let mut batch = AtomicBatch::new();
        for kind in EntityKind::ALL {
            batch.put(kind, [round], "batch");
        }
        batch.put("extra", [round], "batch");
        storage.commit(batch, durability).unwrap();
        storage.backend(EntityKind::User).put(&[round, 0], b"put").unwrap();
        fixture.reopen();
        let storage = fixture.storage();
        let rounds: Vec<Vec<u8>> = (1..=round).map(|round| vec![round]).collect();
        assert_eq!(keys(storage.backend(EntityKind::Creator).scan_prefix(b"")), rounds);
        assert_eq!(keys(storage.snapshot().unwrap().scan_prefix("extra".into(), b"")), rounds);
        let user = storage.backend(EntityKind::User).get(&[round, 0]).unwrap();
        assert_eq!(user.as_deref(), Some(&b"put"[..]));
    }
}

pub(crate) fn what_was_deleted_is_gone(mut fixture: Fixture) {
    for n in 0..100u8 {
        fixture.items().put(&[n], b"value").unwrap();
    }
    fixture.reopen();
    for n in 0..99 {
        fixture.items().delete(&[n]).unwrap();
    }
    fixture.reopen();
    assert_eq!(keys(fixture.items().scan_prefix(b"")), [[99]]);
    assert!(!fixture.items().contains(&[7]).unwrap());
}

/// What a killed process leaves is what its files hold at that moment.
pub(crate) fn a_kill_takes_nothing_that_was_committed(fixture: Fixture) {
    for n in 0..100u8 {
        fixture.items().put(&[n], b"value").unwrap();
    }
    let mut batch = AtomicBatch::new();
    batch.put(EntityKind::Item, [100], "value").put("extra", "key", "value");
    fixture.storage().commit(batch, Durability::Buffer).unwrap();
    copy(&fixture.path(), &fixture.beside());
    let left = fixture.open_at(&fixture.beside()).unwrap();
    assert_eq!(keys(left.backend(EntityKind::Item).scan_prefix(b"")).len(), 101);
    assert!(left.keyspace("extra").unwrap().contains(b"key").unwrap());
}

/// Neither a kill nor a reopening makes a sequence give an id again, and an open
/// transaction leaves nothing of itself.
pub(crate) fn a_kill_leaves_transactions_whole_and_sequences_ahead(mut fixture: Fixture) {
    let storage = fixture.storage();
    let orders = storage.sequence("orders").unwrap();
    let mut last = 0;
    for _ in 0..1_500 {
        last = orders.next().unwrap();
    }
    let tx = storage.begin().unwrap();
    tx.put(EntityKind::Item, b"whole", b"1").unwrap();
    tx.put(EntityKind::User, b"whole", b"1").unwrap();
    tx.commit(Durability::Buffer).unwrap();
    let open = storage.begin().unwrap();
    open.put(EntityKind::Item, b"open", b"1").unwrap();
    copy(&fixture.path(), &fixture.beside());
    drop(open);
    let left = fixture.open_at(&fixture.beside()).unwrap();
    assert_eq!(keys(left.backend(EntityKind::Item).scan_prefix(b"")), [b"whole"]);
    assert_eq!(keys(left.backend(EntityKind::User).scan_prefix(b"")), [b"whole"]);
    fixture.reopen();
    for storage in [&*left, fixture.storage()] {
        for _ in 0..2 {
            let next = storage.sequence("orders").unwrap().next().unwrap();
            assert!(last < next && next <= last + SEQUENCE_BLOCK_IDS, "{next} after {last}");
            last = next;
        }
        last = 1_500;
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

pub(crate) fn a_second_open_is_refused_until_the_first_is_closed(mut fixture: Fixture) {
    fixture.items().put(b"key", b"value").unwrap();
    let path = fixture.path();
    assert_locked(fixture.open_at(&path), &path);
    fixture.items().put(b"other", b"value").unwrap();
    fixture.reopen();
    assert_eq!(keys(fixture.items().scan_prefix(b"")), [&b"key"[..], b"other"]);
    assert_locked(fixture.open_at(&path), &path);
}

pub(crate) fn closing_frees_the_directory_whoever_holds_on(mut fixture: Fixture) {
    for round in 0..10u8 {
        fixture.items().put(&[round], b"value").unwrap();
        let storage = fixture.take();
        let engine = storage.keyspace("items").unwrap();
        let snapshot = storage.snapshot().unwrap();
        let mut scan = engine.scan_prefix(b"").unwrap();
        scan.next().unwrap().unwrap();
        storage.close().unwrap();
        fixture.reopen();
        assert_eq!(keys(fixture.items().scan_prefix(b"")).len(), usize::from(round) + 1);
        scan.next().unwrap().unwrap_err();
        snapshot.get("items".into(), b"key").unwrap_err();
        engine.put(b"key", b"value").unwrap_err();
    }
}

pub(crate) fn dropping_frees_the_directory_whoever_holds_on(mut fixture: Fixture) {
    for round in 0..10u8 {
        fixture.items().put(&[round], b"value").unwrap();
        let storage = fixture.take();
        let engine = storage.keyspace("items").unwrap();
        let scan = engine.scan_prefix(b"").unwrap();
        drop(storage);
        fixture.reopen();
        assert_eq!(keys(fixture.items().scan_prefix(b"")).len(), usize::from(round) + 1);
        drop(scan);
    }
}

pub(crate) fn a_file_is_not_a_directory(fixture: Fixture) {
    fs::write(fixture.beside(), "text").unwrap();
    let error = fixture.open_at(&fixture.beside()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Environment, "{error}");
    assert_eq!(fs::read(fixture.beside()).unwrap(), b"text");
}

pub(crate) fn a_folder_of_something_else_is_refused_untouched(fixture: Fixture) {
    fs::create_dir(fixture.beside()).unwrap();
    fs::write(fixture.beside().join("thesis.tex"), "text").unwrap();
    let error = fixture.open_at(&fixture.beside()).unwrap_err();
    assert!(matches!(error, StorageError::NotStorage { .. }), "{error}");
    assert_eq!(fs::read_dir(fixture.beside()).unwrap().count(), 1);
}
