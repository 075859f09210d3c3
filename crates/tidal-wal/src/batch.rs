//! A batch: records that are appended together and survive a crash together.

use std::ops::Range;

use tidal_types::{ByteReader, DedupKey, Producer, WalError};

use crate::dedup::{Repeat, Stamp};
use crate::format::{Before, Frame, put_record, read_record};
use crate::key::ContentHasher;
use crate::limits::{BATCH_BYTES_MAX, RECORD_BYTES_MAX};
use crate::{Record, RecordKey, RecordKind};

/// Records that are appended together: after a crash all of them are there, or
/// none.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    body: Vec<u8>,
    record_count: u32,
    before: Before,
    keyed: Vec<Keyed>,
}

/// A record with a key. Which one the content has is known once the batch is
/// appended, since each log has its own; until then there are zeros.
#[derive(Debug, Clone)]
struct Keyed {
    /// Which record of the batch.
    index: u32,
    key: DedupKey,
    key_at: usize,
    kind: RecordKind,
    payload: Range<usize>,
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
    /// [`WalError::RecordTooLarge`], [`WalError::BatchTooLarge`], and
    /// [`WalError::ReservedKind`] for [`RecordKind::TOMBSTONE`]; the batch is as before.
    pub fn push(&mut self, kind: RecordKind, payload: &[u8]) -> Result<(), WalError> {
        self.push_record(Record::new(kind, payload))
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
        self.push_record(Record::new(kind, payload).from_producer(producer))
    }

    /// Adds a record that may have a key, by which it is known when it is sent
    /// again, and may tell who sent it.
    ///
    /// # Errors
    /// Those of [`Batch::push`].
    pub fn push_record(&mut self, record: Record<'_>) -> Result<(), WalError> {
        if record.kind == RecordKind::TOMBSTONE {
            return Err(WalError::ReservedKind { kind: record.kind.0 });
        }
        self.add(record)
    }

    /// Adds what is left of a record that another log was [purged](crate::Wal::redact) of:
    /// who sent it, and nothing else. A log that is made of the records of that one needs
    /// it to tell what the producer sends again. It is read as a record of the kind
    /// [`RecordKind::TOMBSTONE`] with an empty payload.
    ///
    /// # Errors
    /// [`WalError::BatchTooLarge`]; the batch is as before.
    pub fn push_tombstone(&mut self, producer: Option<Producer>) -> Result<(), WalError> {
        self.add(Record { kind: RecordKind::TOMBSTONE, key: None, producer, payload: &[] })
    }

    fn add(&mut self, record: Record<'_>) -> Result<(), WalError> {
        let Record { kind, key, producer, payload } = record;
        if payload.len() > RECORD_BYTES_MAX {
            return Err(WalError::RecordTooLarge { bytes: payload.len(), max: RECORD_BYTES_MAX });
        }
        let (length, before) = (self.body.len(), self.before);
        let record_key = key.map(|key| match key {
            DedupKey::Client(key) => RecordKey::Client(key),
            DedupKey::Content => RecordKey::Content([0; 16]),
        });
        let frame = Frame { kind, key: record_key, producer, payload };
        let key_at = put_record(&mut self.body, &mut self.before, frame);
        let bytes = self.body.len();
        if bytes > BATCH_BYTES_MAX {
            self.body.truncate(length);
            self.before = before;
            return Err(WalError::BatchTooLarge { bytes, max: BATCH_BYTES_MAX });
        }
        if let Some(key) = key {
            let payload = bytes - payload.len()..bytes;
            self.keyed.push(Keyed { index: self.record_count, key, key_at, kind, payload });
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
        self.keyed.clear();
    }

    pub(crate) const fn record_count(&self) -> u32 {
        self.record_count
    }

    /// What its keys are in a log, and what stands behind them.
    pub(crate) fn stamps(&self, hasher: &ContentHasher) -> Vec<Stamp> {
        let stamp = |keyed: &Keyed| {
            let payload = self.body.get(keyed.payload.clone()).unwrap_or_default();
            let digest = hasher.digest(keyed.kind, payload);
            let key = match keyed.key {
                DedupKey::Client(key) => RecordKey::Client(key),
                DedupKey::Content => RecordKey::Content(digest.key),
            };
            let Keyed { index, key_at, .. } = *keyed;
            Stamp { index, key_at, key, fingerprint: digest.fingerprint }
        };
        self.keyed.iter().map(stamp).collect()
    }

    /// Writes its records behind `out`, with the keys of `stamps` and without the
    /// repeats. What is left of a batch with repeats is encoded anew, since a record
    /// may take its producer from the one before it (E1).
    pub(crate) fn put(&self, out: &mut Vec<u8>, stamps: &[Stamp], repeats: &[Repeat]) {
        if repeats.is_empty() {
            let start = out.len();
            out.extend_from_slice(&self.body);
            for stamp in stamps {
                if let RecordKey::Content(key) = stamp.key {
                    let at = start + stamp.key_at;
                    let place = out.get_mut(at..at + key.len());
                    place.expect("a record has room for its key").copy_from_slice(&key);
                }
            }
            return;
        }
        let (mut body, mut read) = (ByteReader::new(&self.body), Before::default());
        let (mut stamps, mut repeats) = (stamps.iter().peekable(), repeats.iter().peekable());
        let mut before = Before::default();
        for index in 0..self.record_count {
            let mut frame =
                read_record(&mut body, &mut read).expect("a batch can be read as it was written");
            if let Some(stamp) = stamps.next_if(|stamp| stamp.index == index) {
                frame.key = Some(stamp.key);
            }
            if repeats.next_if(|repeat| repeat.index == index).is_none() {
                put_record(out, &mut before, frame);
            }
        }
    }
}
