//! Processes that are killed in the middle of a backup and of a restore.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;

use tidal_storage::{
    AtomicBatch, BackupOptions, Durability, MemoryStorage, Storage, StorageError, backup,
    backup_snapshot, restore, restore_with, verify_backup,
};
use tidal_types::EntityKind;

use super::{ENGINES, child, contents, folder};

/// How often each engine's process is killed.
const ROUNDS: u64 = 12;
const CHUNKS: u64 = 12;
const SEED: u64 = 0x5eed_0004;

/// A chunk for each entry.
fn fill_chunks(storage: &dyn Storage) {
    for index in 0..CHUNKS {
        let mut batch = AtomicBatch::new();
        let value: Vec<u8> = (0..150_000).flat_map(|i| mix(i ^ index).to_le_bytes()).collect();
        batch.put(EntityKind::Item, [index as u8], value);
        storage.commit(batch, Durability::Sync).unwrap();
    }
}

/// A number that looks like chance and follows from its seed.
fn mix(seed: u64) -> u64 {
    let mut x = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// What the process does: `backup ENGINE` or `restore ENGINE`, between `source`, `backup`
/// and `target` in its folder. It says a line for each chunk.
pub(super) fn child(what: &str, dir: &Path) {
    let (verb, engine) = what.split_once(' ').unwrap();
    let (_, open) = ENGINES.iter().find(|(name, _)| *name == engine).unwrap();
    let say = |line: &str| {
        println!("\n{line}");
        std::io::stdout().flush().unwrap();
    };
    let dest = dir.join("backup");
    if verb == "backup" {
        let source = open(&dir.join("source")).unwrap();
        let snapshot = source.snapshot().unwrap();
        let options = BackupOptions::default();
        say("chunk");
        backup_snapshot(&*source, &*snapshot, &dest, &options, &mut |_| say("chunk")).unwrap();
    } else {
        let target = open(&dir.join("target")).unwrap();
        say("chunk");
        restore_with(&dest, &*target, &mut |_| say("chunk")).unwrap();
    }
    say("done");
}

/// Lets a process do its work up to so many chunks and kills it a moment later. Whether
/// it came to its end.
fn killed(what: &str, dir: &Path, seed: u64) -> bool {
    let mut child = child::command(what, dir).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut chunks = 0;
    let after = mix(seed) % (CHUNKS + 2);
    for line in lines.by_ref().map_while(Result::ok) {
        chunks += u64::from(line == "chunk");
        if chunks > after {
            break;
        }
    }
    // A moment that no line of the child's decides.
    for spin in 0..mix(seed ^ 1) % 2_000_000 {
        std::hint::black_box(spin);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    lines.map_while(Result::ok).any(|line| line == "done")
}

/// G51: a backup whose process was killed is whole, or refused.
#[test]
fn a_killed_backup_never_verifies() {
    for (engine, open) in ENGINES.iter().filter(|(name, _)| *name != "memory") {
        let dir = folder();
        let source = open(&dir.path().join("source")).unwrap();
        fill_chunks(&*source);
        let expected = contents(&*source);
        source.close().unwrap();
        let dest = dir.path().join("backup");
        let mut refused = 0;
        for round in 0..ROUNDS {
            let is_done = killed(&format!("backup {engine}"), dir.path(), SEED ^ (round << 8));
            match verify_backup(&dest) {
                Ok(_) => {
                    let target = MemoryStorage::new();
                    restore(&dest, &target).unwrap();
                    assert_eq!(contents(&target), expected, "{engine}, round {round}");
                }
                Err(StorageError::NoBackup { .. }) => {
                    assert!(!is_done, "{engine}, round {round}");
                    refused += 1;
                }
                Err(error) => panic!("{engine}, round {round}: {error}"),
            }
            if dest.exists() {
                std::fs::remove_dir_all(&dest).unwrap();
            }
        }
        assert!(refused > 0, "{engine}: no kill came early enough");
    }
}

/// G51: storage whose restoring was killed is whole, without a key, or refused.
#[test]
fn a_killed_restore_is_recognized() {
    for (engine, open) in ENGINES.iter().filter(|(name, _)| *name != "memory") {
        let dir = folder();
        let source = MemoryStorage::new();
        fill_chunks(&source);
        let expected = contents(&source);
        backup(&source, &dir.path().join("backup"), &BackupOptions::default()).unwrap();
        let path = dir.path().join("target");
        let mut refused = 0;
        for round in 0..ROUNDS {
            let is_done = killed(&format!("restore {engine}"), dir.path(), SEED ^ (round << 8));
            match open(&path) {
                Ok(target) => {
                    let found = contents(&*target);
                    let is_empty = found.iter().all(|(_, entries)| entries.is_empty());
                    assert!(found == expected || is_empty && !is_done, "{engine}, round {round}");
                }
                Err(StorageError::RestoreUnfinished { .. }) => {
                    assert!(!is_done, "{engine}, round {round}");
                    refused += 1;
                }
                Err(error) => panic!("{engine}, round {round}: {error}"),
            }
            std::fs::remove_dir_all(&path).unwrap();
        }
        assert!(refused > 0, "{engine}: no kill came early enough");
    }
}
