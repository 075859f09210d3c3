//! How a log is opened.

use std::sync::Arc;
use std::time::Duration;

use tidal_types::{Clock, Position, Seq, SystemClock, WalError};

use crate::limits::{ALIGNMENTS, DEDUP_KEYS_MAX, DEDUP_WINDOW_RANGE, SEGMENT_BYTES_RANGE};

/// When a record is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// After the sync that covers it: it survives a power cut. The default.
    #[default]
    Durable,
    /// After the operating system has it: it survives the end of the process,
    /// and a power cut only once something syncs the log.
    Written,
    /// At once: it survives nothing until something syncs the log.
    Buffered,
}

/// When the writer stops collecting and writes a group. Each is a trigger, not
/// a cap; the first that is met counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupCommit {
    /// This many records wait. Default 4,096.
    pub max_records: usize,
    /// This many bytes wait. Default 1 MiB.
    pub max_bytes: usize,
    /// The writer has waited this long since it was free and something was there.
    /// Default zero: a group is whatever arrived during the sync before.
    pub max_delay: Duration,
}

impl Default for GroupCommit {
    fn default() -> Self {
        Self { max_records: 4096, max_bytes: 1 << 20, max_delay: Duration::ZERO }
    }
}

/// How long a log knows the keys of its records.
///
/// A key is known for `window` at least, and for less than twice that, by log time,
/// and by nothing else: neither a restart, nor a crash, nor truncation shortens it.
/// (A clock that jumps ahead takes log time with it, and log time never goes back.)
/// In a log that was opened with another window, a longer one does not bring back
/// what has left the shorter one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DedupOptions {
    /// How long a key is known: 1 second to 30 days, default 10 minutes.
    pub window: Duration,
    /// How many keys may be known, 1 to [`DEDUP_KEYS_MAX`]; default 4,000,000. A
    /// further one is refused ([`WalError::WindowFull`]). A key takes about 150 bytes
    /// of memory, and 41 in a checkpoint.
    pub max_keys: usize,
}

impl Default for DedupOptions {
    fn default() -> Self {
        Self { window: Duration::from_secs(600), max_keys: 4_000_000 }
    }
}

/// How a log is opened.
#[derive(Debug, Clone)]
pub struct WalOptions {
    /// When a record is acknowledged.
    pub durability: Durability,
    /// When a group is written.
    pub group_commit: GroupCommit,
    /// The size of a segment, in bytes: 16 KiB to 1 GiB, default 64 MiB. The
    /// first segments of a log are smaller, 1 MiB and doubling, so that a small
    /// log takes little room; one that must hold a larger batch is larger. Once the
    /// last one is half full the next is made ahead, in the background.
    pub segment_bytes: u64,
    /// Groups of a new log begin at multiples of this many bytes: 512 (default),
    /// 1,024, 2,048 or 4,096. No two groups share a block of that size, so a disk
    /// that writes blocks of that size whole or not at all cannot hurt an
    /// acknowledged group by a later write. An existing log keeps its own.
    pub alignment: u32,
    /// Opening verifies every record from here on; what lies before is checked
    /// only when it is read. Default: the whole log.
    pub verify_from: Seq,
    /// The log must be this one and reach at least to this record; otherwise it is
    /// refused before anything is changed. One that was salvaged from this one will do
    /// too, if it took over as much; [`Wal::head`](crate::Wal::head) tells which it is. Default: any log, and a new one where
    /// there is none.
    pub continues: Option<Position>,
    /// How long keys are known.
    pub dedup: DedupOptions,
    /// Where log times come from. Log times never go back, whatever it says.
    pub clock: Arc<dyn Clock>,
}

impl Default for WalOptions {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            group_commit: GroupCommit::default(),
            segment_bytes: 64 << 20,
            alignment: 512,
            verify_from: Seq::ZERO,
            continues: None,
            dedup: DedupOptions::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

impl WalOptions {
    pub(crate) fn check(&self) -> Result<(), WalError> {
        if !SEGMENT_BYTES_RANGE.contains(&self.segment_bytes) {
            return Err(WalError::InvalidOption {
                option: "segment_bytes",
                problem: format!("{} is not in {SEGMENT_BYTES_RANGE:?}", self.segment_bytes),
            });
        }
        if !ALIGNMENTS.contains(&self.alignment) {
            return Err(WalError::InvalidOption {
                option: "alignment",
                problem: format!("{} is not one of {ALIGNMENTS:?}", self.alignment),
            });
        }
        if !DEDUP_WINDOW_RANGE.contains(&self.dedup.window) {
            return Err(WalError::InvalidOption {
                option: "dedup.window",
                problem: format!("{:?} is not in {DEDUP_WINDOW_RANGE:?}", self.dedup.window),
            });
        }
        if !(1..=DEDUP_KEYS_MAX).contains(&self.dedup.max_keys) {
            return Err(WalError::InvalidOption {
                option: "dedup.max_keys",
                problem: format!("{} is not in 1..={DEDUP_KEYS_MAX}", self.dedup.max_keys),
            });
        }
        Ok(())
    }
}
