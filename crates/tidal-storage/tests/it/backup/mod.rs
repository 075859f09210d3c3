//! Backups: from every engine to every other, beside writers, of much data, and of
//! processes that are killed.

mod child;
mod kill;
mod writers;

use std::path::Path;

use tempfile::TempDir;
use tidal_storage::{
    AtomicBatch, BackupOptions, Compression, Durability, KEY_BYTES_MAX, KeyValue, MemoryStorage,
    Result, Storage, StorageError, VALUE_BYTES_MAX, backup, backup_snapshot, read_manifest,
    restore, restore_with, verify_backup,
};
use tidal_types::EntityKind;

use crate::engines;
use crate::fixture::Open;

/// The engines that this was built with.
pub(crate) const ENGINES: &[(&str, Open)] = &[
    ("memory", engines::open_memory),
    #[cfg(feature = "fjall")]
    ("fjall", engines::open_fjall),
    #[cfg(feature = "hybrid")]
    ("hybrid", engines::open_hybrid),
    #[cfg(feature = "lmdb")]
    ("lmdb", engines::open_lmdb),
    #[cfg(feature = "redb")]
    ("redb", engines::open_redb),
    #[cfg(feature = "rocksdb")]
    ("rocksdb", engines::open_rocksdb),
];

/// Every keyspace with its entries.
pub(crate) fn contents(storage: &dyn Storage) -> Vec<(String, Vec<KeyValue>)> {
    let snapshot = storage.snapshot().unwrap();
    let names = storage.stats().unwrap().keyspaces.into_keys();
    names
        .map(|name| {
            let entries = snapshot.scan_prefix((&name).into(), &[]).unwrap();
            let entries = entries.collect::<Result<_>>().unwrap();
            (name, entries)
        })
        .collect()
}

/// Several chunks in several keyspaces: the longest key, an empty value, one that is a
/// chunk by itself, and a keyspace without keys.
pub(crate) fn fill(storage: &dyn Storage) {
    storage.keyspace("nothing").unwrap();
    let mut batch = AtomicBatch::new();
    batch.put(EntityKind::Item, [0xff; KEY_BYTES_MAX], b"").put("notes", [0], [0; 3]);
    for index in 0..20_000_u32 {
        batch.put(EntityKind::User, index.to_le_bytes(), format!("user {index}"));
    }
    storage.commit(batch, Durability::Sync).unwrap();
    for index in 0..3_u8 {
        let mut batch = AtomicBatch::new();
        batch.put("large", [index], vec![index; 1_500_000]);
        storage.commit(batch, Durability::Sync).unwrap();
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// G50: what any engine held, any engine gets, whatever the compression.
#[test]
fn every_engine_restores_the_backup_of_every_other() {
    let compressions = [
        Compression::None,
        Compression::Lz4,
        #[cfg(feature = "compression")]
        Compression::Zstd,
    ];
    let dir = folder();
    for (from, open_from) in ENGINES {
        let source = open_from(&dir.path().join(from)).unwrap();
        fill(&*source);
        let expected = contents(&*source);
        for (index, compression) in compressions.into_iter().enumerate() {
            let dest = dir.path().join(format!("{from}-{index}"));
            let options = BackupOptions { compression, ..BackupOptions::default() };
            let report = backup(&*source, &dest, &options).unwrap();
            assert_eq!(verify_backup(&dest).unwrap(), report);
            assert_eq!((report.keys, report.chunks), (20_005, 7), "{from}");
            assert_eq!(read_manifest(&dest).unwrap().engine, *from);
            if compression != Compression::None {
                assert!(report.disk_bytes < report.bytes / 4, "{report:?}");
            }
            for (to, open_to) in ENGINES {
                let path = dir.path().join(format!("{from}-{index}-{to}"));
                let target = open_to(&path).unwrap();
                assert_eq!(restore(&dest, &*target).unwrap(), report);
                assert_eq!(contents(&*target), expected, "{from} to {to}");
                target.close().unwrap();
                let reopened = open_to(&path).unwrap();
                if reopened.capabilities().persistent {
                    assert_eq!(contents(&*reopened), expected, "{from} to {to}, reopened");
                }
            }
        }
    }
}

/// G50: storage without keys is backed up and restored like any other.
#[test]
fn an_empty_storage_has_a_backup() {
    for (from, open) in ENGINES {
        let dir = folder();
        let source = open(&dir.path().join("source")).unwrap();
        let dest = dir.path().join("deep/er/backup");
        let report = backup(&*source, &dest, &BackupOptions::default()).unwrap();
        assert_eq!((report.keyspaces, report.keys, report.chunks), (3, 0, 0), "{from}");
        let target = open(&dir.path().join("target")).unwrap();
        restore(&dest, &*target).unwrap();
        assert_eq!(contents(&*target), contents(&*source), "{from}");
    }
}

/// G50: the longest value there can be.
#[test]
fn a_value_of_the_greatest_size_comes_back() {
    let dir = folder();
    let source = MemoryStorage::new();
    let value: Vec<u8> =
        (0..VALUE_BYTES_MAX / 4).flat_map(|i| (i as u32 ^ 7).to_le_bytes()).collect();
    source.backend(EntityKind::Item).put(&[1; KEY_BYTES_MAX], &value).unwrap();
    let report = backup(&source, dir.path(), &BackupOptions::default()).unwrap();
    assert_eq!((report.keys, report.chunks), (1, 1));
    let target = MemoryStorage::new();
    restore(dir.path(), &target).unwrap();
    assert!(target.backend(EntityKind::Item).get(&[1; KEY_BYTES_MAX]).unwrap() == Some(value));
}

/// G51: nothing is overwritten, neither files nor keys.
#[test]
fn what_is_there_already_is_refused_untouched() {
    for (name, open) in ENGINES {
        let dir = folder();
        let source = open(&dir.path().join("source")).unwrap();
        fill(&*source);
        let dest = dir.path().join("backup");
        let report = backup(&*source, &dest, &BackupOptions::default()).unwrap();
        let error = backup(&*source, &dest, &BackupOptions::default()).unwrap_err();
        assert!(
            matches!(&error, StorageError::DestinationNotEmpty { path, .. } if *path == dest),
            "{name}: {error}"
        );
        assert_eq!(verify_backup(&dest).unwrap(), report);
        let mine = dir.path().join("mine");
        std::fs::create_dir(&mine).unwrap();
        std::fs::write(mine.join("notes"), "mine").unwrap();
        let error = backup(&*source, &mine, &BackupOptions::default()).unwrap_err();
        assert!(
            matches!(&error, StorageError::DestinationNotEmpty { found, .. } if found == "notes"),
            "{name}: {error}"
        );
        assert_eq!(std::fs::read_dir(&mine).unwrap().count(), 1);
        let file = dir.path().join("file");
        std::fs::write(&file, "mine").unwrap();
        backup(&*source, &file, &BackupOptions::default()).unwrap_err();
        assert_eq!(std::fs::read(&file).unwrap(), b"mine");

        let before = contents(&*source);
        let error = restore(&dest, &*source).unwrap_err();
        assert!(
            matches!(&error, StorageError::TargetNotEmpty { keyspace } if keyspace == "items"),
            "{name}: {error}"
        );
        assert_eq!(contents(&*source), before, "{name}");
    }
}

/// The manifest tells without restoring, and says no to what is no backup.
#[test]
fn the_manifest_can_be_read_alone() {
    let dir = folder();
    let error = read_manifest(dir.path()).unwrap_err();
    assert!(matches!(error, StorageError::NoBackup { .. }), "{error}");
    let error = restore(&dir.path().join("nowhere"), &MemoryStorage::new()).unwrap_err();
    assert!(matches!(error, StorageError::NoBackup { .. }), "{error}");
    let source = MemoryStorage::new();
    fill(&source);
    let extras = vec![7; 100];
    let options = BackupOptions { extras: extras.clone(), ..BackupOptions::default() };
    backup(&source, dir.path(), &options).unwrap();
    let manifest = read_manifest(dir.path()).unwrap();
    assert_eq!((manifest.extras, manifest.position), (extras, None));
    let names: Vec<_> = manifest.keyspaces.iter().map(|keyspace| keyspace.name.as_str()).collect();
    assert_eq!(names, ["creators", "items", "large", "notes", "nothing", "users"]);
    let options = BackupOptions { extras: vec![0; 2 << 20], ..BackupOptions::default() };
    let error = backup(&source, &dir.path().join("long"), &options).unwrap_err();
    assert!(matches!(error, StorageError::BackupTooLarge { .. }), "{error}");
}

/// A backup that is damaged in its last chunk leaves a target that does not open.
#[test]
fn a_target_of_a_damaged_backup_is_refused() {
    for (name, open) in ENGINES {
        let dir = folder();
        let source = MemoryStorage::new();
        fill(&source);
        let dest = dir.path().join("backup");
        backup(&source, &dest, &BackupOptions::default()).unwrap();
        let last = dest.join("chunk-00000006");
        let mut bytes = std::fs::read(&last).unwrap();
        bytes[40] ^= 1;
        std::fs::write(&last, bytes).unwrap();
        let path = dir.path().join("target");
        let target = open(&path).unwrap();
        let error = restore(&dest, &*target).unwrap_err();
        assert!(
            matches!(&error, StorageError::BackupDamaged { path, .. } if *path == last),
            "{name}: {error}"
        );
        let persistent = target.capabilities().persistent;
        // Nor can it pass on what it has as a backup of its own.
        let error =
            backup(&*target, &dir.path().join("again"), &BackupOptions::default()).unwrap_err();
        assert!(matches!(error, StorageError::RestoreUnfinished { .. }), "{name}: {error}");
        target.close().unwrap();
        if persistent {
            let error = open(&path).unwrap_err();
            assert!(
                matches!(&error, StorageError::RestoreUnfinished { path: told } if *told == path),
                "{name}: {error}"
            );
        }
    }
}

/// G53: a chunk at a time, however many keys there are.
#[test]
fn a_million_keys_go_chunk_by_chunk() {
    child::run("a million keys", Path::new(""));
}

/// In a process of its own, so that the peak of its memory is that of the backup.
fn a_million_keys() {
    const KEYS: u64 = 1_000_000;
    const MEMORY_BYTES_MAX: u64 = 16 << 20;
    let source = MemoryStorage::new();
    for first in (0..KEYS).step_by(10_000) {
        let mut batch = AtomicBatch::new();
        for key in first..first + 10_000 {
            batch.put(EntityKind::Item, key.to_le_bytes(), [7; 40]);
        }
        source.commit(batch, Durability::Buffer).unwrap();
    }
    let dir = folder();
    let mut steps = Vec::new();
    let before = child::peak_memory_bytes();
    let snapshot = source.snapshot().unwrap();
    let report =
        backup_snapshot(&source, &*snapshot, dir.path(), &BackupOptions::default(), &mut |step| {
            steps.push(step.entries);
        })
        .unwrap();
    assert_eq!(verify_backup(dir.path()).unwrap(), report);
    if let (Some(before), Some(after)) = (before, child::peak_memory_bytes()) {
        assert!(after - before < MEMORY_BYTES_MAX, "{before} {after}");
    }
    assert_eq!((report.keys, steps.len() as u64), (KEYS, report.chunks));
    let target = MemoryStorage::new();
    let mut last = 0;
    restore_with(dir.path(), &target, &mut |step| {
        assert!(step.entries - last <= 16_384);
        assert_eq!(step.entries_total, Some(KEYS));
        last = step.entries;
    })
    .unwrap();
    assert_eq!(target.stats().unwrap().keyspaces["items"].keys, KEYS);
}
