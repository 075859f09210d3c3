//! A record as it is appended, and as it is read back.

use tidal_types::{DedupKey, Producer, Seq, Timestamp};

use crate::{RecordKey, RecordKind};

/// A record to append, see [`Batch::push_record`](crate::Batch::push_record).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// What it is, in the words of the log's owner.
    pub kind: RecordKind,
    /// What it is known by when it is sent again, if that is to be noticed.
    pub key: Option<DedupKey>,
    /// Who sends it, if that is told. The log keeps it and does not look at it.
    pub producer: Option<Producer>,
    /// What the log keeps.
    pub payload: &'a [u8],
}

impl<'a> Record<'a> {
    /// A record without a key or a producer.
    #[must_use]
    pub const fn new(kind: RecordKind, payload: &'a [u8]) -> Self {
        Self { kind, key: None, producer: None, payload }
    }

    /// The same record, known by `key`: sent again within the log's window, it is
    /// not written again. A key takes 16 bytes in the log.
    #[must_use]
    pub const fn key(mut self, key: DedupKey) -> Self {
        self.key = Some(key);
        self
    }

    /// The same record, sent by `producer`. A producer takes 28 bytes in the log, or
    /// none when the record follows directly on the one before.
    #[must_use]
    pub const fn from_producer(mut self, producer: Producer) -> Self {
        self.producer = Some(producer);
        self
    }
}

/// A record as it is read back from the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogRecord<'a> {
    /// Its sequence number.
    pub seq: Seq,
    /// What it is, in the words of the log's owner;
    /// [`RecordKind::TOMBSTONE`] when it was forgotten.
    pub kind: RecordKind,
    /// When the group it is in was written; never before that of an earlier
    /// record, whatever the clock did.
    pub log_time: Timestamp,
    /// What it is known by when it is sent again, if that is to be noticed.
    pub key: Option<RecordKey>,
    /// Who sent it, if that was told.
    pub producer: Option<Producer>,
    /// What was appended.
    pub payload: &'a [u8],
}
