//! A batch: records that are appended together and survive a crash together.

use tidal_types::{Producer, WalError};

use crate::RecordKind;
use crate::format::{Before, Frame, put_record};
use crate::limits::{BATCH_BYTES_MAX, RECORD_BYTES_MAX};

/// Records that are appended together: after a crash all of them are there, or
/// none.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    body: Vec<u8>,
    record_count: u32,
    before: Before,
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
        self.push_frame(Frame { kind, producer: None, payload })
    }

    /// Adds a record that tells who sent it. The log keeps that and does not look
    /// at it. A producer takes 28 bytes, or none when the record follows directly
    /// on the one before.
    ///
    /// # Errors
    /// Those of [`Batch::push`].
    pub fn push_from(
        &mut self,
        producer: Producer,
        kind: RecordKind,
        payload: &[u8],
    ) -> Result<(), WalError> {
        self.push_frame(Frame { kind, producer: Some(producer), payload })
    }

    fn push_frame(&mut self, frame: Frame<'_>) -> Result<(), WalError> {
        let payload = frame.payload;
        if payload.len() > RECORD_BYTES_MAX {
            return Err(WalError::RecordTooLarge { bytes: payload.len(), max: RECORD_BYTES_MAX });
        }
        let (length, before) = (self.body.len(), self.before);
        put_record(&mut self.body, &mut self.before, frame);
        if self.body.len() > BATCH_BYTES_MAX {
            let bytes = self.body.len();
            self.body.truncate(length);
            self.before = before;
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
        self.before = Before::default();
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) const fn record_count(&self) -> u32 {
        self.record_count
    }
}
