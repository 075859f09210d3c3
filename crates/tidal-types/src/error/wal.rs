//! What can go wrong in the log.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::ErrorKind;
use crate::{LogId, Position, Seq, Timestamp};

/// A log operation that failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WalError {
    /// A record is longer than the log takes.
    #[error("a record of {bytes} bytes: records have at most {max} bytes")]
    RecordTooLarge {
        /// The length of the record.
        bytes: usize,
        /// The longest that is allowed.
        max: usize,
    },
    /// A batch is longer than the log takes at once.
    #[error("a batch of {bytes} bytes: batches have at most {max} bytes; split it")]
    BatchTooLarge {
        /// The length of the batch as encoded.
        bytes: usize,
        /// The longest that is allowed.
        max: usize,
    },
    /// A kind of record that only the log itself writes.
    #[error(
        "a record of kind {kind}, which the log keeps for what was forgotten; use another kind"
    )]
    ReservedKind {
        /// The kind.
        kind: u8,
    },
    /// A batch without records has no place in the log.
    #[error("a batch without records cannot be appended")]
    EmptyBatch,
    /// The batch was to follow on records that are not in the log: there was no
    /// room for them, and their numbers are given out again.
    #[error("the batch was to begin at record {expected}, and the next one is {next}")]
    OutOfPlace {
        /// The number that the first record was to have.
        expected: Seq,
        /// The number it would have had.
        next: Seq,
    },
    /// A record has the key of another one and says something else. Nothing was
    /// appended.
    #[error(
        "record {index} of the batch (from 0) has the deduplication key of record {seq} and other content; give it a key of its own"
    )]
    KeyReused {
        /// Which record of the batch, counted from 0.
        index: usize,
        /// The record in the log that has the key.
        seq: Seq,
    },
    /// The deduplication window holds as many keys as it may. Nothing was appended;
    /// keys leave the window as time goes on.
    #[error(
        "the deduplication window holds as many keys as it may, {max}; try again when older ones have left it, or allow more"
    )]
    WindowFull {
        /// How many keys it may hold.
        max: usize,
    },
    /// A checkpoint was to cover records that are not durable.
    #[error("a checkpoint through record {through} of a log that ends at {end}")]
    CheckpointAhead {
        /// What it was to cover.
        through: Seq,
        /// The last durable record.
        end: Seq,
    },
    /// The state to keep in a checkpoint is longer than the log takes.
    #[error("a checkpoint with {bytes} bytes of state: it has at most {max} bytes")]
    CheckpointTooLarge {
        /// The length of the state.
        bytes: usize,
        /// The longest that is allowed.
        max: usize,
    },
    /// An option is out of its range.
    #[error("log option {option}: {problem}")]
    InvalidOption {
        /// Which option.
        option: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// Another process, or another handle, has the log open.
    #[error("the log at {path} is open elsewhere; close it there first")]
    Locked {
        /// Where it is.
        path: PathBuf,
    },
    /// There was no room for a new segment. Nothing was written; every
    /// acknowledged record is safe and later appends may succeed.
    #[error("no space left for the log at {path}; free some and try again, nothing was lost")]
    NoSpace {
        /// Where it is.
        path: PathBuf,
    },
    /// The record was handed to the disk, but whether it is durable is unknown:
    /// a write or a sync failed. After reopening it is there whole or not at
    /// all.
    #[error("whether the record is durable is unknown: {cause}; open the log again to see")]
    Indeterminate {
        /// What failed.
        cause: Arc<WalError>,
    },
    /// An earlier write or sync failed, so this handle can promise nothing.
    #[error("the log failed earlier and takes no more records: {cause}; open it again")]
    Poisoned {
        /// What failed.
        cause: Arc<WalError>,
    },
    /// The handle was closed.
    #[error("the log at {path} is closed")]
    Closed {
        /// Where it was.
        path: PathBuf,
    },
    /// A segment was written by a version this program does not know.
    #[error("{path} has format {found}, this program knows {supported}; use a newer program")]
    UnsupportedVersion {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u16,
        /// The format this program knows.
        supported: u16,
    },
    /// Bytes below what was synced are not what was written.
    #[error(
        "{path} is damaged at byte {offset}: {problem}; restore from a backup, nothing was changed"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What was found.
        problem: String,
    },
    /// A segment belongs to another log.
    #[error("{path} belongs to log {found}, not to {expected}; put the right file back")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The log it belongs to.
        found: LogId,
        /// The log it lies in.
        expected: LogId,
    },
    /// A file of the log that must be there is not.
    #[error("{path} is missing; put it back or restore from a backup")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The log ends before a record that it is known to have had.
    #[error(
        "the log at {path} ends at record {end} and should reach {expected}; put the right log back or restore from a backup"
    )]
    EndsEarly {
        /// Where it is.
        path: PathBuf,
        /// The last record it has.
        end: Seq,
        /// The record it should have.
        expected: Seq,
    },
    /// The log was salvaged from the one that was expected, and took over less than it
    /// is known to have had.
    #[error(
        "the log at {path} took over {taken_over} and what came before, and record {expected} was expected; restore from a backup, or begin anew from what the log has"
    )]
    TakenOverLess {
        /// Where it is.
        path: PathBuf,
        /// The last record it took over, in the log it was salvaged from.
        taken_over: Position,
        /// The record it should have taken over too.
        expected: Seq,
    },
    /// A log that opens needs no salvage, and would lose its identity.
    #[error("the log at {path} is sound; open it, nothing was salvaged")]
    Sound {
        /// Where it is.
        path: PathBuf,
    },
    /// A log was to be taken over up to a time before what it has to have.
    #[error("nothing before {earliest} can be restored from here, and {until} was asked for")]
    BeforeBackup {
        /// What was asked for.
        until: Timestamp,
        /// The earliest time that can be.
        earliest: Timestamp,
    },
    /// A log is salvaged into a new or empty directory only.
    #[error("{path} is not empty; name a new or empty directory, nothing was changed")]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// The records asked for were cut off behind a checkpoint.
    #[error("record {wanted} was truncated; the log begins at {first}")]
    Truncated {
        /// What was asked for.
        wanted: Seq,
        /// The first record there is.
        first: Seq,
    },
    /// So much waits to be written that the call would have had to wait too.
    /// Nothing was appended.
    #[error("{queued} bytes wait to be written, of at most {max}; nothing was appended, try again")]
    WouldBlock {
        /// How many bytes wait.
        queued: usize,
        /// How many may wait.
        max: usize,
    },
    /// What was waited for did not come in time. It may still come.
    #[error("record {reached} is reached and {wanted} is not yet; wait again")]
    TimedOut {
        /// The record that was waited for.
        wanted: Seq,
        /// The last record that was reached when the time was over.
        reached: Seq,
    },
    /// A position of one log was given to another.
    #[error("position {position} is of another log, this one is {log_id}; ask that one")]
    OtherLog {
        /// What was given.
        position: Position,
        /// The log that was asked.
        log_id: LogId,
    },
    /// A name that no cursor can have.
    #[error("a cursor cannot be named {name:?}: names are 1 to {max} bytes of a-z, 0-9, _ and -")]
    CursorName {
        /// The name that was given.
        name: String,
        /// The longest a name can be, in bytes.
        max: usize,
    },
    /// There is no cursor of that name.
    #[error("the log has no cursor {name:?}; create it first")]
    NoSuchCursor {
        /// Its name.
        name: String,
    },
    /// The cursor has a handle already.
    #[error("cursor {name:?} is in use by another handle; drop that one first")]
    CursorInUse {
        /// Its name.
        name: String,
    },
    /// The log has as many cursors as it can.
    #[error("no room for cursor {name:?}: the log has {max} cursors; remove one that nobody needs")]
    TooManyCursors {
        /// The one that was to be created.
        name: String,
        /// How many a log can have.
        max: usize,
    },
    /// A cursor was to be put behind a record that is not durable.
    #[error("cursor {name:?} cannot go to record {seq}: the log is durable up to {durable}")]
    CursorAhead {
        /// Its name.
        name: String,
        /// Where it was to go.
        seq: Seq,
        /// The last durable record.
        durable: Seq,
    },
    /// The operating system refused a file operation.
    #[error("cannot {operation} {path}: {source}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: Arc<io::Error>,
    },
}

impl WalError {
    /// What the caller should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::RecordTooLarge { .. }
            | Self::BatchTooLarge { .. }
            | Self::ReservedKind { .. }
            | Self::EmptyBatch
            | Self::KeyReused { .. }
            | Self::CheckpointAhead { .. }
            | Self::CheckpointTooLarge { .. }
            | Self::InvalidOption { .. }
            | Self::Sound { .. }
            | Self::BeforeBackup { .. }
            | Self::NotEmpty { .. }
            | Self::Truncated { .. }
            | Self::OtherLog { .. }
            | Self::CursorName { .. }
            | Self::NoSuchCursor { .. }
            | Self::TooManyCursors { .. }
            | Self::CursorAhead { .. } => ErrorKind::Input,
            Self::Locked { .. }
            | Self::OutOfPlace { .. }
            | Self::WouldBlock { .. }
            | Self::TimedOut { .. }
            | Self::CursorInUse { .. }
            | Self::WindowFull { .. } => ErrorKind::Retry,
            Self::NoSpace { .. } => ErrorKind::Space,
            Self::Indeterminate { .. } | Self::Poisoned { .. } | Self::Closed { .. } => {
                ErrorKind::Reopen
            }
            Self::UnsupportedVersion { .. } => ErrorKind::Environment,
            Self::Damaged { .. }
            | Self::Foreign { .. }
            | Self::Missing { .. }
            | Self::EndsEarly { .. }
            | Self::TakenOverLess { .. } => ErrorKind::Damage,
            Self::Io { source, .. } => ErrorKind::of_io(source),
        }
    }
}
