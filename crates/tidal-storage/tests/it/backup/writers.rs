//! Backups beside writers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use tidal_keys::{decode_u64, encode_u64};
use tidal_storage::{
    AtomicBatch, BackupOptions, Durability, MemoryStorage, Storage, backup, restore,
};
use tidal_types::EntityKind;

use super::{ENGINES, folder};

/// Commits of each writer before the backup begins.
const HEAD_START: u64 = 40;
const BACKUPS: usize = 3;

/// One commit of a writer: its number in three keyspaces, and the last commit of the
/// other writer that it has seen.
fn commit(storage: &dyn Storage, writer: u8, number: u64, seen: u64) {
    let key = [&[writer][..], &encode_u64(number)].concat();
    let mut batch = AtomicBatch::new();
    batch
        .put(EntityKind::Item, key.clone(), encode_u64(seen))
        .put(EntityKind::User, key, vec![writer; 500])
        .put("system", [writer], encode_u64(number));
    storage.commit(batch, Durability::Buffer).unwrap();
}

fn number(bytes: &[u8]) -> u64 {
    decode_u64(bytes).unwrap()
}

/// The backup has the first commits of each writer, whole, none is missing in between,
/// and none without those that it had seen.
fn check(storage: &dyn Storage, engine: &str) {
    let system = storage.keyspace("system").unwrap();
    let last: BTreeMap<u8, u64> =
        [0, 1].map(|writer| (writer, number(&system.get(&[writer]).unwrap().unwrap()))).into();
    for kind in [EntityKind::Item, EntityKind::User] {
        let mut counts = BTreeMap::from([(0, 0), (1, 0)]);
        for entry in storage.backend(kind).scan_prefix(&[]).unwrap() {
            let (key, value) = entry.unwrap();
            let (writer, at) = (key[0], number(&key[1..]));
            *counts.get_mut(&writer).unwrap() += 1;
            assert_eq!(at, counts[&writer], "{engine}: a commit of {writer} is missing");
            if kind == EntityKind::Item {
                assert!(number(&value) <= last[&(1 - writer)], "{engine}: one came after");
            }
        }
        assert_eq!(counts, last, "{engine}: half of a commit");
    }
    assert!(last.values().all(|&last| last >= HEAD_START));
}

/// Ends the writers also when a check fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// G50: a backup beside two writers is what was committed up to one moment.
#[test]
fn a_backup_beside_writers_is_of_one_moment() {
    for (engine, open) in ENGINES {
        let dir = folder();
        let storage = open(&dir.path().join("source")).unwrap();
        let stop = AtomicBool::new(false);
        let done = [AtomicU64::new(0), AtomicU64::new(0)];
        thread::scope(|scope| {
            let _stopped = Stop(&stop);
            let (started, has_started) = mpsc::channel();
            for writer in 0..2_u8 {
                let (storage, stop, done, started) = (&*storage, &stop, &done, started.clone());
                scope.spawn(move || {
                    let [mine, other] = [writer, 1 - writer].map(|w| &done[usize::from(w)]);
                    for number in 1.. {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        commit(storage, writer, number, other.load(Ordering::SeqCst));
                        mine.store(number, Ordering::SeqCst);
                        if number == HEAD_START {
                            started.send(()).unwrap();
                        }
                    }
                });
            }
            for _ in 0..2 {
                has_started.recv().unwrap();
            }
            for index in 0..BACKUPS {
                let dest = dir.path().join(format!("backup-{index}"));
                let answered = [0, 1].map(|writer: usize| done[writer].load(Ordering::SeqCst));
                backup(&*storage, &dest, &BackupOptions::default()).unwrap();
                let target = MemoryStorage::new();
                restore(&dest, &target).unwrap();
                check(&target, engine);
                for (writer, answered) in answered.into_iter().enumerate() {
                    let system = target.keyspace("system").unwrap();
                    let last = number(&system.get(&[writer as u8]).unwrap().unwrap());
                    assert!(last >= answered, "{engine}: an answered commit is missing");
                }
            }
        });
    }
}
