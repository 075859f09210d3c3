//! A batch: records that are appended together and survive a crash together.

use tidal_types::WalError;

use crate::RecordKind;
use crate::format::put_record;
use crate::limits::{BATCH_BYTES_MAX, RECORD_BYTES_MAX};

/// Records that are appended together: after a crash all of them are there, or
/// none.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    body: Vec<u8>,
    record_count: u32,
}

impl Batch {
    /// A batch without records.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record behind the others.
    ///
    /// # Errors
    /// [`WalError::RecordTooLarge`] and [`WalError::BatchTooLarge`]; the batch
    /// is as before.
    pub fn push(&mut self, kind: RecordKind, payload: &[u8]) -> Result<(), WalError> {
        if payload.len() > RECORD_BYTES_MAX {
            return Err(WalError::RecordTooLarge { bytes: payload.len(), max: RECORD_BYTES_MAX });
        }
        let before = self.body.len();
        put_record(&mut self.body, kind, payload);
        if self.body.len() > BATCH_BYTES_MAX {
            let bytes = self.body.len();
            self.body.truncate(before);
            return Err(WalError::BatchTooLarge { bytes, max: BATCH_BYTES_MAX });
        }
        self.record_count += 1;
        Ok(())
    }

    /// How many records there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.record_count as usize
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.record_count == 0
    }

    /// How many bytes the records take in the log.
    #[must_use]
    pub const fn byte_len(&self) -> usize {
        self.body.len()
    }

    /// Removes all records and keeps the memory.
    pub fn clear(&mut self) {
        self.body.clear();
        self.record_count = 0;
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) const fn record_count(&self) -> u32 {
        self.record_count
    }
}
