//! RocksDB with a merge operator: events are written without a look at what is there.
//!
//! A batch is sorted by item, the events of an item are added up to a small cell, and each
//! such cell is an operand of a merge. The operator adds operands up, to a full cell when
//! the oldest is found and to a larger operand when not. Nothing can keep an order of items
//! by rank in that way: the first 100 are a scan of all items.
//!
//! - The settings are those of
//!   <https://github.com/facebook/rocksdb/wiki/Setup-Options-and-Basic-Tuning>: blocks of
//!   16 KiB, index and filter blocks in the cache and those of level 0 pinned, filters of 10
//!   bits a key, levels of dynamic sizes, a sync for each MiB of tables written, LZ4 and
//!   background jobs by the number of cores.
//! - `max_successive_merges`: the header `advanced_options.h` names it as the limit of what
//!   a read has to replay; see [`MERGES_MAX`].
//! - `optimize_filters_for_hits`: as that header says for reads that mostly find their key.
//! - The log: <https://github.com/facebook/rocksdb/wiki/WAL-Performance>, and `FlushWAL` in the
//!   header `db.h`. Files of the log are used again (`recycle_log_file_num`), which that page
//!   names where a sync has to write a new length too. Batches are written to the log without
//!   a sync, and up to [`IN_FLIGHT`] of them, then or as soon as the client settles, are made
//!   durable by one `FlushWAL(sync = true)`, which clients share that wait for it, as RocksDB
//!   groups synchronous writes.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rocksdb::{
    BlockBasedOptions, Cache, DB, DBCompressionType, MergeOperands, Options, WriteBatch,
};
use tidal_bench_measure::{Result, at};

use crate::cell::{self, Cell};
use crate::group::Group;
use crate::job::{Answer, Event, IN_FLIGHT, Place};
use crate::system::{Client, System};

const CACHE_BYTES: usize = 2 << 30;

/// What is written before it goes to tables.
const MEMTABLE_BYTES: usize = 64 << 20;

/// Files of the log that are kept to be used again.
const RECYCLED: usize = 2;

/// After so many merges of a key in a row the memtable gets what they amount to. Measured
/// with a million events over 100 thousand items: without a limit a batch is taken in in two
/// thirds of the time, but a popular item is read twenty times as slowly; more than these
/// are slower to write and to read, since each merge counts the ones before it; fewer gain
/// nothing.
const MERGES_MAX: usize = 8;

/// The first line of RocksDB's own log says which version it is.
const LOG: &str = "LOG";
const VERSION: &str = "RocksDB version: ";

struct RocksDb {
    database: DB,
    dir: PathBuf,
    syncs: Group,
}

#[derive(Clone)]
struct Shared(Arc<RocksDb>);

pub(crate) const fn missing() -> Option<String> {
    None
}

pub(crate) fn open(dir: &Path) -> Result<Box<dyn System>> {
    let database = DB::open(&options()?, dir)?;
    let (dir, syncs) = (dir.to_owned(), Group::default());
    Ok(Box::new(Shared(Arc::new(RocksDb { database, dir, syncs }))))
}

fn options() -> Result<Options> {
    let mut tables = BlockBasedOptions::default();
    tables.set_block_cache(&Cache::new_lru_cache(CACHE_BYTES));
    tables.set_block_size(16 * 1024);
    tables.set_bloom_filter(10.0, false);
    tables.set_cache_index_and_filter_blocks(true);
    tables.set_pin_l0_filter_and_index_blocks_in_cache(true);
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_block_based_table_factory(&tables);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_level_compaction_dynamic_level_bytes(true);
    options.set_bytes_per_sync(1 << 20);
    options.set_write_buffer_size(MEMTABLE_BYTES);
    options.set_recycle_log_file_num(RECYCLED);
    options.increase_parallelism(i32::try_from(std::thread::available_parallelism()?.get())?);
    options.set_optimize_filters_for_hits(true);
    options.set_max_successive_merges(MERGES_MAX);
    options.set_merge_operator("cells", full_merge, partial_merge);
    Ok(options)
}

thread_local! {
    static SCRATCH: RefCell<(Cell, Vec<u8>)> = RefCell::default();
}

fn full_merge(_: &[u8], existing: Option<&[u8]>, operands: &MergeOperands) -> Option<Vec<u8>> {
    SCRATCH.with_borrow_mut(|(cell, bytes)| {
        cell.clear();
        // What is none makes RocksDB report a damaged key.
        for operand in existing.into_iter().chain(operands) {
            cell.merge(operand).ok()?;
        }
        bytes.clear();
        cell.write(bytes);
        Some(bytes.as_slice().to_vec())
    })
}

fn partial_merge(key: &[u8], _: Option<&[u8]>, operands: &MergeOperands) -> Option<Vec<u8>> {
    full_merge(key, None, operands)
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RocksDb").finish_non_exhaustive()
    }
}

impl System for Shared {
    fn about(&self) -> Result<String> {
        let path = self.0.dir.join(LOG);
        let log = std::fs::read_to_string(&path).map_err(|error| at(&path, &error))?;
        let version = log.lines().find_map(|line| Some(line.split_once(VERSION)?.1));
        Ok(format!(
            "{}, cache {} GiB, memtables {} MiB, LZ4, filters of 10 bits a key, at most \
             {MERGES_MAX} merges in a row, {RECYCLED} files of the log used again, `FlushWAL(sync)` for up to {IN_FLIGHT} batches and all \
             clients that wait",
            version.ok_or("RocksDB's log does not say its version")?,
            CACHE_BYTES >> 30,
            MEMTABLE_BYTES >> 20,
        ))
    }

    fn client(&self) -> Result<Box<dyn Client>> {
        Ok(Box::new(User {
            rocksdb: self.clone(),
            unsynced: 0,
            sorted: Vec::new(),
            cell: Cell::default(),
            bytes: Vec::new(),
        }))
    }
}

struct User {
    rocksdb: Shared,
    /// So many batches are not known to be on the disk.
    unsynced: usize,
    sorted: Vec<Event>,
    cell: Cell,
    bytes: Vec<u8>,
}

impl std::fmt::Debug for User {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("User").field("unsynced", &self.unsynced).finish_non_exhaustive()
    }
}

impl Client for User {
    fn send(&mut self, events: &[Event]) -> Result<()> {
        self.sorted.clear();
        self.sorted.extend_from_slice(events);
        self.sorted.sort_unstable_by_key(|event| event.item);
        let mut batch = WriteBatch::default();
        for of_item in self.sorted.chunk_by(|a, b| a.item == b.item) {
            self.cell.clear();
            for event in of_item {
                self.cell.add(event);
            }
            self.bytes.clear();
            self.cell.write(&mut self.bytes);
            if let Some(event) = of_item.first() {
                batch.merge(key(event.item), &self.bytes);
            }
        }
        self.rocksdb.0.database.write(batch)?;
        self.unsynced += 1;
        if self.unsynced < IN_FLIGHT { Ok(()) } else { self.settle() }
    }

    fn settle(&mut self) -> Result<()> {
        if self.unsynced > 0 {
            let rocksdb = &self.rocksdb.0;
            rocksdb.syncs.share(|| Ok(rocksdb.database.flush_wal(true)?))?;
            self.unsynced = 0;
        }
        Ok(())
    }

    fn read(&mut self, item: u64, end: u64) -> Result<Answer> {
        match self.rocksdb.0.database.get_pinned(key(item))? {
            Some(bytes) => cell::answer(&bytes, end),
            None => Ok(Answer::default()),
        }
    }

    fn top(&mut self, places: usize, end: u64) -> Result<Vec<Place>> {
        let mut highest = Highest { places, heap: BinaryHeap::with_capacity(places + 1) };
        let mut cells = self.rocksdb.0.database.raw_iterator();
        cells.seek_to_first();
        while let Some((key, bytes)) = cells.item() {
            let decayed = cell::decayed(bytes)?;
            // A sum only falls: many are out without its score.
            if highest.admits(decayed.sum) {
                highest.offer(item_of(key)?, decayed.at(end));
            }
            cells.next();
        }
        cells.status()?;
        Ok(highest.into_places())
    }
}

/// The highest scores that were met. Those that are not negative are ordered as their bits.
struct Highest {
    places: usize,
    heap: BinaryHeap<Reverse<(u64, u64)>>,
}

impl Highest {
    fn admits(&self, score: f64) -> bool {
        self.heap.len() < self.places
            || self.heap.peek().is_some_and(|Reverse((lowest, _))| score.to_bits() > *lowest)
    }

    fn offer(&mut self, item: u64, score: f64) {
        if self.admits(score) {
            self.heap.push(Reverse((score.to_bits(), item)));
            if self.heap.len() > self.places {
                self.heap.pop();
            }
        }
    }

    fn into_places(self) -> Vec<Place> {
        let sorted = self.heap.into_sorted_vec();
        let place = |Reverse((score, item))| Place { item, score: f64::from_bits(score) };
        sorted.into_iter().map(place).collect()
    }
}

#[expect(clippy::big_endian_bytes, reason = "keys are ordered by their bytes")]
const fn key(item: u64) -> [u8; 8] {
    item.to_be_bytes()
}

#[expect(clippy::big_endian_bytes, reason = "keys are ordered by their bytes")]
fn item_of(key: &[u8]) -> Result<u64> {
    Ok(u64::from_be_bytes(key.try_into().map_err(|_| "the key of an item is damaged")?))
}
