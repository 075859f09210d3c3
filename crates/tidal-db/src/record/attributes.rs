//! The payload of a patch of attributes. Little-endian.
//!
//! | size   | field                                                  |
//! |--------|--------------------------------------------------------|
//! | 1      | entity kind                                            |
//! | varint | entity                                                 |
//! | varint | number of attributes that change                       |
//!
//! and for each, by ascending id:
//!
//! | size   | field                                                  |
//! |--------|--------------------------------------------------------|
//! | varint | id of the attribute                                    |
//! | 1      | 1 when it gets a value, 0 when it is removed           |
//! | n      | the value, see `attributes/value.rs`                   |

use tidal_types::{AttributeId, ByteReader, EntityId, EntityKind, Schema, put_varint};

use super::{kind_byte, kind_of};
use crate::attributes::{Patch, Value};

pub(super) fn encode_patch(kind: EntityKind, id: EntityId, patch: &Patch, payload: &mut Vec<u8>) {
    payload.push(kind_byte(kind));
    put_varint(payload, id.get());
    put_varint(payload, patch.len() as u64);
    for (attribute, value) in patch {
        put_varint(payload, u64::from(attribute.get()));
        payload.push(u8::from(value.is_some()));
        if let Some(value) = value {
            value.encode(payload);
        }
    }
}

pub(super) fn decode_patch(
    payload: &[u8],
    schema: &Schema,
) -> Result<(EntityKind, EntityId, Patch), String> {
    let parts = parts(payload).ok_or("a patch of attributes with a malformed payload")?;
    let (kind, _, patch) = &parts;
    for (id, value) in patch {
        let known = schema.attribute_by_id(*id).filter(|attribute| attribute.kind() == *kind);
        let Some(attribute) = known else {
            let (id, count) = (id.get(), schema.attributes().len());
            return Err(format!(
                "attribute number {id} of kind {kind} is not in the schema, which has {count}"
            ));
        };
        if let Some(value) = value
            && value.of_type() != attribute.of_type()
        {
            let (name, of_type) = (attribute.name(), attribute.of_type());
            let found = value.of_type();
            return Err(format!("attribute {name:?} is of type {of_type}, its value is {found}"));
        }
    }
    Ok(parts)
}

fn parts(payload: &[u8]) -> Option<(EntityKind, EntityId, Patch)> {
    let mut reader = ByteReader::new(payload);
    let kind = kind_of(reader.u8()?)?;
    let id = EntityId::new(reader.varint()?);
    let count = reader.varint()?;
    // Grown as values are there, whatever the number says.
    let mut patch = Patch::new();
    for _ in 0..count {
        let attribute = AttributeId::new(u16::try_from(reader.varint()?).ok()?);
        if patch.last().is_some_and(|(last, _)| *last >= attribute) {
            return None;
        }
        let value = match reader.u8()? {
            0 => None,
            1 => Some(Value::decode(&mut reader)?),
            _ => return None,
        };
        patch.push((attribute, value));
    }
    reader.is_empty().then_some((kind, id, patch))
}
