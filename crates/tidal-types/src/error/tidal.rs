//! What can go wrong in the database.

mod advice;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{KeyError, QueryError, SchemaError, StorageError, WalError};
use crate::window::list;
use crate::{EntityId, EntityKind, LogId, ProducerId, Seq, Timestamp, Window};

/// A database operation that failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TidalError {
    /// The schema, or an event under it, cannot be taken.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A query cannot be answered.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A key cannot be built, or bytes are not a key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The log failed.
    #[error(transparent)]
    Wal(#[from] WalError),
    /// The database was shut down.
    #[error("the database is shut down; open it again")]
    Closed,
    /// Another process, or another handle, has the directory open.
    #[error("{path} is open elsewhere; close it there first")]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// There is no database.
    #[error("no database at {path}; create one with a schema first")]
    NotFound {
        /// The directory.
        path: PathBuf,
    },
    /// The directory has files, but none of them says that this is a database.
    #[error("{path} is not empty and not a tidalDB directory; choose another")]
    NotADatabase {
        /// The directory.
        path: PathBuf,
    },
    /// The directory was written in a format this program does not know.
    #[error("{path} has format {found}, this program knows {supported}; use a newer program")]
    UnsupportedFormat {
        /// The directory or file.
        path: PathBuf,
        /// Its format.
        found: String,
        /// The format this program knows.
        supported: String,
    },
    /// The directory was written with another storage engine.
    #[error(
        "{path} was written with engine {found:?}, not {requested:?}; open it with that engine"
    )]
    EngineMismatch {
        /// The directory.
        path: PathBuf,
        /// The engine it was written with.
        found: String,
        /// The engine it was opened with.
        requested: String,
    },
    /// A read at a time before the newest event.
    #[error(
        "no read at {at}: the newest event is at {newest}, and the ledger holds the present; the past is asked of the log, by as_of"
    )]
    BeforeNewest {
        /// The time asked for.
        at: Timestamp,
        /// The time of the newest event in the database.
        newest: Timestamp,
    },
    /// The log was cut, and features of the past need what came before.
    #[error(
        "no features of the past: the log begins at record {log_start}{}", reach(*from)
    )]
    PastNotKept {
        /// The first record in the log.
        log_start: Seq,
        /// The earliest time that can be answered; `None` when no time can.
        from: Option<Timestamp>,
    },
    /// A signal type was asked for about entities of another kind.
    #[error(
        "signal type {signal:?} is about entities of kind {kind}, not {asked}; ask for each kind apart"
    )]
    SignalOfOtherKind {
        /// The signal type.
        signal: String,
        /// The kind it is about.
        kind: EntityKind,
        /// The kind that was asked for.
        asked: EntityKind,
    },
    /// An event from further ahead than a clock may be wrong.
    #[error(
        "signal type {signal:?}: {timestamp} is more than {max_future_skew:?} ahead of the clock, {now}; check the time's unit and the sender's clock"
    )]
    FutureTimestamp {
        /// The signal type.
        signal: String,
        /// The time of the event.
        timestamp: Timestamp,
        /// What the clock said.
        now: Timestamp,
        /// How far ahead an event may be.
        max_future_skew: Duration,
    },
    /// The signal type does not count in this window.
    #[error("signal type {signal:?} has no window {window}; declared are {}", list(declared))]
    WindowNotDeclared {
        /// The signal type.
        signal: String,
        /// The window asked for.
        window: Window,
        /// The windows there are.
        declared: Vec<Window>,
    },
    /// The signal type has no velocity, or none over this window.
    #[error(
        "signal type {signal:?} has no velocity over {window}; declare `velocity` and a window that ends"
    )]
    VelocityNotDeclared {
        /// The signal type.
        signal: String,
        /// The window asked for.
        window: Window,
    },
    /// The signal type keeps no sums of weights.
    #[error("signal type {signal:?} keeps no sums; declare `sums`")]
    SumsNotDeclared {
        /// The signal type.
        signal: String,
    },
    /// A name was used for a kind whose ids the application chooses.
    #[error("entities of kind {kind} have numeric ids in this database; use the number")]
    KindIsNumeric {
        /// The kind.
        kind: EntityKind,
    },
    /// A number was used for a kind whose ids tidalDB assigns, and no name has it.
    #[error(
        "entities of kind {kind} have names in this database, and none has the id {id}; ask entity_id for it"
    )]
    KindIsNamed {
        /// The kind.
        kind: EntityKind,
        /// The id that no name has.
        id: EntityId,
    },
    /// An entity that was forgotten was written about.
    #[error(
        "{kind} {id} was forgotten, and its id is never used again; leave it out, or take a new id"
    )]
    Forgotten {
        /// The kind.
        kind: EntityKind,
        /// The id that was forgotten.
        id: EntityId,
    },
    /// A name is empty or too long.
    #[error("a name of {bytes} bytes: names have 1 to {max} bytes")]
    NameLength {
        /// The length of the name.
        bytes: usize,
        /// The longest that is allowed.
        max: usize,
    },
    /// Metadata is too long.
    #[error("metadata of {bytes} bytes for {id}: at most {max} bytes")]
    MetadataLength {
        /// The entity.
        id: EntityId,
        /// The length of the metadata.
        bytes: usize,
        /// The longest that is allowed.
        max: usize,
    },
    /// An event of a producer in an epoch that a newer one has taken the place of.
    #[error(
        "producer {producer}: epoch {epoch} is fenced off by epoch {current}; another sender has taken over"
    )]
    Fenced {
        /// The producer.
        producer: ProducerId,
        /// The epoch of the event.
        epoch: u32,
        /// The newest epoch the producer was seen in.
        current: u32,
    },
    /// Earlier events of the producer did not come to be in the log, so later ones
    /// cannot be taken and repeats cannot be told from them.
    #[error(
        "producer {producer}: its event {seq} of epoch {epoch} was not written; send again from there on"
    )]
    ProducerBehind {
        /// The producer.
        producer: ProducerId,
        /// The epoch of the event.
        epoch: u32,
        /// The first event that was not written.
        seq: u64,
    },
    /// A producer's note is too long.
    #[error("a note of {bytes} bytes for producer {producer}: at most {max} bytes")]
    NoteLength {
        /// The producer.
        producer: ProducerId,
        /// The length of the note.
        bytes: usize,
        /// The longest that is allowed.
        max: usize,
    },
    /// Storage was written from another log than the one beside it.
    #[error(
        "{path}: storage belongs to log {storage}, but the log is {log}; put the right log back or restore from a backup"
    )]
    LogMismatch {
        /// The directory.
        path: PathBuf,
        /// The log that storage was written from.
        storage: LogId,
        /// The log that is there.
        log: LogId,
    },
    /// Storage holds records that the log does not.
    #[error(
        "{path}: storage has applied record {applied}, but the log ends at {log_end}; restore from a backup"
    )]
    StorageAhead {
        /// The directory.
        path: PathBuf,
        /// The last record applied to storage.
        applied: Seq,
        /// The last record in the log.
        log_end: Seq,
    },
    /// The log was salvaged, and storage holds more than it took over.
    #[error(
        "{path}: storage holds what came up to record {applied}, but the salvaged log took over record {taken_over} at last; restore from a backup, or set the directory `storage` aside to have it made again from a log that begins at record 1"
    )]
    SalvagedShort {
        /// The directory.
        path: PathBuf,
        /// The last record that storage may hold something of.
        applied: Seq,
        /// The last record that the log took over.
        taken_over: Seq,
    },
    /// A salvage was cut short between two renames; nothing is lost.
    #[error("{path}: a salvage was cut short; salvage it once more to finish")]
    SalvageInterrupted {
        /// The directory.
        path: PathBuf,
    },
    /// A backup was being restored into the directory, and that was cut short.
    #[error("{path} was being restored and is not whole; remove it and restore again")]
    RestoreUnfinished {
        /// The directory.
        path: PathBuf,
    },
    /// A database in memory has no files that could be backed up, and no log from which
    /// the past could be read.
    #[error("a database in memory has no backup and no past; open one in a directory")]
    InMemory,
    /// This program was built without an engine.
    #[error("this program was built without the engine {engine:?}; build it with {remedy}")]
    EngineMissing {
        /// The engine.
        engine: String,
        /// The feature that has it.
        remedy: String,
    },
    /// The log begins after what storage needs next.
    #[error(
        "{path}: storage needs record {needed}, but the log begins at {log_start}; restore from a backup"
    )]
    LogTooShort {
        /// The directory.
        path: PathBuf,
        /// The first record that must be replayed.
        needed: Seq,
        /// The first record in the log.
        log_start: Seq,
    },
    /// The log was cut, and nothing says what came before.
    #[error(
        "{path}: the log was cut; it can answer from record {first} on, which was written at {since}, and there is no base of what came before"
    )]
    HistoryCut {
        /// The directory.
        path: PathBuf,
        /// The first record in the log.
        first: Seq,
        /// When it was written.
        since: Timestamp,
    },
    /// Bytes that passed their checksum do not mean anything.
    #[error("{location}: {problem}; restore from a backup")]
    Damaged {
        /// Which record or key.
        location: String,
        /// What was found.
        problem: String,
    },
    /// A record could not be folded, and nothing behind it is: storage could not be read.
    #[error(
        "record {seq} is in the log and could not be folded: {source}; open the database again"
    )]
    NotFolded {
        /// The record.
        seq: Seq,
        /// Why not.
        source: Box<Self>,
    },
    /// The thread that writes checkpoints has panicked. Writes and reads go on, and the
    /// log keeps everything, but no checkpoint is written any more.
    #[error("the checkpointer panicked ({problem}); report it, and open the database again")]
    CheckpointerDied {
        /// What it said.
        problem: String,
    },
    /// An event has a producer and a key: it is known by one of them.
    #[error(
        "signal type {signal:?}: an event has a producer or a deduplication key, not both; leave one out"
    )]
    ProducerAndKey {
        /// The signal type.
        signal: String,
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

/// From when features of the past can be had.
fn reach(from: Option<Timestamp>) -> String {
    match from {
        Some(from) => {
            format!(" and what came before is kept as of {from}; ask for that time or a later one")
        }
        None => {
            ", and without those before it none is exact; keep the log for ever to have them".into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn the_kind_of_a_wrapped_error_shows_through() {
        let locked = StorageError::Locked { path: "db".into() };
        let full = WalError::NoSpace { path: "db".into() };
        let unknown = SchemaError::UnknownSignal { signal: "x".into(), known: Vec::new() };
        assert_eq!(TidalError::from(locked).kind(), ErrorKind::Retry);
        assert_eq!(TidalError::from(full).kind(), ErrorKind::Space);
        assert_eq!(TidalError::from(unknown).kind(), ErrorKind::Input);
        let denied = Arc::new(io::Error::from(io::ErrorKind::PermissionDenied));
        let error = TidalError::Io { operation: "create", path: "db".into(), source: denied };
        assert_eq!(error.kind(), ErrorKind::Environment);
        assert_eq!(error.to_string(), "cannot create db: permission denied");
    }
}
