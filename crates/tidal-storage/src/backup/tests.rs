//! Tests of backups from inside: their bytes, their damage, disks that fail.

mod damage;
mod failing;
mod golden;

use std::path::Path;
use std::sync::Arc;

use tidal_types::{EntityKind, LogId, ManualClock, Position, Seq, Timestamp};

use super::*;
use crate::{AtomicBatch, Durability, MemoryStorage, Storage};

/// A few entries in three keyspaces, one of them without any.
fn small() -> MemoryStorage {
    let storage = MemoryStorage::new();
    let mut batch = AtomicBatch::new();
    batch
        .put(EntityKind::Item, b"song/1", b"So What")
        .put(EntityKind::Item, b"song/2", b"")
        .put("notes", b"\x00", [7; 300]);
    storage.commit(batch, Durability::Sync).unwrap();
    storage
}

fn options() -> BackupOptions {
    BackupOptions {
        position: Some(Position { log_id: LogId::from_bytes([9; 16]), seq: Seq::new(42) }),
        extras: b"kept beside".to_vec(),
        clock: Arc::new(ManualClock::new(Timestamp::from_secs(1_000))),
        ..BackupOptions::default()
    }
}

/// A keyspace, a key and its value.
type Found = (String, Vec<u8>, Vec<u8>);

/// Every entry of every keyspace that has any.
fn everything(storage: &dyn Storage) -> Vec<Found> {
    let snapshot = storage.snapshot().unwrap();
    let mut all = Vec::new();
    for name in storage.stats().unwrap().keyspaces.into_keys() {
        for entry in snapshot.scan_prefix((&name).into(), &[]).unwrap() {
            let (key, value) = entry.unwrap();
            all.push((name.clone(), key, value));
        }
    }
    all
}

/// What [`restore`] makes of a backup, in memory.
fn restored(dest: &Path) -> Result<Vec<Found>, tidal_types::StorageError> {
    let target = MemoryStorage::new();
    restore(dest, &target)?;
    Ok(everything(&target))
}
