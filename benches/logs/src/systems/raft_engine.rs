//! tikv's raft-engine: each writer has a Raft group of its own, as a store has, and its
//! records are entries of that group.
//!
//! An entry is a protobuf message that knows its index. The smallest there is holds
//! bytes; the index stands in the first eight of them, so that a record is as long here
//! as elsewhere. Compression is off: the others have none.

use std::path::Path;
use std::sync::Mutex;

use protobuf::well_known_types::BytesValue;
use raft_engine::{Config, Engine, LogBatch, MessageExt, ReadableSize};
use tidal_bench_measure::Result;

use super::Log;
use crate::append::WRITERS_MAX;

pub(crate) struct RaftEngine {
    engine: Engine,
    /// The next index of each writer.
    next: Vec<Mutex<u64>>,
}

struct Entries;

impl MessageExt for Entries {
    type Entry = BytesValue;

    fn index(entry: &BytesValue) -> u64 {
        entry.value.first_chunk().copied().map_or(0, u64::from_le_bytes)
    }
}

impl RaftEngine {
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let engine = Engine::open(Config {
            dir: dir.to_str().ok_or("the folder's name is not UTF-8")?.into(),
            batch_compression_threshold: ReadableSize(0),
            ..Config::default()
        })?;
        let next = (0..WRITERS_MAX as u64)
            .map(|writer| Mutex::new(engine.last_index(group(writer)).unwrap_or_default() + 1))
            .collect();
        Ok(Self { engine, next })
    }

    pub(crate) fn record_count(&self) -> u64 {
        let groups = self.engine.raft_groups();
        groups.iter().filter_map(|&group| self.engine.last_index(group)).sum()
    }
}

/// Zero is no group.
const fn group(writer: u64) -> u64 {
    writer + 1
}

impl Log for RaftEngine {
    fn append(&self, writer: usize, records: &[&[u8]]) -> Result<()> {
        let next = self.next.get(writer).ok_or("more writers than groups")?;
        let mut next = next.lock().map_err(|_| "a writer panicked")?;
        let mut entries = Vec::with_capacity(records.len());
        for record in records {
            let mut value = record.to_vec();
            let index = value.first_chunk_mut().ok_or("a record is too short for its index")?;
            *index = next.to_le_bytes();
            entries.push(BytesValue { value, ..BytesValue::default() });
            *next += 1;
        }
        let mut batch = LogBatch::with_capacity(1);
        batch.add_entries::<Entries>(group(writer as u64), &entries)?;
        self.engine.write(&mut batch, true)?;
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}
