use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use tidal_types::{EntityKind, ErrorKind};

use super::*;
use crate::{AtomicBatch, Storage};

fn small(directory: &Path) -> LmdbStorage {
    let busy_timeout = Duration::from_millis(20);
    let options = LmdbOptions { map_bytes: 0, busy_timeout, ..LmdbOptions::default() };
    LmdbStorage::open_with(directory, options).unwrap()
}

/// A batch that does not fit the smallest map.
fn large_batch(number: u8) -> AtomicBatch {
    let mut batch = AtomicBatch::new();
    for key in 0..30u8 {
        batch.put(EntityKind::Item, [number, key], [number; 50_000]);
        batch.put(EntityKind::User, [number, key], [number]);
    }
    batch
}

/// Z1.
#[test]
fn a_full_map_grows_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let storage = small(directory.path());
    for number in 0..8 {
        storage.commit(large_batch(number), Durability::Buffer).unwrap();
    }
    assert!(storage.with_driver(|lmdb| Ok(lmdb.growths())).unwrap() >= 3);
    storage.close().unwrap();
    let storage = small(directory.path());
    assert_eq!(storage.backend(EntityKind::Item).stats().unwrap().keys, 240);
    assert_eq!(storage.backend(EntityKind::User).stats().unwrap().keys, 240);
}

/// Z1.
#[test]
fn a_full_map_waits_for_snapshots_then_says_that_it_is_busy() {
    let directory = tempfile::tempdir().unwrap();
    let storage = small(directory.path());
    storage.backend(EntityKind::Item).put(b"key", b"value").unwrap();
    let snapshot = storage.snapshot().unwrap();
    for _ in 0..2 {
        let error = storage.commit(large_batch(1), Durability::Sync).unwrap_err();
        assert!(matches!(error, StorageError::Busy { .. }), "{error}");
        assert_eq!(error.kind(), ErrorKind::Retry);
        assert_eq!(storage.backend(EntityKind::Item).stats().unwrap().keys, 1);
        assert!(snapshot.contains(EntityKind::Item.into(), b"key").unwrap());
    }
    // What fits is still written.
    storage.backend(EntityKind::Item).put(b"other", b"value").unwrap();
    drop(snapshot);
    storage.commit(large_batch(1), Durability::Sync).unwrap();
    assert_eq!(storage.backend(EntityKind::Item).stats().unwrap().keys, 32);
}

#[test]
fn a_map_grows_beside_readers_and_writers() {
    let directory = tempfile::tempdir().unwrap();
    let storage = LmdbStorage::open_with(
        directory.path(),
        LmdbOptions { map_bytes: 0, ..LmdbOptions::default() },
    )
    .unwrap();
    thread::scope(|scope| {
        let write = |number| storage.commit(large_batch(number), Durability::Buffer);
        let writers = [1, 2].map(|number| scope.spawn(move || write(number)));
        while !writers.iter().all(thread::ScopedJoinHandle::is_finished) {
            let entries = storage.backend(EntityKind::User).scan_prefix(b"").unwrap();
            assert_eq!(entries.count() % 30, 0);
            storage.flush_all().unwrap();
        }
        for writer in writers {
            writer.join().unwrap().unwrap();
        }
    });
    assert_eq!(storage.backend(EntityKind::Item).stats().unwrap().keys, 60);
}

/// Z2.
#[test]
fn there_is_room_for_any_number_of_keyspaces() {
    let directory = tempfile::tempdir().unwrap();
    let storage = small(directory.path());
    let name = |n: u32| format!("space_{n}");
    for n in 0..KEYSPACES_MAX * 2 {
        storage.keyspace(&name(n)).unwrap().put(b"key", &n.to_le_bytes()).unwrap();
    }
    let scan = storage.keyspace("items").unwrap();
    let scan = scan.scan_prefix(b"").unwrap();
    let refused = (KEYSPACES_MAX * 2..KEYSPACES_MAX * 4)
        .map(|n| storage.keyspace(&name(n)))
        .find_map(std::result::Result::err)
        .unwrap();
    assert!(matches!(refused, StorageError::Busy { .. }), "{refused}");
    drop(scan);
    for _ in 0..2 {
        for n in 0..KEYSPACES_MAX * 2 {
            let value = storage.keyspace(&name(n)).unwrap().get(b"key").unwrap().unwrap();
            assert_eq!(value, n.to_le_bytes());
        }
        storage.keyspace(&name(KEYSPACES_MAX * 4)).unwrap();
    }
    storage.close().unwrap();
    let names = small(directory.path()).stats().unwrap().keyspaces.len();
    assert!(names > usize::try_from(KEYSPACES_MAX * 2).unwrap(), "{names}");
}

#[test]
fn more_readers_than_there_is_room_for_are_told_so() {
    let directory = tempfile::tempdir().unwrap();
    let options = LmdbOptions { readers_max: 3, ..LmdbOptions::default() };
    let storage = LmdbStorage::open_with(directory.path(), options).unwrap();
    let snapshots: Vec<_> = (0..3).map(|_| storage.snapshot().unwrap()).collect();
    let error = storage.snapshot().err().unwrap();
    assert!(matches!(error, StorageError::Busy { .. }), "{error}");
    drop(snapshots);
    storage.snapshot().unwrap();
    storage.backend(EntityKind::Item).put(b"key", b"value").unwrap();
}

#[test]
fn a_snapshot_is_read_and_dropped_on_another_thread() {
    let directory = tempfile::tempdir().unwrap();
    let storage = small(directory.path());
    storage.backend(EntityKind::Item).put(b"key", b"value").unwrap();
    let snapshots: Vec<_> = (0..4).map(|_| storage.snapshot().unwrap()).collect();
    thread::scope(|scope| {
        for snapshot in snapshots {
            scope.spawn(move || {
                assert!(snapshot.contains(EntityKind::Item.into(), b"key").unwrap());
            });
        }
    });
    // Every pass is back, so the map can grow.
    storage.commit(large_batch(1), Durability::Buffer).unwrap();
}

/// S7, Z4.
#[test]
fn after_a_failed_write_others_are_refused() {
    let storage = LmdbStorage::open_temp().unwrap();
    let items = storage.backend(EntityKind::Item);
    items.put(b"key", b"value").unwrap();
    let failure = storage.with_driver(|lmdb| {
        lmdb.write(|| Err(heed::Error::Io(std::io::Error::other("the disk is gone"))))
    });
    assert_eq!(failure.unwrap_err().kind(), ErrorKind::Environment);
    for refused in [items.put(b"key", b"other"), items.flush(), storage.flush_all()] {
        let error = refused.unwrap_err();
        assert!(matches!(error, StorageError::Poisoned { .. }), "{error}");
    }
    assert_eq!(items.get(b"key").unwrap().as_deref(), Some(&b"value"[..]));
    let error = storage.close().unwrap_err();
    assert!(matches!(error, StorageError::Poisoned { .. }), "{error}");
}

/// What of a data file is changed, and the error that it has to be.
type Damage = (&'static str, fn(&mut Vec<u8>));

#[test]
fn a_file_that_was_cut_or_is_something_else_is_damage_and_stays_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let storage = small(directory.path());
    storage.commit(large_batch(1), Durability::Sync).unwrap();
    storage.close().unwrap();
    let data = LAYOUT.data_file(directory.path());
    let whole = fs::read(&data).unwrap();
    let damages: [Damage; 7] = [
        ("empty", Vec::clear),
        ("text", |bytes| *bytes = b"text".repeat(5_000)),
        ("first page only", |bytes| bytes.truncate(4096)),
        ("magic", |bytes| bytes[16] ^= 1),
        ("second magic", |bytes| bytes[4096 + 16] ^= 1),
        ("page size", |bytes| bytes[40] ^= 1),
        ("last page", |bytes| {
            bytes[136..144].fill(0xff);
            bytes[4096 + 136..4096 + 144].fill(0xff);
        }),
    ];
    for (damage, apply) in damages {
        let mut bytes = whole.clone();
        apply(&mut bytes);
        fs::write(&data, &bytes).unwrap();
        let error = LmdbStorage::open(directory.path()).unwrap_err();
        assert!(matches!(error, StorageError::Damaged { .. }), "{damage}: {error}");
        assert!(fs::read(&data).unwrap() == bytes, "{damage}: the file was changed");
    }
    let mut bytes = whole.clone();
    bytes[20] = 2;
    fs::write(&data, &bytes).unwrap();
    let error = LmdbStorage::open(directory.path()).unwrap_err();
    assert!(matches!(error, StorageError::UnsupportedVersion { found: 2, .. }), "{error}");

    fs::write(&data, &whole).unwrap();
    assert_eq!(small(directory.path()).backend(EntityKind::Item).stats().unwrap().keys, 30);
}

/// LMDB alone would end the process over most of these.
#[test]
fn a_file_that_was_cut_anywhere_is_damage_or_whole_and_stays_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let storage = small(directory.path());
    let mut batch = AtomicBatch::new();
    for n in 0..600u16 {
        batch.put(EntityKind::Item, n.to_le_bytes(), [7; 100]);
    }
    storage.commit(batch, Durability::Sync).unwrap();
    storage.close().unwrap();
    let data = LAYOUT.data_file(directory.path());
    let whole = fs::read(&data).unwrap();
    let mut refused = 0;
    for pages in 0..whole.len() / 4096 {
        let cut = &whole[..pages * 4096];
        fs::write(&data, cut).unwrap();
        match LmdbStorage::open(directory.path()) {
            Ok(storage) => {
                let items = storage.backend(EntityKind::Item);
                let entries = items.scan_prefix(b"").unwrap().map(std::result::Result::unwrap);
                assert_eq!(entries.filter(|(_, value)| *value == [7; 100]).count(), 600);
            }
            Err(error) => {
                assert!(matches!(error, StorageError::Damaged { .. }), "{pages} pages: {error}");
                assert!(fs::read(&data).unwrap() == cut, "{pages} pages: the file was changed");
                refused += 1;
            }
        }
    }
    assert!(refused > 10, "{refused} of {}", whole.len() / 4096);
}

/// The last pages of a file that are used and given back at once are never written.
#[test]
fn a_file_that_is_short_of_unused_pages_opens() {
    let directory = tempfile::tempdir().unwrap();
    let storage = small(directory.path());
    storage.commit(large_batch(1), Durability::Sync).unwrap();
    storage.close().unwrap();
    let data = LAYOUT.data_file(directory.path());
    let mut bytes = fs::read(&data).unwrap();
    let end = u64::try_from(bytes.len()).unwrap();
    for meta in [0, 4096] {
        let pages = u64::from_ne_bytes(bytes[meta + 136..meta + 144].try_into().unwrap());
        bytes[meta + 136..meta + 144].copy_from_slice(&(pages + 2).to_ne_bytes());
    }
    fs::write(&data, &bytes).unwrap();
    let storage = small(directory.path());
    assert_eq!(storage.backend(EntityKind::Item).stats().unwrap().keys, 30);
    assert_eq!(fs::metadata(&data).unwrap().len(), end);
    storage.commit(large_batch(2), Durability::Sync).unwrap();
    storage.close().unwrap();
    let options = LmdbOptions::default();
    let storage = LmdbStorage::open_read_only(directory.path(), options).unwrap();
    let values = storage.backend(EntityKind::Item).scan_prefix(b"").unwrap();
    let values: Vec<_> = values.map(std::result::Result::unwrap).collect();
    assert_eq!(values.len(), 60);
    assert!(values.iter().all(|(key, value)| *value == vec![key[0]; 50_000]));
}

/// A value that lies in pages of its own, at the end of the file, is not told from
/// zeros by LMDB.
#[test]
fn a_file_that_was_cut_inside_of_a_value_is_damage_and_stays_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let storage = small(directory.path());
    // Leaves free pages, which the trees take, so that the values come last.
    for n in 0..10u8 {
        storage.backend(EntityKind::Item).put(&[n], &[n; 30_000]).unwrap();
    }
    storage.close().unwrap();
    let data = LAYOUT.data_file(directory.path());
    let whole = fs::read(&data).unwrap();
    let mut refused = 0;
    for pages in whole.len() / 4096 - 10..whole.len() / 4096 {
        let cut = &whole[..pages * 4096];
        fs::write(&data, cut).unwrap();
        match LmdbStorage::open(directory.path()) {
            Ok(storage) => {
                for n in 0..10u8 {
                    let value = storage.backend(EntityKind::Item).get(&[n]).unwrap().unwrap();
                    assert!(value == [n; 30_000], "{pages} pages: value {n} has a hole");
                }
            }
            Err(error) => {
                assert!(matches!(error, StorageError::Damaged { .. }), "{pages} pages: {error}");
                assert!(fs::read(&data).unwrap() == cut, "{pages} pages: the file was changed");
                refused += 1;
            }
        }
    }
    assert!(refused > 0, "{refused}");
}

/// Z1. A map that could not grow is gone: whoever waited to let it grow must not
/// look at it.
#[test]
fn who_waits_for_a_map_that_is_lost_is_told_so() {
    let storage = LmdbStorage::open_temp().unwrap();
    let waited = storage.with_driver(|lmdb| {
        lmdb.gate.idle().close();
        lmdb.grow(lmdb.growths())
    });
    let error = waited.unwrap_err();
    assert!(matches!(error, StorageError::Poisoned { .. }), "{error}");
}

#[test]
fn snapshots_that_are_dropped_are_forgotten() {
    let storage = LmdbStorage::open_temp().unwrap();
    for _ in 0..10_000 {
        drop(storage.snapshot().unwrap());
    }
    let listed = storage.with_driver(|lmdb| Ok(lmdb.moments.listed())).unwrap();
    assert!(listed <= 64, "{listed}");
}
