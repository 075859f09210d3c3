//! What becomes of a record when a segment is written anew.

use tidal_types::WalError;

use crate::limits::RECORD_BYTES_MAX;
use crate::{LogRecord, RecordKind};

/// What is to become of a record, see [`Wal::redact`](crate::Wal::redact).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Redaction {
    /// It stays as it is.
    #[default]
    Keep,
    /// Its kind, its key and its payload go; number, log time and producer stay.
    Tombstone,
    /// It gets another kind and payload, and loses its key; number, log time and producer
    /// stay.
    Replace {
        /// What it is from now on.
        kind: RecordKind,
        /// What it says from now on, at most
        /// [`RECORD_BYTES_MAX`](crate::limits::RECORD_BYTES_MAX) bytes.
        payload: Vec<u8>,
    },
}

impl Redaction {
    /// The same, or [`Redaction::Keep`] when it changes nothing: nothing comes of doing
    /// again what was done, and a tombstone stays one.
    ///
    /// # Errors
    /// [`WalError::RecordTooLarge`]; [`WalError::ReservedKind`].
    pub(crate) fn of(self, record: &LogRecord<'_>) -> Result<Self, WalError> {
        if record.kind == RecordKind::TOMBSTONE {
            return Ok(Self::Keep);
        }
        let Self::Replace { kind, payload } = self else {
            return Ok(self);
        };
        if payload.len() > RECORD_BYTES_MAX {
            return Err(WalError::RecordTooLarge { bytes: payload.len(), max: RECORD_BYTES_MAX });
        }
        if kind == RecordKind::TOMBSTONE {
            return Err(WalError::ReservedKind { kind: kind.0 });
        }
        let is_there =
            record.key.is_none() && record.kind == kind && record.payload == payload.as_slice();
        Ok(if is_there { Self::Keep } else { Self::Replace { kind, payload } })
    }
}
