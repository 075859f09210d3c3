//! A record as it is read back.

use tidal_types::{Producer, Seq, Timestamp};

use crate::RecordKind;

/// A record as it is read back from the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogRecord<'a> {
    /// Its sequence number.
    pub seq: Seq,
    /// What it is, in the words of the log's owner.
    pub kind: RecordKind,
    /// When the group it is in was written; never before that of an earlier
    /// record, whatever the clock did.
    pub log_time: Timestamp,
    /// Who sent it, if that was told.
    pub producer: Option<Producer>,
    /// What was appended.
    pub payload: &'a [u8],
}
