//! A durable log of opaque records.
//!
//! Records go in as batches, which survive a crash whole or not at all; they
//! come out in order, each under its sequence number. One writer thread writes
//! what arrived during the last sync as one group, so that many callers share a
//! sync.
//!
//! ```
//! use tidal_wal::{Batch, RecordKind, Seq, Wal, WalOptions};
//!
//! let dir = tempfile::tempdir()?;
//! let log = Wal::open(dir.path(), WalOptions::default())?;
//!
//! let mut batch = Batch::new();
//! batch.push(RecordKind(1), b"first")?;
//! batch.push(RecordKind(1), b"second")?;
//! let appended = log.append(&batch)?.wait()?; // both survive a power cut now
//! assert_eq!(appended.last, Seq::new(2));
//!
//! let mut reader = log.reader(Seq::FIRST);
//! while let Some(record) = reader.next_record()? {
//!     println!("{} {:?}", record.seq, record.payload);
//! }
//! log.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What survives
//! See [`Durability`]. By default an answered append survives a power cut.
//!
//! # Sending again
//! A record may have a key ([`Batch::push_record`]). Sent again within the log's window
//! ([`DedupOptions`]), it is not written again: the answer gives the number of the
//! original. A key costs a lookup, and a digest of the content, when it is appended; a
//! record without one costs nothing. [`Wal::checkpoint`] keeps the window, and a state of
//! the log's owner, beside the log, so that records can be cut off.
//!
//! ```
//! use tidal_wal::{Batch, DedupKey, Outcome, Record, RecordKind, Seq, Wal, WalOptions};
//!
//! let dir = tempfile::tempdir()?;
//! let log = Wal::open(dir.path(), WalOptions::default())?;
//! let mut batch = Batch::new();
//! batch.push_record(Record::new(RecordKind(1), b"order 17").key(DedupKey::Client([17; 16])))?;
//! log.append(&batch)?.wait()?;
//! let again = log.append(&batch)?.wait()?;
//! assert_eq!(again.outcomes().next(), Some(Outcome::Duplicate { seq: Seq::FIRST }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Opening after a crash
//! Opening looks at everything, decides once, and then repairs. What a crash
//! tore behind the last acknowledged record is copied aside and cut; damage to
//! anything that is known to have been synced is refused with the file and the
//! offset, and nothing is changed. Damage to the last group of a log that had no
//! time to note down how far it was synced (50 milliseconds after the last
//! append, or a clean close) cannot be told from a torn write by any means.
//!
//! # When opening refuses
//! [`inspect_log`], [`dump`] and [`verify`] look at a log without changing it, damaged
//! or not. [`salvage`] takes over what lies before the damage into a new log.
//!
//! # Copies
//! [`Wal::copy_to`] copies an open log as far as it is durable, while a [`Hold`] keeps
//! truncation back. [`take_over`] makes a new log of a closed one, up to its end or a time.
//!
//! # Sealing and redaction
//! [`Wal::seal_before`] compresses segments that take no more records; everything reads
//! them as before. [`Wal::redact`] takes records out of them, or puts others in their
//! place, and leaves their numbers, times and producers.
//!
//! # Failure
//! After a failed write or sync nobody can know what the disk holds: the log
//! takes no more records and must be opened again. A disk that is full is told
//! before anything is written, loses nothing, and appends succeed again when
//! there is room; only a [`Durability::Buffered`] log, which has answered already,
//! ends there.
//!
//! # Readers
//! A [`Reader`] follows the log and is told when truncation overtakes it. A [`Cursor`] is
//! a reader with a name and a durable place: it goes on where it was after a crash, and
//! truncation keeps what it has not come past. Both can wait for the writer, and anyone
//! can wait for a record to be durable ([`Wal::wait_durable`]) or for a cursor to come past
//! it ([`Wal::wait_for_cursor`]).
//!
//! # Limits
//!
//! | what | limit | beyond it |
//! |---|---|---|
//! | record | [`RECORD_BYTES_MAX`](limits::RECORD_BYTES_MAX), 4 MiB | [`WalError::RecordTooLarge`] |
//! | batch | [`BATCH_BYTES_MAX`](limits::BATCH_BYTES_MAX), 16 MiB | [`WalError::BatchTooLarge`] |
//! | group | [`GROUP_BYTES_MAX`](limits::GROUP_BYTES_MAX), 16 MiB | what waits goes into the next one |
//! | segment | [`SEGMENT_BYTES_RANGE`](limits::SEGMENT_BYTES_RANGE), 16 KiB to 1 GiB | [`WalError::InvalidOption`]; one that must hold a larger batch is larger |
//! | queue | [`QUEUE_BYTES_MAX`](limits::QUEUE_BYTES_MAX), 64 MiB | [`Wal::append`] waits, [`Wal::try_append`] gives [`WalError::WouldBlock`] |
//! | cursors | [`CURSORS_MAX`](limits::CURSORS_MAX), 64 | [`WalError::TooManyCursors`] |
//! | name of a cursor | [`CURSOR_NAME_BYTES_MAX`](limits::CURSOR_NAME_BYTES_MAX), 64 bytes | [`WalError::CursorName`] |

mod batch;
mod checkpoint;
mod checkpoint_file;
mod checkpoints;
mod completion;
mod copy;
mod cursor;
mod cursor_file;
mod dedup;
mod disk;
mod dump;
#[cfg(all(target_os = "linux", any(test, feature = "sim")))]
pub mod ext4;
mod floor_file;
mod format;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod key;
pub mod limits;
mod names;
mod numbering;
mod open;
mod options;
mod pass;
mod progress;
mod queue;
mod random;
mod read_buffer;
mod reader;
mod record;
mod recovery;
mod redaction;
mod runner;
mod salvage;
mod seal;
mod sealed_blocks;
mod segment_file;
mod segments;
mod shared;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
mod spare;
mod stat;
mod sync;
mod tail;
mod take_over;
mod ticket;
mod verify;
mod wal;
mod walk;
mod window;
mod writer;

pub use batch::Batch;
pub use checkpoint::OwnerState;
pub use completion::{Completer, Completion, completion};
pub use copy::{Hold, LogCopy};
pub use cursor::{Cursor, CursorStart, CursorStats};
pub use disk::create_dir_durable;
pub use dump::{DumpReport, dump};
pub use format::{Digest, FORMAT_VERSION, Parent, RecordKind};
pub use key::RecordKey;
pub use numbering::Numbering;
pub use options::{DedupOptions, Durability, GroupCommit, WalOptions};
pub use reader::Reader;
pub use record::{LogRecord, Record};
pub use redaction::Redaction;
pub use salvage::{Beside, Lost, SalvageOptions, SalvageReport, SalvagedCursor, salvage, survey};
pub use stat::{
    CheckpointContent, CheckpointStat, ContentStat, FileStat, FloorStat, LogStat, SealStat,
    SegmentStat, inspect_log,
};
pub use take_over::{TakenOver, take_over};
pub use ticket::{Appended, Outcome, Ticket};
pub use tidal_types::{
    Clock, DedupKey, ErrorKind, LogId, Position, Producer, ProducerId, Seq, SystemClock, Timestamp,
    WalError,
};
pub use verify::{Problem, RewrittenSegment, VerifyReport, verify};
pub use wal::{Head, Redacted, Sealed, Wal, WalStats};

#[cfg(all(test, any(loom, shuttle)))]
mod models;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
