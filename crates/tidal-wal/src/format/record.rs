//! A record inside the body of a group.
//!
//! | size   | field                                                             |
//! |--------|-------------------------------------------------------------------|
//! | varint | length of the payload                                             |
//! | 1      | kind: the owner's, opaque to the log                              |
//! | 1      | flags                                                             |
//! | 0, 16  | deduplication key, when flags say so                              |
//! | 0, 28  | producer: id 16, epoch 4, seq 8, when flags say so                |
//! | n      | payload                                                           |
//!
//! | flag bits | meaning                                                         |
//! |-----------|-----------------------------------------------------------------|
//! | 0 to 1    | key: 0 none, 1 the client's, 2 of the content, 3 invalid        |
//! | 2 to 3    | producer: 0 none, 1 written out, 2 that of the record before it in the batch with seq + 1, 3 invalid |
//! | 4         | tombstone: kind, key and payload were forgotten, seq and producer stay |
//! | 5 to 7    | zero                                                            |
//!
//! A tombstone has kind 255, no key and no payload. Programs from before there were any
//! refuse a group with one.
//!
//! A record has no checksum of its own; its group's covers it.
//!
//! E1. The first record of a batch never takes its producer from the record
//!     before it. So a batch reads the same whatever it stands behind in its group,
//!     and groups may be split between any two batches.

use tidal_types::{ByteReader, Producer, ProducerId, put_varint};

use crate::limits::RECORD_BYTES_MAX;
use crate::{RecordKey, Redaction};

/// What a record is, in the words of the log's owner. The log does not look at
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecordKind(pub u8);

impl RecordKind {
    /// What was forgotten by [`Wal::redact`](crate::Wal::redact): a record with its
    /// number, its log time and its producer, and nothing else. Another log takes it over
    /// by [`Batch::push_tombstone`](crate::Batch::push_tombstone).
    pub const TOMBSTONE: Self = Self(u8::MAX);
}

const KEY_BITS: u8 = 3;
const KEY_OF_CLIENT: u8 = 1;
const KEY_OF_CONTENT: u8 = 2;
const PRODUCER_WRITTEN_OUT: u8 = 1 << 2;
const PRODUCER_FOLLOWS: u8 = 2 << 2;
const PRODUCER_BITS: u8 = 3 << 2;
const FORGOTTEN: u8 = 1 << 4;

/// One record in its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) kind: RecordKind,
    pub(crate) key: Option<RecordKey>,
    pub(crate) producer: Option<Producer>,
    pub(crate) payload: &'a [u8],
}

/// The producer of the record before, which the next one may refer to. It begins
/// anew with each batch when writing, and with each group when reading.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Before(Option<Producer>);

impl Before {
    /// The producer that follows directly, if there is one.
    fn next(self) -> Option<Producer> {
        self.0.and_then(Producer::next)
    }
}

/// Appends one record. Returns where its key is, if it has one.
pub(crate) fn put_record(body: &mut Vec<u8>, before: &mut Before, frame: Frame<'_>) -> usize {
    put_varint(body, frame.payload.len() as u64);
    body.push(frame.kind.0);
    let (key_flags, key) = match frame.key {
        None => (0, None),
        Some(RecordKey::Client(key)) => (KEY_OF_CLIENT, Some(key)),
        Some(RecordKey::Content(key)) => (KEY_OF_CONTENT, Some(key)),
    };
    let (producer_flags, written_out) = match frame.producer {
        None => (0, None),
        producer if producer == before.next() => (PRODUCER_FOLLOWS, None),
        producer => (PRODUCER_WRITTEN_OUT, producer),
    };
    let is_tombstone =
        frame.kind == RecordKind::TOMBSTONE && frame.key.is_none() && frame.payload.is_empty();
    body.push(key_flags | producer_flags | if is_tombstone { FORGOTTEN } else { 0 });
    let key_at = body.len();
    if let Some(key) = key {
        body.extend_from_slice(&key);
    }
    if let Some(producer) = written_out {
        body.extend_from_slice(&producer.id.to_bytes());
        body.extend_from_slice(&producer.epoch.to_le_bytes());
        body.extend_from_slice(&producer.seq.to_le_bytes());
    }
    *before = Before(frame.producer);
    body.extend_from_slice(frame.payload);
    key_at
}

/// Takes the next record off a body.
pub(crate) fn read_record<'a>(body: &mut ByteReader<'a>, before: &mut Before) -> Option<Frame<'a>> {
    let length = usize::try_from(body.varint()?).ok()?;
    let kind = RecordKind(body.u8()?);
    let flags = body.u8()?;
    let key = match flags & KEY_BITS {
        0 => None,
        KEY_OF_CLIENT => Some(RecordKey::Client(body.array()?)),
        KEY_OF_CONTENT => Some(RecordKey::Content(body.array()?)),
        _ => return None,
    };
    let producer = match flags & PRODUCER_BITS {
        0 => None,
        PRODUCER_WRITTEN_OUT => Some(Producer {
            id: ProducerId::from_bytes(body.array()?),
            epoch: body.u32()?,
            seq: body.u64()?,
        }),
        PRODUCER_FOLLOWS => Some(before.next()?),
        _ => return None,
    };
    let is_possible = match flags & !(KEY_BITS | PRODUCER_BITS) {
        0 => length <= RECORD_BYTES_MAX,
        FORGOTTEN => length == 0 && key.is_none() && kind == RecordKind::TOMBSTONE,
        _ => false,
    };
    if !is_possible {
        return None;
    }
    *before = Before(producer);
    Some(Frame { kind, key, producer, payload: body.take(length)? })
}

/// Appends a record that is in a body already, with another content or none: who sent it
/// stays, and is told in the same way (E1). `record` is all of its bytes.
pub(crate) fn put_redacted(body: &mut Vec<u8>, record: &[u8], redaction: &Redaction) -> Option<()> {
    let mut reader = ByteReader::new(record);
    reader.varint()?;
    reader.u8()?;
    let flags = reader.u8()?;
    if flags & KEY_BITS != 0 {
        reader.take(16)?;
    }
    let written_out = match flags & PRODUCER_BITS {
        PRODUCER_WRITTEN_OUT => reader.take(28)?,
        _ => &[],
    };
    let (kind, forgotten, payload) = match redaction {
        Redaction::Keep => {
            body.extend_from_slice(record);
            return Some(());
        }
        Redaction::Tombstone => (RecordKind::TOMBSTONE, FORGOTTEN, &[][..]),
        Redaction::Replace { kind, payload } => (*kind, 0, payload.as_slice()),
    };
    put_varint(body, payload.len() as u64);
    body.extend_from_slice(&[kind.0, flags & PRODUCER_BITS | forgotten]);
    body.extend_from_slice(written_out);
    body.extend_from_slice(payload);
    Some(())
}
