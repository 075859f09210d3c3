//! S1, S3, S5: a process that is killed at any moment has lost nothing that it was
//! answered, whatever the durability, and leaves each batch whole or not at all;
//! while it lives, no other process opens its directory.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use tidal_keys::{Tag, encode_key};
use tidal_storage::{AtomicBatch, Durability, Storage, StorageError};
use tidal_types::{EntityId, EntityKind};

use crate::fixture::{Open, entries};

const ENGINE: &str = "TIDAL_TEST_CHILD_ENGINE";
const DIR: &str = "TIDAL_TEST_CHILD_DIR";
const ROUNDS: u64 = 12;
const KEYS_IN_A_BATCH: u64 = 20;

const ENGINES: &[(&str, Open)] = &[
    #[cfg(feature = "fjall")]
    ("fjall", crate::engines::open_fjall),
    #[cfg(feature = "hybrid")]
    ("hybrid", crate::engines::open_hybrid),
    #[cfg(feature = "lmdb")]
    ("lmdb", crate::engines::open_lmdb),
    #[cfg(feature = "redb")]
    ("redb", crate::engines::open_redb),
    #[cfg(feature = "rocksdb")]
    ("rocksdb", crate::engines::open_rocksdb),
];

pub(crate) fn opener(engine: &str) -> Open {
    ENGINES.iter().find(|(name, _)| *name == engine).unwrap().1
}

/// A key with each tag in turn, since an engine may keep them in different places.
fn item_key(number: u64) -> Vec<u8> {
    let tag = Tag::ALL[usize::try_from(number).unwrap() % Tag::ALL.len()];
    encode_key(EntityId::new(number), tag, b"").unwrap()
}

/// The number of the last batch, once all keys of both keyspaces are seen to be
/// of it.
fn last_batch(storage: &dyn Storage) -> u64 {
    let mut numbers = Vec::new();
    for keyspace in ["items", "other"] {
        let entries = entries(storage.keyspace(keyspace).unwrap().scan_prefix(b""));
        assert!(entries.is_empty() || entries.len() == usize::try_from(KEYS_IN_A_BATCH).unwrap());
        numbers.extend(
            entries.iter().map(|(_, value)| u64::from_le_bytes(value[..8].try_into().unwrap())),
        );
    }
    let first = numbers.first().copied().unwrap_or_default();
    assert!(numbers.iter().all(|&number| number == first), "a torn batch: {numbers:?}");
    first
}

/// Not a test of its own: what the others kill. Goes on where the storage ends.
#[test]
fn child_process() {
    let (Ok(engine), Some(dir)) = (std::env::var(ENGINE), std::env::var_os(DIR)) else {
        return;
    };
    let storage = opener(&engine)(Path::new(&dir)).unwrap();
    let mut number = last_batch(&*storage);
    println!("\nanswered {number}");
    loop {
        number += 1;
        let mut batch = AtomicBatch::new();
        for key in 0..KEYS_IN_A_BATCH {
            let value = [number.to_le_bytes().as_slice(), &[7; 500]].concat();
            batch.put(EntityKind::Item, item_key(key), value.clone());
            batch.put("other", key.to_le_bytes(), value);
        }
        let durability =
            if number.is_multiple_of(5) { Durability::Sync } else { Durability::Buffer };
        storage.commit(batch, durability).unwrap();
        println!("answered {number}");
    }
}

/// Lets a child write until it was answered some times, kills it somewhere in one of the
/// next commits, and returns the last number that it was answered.
fn killed_after(engine: &str, dir: &Path, answers: u64, spins: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child_process", "--nocapture", "--test-threads=1"])
        .env(ENGINE, engine)
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines =
        BufReader::new(child.stdout.take().unwrap()).lines().map(std::result::Result::unwrap);
    let number = |line: String| line.strip_prefix("answered ")?.parse::<u64>().ok();
    let mut answered = lines.filter_map(number);
    let mut last = answered.next().unwrap();
    // The child has it open.
    let error = opener(engine)(dir).unwrap_err();
    assert!(matches!(error, StorageError::Locked { .. }), "{error}");
    for _ in 0..answers {
        last = answered.next().unwrap();
    }
    (0..spins).for_each(|_| std::hint::spin_loop());
    child.kill().unwrap();
    // What it said before the kill took effect counts too.
    last = answered.last().unwrap_or(last);
    child.wait().unwrap();
    last
}

fn check(engine: &str) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("storage");
    for round in 0..ROUNDS {
        // Another moment in each round, and the same in each run.
        let spins = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 46;
        let answered = killed_after(engine, &path, round * 7 % 30, spins);
        let storage = opener(engine)(&path).unwrap();
        let found = last_batch(&*storage);
        assert!((answered..=answered + 1).contains(&found), "{found} after {answered}");
        storage.close().unwrap();
    }
}

#[cfg(feature = "fjall")]
#[test]
fn fjall_survives_kills() {
    check("fjall");
}

#[cfg(feature = "hybrid")]
#[test]
fn hybrid_survives_kills() {
    check("hybrid");
}

#[cfg(feature = "lmdb")]
#[test]
fn lmdb_survives_kills() {
    check("lmdb");
}

#[cfg(feature = "redb")]
#[test]
fn redb_survives_kills() {
    check("redb");
}

#[cfg(feature = "rocksdb")]
#[test]
fn rocksdb_survives_kills() {
    check("rocksdb");
}
