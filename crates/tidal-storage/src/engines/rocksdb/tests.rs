use std::fs;

use tidal_types::{EntityKind, ErrorKind};

use super::*;
use crate::Storage;

fn data(directory: &tempfile::TempDir) -> PathBuf {
    LAYOUT.data_file(directory.path())
}

/// S7, G2.
#[test]
fn after_a_failed_write_others_are_refused_and_reopening_has_what_was_answered() {
    let directory = tempfile::tempdir().unwrap();
    let options = RocksDbOptions { write_buffer_bytes: 128 * 1024, ..RocksDbOptions::default() };
    let storage = RocksDbStorage::open_with(directory.path(), options).unwrap();
    let items = storage.backend(EntityKind::Item);
    items.put(&0u64.to_le_bytes(), b"value").unwrap();
    // The next file that RocksDB makes, for its journal or a table, has no folder.
    let elsewhere = directory.path().join("elsewhere");
    fs::rename(data(&directory), &elsewhere).unwrap();
    let mut answered = 1u64;
    let error = loop {
        match items.put(&answered.to_le_bytes(), &[7; 10_000]) {
            Ok(()) => answered += 1,
            Err(error) => break error,
        }
        assert!(answered < 10_000, "nothing fails");
    };
    assert!(matches!(error, StorageError::Engine { operation: "write", .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Environment);
    fs::rename(&elsewhere, data(&directory)).unwrap();
    for refused in [
        items.put(b"key", b"other"),
        items.delete(b"key"),
        items.flush(),
        items.compact(),
        storage.flush_all(),
        storage.keyspace("fresh").map(drop),
        storage.close(),
    ] {
        let error = refused.unwrap_err();
        assert!(matches!(error, StorageError::Poisoned { .. }), "{error}");
    }
    let storage = RocksDbStorage::open(directory.path()).unwrap();
    let found = storage.backend(EntityKind::Item).scan_prefix(b"").unwrap().count();
    let found = u64::try_from(found).unwrap();
    // The one that failed is there or not.
    assert!((answered..=answered + 1).contains(&found), "{found} of {answered}");
}

#[test]
fn a_folder_without_its_list_of_files_is_damage_and_stays_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let storage = RocksDbStorage::open(directory.path()).unwrap();
    storage.backend(EntityKind::Item).put(b"key", b"value").unwrap();
    storage.close().unwrap();
    let current = data(&directory).join("CURRENT");
    let whole = fs::read(&current).unwrap();
    fs::remove_file(&current).unwrap();
    let before = fs::read_dir(data(&directory)).unwrap().count();
    let error = RocksDbStorage::open(directory.path()).unwrap_err();
    assert!(matches!(error, StorageError::Damaged { .. }), "{error}");
    assert_eq!(fs::read_dir(data(&directory)).unwrap().count(), before);
    for bytes in [&b"MANIFEST-999999\n"[..], b"", b"text"] {
        fs::write(&current, bytes).unwrap();
        let error = RocksDbStorage::open(directory.path()).unwrap_err();
        assert_ne!(error.kind(), ErrorKind::Retry, "{error}");
    }
    fs::write(&current, whole).unwrap();
    let storage = RocksDbStorage::open(directory.path()).unwrap();
    assert!(storage.backend(EntityKind::Item).contains(b"key").unwrap());
}

#[test]
fn a_flipped_byte_in_a_table_is_damage() {
    let directory = tempfile::tempdir().unwrap();
    let options = RocksDbOptions { compressed: false, ..RocksDbOptions::default() };
    let storage = RocksDbStorage::open_with(directory.path(), options).unwrap();
    let items = storage.backend(EntityKind::Item);
    items.put(b"key", b"a value that can be found").unwrap();
    items.compact().unwrap();
    storage.close().unwrap();
    let mut tables = 0;
    for entry in fs::read_dir(data(&directory)).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        let place = bytes.windows(7).position(|window| window == b"a value");
        if let (Some(place), true) = (place, path.extension().is_some_and(|ext| ext == "sst")) {
            bytes[place] ^= 1;
            fs::write(&path, bytes).unwrap();
            tables += 1;
        }
    }
    assert_eq!(tables, 1);
    let storage = RocksDbStorage::open(directory.path()).unwrap();
    let items = storage.backend(EntityKind::Item);
    let error = items.get(b"key").unwrap_err();
    assert!(matches!(error, StorageError::Damaged { .. }), "{error}");
    let error = items.scan_prefix(b"").unwrap().next().unwrap().unwrap_err();
    assert!(matches!(error, StorageError::Damaged { .. }), "{error}");
}

/// G1.
#[test]
fn a_keyspace_may_have_the_name_of_rocksdbs_own_family() {
    let directory = tempfile::tempdir().unwrap();
    let storage = RocksDbStorage::open(directory.path()).unwrap();
    assert!(!storage.stats().unwrap().keyspaces.contains_key("default"));
    storage.keyspace("default").unwrap().put(b"key", b"value").unwrap();
    storage.close().unwrap();
    let storage = RocksDbStorage::open(directory.path()).unwrap();
    assert!(storage.stats().unwrap().keyspaces.contains_key("default"));
    assert!(storage.keyspace("default").unwrap().contains(b"key").unwrap());
}

#[test]
fn compacting_gives_back_the_space_of_what_was_deleted() {
    let storage = RocksDbStorage::open_temp().unwrap();
    let items = storage.backend(EntityKind::Item);
    for n in 0..2_000u16 {
        items.put(&[n.to_le_bytes().as_slice(), &[7; 100]].concat(), &[9; 100]).unwrap();
    }
    items.compact().unwrap();
    let full = items.stats().unwrap();
    assert!(full.bytes > 0 && full.keys == 2_000, "{full:?}");
    for n in 0..2_000u16 {
        items.delete(&[n.to_le_bytes().as_slice(), &[7; 100]].concat()).unwrap();
    }
    items.compact().unwrap();
    assert_eq!(items.scan_prefix(b"").unwrap().count(), 0);
    let empty = items.stats().unwrap();
    assert!(empty.bytes < full.bytes, "{empty:?} after {full:?}");
}

#[test]
fn the_cache_has_the_size_that_was_asked_for_and_is_used() {
    let directory = tempfile::tempdir().unwrap();
    let options = RocksDbOptions { cache_bytes: 4 << 20, ..RocksDbOptions::default() };
    let storage = RocksDbStorage::open_with(directory.path(), options).unwrap();
    let items = storage.backend(EntityKind::Item);
    for n in 0..100u8 {
        items.put(&[n], &[n; 5_000]).unwrap();
    }
    items.compact().unwrap();
    let before = storage.stats().unwrap().cache.unwrap();
    for n in 0..100u8 {
        items.get(&[n]).unwrap();
    }
    let after = storage.stats().unwrap().cache.unwrap();
    assert_eq!(after.capacity_bytes, 4 << 20);
    assert!(after.used_bytes > before.used_bytes, "{after:?} after {before:?}");
}

#[test]
fn moments_that_are_gone_are_forgotten() {
    let storage = RocksDbStorage::open_temp().unwrap();
    let kept = storage.snapshot().unwrap();
    for _ in 0..1_000 {
        drop(storage.snapshot().unwrap());
    }
    let listed = storage.with_driver(|driver| Ok(driver.moments.listed())).unwrap();
    assert!(listed < 100, "{listed}");
    drop(kept);
}
