//! The payload of a record in the log. Little-endian.
//!
//! | kind | meaning      | payload                                              |
//! |------|--------------|------------------------------------------------------|
//! | 1    | schema       | a schema, see `record/schema.rs`                     |
//! | 2    | event        | an event, see `record/event.rs`                      |
//! | 3    | write item   | id varint, then the metadata to the end              |
//! | 4    | delete item  | id varint                                            |
//! | 5    | assign name  | entity kind 1, id varint, then the name to the end   |
//! | 6    | producer's note | id 16, then the note to the end, at most 64 bytes |
//! | 7    | forget       | entity kind 1, id modes of items, users, creators 3, id varint |
//! | 8    | attributes   | what changes of them, see `record/attributes.rs`     |
//! | 255  | tombstone    | none: what the record said was purged from the log   |
//!
//! | entity kind | byte |
//! |-------------|------|
//! | item        | 0    |
//! | user        | 1    |
//! | creator     | 2    |
//!
//! | id mode     | byte |
//! |-------------|------|
//! | undecided   | 0    |
//! | numeric     | 1    |
//! | named       | 2    |
//!
//! P1. A kind's layout never changes; another layout is another kind.
//! P2. Nothing is left over behind a payload.
//!
//! The producer of a record and its deduplication key have their place in the
//! record's frame, which is tidal-wal's.

mod attributes;
mod event;
mod schema;

use tidal_types::{
    AcceptedEvent, ByteReader, EntityId, EntityKind, ProducerId, Schema, TidalError, put_varint,
};
use tidal_wal::{Batch, LogRecord, Record, RecordKind};

use crate::Result;
use crate::change::{Change, Entry};
use crate::kinds::{IdMode, Modes};
use crate::names::NAME_BYTES_MAX;
use crate::producers::NOTE_BYTES_MAX;

pub(crate) use schema::{decode_schema, encode_schema};

const SCHEMA: RecordKind = RecordKind(1);
const EVENT: RecordKind = RecordKind(2);
const WRITE_ITEM: RecordKind = RecordKind(3);
const DELETE_ITEM: RecordKind = RecordKind(4);
const ASSIGN_NAME: RecordKind = RecordKind(5);
const PRODUCER_NOTE: RecordKind = RecordKind(6);
const FORGET: RecordKind = RecordKind(7);
const PUT_ATTRIBUTES: RecordKind = RecordKind(8);
const TOMBSTONE: RecordKind = RecordKind::TOMBSTONE;
const KINDS: [RecordKind; 9] = [
    SCHEMA,
    EVENT,
    WRITE_ITEM,
    DELETE_ITEM,
    ASSIGN_NAME,
    PRODUCER_NOTE,
    FORGET,
    PUT_ATTRIBUTES,
    TOMBSTONE,
];

/// Writes the payload of a change behind what is in `payload`, and returns the
/// kind of its record.
pub(crate) fn encode(change: &Change, payload: &mut Vec<u8>) -> RecordKind {
    match change {
        Change::Schema(schema) => {
            encode_schema(schema, payload);
            SCHEMA
        }
        Change::Event(event) => {
            event::encode_event(event, payload);
            EVENT
        }
        Change::WriteItem { id, metadata } => {
            put_varint(payload, id.get());
            payload.extend_from_slice(metadata);
            WRITE_ITEM
        }
        Change::DeleteItem { id } => {
            put_varint(payload, id.get());
            DELETE_ITEM
        }
        Change::AssignName { kind, id, name } => {
            payload.push(kind_byte(*kind));
            put_varint(payload, id.get());
            payload.extend_from_slice(name);
            ASSIGN_NAME
        }
        Change::ProducerNote { id, note } => {
            payload.extend_from_slice(&id.to_bytes());
            payload.extend_from_slice(note);
            PRODUCER_NOTE
        }
        Change::Forget { kind, id, modes } => {
            payload.push(kind_byte(*kind));
            payload.extend(modes.map(IdMode::to_byte));
            put_varint(payload, id.get());
            FORGET
        }
        Change::PutAttributes { kind, id, patch } => {
            attributes::encode_patch(*kind, *id, patch, payload);
            PUT_ATTRIBUTES
        }
        Change::Nothing => TOMBSTONE,
    }
}

/// Adds the record of an entry to a batch. `payload` is room to encode it in. Of a record
/// that was purged its producer goes along.
///
/// # Errors
/// Those of [`Batch::push_record`].
pub(crate) fn push(batch: &mut Batch, entry: &Entry, payload: &mut Vec<u8>) -> Result<()> {
    let (key, producer) = (entry.key, entry.producer);
    if matches!(entry.change, Change::Nothing) {
        return Ok(batch.push_tombstone(producer)?);
    }
    payload.clear();
    let kind = encode(&entry.change, payload);
    Ok(batch.push_record(Record { kind, key, producer, payload })?)
}

/// Whether a record holds a schema.
pub(crate) fn is_schema(record: &LogRecord<'_>) -> bool {
    record.kind == SCHEMA
}

/// What the payload of an event says, whatever the schema; `None` when the record is no
/// event, or malformed.
pub(crate) fn event_parts(record: &LogRecord<'_>) -> Option<event::Parts> {
    (record.kind == EVENT).then(|| event::parts(record.payload)).flatten()
}

/// The event that a record holds; `None` for a record of another kind.
///
/// # Errors
/// Those of [`decode`]; what a record of another kind says is not looked at.
pub(crate) fn event(record: &LogRecord<'_>, schema: &Schema) -> Result<Option<AcceptedEvent>> {
    check_kind(record)?;
    if record.kind != EVENT {
        return Ok(None);
    }
    event::decode_event(record.payload, schema)
        .map(Some)
        .map_err(|problem| TidalError::Damaged { location: location(record), problem })
}

/// The payload of the same event without its actor; `None` when it is malformed.
pub(crate) fn without_actor(event: &[u8]) -> Option<Vec<u8>> {
    event::without_actor(event)
}

/// What a record means under the schema in force at its place in the log.
///
/// # Errors
/// [`TidalError::Damaged`]: the record passed its checksum and yet means
/// nothing. [`TidalError::UnsupportedFormat`]: a newer program wrote it.
pub(crate) fn decode(record: &LogRecord<'_>, schema: &Schema) -> Result<Change> {
    check_kind(record)?;
    decode_payload(record.kind, record.payload, schema)
        .map_err(|problem| TidalError::Damaged { location: location(record), problem })
}

/// Refuses what a newer program wrote.
fn check_kind(record: &LogRecord<'_>) -> Result<()> {
    if KINDS.contains(&record.kind) {
        return Ok(());
    }
    Err(TidalError::UnsupportedFormat {
        path: location(record).into(),
        found: format!("kind {}", record.kind.0),
        supported: format!("kinds 1 to {} and {}", PUT_ATTRIBUTES.0, TOMBSTONE.0),
    })
}

fn location(record: &LogRecord<'_>) -> String {
    format!("log record {}", record.seq)
}

fn decode_payload(
    kind: RecordKind,
    payload: &[u8],
    schema: &Schema,
) -> std::result::Result<Change, String> {
    let mut reader = ByteReader::new(payload);
    let malformed = || format!("a record of kind {} with a malformed payload", kind.0);
    match kind {
        SCHEMA => decode_schema(payload).map(|schema| Change::Schema(Box::new(schema))),
        EVENT => event::decode_event(payload, schema).map(Change::Event),
        PUT_ATTRIBUTES => attributes::decode_patch(payload, schema)
            .map(|(kind, id, patch)| Change::PutAttributes { kind, id, patch }),
        WRITE_ITEM => {
            let id = EntityId::new(reader.varint().ok_or_else(malformed)?);
            Ok(Change::WriteItem { id, metadata: reader.rest().to_vec() })
        }
        DELETE_ITEM => {
            let id = reader.varint().filter(|_| reader.is_empty()).ok_or_else(malformed)?;
            Ok(Change::DeleteItem { id: EntityId::new(id) })
        }
        ASSIGN_NAME => {
            let kind = reader.u8().and_then(kind_of).ok_or_else(malformed)?;
            let id = EntityId::new(reader.varint().ok_or_else(malformed)?);
            let name = reader.rest();
            if id.get() == 0 || name.is_empty() || name.len() > NAME_BYTES_MAX {
                return Err(malformed());
            }
            Ok(Change::AssignName { kind, id, name: name.to_vec() })
        }
        PRODUCER_NOTE => {
            let id = ProducerId::from_bytes(reader.array().ok_or_else(malformed)?);
            let note = reader.rest();
            if note.len() > NOTE_BYTES_MAX {
                return Err(malformed());
            }
            Ok(Change::ProducerNote { id, note: note.to_vec() })
        }
        TOMBSTONE if payload.is_empty() => Ok(Change::Nothing),
        FORGET => decode_forget(reader).ok_or_else(malformed),
        _ => Err(malformed()),
    }
}

/// The kind that something is forgotten of has a mode: no record names an entity of one
/// that is undecided.
fn decode_forget(mut reader: ByteReader<'_>) -> Option<Change> {
    let kind = reader.u8().and_then(kind_of)?;
    let mut modes = Modes::default();
    for mode in &mut modes {
        *mode = IdMode::from_byte(reader.u8()?)?;
    }
    let id = EntityId::new(reader.varint()?);
    let is_decided = modes.get(kind.index()).copied().flatten().is_some();
    (is_decided && reader.is_empty()).then_some(Change::Forget { kind, id, modes })
}

/// The byte that stands for an entity kind, in the log and in storage.
pub(crate) const fn kind_byte(kind: EntityKind) -> u8 {
    match kind {
        EntityKind::Item => 0,
        EntityKind::User => 1,
        EntityKind::Creator => 2,
    }
}

/// The entity kind that a byte stands for.
pub(crate) fn kind_of(byte: u8) -> Option<EntityKind> {
    EntityKind::ALL.into_iter().find(|&kind| kind_byte(kind) == byte)
}

#[cfg(test)]
mod tests;
