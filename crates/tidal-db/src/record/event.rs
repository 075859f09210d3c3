//! The payload of an event. Little-endian.
//!
//! | size   | field                                                  |
//! |--------|--------------------------------------------------------|
//! | 1      | flags: bit 0 the weight is 1 and left out, bit 1 there is an actor; others zero |
//! | varint | signal type                                            |
//! | varint | entity                                                 |
//! | 8      | timestamp, nanoseconds                                 |
//! | 0, 8   | weight                                                 |
//! | varint | actor, when there is one                               |

use tidal_types::{
    AcceptedEvent, ByteReader, EntityId, Schema, SignalTypeId, Timestamp, put_varint,
};

const UNIT_WEIGHT: u8 = 1;
const HAS_ACTOR: u8 = 2;

pub(super) fn encode_event(event: &AcceptedEvent, payload: &mut Vec<u8>) {
    // By bits, since -1.0 and 1.0 and the two zeros are different weights.
    let is_unit = event.weight().to_bits() == 1.0_f64.to_bits();
    let actor = event.actor();
    payload.push(u8::from(is_unit) * UNIT_WEIGHT + u8::from(actor.is_some()) * HAS_ACTOR);
    put_varint(payload, u64::from(event.signal().get()));
    put_varint(payload, event.entity().get());
    payload.extend_from_slice(&event.timestamp().as_nanos().to_le_bytes());
    if !is_unit {
        payload.extend_from_slice(&event.weight().to_le_bytes());
    }
    if let Some(actor) = actor {
        put_varint(payload, actor.get());
    }
}

pub(super) fn decode_event(payload: &[u8], schema: &Schema) -> Result<AcceptedEvent, String> {
    let parts = parts(payload).ok_or("an event with a malformed payload")?;
    let (signal, entity, weight, timestamp, actor) = parts;
    schema
        .accept_logged(signal, entity, weight, timestamp, actor)
        .map_err(|error| error.to_string())
}

/// Signal type, entity, weight, time and actor.
pub(crate) type Parts = (SignalTypeId, EntityId, f64, Timestamp, Option<EntityId>);

pub(super) fn parts(payload: &[u8]) -> Option<Parts> {
    let mut reader = ByteReader::new(payload);
    let flags = reader.u8()?;
    if flags & !(UNIT_WEIGHT | HAS_ACTOR) != 0 {
        return None;
    }
    let signal = SignalTypeId::new(u16::try_from(reader.varint()?).ok()?);
    let entity = EntityId::new(reader.varint()?);
    let timestamp = Timestamp::from_nanos(reader.u64()?);
    let weight = if flags & UNIT_WEIGHT == 0 { reader.f64()? } else { 1.0 };
    let actor = if flags & HAS_ACTOR == 0 { None } else { Some(EntityId::new(reader.varint()?)) };
    reader.is_empty().then_some((signal, entity, weight, timestamp, actor))
}

/// The payload of the same event without its actor; `None` when it is malformed.
pub(super) fn without_actor(payload: &[u8]) -> Option<Vec<u8>> {
    let mut reader = ByteReader::new(payload);
    let flags = reader.u8()?;
    let (_, _, _, _, actor) = parts(payload)?;
    // It is the last field.
    let mut actor_bytes = Vec::new();
    actor.inspect(|actor| put_varint(&mut actor_bytes, actor.get()));
    let rest = reader.rest().strip_suffix(actor_bytes.as_slice())?;
    Some([&[flags & !HAS_ACTOR], rest].concat())
}
