//! okaywal: a batch is an entry, and each record a chunk of it.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use okaywal::{
    Configuration, Entry, EntryId, LogManager, LogVoid, ReadChunkResult, SegmentReader,
    WriteAheadLog,
};
use tidal_bench_measure::Result;

use super::Log;

const SEGMENT_BYTES: u32 = 64 << 20;

/// What becomes of a segment that is full.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Segments {
    /// It is checkpointed, which here takes no work, and used again.
    Recycled,
    /// There is one, which grows: checkpoints would take away what is to be recovered.
    OneForAll,
}

pub(crate) struct OkayWal(WriteAheadLog);

impl OkayWal {
    pub(crate) fn create(dir: &Path, segments: Segments) -> Result<Self> {
        Ok(Self(configuration(dir, segments).open(LogVoid)?))
    }

    /// Opens it and reads every record, which is how it gives them back. Returns how
    /// many there are.
    pub(crate) fn recover(dir: &Path) -> Result<(Self, u64)> {
        let records = Arc::new(AtomicU64::new(0));
        let counter = Counter(Arc::clone(&records));
        let log = configuration(dir, Segments::OneForAll).open(counter)?;
        Ok((Self(log), records.load(Ordering::Relaxed)))
    }
}

fn configuration(dir: &Path, segments: Segments) -> Configuration {
    Configuration::default_for(dir).preallocate_bytes(SEGMENT_BYTES).checkpoint_after_bytes(
        match segments {
            Segments::Recycled => u64::from(SEGMENT_BYTES) - (1 << 20),
            Segments::OneForAll => u64::MAX,
        },
    )
}

impl Log for OkayWal {
    fn append(&self, _writer: usize, records: &[&[u8]]) -> Result<()> {
        let mut entry = self.0.begin_entry()?;
        for record in records {
            entry.write_chunk(record)?;
        }
        entry.commit()?;
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(self.0.shutdown()?)
    }
}

/// Counts the records that recovery finds whole.
#[derive(Debug)]
struct Counter(Arc<AtomicU64>);

impl LogManager for Counter {
    fn recover(&mut self, entry: &mut Entry<'_>) -> io::Result<()> {
        while let ReadChunkResult::Chunk(mut chunk) = entry.read_chunk()? {
            std::hint::black_box(chunk.read_all()?);
            if !chunk.check_crc()? {
                return Err(io::ErrorKind::InvalidData.into());
            }
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn checkpoint_to(
        &mut self,
        _last: EntryId,
        _entries: &mut SegmentReader,
        _log: &WriteAheadLog,
    ) -> io::Result<()> {
        Ok(())
    }
}
