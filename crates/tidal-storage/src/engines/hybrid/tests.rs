use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use tidal_keys::{Tag, encode_key};
use tidal_types::{EntityId, EntityKind, ErrorKind};

use super::*;
use crate::engines::fjall::tests::put_empty_key;
use crate::{AtomicBatch, Isolation, Storage};

fn key(id: u64, tag: Tag) -> Vec<u8> {
    encode_key(EntityId::new(id), tag, b"").unwrap()
}

/// A batch in both engines and in two keyspaces, whose values are its number.
fn batch(number: u64) -> AtomicBatch {
    let mut batch = AtomicBatch::new();
    for tag in Tag::ALL {
        batch.put(EntityKind::Item, key(7, tag), number.to_le_bytes());
        batch.put("extra", key(8, tag), number.to_le_bytes());
    }
    batch
}

/// The number of the batch of which every key is.
fn whole_batch(storage: &HybridStorage) -> u64 {
    let mut numbers = Vec::new();
    for keyspace in ["items", "extra"] {
        for entry in storage.keyspace(keyspace).unwrap().scan_prefix(b"").unwrap() {
            numbers.push(u64::from_le_bytes(entry.unwrap().1.try_into().unwrap()));
        }
    }
    let first = numbers.first().copied().unwrap_or_default();
    assert!(numbers.iter().all(|&number| number == first), "a torn batch: {numbers:?}");
    assert!(numbers.is_empty() || numbers.len() == 2 * Tag::ALL.len(), "{numbers:?}");
    first
}

/// From now on `work` is done between the two commits of a batch in both.
fn between(storage: &HybridStorage, work: impl Fn() -> Result<()> + Send + 'static) {
    storage
        .with_driver(|hybrid| {
            *lock(&hybrid.between) = Some(Box::new(work));
            Ok(())
        })
        .unwrap();
}

fn refuse() -> Result<()> {
    Err(StorageError::NoSpace { path: "redb".into() })
}

/// G48, H1, H5, S7.
#[test]
fn what_fails_between_the_engines_is_not_seen_and_is_whole_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let storage = HybridStorage::open(directory.path()).unwrap();
    storage.commit(batch(1), Durability::Buffer).unwrap();
    between(&storage, refuse);
    let error = storage.commit(batch(2), Durability::Buffer).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Space);
    assert_eq!(whole_batch(&storage), 1);
    let items = storage.backend(EntityKind::Item);
    for refused in [
        items.put(b"key", b"value"),
        items.put(&key(7, Tag::Sig), b"value"),
        items.flush(),
        items.compact(),
        storage.keyspace("fresh").map(drop),
        storage.close(),
    ] {
        let error = refused.unwrap_err();
        assert!(matches!(error, StorageError::Poisoned { .. }), "{error}");
    }
    for _ in 0..2 {
        let storage = HybridStorage::open(directory.path()).unwrap();
        assert_eq!(whole_batch(&storage), 2);
    }
    let storage = HybridStorage::open(directory.path()).unwrap();
    storage.commit(batch(3), Durability::Buffer).unwrap();
    storage.close().unwrap();
    assert_eq!(whole_batch(&HybridStorage::open(directory.path()).unwrap()), 3);
}

/// H5: reads go on, also when nobody has read before.
#[test]
fn the_first_batch_may_fail_too() {
    let directory = tempfile::tempdir().unwrap();
    let storage = HybridStorage::open(directory.path()).unwrap();
    between(&storage, refuse);
    storage.commit(batch(1), Durability::Buffer).unwrap_err();
    assert_eq!(whole_batch(&storage), 0);
    drop(storage);
    assert_eq!(whole_batch(&HybridStorage::open(directory.path()).unwrap()), 1);
}

/// H1: also one of several chunks, after one of more, with deletions.
#[test]
fn a_large_batch_is_redone_whole() {
    let directory = tempfile::tempdir().unwrap();
    let storage = HybridStorage::open(directory.path()).unwrap();
    let large = |count: u8, value: u8| {
        let mut batch = AtomicBatch::new();
        batch.put(EntityKind::Item, key(1, Tag::Sig), [value]);
        for n in 0..count {
            batch.put("large", [n], vec![value; 400_000]);
        }
        batch
    };
    storage.commit(large(20, 1), Durability::Buffer).unwrap();
    between(&storage, refuse);
    let mut second = large(9, 2);
    second.delete("large", [19]);
    storage.commit(second, Durability::Sync).unwrap_err();
    drop(storage);
    let storage = HybridStorage::open(directory.path()).unwrap();
    let chunks = |hybrid: &Hybrid| {
        let range = KeyRange::all();
        let scan = hybrid.fjall.scan(None, hybrid.own.fjall, range, Direction::Forward)?;
        Ok((lock(&hybrid.commits).redo_chunks, scan.count()))
    };
    assert_eq!(storage.with_driver(chunks).unwrap(), (4, 4));
    let stored: Vec<_> = storage.keyspace("large").unwrap().scan_prefix(b"").unwrap().collect();
    assert_eq!(stored.len(), 19);
    for (n, entry) in (0u8..).zip(stored) {
        let (key, value) = entry.unwrap();
        assert_eq!((key, value), (vec![n], vec![if n < 9 { 2 } else { 1 }; 400_000]));
    }
}

/// G48, H3: whoever reads while a batch is in one engine only sees none of it, by any
/// kind of read, and does not wait.
#[test]
fn reads_between_the_two_commits_see_nothing_of_the_batch() {
    let storage = Arc::new(HybridStorage::open_temp().unwrap());
    storage.commit(batch(1), Durability::Buffer).unwrap();
    let (looked, reader) = (Arc::new(AtomicU64::new(0)), Arc::downgrade(&storage));
    let count = Arc::clone(&looked);
    between(&storage, move || {
        let storage = reader.upgrade().unwrap();
        // The storage is borrowed by the commit, so nobody else can have it alone.
        assert_eq!(whole_batch(&storage), 1);
        let snapshot = storage.snapshot()?;
        for tag in Tag::ALL {
            let items = storage.backend(EntityKind::Item);
            assert_eq!(items.get(&key(7, tag))?.unwrap(), 1u64.to_le_bytes());
            let value = snapshot.get("extra".into(), &key(8, tag))?;
            assert_eq!(value.unwrap(), 1u64.to_le_bytes());
        }
        count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    storage.commit(batch(2), Durability::Buffer).unwrap();
    assert_eq!(looked.load(Ordering::Relaxed), 1);
    assert_eq!(whole_batch(&storage), 2);
}

/// G48, H2: before redb makes a commit durable, nothing before it may be lost.
#[test]
fn a_commit_in_redb_syncs_what_fjall_has_before_it() {
    let storage = HybridStorage::open_temp().unwrap();
    let items = storage.backend(EntityKind::Item);
    let unsynced = || storage.with_driver(|hybrid| Ok(lock(&hybrid.commits).unsynced)).unwrap();
    items.put(&key(1, Tag::Sig), b"value").unwrap();
    assert!(unsynced());
    items.put(&key(1, Tag::Rel), b"value").unwrap();
    assert!(!unsynced());
    items.put(&key(2, Tag::Sig), b"value").unwrap();
    items.flush().unwrap();
    assert!(!unsynced());
    items.put(&key(3, Tag::Sig), b"value").unwrap();
    storage.commit(batch(1), Durability::Buffer).unwrap();
    assert!(!unsynced());
    // When that fails, so does the commit.
    items.put(&key(4, Tag::Sig), b"value").unwrap();
    let break_fjall = |hybrid: &Hybrid| {
        put_empty_key(&hybrid.fjall);
        Ok(())
    };
    storage.with_driver(break_fjall).unwrap();
    let error = items.put(&key(4, Tag::Rel), b"value").unwrap_err();
    assert!(matches!(error, StorageError::Poisoned { .. }), "{error}");
    assert!(!items.contains(&key(4, Tag::Rel)).unwrap());
}

#[test]
fn each_key_is_in_its_engine_and_a_scan_has_them_in_order() {
    let storage = HybridStorage::open_temp().unwrap();
    let items = storage.backend(EntityKind::Item);
    for id in 0..20 {
        for tag in Tag::ALL {
            items.put(&key(id, tag), b"value").unwrap();
        }
        items.put(&[u8::try_from(id).unwrap(); 3], b"value").unwrap();
    }
    let count = |hybrid: &Hybrid| {
        let (ids, all) = (hybrid.ids(SpaceId::new(0)), KeyRange::all);
        let fjall = hybrid.fjall.scan(None, ids.fjall, all(), Direction::Forward)?.count();
        Ok((fjall, hybrid.redb.scan(None, ids.redb, all(), Direction::Forward)?.count()))
    };
    assert_eq!(storage.with_driver(count).unwrap(), (60, 80));
    let keys = |direction| {
        let scan = items.scan_range(KeyRange::all(), direction).unwrap();
        scan.map(|entry| entry.unwrap().0).collect::<Vec<_>>()
    };
    let (mut forward, backward) = (keys(Direction::Forward), keys(Direction::Backward));
    assert_eq!(forward.len(), 140);
    assert!(forward.is_sorted());
    forward.reverse();
    assert_eq!(forward, backward);
}

/// S8 over both engines.
#[test]
fn a_transaction_crosses_the_engines() {
    let storage = HybridStorage::open_temp().unwrap();
    let tx = storage.begin_with(Isolation::Serializable).unwrap();
    tx.put("items", &key(1, Tag::Sig), b"1").unwrap();
    tx.put("items", &key(1, Tag::Rel), b"1").unwrap();
    assert_eq!(tx.scan_prefix("items", &EntityId::new(1).to_be_bytes()).unwrap().count(), 2);
    storage.backend(EntityKind::Item).put(&key(1, Tag::Idx), b"outside").unwrap();
    let error = tx.commit(Durability::Sync).unwrap_err();
    assert!(matches!(error, StorageError::Conflict { .. }), "{error}");
    assert!(!storage.backend(EntityKind::Item).contains(&key(1, Tag::Sig)).unwrap());
}

#[test]
fn compacting_gives_back_the_space_of_both() {
    let storage = HybridStorage::open_temp().unwrap();
    let items = storage.backend(EntityKind::Item);
    let disk = || storage.stats().unwrap().disk_bytes;
    for n in 0..200u8 {
        items.put(&[n], &[n; 20_000]).unwrap();
    }
    for n in 0..200u8 {
        items.delete(&[n]).unwrap();
    }
    let full = disk();
    items.compact().unwrap();
    assert!(disk() < full, "{} after {full}", disk());
    items.put(b"key", b"value").unwrap();
    assert!(items.contains(b"key").unwrap());
}

/// G48, H4.
#[test]
fn a_fjall_that_lost_what_it_had_synced_is_damage() {
    let directory = tempfile::tempdir().unwrap();
    let storage = HybridStorage::open(directory.path()).unwrap();
    for number in 1..=3 {
        storage.commit(batch(number), Durability::Sync).unwrap();
    }
    storage.close().unwrap();
    // fjall takes a journal that is cut between batches for whole. Cut anywhere, it
    // opens with a prefix or not at all.
    let journal = fs::read_dir(marker::fjall_folder(directory.path()))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "jnl"))
        .unwrap();
    let bytes = fs::read(&journal).unwrap();
    let last = bytes.windows(8).rposition(|window| window == 3u64.to_le_bytes()).unwrap();
    for length in (0..=last).step_by(31) {
        fs::write(&journal, &bytes[..length]).unwrap();
        let error = HybridStorage::open(directory.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damage, "{length}: {error}");
    }
    fs::write(&journal, &bytes).unwrap();
    assert_eq!(whole_batch(&HybridStorage::open(directory.path()).unwrap()), 3);
}

/// G48, H4: the redo record makes up for one batch only.
#[test]
fn a_redb_that_lost_more_than_the_last_batch_is_damage() {
    let directory = tempfile::tempdir().unwrap();
    let file = marker::redb_folder(directory.path()).join("data.redb");
    let files: Vec<_> = (1..=3)
        .map(|number| {
            let storage = HybridStorage::open(directory.path()).unwrap();
            storage.commit(batch(number), Durability::Sync).unwrap();
            storage.close().unwrap();
            fs::read(&file).unwrap()
        })
        .collect();
    fs::write(&file, &files[0]).unwrap();
    let error = HybridStorage::open(directory.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damage, "{error}");
    fs::write(&file, &files[1]).unwrap();
    assert_eq!(whole_batch(&HybridStorage::open(directory.path()).unwrap()), 3);
}

#[test]
fn a_folder_that_is_gone_is_damage_and_a_creation_cut_short_is_finished() {
    for folder in [marker::fjall_folder, marker::redb_folder] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        HybridStorage::open(path).unwrap().close().unwrap();
        fs::rename(folder(path), path.join("elsewhere")).unwrap();
        let error = HybridStorage::open(path).unwrap_err();
        assert!(matches!(&error, StorageError::Damaged { .. }), "{error}");
        assert!(!folder(path).exists());
        fs::rename(path.join("elsewhere"), folder(path)).unwrap();
        HybridStorage::open(path).unwrap().close().unwrap();
        // A creation was cut short before the file was there.
        fs::remove_file(path.join("hybrid")).unwrap();
        fs::remove_dir_all(folder(path)).unwrap();
        let storage = HybridStorage::open(path).unwrap();
        storage.commit(batch(1), Durability::Sync).unwrap();
        storage.close().unwrap();
        assert_eq!(whole_batch(&HybridStorage::open(path).unwrap()), 1);
    }
}

/// The bytes of version 1.
#[test]
fn the_golden_marker_and_what_is_not_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("hybrid");
    HybridStorage::open(directory.path()).unwrap().close().unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"TIDALHY\x01");
    fs::write(&file, b"TIDALHY\x02 and more").unwrap();
    let error = HybridStorage::open(directory.path()).unwrap_err();
    assert!(matches!(error, StorageError::UnsupportedVersion { found: 2, .. }), "{error}");
    for bytes in [&b""[..], b"TIDALHY", b"a file", b"TIDALHY\x01 and more"] {
        fs::write(&file, bytes).unwrap();
        let error = HybridStorage::open(directory.path()).unwrap_err();
        assert_ne!(error.kind(), ErrorKind::Retry, "{error}");
    }
}

const CHILD_DIR: &str = "TIDAL_TEST_HYBRID_DIR";
const CHILD_BATCHES: &str = "TIDAL_TEST_HYBRID_BATCHES";

/// Not a test of its own: what the next kills. Commits batches, and stops between the
/// two commits of the last.
#[test]
fn child_process() {
    let (Some(directory), Ok(batches)) =
        (std::env::var_os(CHILD_DIR), std::env::var(CHILD_BATCHES))
    else {
        return;
    };
    let (storage, batches) =
        (HybridStorage::open(directory).unwrap(), batches.parse::<u64>().unwrap());
    let before = whole_batch(&storage);
    let commits = AtomicU64::new(0);
    between(&storage, move || {
        if commits.fetch_add(1, Ordering::Relaxed) + 1 == batches {
            println!("\nbetween {}", before + batches);
            loop {
                std::thread::park();
            }
        }
        Ok(())
    });
    for number in 1.. {
        storage.commit(batch(before + number), Durability::Buffer).unwrap();
    }
}

/// G48, S1, H1: a process that is killed between the two commits.
#[test]
fn a_kill_between_the_two_commits_loses_nothing_and_leaves_no_half() {
    let directory = tempfile::tempdir().unwrap();
    let mut last = 0;
    for batches in [1, 2, 1, 7, 3] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "engines::hybrid::tests::child_process", "--nocapture"])
            .env(CHILD_DIR, directory.path())
            .env(CHILD_BATCHES, batches.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reached = lines.find_map(|line| line.unwrap().strip_prefix("between ")?.parse().ok());
        child.kill().unwrap();
        child.wait().unwrap();
        let reached: u64 = reached.unwrap();
        assert_eq!(reached, last + batches);
        let redb = Redb::open(&marker::redb_folder(directory.path()), Default::default());
        let (mut redb, applied) = (redb.unwrap(), reached - 1);
        let own = redb.open_keyspace(REDO).unwrap();
        let found = redb.get(None, own, redo::APPLIED).unwrap();
        assert_eq!(found, (applied > 0).then(|| applied.to_le_bytes().to_vec()));
        drop(redb);
        let storage = HybridStorage::open(directory.path()).unwrap();
        // It was written and synced in one engine, so it is there.
        assert_eq!(whole_batch(&storage), reached);
        storage.close().unwrap();
        last = reached;
    }
}
