//! fjall, used directly: a keyspace of cells, and one of ranks, which keeps the order.
//!
//! A batch is sorted by item; the cells of its items are read, added to and written back,
//! and their places in the order replaced, in one atomic batch over both keyspaces. One
//! client at a time does so. Such a batch is in the journal, though not on the disk; up to
//! [`IN_FLIGHT`] of them, then or as soon as the client settles, are made durable by one
//! `persist`, which clients that wait for it share.
//!
//! - `persist` with `SyncData`, which is `fdatasync`, as all the others have it here: what
//!   was written before it survives a power cut
//!   (<https://docs.rs/fjall/latest/fjall/enum.PersistMode.html>).
//! - Cache: "20 to 25% of the available memory, or more if the data set fully fits"
//!   (<https://docs.rs/fjall/latest/fjall/struct.DatabaseBuilder.html>).
//! - Reads of cells find one, so that the last level needs no filter; ranks are never read
//!   by their key, and need none at all
//!   (<https://docs.rs/fjall/latest/fjall/struct.KeyspaceCreateOptions.html>).
//! - Workers by the number of cores, leveled compaction, LZ4 from the third level on: as
//!   they are by default, which is what the documentation recommends.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use fjall::config::FilterPolicy;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable, Slice};
use tidal_bench_measure::Result;

use crate::cell::{self, Cell};
use crate::group::Group;
use crate::job::{Answer, Event, IN_FLIGHT, Place, score_of};
use crate::system::{Client, System};

/// Blocks that were read, of all tables: more than the data set has.
const CACHE_BYTES: u64 = 2 << 30;

/// What is written before it goes to tables, for each keyspace.
const MEMTABLE_BYTES: u64 = 64 << 20;

/// fjall does not say its version; this does, of what this program is built with.
const LOCKED: &str = include_str!("../../Cargo.lock");

/// A rank, then an item.
const RANK_KEY: usize = 16;

struct Fjall {
    database: Database,
    /// A cell for each item.
    cells: Keyspace,
    /// Nothing for each rank and item, of the highest rank first.
    ranks: Keyspace,
    /// Whoever reads cells to write them holds this.
    writer: Mutex<Scratch>,
    syncs: Group,
}

/// What a writer works with.
#[derive(Default)]
struct Scratch {
    events: Vec<Event>,
    cell: Cell,
    bytes: Vec<u8>,
}

pub(crate) fn open(dir: &Path) -> Result<Box<dyn System>> {
    let database = Database::builder(dir).cache_size(CACHE_BYTES).open()?;
    let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
    let cells = database.keyspace("cells", || options().expect_point_read_hits(true))?;
    let ranks = database.keyspace("ranks", || options().filter_policy(FilterPolicy::disabled()))?;
    let (writer, syncs) = (Mutex::default(), Group::default());
    Ok(Box::new(Shared(Arc::new(Fjall { database, cells, ranks, writer, syncs }))))
}

#[derive(Clone)]
struct Shared(Arc<Fjall>);

impl std::fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Fjall").finish_non_exhaustive()
    }
}

impl System for Shared {
    fn about(&self) -> Result<String> {
        Ok(format!(
            "{}, cache {} GiB, memtables {} MiB, `persist(SyncData)` for up to {IN_FLIGHT} batches \
             and all clients that wait; cells and ranks in one atomic batch",
            version(LOCKED).ok_or("Cargo.lock does not name fjall")?,
            CACHE_BYTES >> 30,
            MEMTABLE_BYTES >> 20,
        ))
    }

    fn client(&self) -> Result<Box<dyn Client>> {
        Ok(Box::new(User { fjall: self.clone(), unsynced: 0 }))
    }
}

impl Fjall {
    /// Adds events, which a process that is killed keeps, and a power cut may take.
    fn add(&self, events: &[Event]) -> Result<()> {
        let mut scratch = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let Scratch { events: sorted, cell, bytes } = &mut *scratch;
        sorted.clear();
        sorted.extend_from_slice(events);
        sorted.sort_unstable_by_key(|event| event.item);
        let mut batch =
            fjall::OwnedWriteBatch::with_capacity(self.database.clone(), 3 * sorted.len());
        batch = batch.durability(Some(PersistMode::Buffer));
        for of_item in sorted.chunk_by(|a, b| a.item == b.item) {
            let Some(&Event { item, .. }) = of_item.first() else { continue };
            let key = item_key(item);
            cell.clear();
            if let Some(old) = self.cells.get(key)? {
                cell.merge(&old)?;
                batch.remove(&self.ranks, rank_key(cell.decayed().rank(), item));
            }
            for event in of_item {
                cell.add(event);
            }
            bytes.clear();
            cell.write(bytes);
            batch.insert(&self.cells, key, bytes.as_slice());
            batch.insert(&self.ranks, rank_key(cell.decayed().rank(), item), Slice::empty());
        }
        Ok(batch.commit()?)
    }

    fn sync(&self) -> Result<()> {
        self.syncs.share(|| Ok(self.database.persist(PersistMode::SyncData)?))
    }
}

#[derive(Debug)]
struct User {
    fjall: Shared,
    /// So many batches are not known to be on the disk.
    unsynced: usize,
}

impl Client for User {
    fn send(&mut self, events: &[Event]) -> Result<()> {
        self.fjall.0.add(events)?;
        self.unsynced += 1;
        if self.unsynced < IN_FLIGHT { Ok(()) } else { self.settle() }
    }

    fn settle(&mut self) -> Result<()> {
        if self.unsynced > 0 {
            self.fjall.0.sync()?;
            self.unsynced = 0;
        }
        Ok(())
    }

    fn read(&mut self, item: u64, end: u64) -> Result<Answer> {
        match self.fjall.0.cells.get(item_key(item))? {
            Some(bytes) => cell::answer(&bytes, end),
            None => Ok(Answer::default()),
        }
    }

    fn top(&mut self, places: usize, end: u64) -> Result<Vec<Place>> {
        // A snapshot, since a batch that is being committed is seen in part otherwise.
        let snapshot = self.fjall.0.database.snapshot();
        let highest = snapshot.iter(&self.fjall.0.ranks).take(places);
        highest.map(|entry| ranked(&entry.key()?, end)).collect()
    }
}

/// The version of fjall in a lock file.
fn version(locked: &str) -> Option<&str> {
    let (_, package) = locked.split_once("name = \"fjall\"\nversion = \"")?;
    Some(package.split_once('"')?.0)
}

#[expect(clippy::big_endian_bytes, reason = "keys are ordered by their bytes")]
const fn item_key(item: u64) -> [u8; 8] {
    item.to_be_bytes()
}

/// Keys in the order from the highest rank to the lowest.
#[expect(clippy::big_endian_bytes, reason = "keys are ordered by their bytes")]
fn rank_key(rank: f64, item: u64) -> [u8; RANK_KEY] {
    let bits = rank.to_bits();
    // Floats are ordered as their bits are, negative ones the other way around.
    let rising = if rank.is_sign_negative() { !bits } else { bits | 1 << 63 };
    (u128::from(!rising) << 64 | u128::from(item)).to_be_bytes()
}

#[expect(clippy::big_endian_bytes, reason = "keys are ordered by their bytes")]
fn ranked(key: &[u8], end: u64) -> Result<Place> {
    let key: [u8; RANK_KEY] = key.try_into().map_err(|_| "the key of a rank is damaged")?;
    let key = u128::from_be_bytes(key);
    let rising = !((key >> 64) as u64);
    let bits = if rising >> 63 == 1 { rising & !(1 << 63) } else { !rising };
    Ok(Place { item: key as u64, score: score_of(f64::from_bits(bits), end) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_lock_file() {
        let locked =
            "name = \"fjall-x\"\nversion = \"1\"\n\nname = \"fjall\"\nversion = \"3.2.1\"\n";
        assert_eq!(version(locked), Some("3.2.1"));
        assert!(version(LOCKED).is_some_and(|version| version.starts_with("3.")));
    }

    #[test]
    fn keys_of_ranks_go_from_the_highest_to_the_lowest() {
        let ranks = [f64::MAX, 13_656.5, 13_656.0, 1.0, 0.0, -0.5, -1.0, -1e300];
        let keys = ranks.map(|rank| rank_key(rank, 7));
        assert!(keys.is_sorted());
        for (rank, key) in ranks.into_iter().zip(keys) {
            let expected = Place { item: 7, score: score_of(rank, 0) };
            assert_eq!(ranked(&key, 0).unwrap(), expected);
        }
        assert!(rank_key(1.0, 1) < rank_key(1.0, 2));
        assert!(ranked(&[0; 15], 0).is_err());
    }
}
