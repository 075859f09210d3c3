//! tidal-wal with its defaults.

use std::path::Path;

use tidal_bench_measure::Result;
use tidal_wal::{Batch, RecordKind, Seq, Wal, WalOptions};

use super::Log;

pub(crate) struct Tidal(Wal);

impl Tidal {
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        Ok(Self(Wal::open(dir, WalOptions::default())?))
    }

    pub(crate) fn record_count(&self) -> u64 {
        self.0.head().position.seq.get()
    }

    /// Reads every record; returns how many there are and the length of their payloads.
    pub(crate) fn read_all(&self) -> Result<(u64, u64)> {
        let mut reader = self.0.reader(Seq::FIRST);
        let (mut records, mut bytes) = (0, 0);
        while let Some(record) = reader.next_record()? {
            records += 1;
            bytes += std::hint::black_box(record.payload).len() as u64;
        }
        Ok((records, bytes))
    }
}

impl Log for Tidal {
    fn append(&self, _writer: usize, records: &[&[u8]]) -> Result<()> {
        let mut batch = Batch::new();
        for record in records {
            batch.push(RecordKind(1), record)?;
        }
        self.0.append(&batch)?.wait()?;
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(self.0.close()?)
    }
}
