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
//! | 4         | tombstone: the payload was forgotten, seq and producer stay     |
//! | 5 to 7    | zero                                                            |
//!
//! This version writes no flag and refuses a record that has one: keys,
//! producers and tombstones have their place, and no writer yet.
//!
//! A record has no checksum of its own; its group's covers it.

use tidal_types::{ByteReader, put_varint};

use crate::limits::RECORD_BYTES_MAX;

/// What a record is, in the words of the log's owner. The log does not look at
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecordKind(pub u8);

/// Appends one record.
pub(crate) fn put_record(body: &mut Vec<u8>, kind: RecordKind, payload: &[u8]) {
    put_varint(body, payload.len() as u64);
    body.push(kind.0);
    body.push(0);
    body.extend_from_slice(payload);
}

/// Takes the next record off a body.
pub(crate) fn read_record<'a>(body: &mut ByteReader<'a>) -> Option<(RecordKind, &'a [u8])> {
    let length = usize::try_from(body.varint()?).ok()?;
    let kind = RecordKind(body.u8()?);
    let flags = body.u8()?;
    if flags != 0 || length > RECORD_BYTES_MAX {
        return None;
    }
    Some((kind, body.take(length)?))
}
