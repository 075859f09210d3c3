//! Appending to the log, durably, and waiting for the answer each time.

use std::path::Path;

use tidal_bench_measure::{Random, Result};
use tidal_wal::{Batch, RecordKind, Wal, WalOptions};

use crate::Work;

/// As long as the record of an event without an actor.
const PAYLOAD_BYTES: usize = 24;

pub(crate) fn one(dir: &Path) -> Result<Work> {
    append(dir, 2000, 1)
}

pub(crate) fn thousand(dir: &Path) -> Result<Work> {
    append(dir, 200, 1000)
}

/// An operation is a record.
fn append(dir: &Path, batches: usize, records: usize) -> Result<Work> {
    let log = Wal::open(dir, WalOptions::default())?;
    let mut random = Random::new(0x5eed);
    let mut batch = Batch::new();
    for _ in 0..records {
        batch.push(RecordKind(1), &[0; PAYLOAD_BYTES].map(|_: u8| random.byte()))?;
    }
    let run = move || {
        for _ in 0..batches {
            log.append(&batch)?.wait()?;
        }
        Ok(())
    };
    Ok(Work { operations: (batches * records) as u64, run: Box::new(run) })
}
