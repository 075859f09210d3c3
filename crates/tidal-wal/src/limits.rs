//! Every limit of the log, by name.

use std::ops::RangeInclusive;
use std::time::Duration;

/// The longest payload of a record, in bytes.
pub const RECORD_BYTES_MAX: usize = 4 << 20;

/// The longest batch, in bytes as encoded: payloads, about three bytes a
/// record, and the producers that are written out.
pub const BATCH_BYTES_MAX: usize = 16 << 20;

/// Once this many bytes wait, further appends wait too, or are refused.
pub const QUEUE_BYTES_MAX: usize = 64 << 20;

/// The limit that the queue goes by. Under a model checker it is small: a queue that
/// takes megabytes to fill is never seen full there.
pub(crate) const QUEUE_BYTES_LIMIT: usize =
    if cfg!(all(test, any(loom, shuttle))) { 3 << 10 } else { QUEUE_BYTES_MAX };

/// How many cursors a log can have.
pub const CURSORS_MAX: usize = 64;

/// The longest name of a cursor, in bytes of a-z, 0-9, `_` and `-`.
pub const CURSOR_NAME_BYTES_MAX: usize = 64;

/// A group takes up no further batch beyond this many bytes.
pub const GROUP_BYTES_MAX: usize = BATCH_BYTES_MAX;

/// The smallest and the largest size that may be asked for as the size of a
/// segment, in bytes.
pub const SEGMENT_BYTES_RANGE: RangeInclusive<u64> = 16 << 10..=1 << 30;

/// The longest a segment can be, in bytes. One that must hold a batch may be longer
/// than was asked for.
pub(crate) const SEGMENT_FILE_BYTES_MAX: u64 = (1 << 30) + (BATCH_BYTES_MAX as u64) + (1 << 20);

/// What a waiting batch takes beside its bytes, about, for the limit of the queue.
pub(crate) const BATCH_OVERHEAD_BYTES: usize = 128;

/// The alignments a group may have, in bytes.
pub const ALIGNMENTS: [u32; 4] = [512, 1024, 2048, 4096];

/// The shortest and the longest window of deduplication that may be asked for.
pub const DEDUP_WINDOW_RANGE: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(30 * 24 * 3600);

/// The most keys that a window of deduplication may be allowed to hold.
pub const DEDUP_KEYS_MAX: usize = 1 << 24;

/// The longest state that a checkpoint of the log takes, in bytes.
pub const CHECKPOINT_STATE_BYTES_MAX: usize = 64 << 20;

/// The most entries of a window that a checkpoint may hold: keys that may be known, and
/// a generation of others that nobody has looked for since they left.
pub(crate) const WINDOW_ENTRIES_MAX: u64 = 2 * DEDUP_KEYS_MAX as u64;

/// What no log counts up to: from what it finds it can go on counting for ever.
pub(crate) const COUNT_MAX: u64 = u64::MAX >> 1;

/// How long after a sync an idle log waits before it writes down how far it is
/// synced, in milliseconds.
pub(crate) const IDLE_MILLIS: u64 = 50;

/// How much of a segment is read at once, in bytes.
pub(crate) const READ_BYTES: usize = 4 << 20;
