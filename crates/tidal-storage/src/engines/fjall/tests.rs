use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ::fjall::KeyspaceCreateOptions;
use tidal_types::EntityKind;

use super::*;
use crate::Storage;

#[test]
fn a_temporary_storage_takes_its_directory_with_it() {
    let storage = FjallStorage::open_temp().unwrap();
    let path = storage.with_driver(|fjall| Ok(fjall.path.clone())).unwrap();
    storage.backend(EntityKind::Item).put(b"key", b"value").unwrap();
    assert!(path.join("version").exists());
    storage.close().unwrap();
    assert!(!path.exists());
}

/// fjall journals an empty key and then panics: from then on the journal panics
/// whenever it is replayed.
pub(crate) fn put_empty_key(fjall: &Fjall) {
    let keyspace = fjall.keyspaces.first().unwrap();
    catch_unwind(AssertUnwindSafe(|| keyspace.insert("", "value"))).unwrap_err();
}

#[test]
fn a_panic_during_recovery_is_damage_and_leaves_the_directory_free() {
    let directory = tempfile::tempdir().unwrap();
    let storage = FjallStorage::open(directory.path()).unwrap();
    storage
        .with_driver(|fjall| {
            put_empty_key(fjall);
            Ok(())
        })
        .unwrap();
    drop(storage);
    for _ in 0..2 {
        let error = FjallStorage::open(directory.path()).unwrap_err();
        assert!(matches!(error, StorageError::Damaged { .. }), "{error}");
    }
}

#[test]
fn a_poisoned_storage_reads_but_writes_no_more_and_closes() {
    let storage = FjallStorage::open_temp().unwrap();
    let items = storage.backend(EntityKind::Item);
    items.put(b"key", b"value").unwrap();
    storage
        .with_driver(|fjall| {
            put_empty_key(fjall);
            Ok(())
        })
        .unwrap();
    for refused in
        [items.put(b"key", b"other"), items.delete(b"key"), items.flush(), storage.flush_all()]
    {
        let error = refused.unwrap_err();
        assert!(matches!(error, StorageError::Poisoned { .. }), "{error}");
    }
    assert_eq!(items.get(b"key").unwrap().as_deref(), Some(&b"value"[..]));
    let error = storage.close().unwrap_err();
    assert!(matches!(error, StorageError::Poisoned { .. }), "{error}");
    let error = items.get(b"key").unwrap_err();
    assert!(matches!(error, StorageError::Closed { .. }), "{error}");
}

#[test]
fn a_flipped_byte_in_the_journal_is_damage() {
    let directory = tempfile::tempdir().unwrap();
    let storage = FjallStorage::open(directory.path()).unwrap();
    storage.backend(EntityKind::Item).put(b"key", b"a value that can be found").unwrap();
    storage.close().unwrap();
    let journal = directory.path().join("0.jnl");
    let mut bytes = fs::read(&journal).unwrap();
    let place = bytes.windows(7).position(|window| window == b"a value").unwrap();
    bytes[place] ^= 1;
    fs::write(&journal, bytes).unwrap();
    let error = FjallStorage::open(directory.path()).unwrap_err();
    assert!(matches!(error, StorageError::Damaged { .. }), "{error}");
}

#[test]
fn keyspaces_of_other_programs_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::builder(directory.path()).open().unwrap();
    database
        .keyspace("Not Ours", KeyspaceCreateOptions::default)
        .unwrap()
        .insert("key", "value")
        .unwrap();
    drop(database);
    let storage = FjallStorage::open(directory.path()).unwrap();
    assert!(!storage.stats().unwrap().keyspaces.contains_key("Not Ours"));
    storage.close().unwrap();
    let database = Database::builder(directory.path()).open().unwrap();
    assert!(
        database
            .keyspace("Not Ours", KeyspaceCreateOptions::default)
            .unwrap()
            .contains_key("key")
            .unwrap()
    );
}

#[test]
fn compacting_gives_back_the_space_of_what_was_deleted() {
    let storage = FjallStorage::open_temp().unwrap();
    let items = storage.backend(EntityKind::Item);
    let rotate = || {
        storage
            .with_driver(|fjall| {
                fjall
                    .keyspaces
                    .iter()
                    .try_for_each(|keyspace| keyspace.rotate_memtable_and_wait())
                    .map_err(fjall.error("rotate"))
            })
            .unwrap();
    };
    for n in 0..2_000u16 {
        items.put(&[n.to_le_bytes().as_slice(), &[7; 100]].concat(), &[9; 100]).unwrap();
    }
    rotate();
    items.compact().unwrap();
    let full = items.stats().unwrap();
    assert!(full.bytes > 0 && full.keys == 2_000, "{full:?}");
    for n in 0..2_000u16 {
        items.delete(&[n.to_le_bytes().as_slice(), &[7; 100]].concat()).unwrap();
    }
    rotate();
    items.compact().unwrap();
    assert_eq!(items.scan_prefix(b"").unwrap().count(), 0);
    let empty = items.stats().unwrap();
    assert!(empty.bytes < full.bytes, "{empty:?} after {full:?}");
}
