//! What is known of one entity: a row in storage, and the patches that make it.
//!
//! In storage, little-endian:
//!
//! | size   | field                                            |
//! |--------|--------------------------------------------------|
//! | 1      | version, 1                                       |
//! | varint | number of attributes, at least 1                 |
//!
//! and for each, by ascending id:
//!
//! | size   | field                                            |
//! |--------|--------------------------------------------------|
//! | varint | id of the attribute                              |
//! | n      | its value, see `attributes/value.rs`             |
//!
//! I1. A row has at least one attribute; an entity without any has no row.

use tidal_types::{AttributeId, ByteReader, EntityId, EntityKind, TidalError, put_varint};

use super::value::Value;
use crate::Result;
use crate::checkpoint::attributes_key;
use crate::overlay::Rows;

const VERSION: u8 = 1;

/// What is written about some attributes of an entity, by ascending id, each once;
/// nothing where one is removed.
pub(crate) type Patch = Vec<(AttributeId, Option<Value>)>;

/// The attributes of an entity, by ascending id (I1).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AttributeRow(Vec<(AttributeId, Value)>);

impl AttributeRow {
    /// The row that a patch leaves of another, if any.
    pub(crate) fn patched(row: Option<&Self>, patch: &Patch) -> Option<Self> {
        let mut values = row.map(|row| row.0.clone()).unwrap_or_default();
        for (attribute, value) in patch {
            let place = values.binary_search_by_key(attribute, |(id, _)| *id);
            match (place, value) {
                (Ok(place), Some(value)) => {
                    if let Some((_, old)) = values.get_mut(place) {
                        old.clone_from(value);
                    }
                }
                (Ok(place), None) => drop(values.remove(place)),
                (Err(place), Some(value)) => values.insert(place, (*attribute, value.clone())),
                (Err(_), None) => {}
            }
        }
        (!values.is_empty()).then_some(Self(values))
    }

    /// The row with those values only that `keeps`.
    pub(crate) fn only(&self, mut keeps: impl FnMut(&Value) -> bool) -> Option<Self> {
        let values: Vec<_> = self.0.iter().filter(|(_, value)| keeps(value)).cloned().collect();
        (!values.is_empty()).then_some(Self(values))
    }

    pub(crate) fn get(&self, attribute: AttributeId) -> Option<&Value> {
        let place = self.0.binary_search_by_key(&attribute, |(id, _)| *id).ok()?;
        self.0.get(place).map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (AttributeId, &Value)> {
        self.0.iter().map(|(attribute, value)| (*attribute, value))
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        put_varint(&mut bytes, self.0.len() as u64);
        for (attribute, value) in &self.0 {
            put_varint(&mut bytes, u64::from(attribute.get()));
            value.encode(&mut bytes);
        }
        bytes
    }

    /// Reads what [`AttributeRow::encode`] writes; `None` for anything else.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = ByteReader::new(bytes);
        if reader.u8()? != VERSION {
            return None;
        }
        let count = reader.varint()?;
        // Grown as values are there, whatever the number says.
        let mut values = Vec::new();
        for _ in 0..count {
            let attribute = AttributeId::new(u16::try_from(reader.varint()?).ok()?);
            if values.last().is_some_and(|(last, _)| *last >= attribute) {
                return None;
            }
            values.push((attribute, Value::decode(&mut reader)?));
        }
        (reader.is_empty() && !values.is_empty()).then_some(Self(values))
    }
}

/// The rows of all entities, in storage and over it.
#[derive(Debug)]
pub(crate) struct AttributeRows;

impl Rows for AttributeRows {
    type Key = (EntityKind, EntityId);
    type Row = AttributeRow;

    const CACHED: usize = 256;

    fn place(&(kind, id): &Self::Key) -> Result<(EntityKind, Vec<u8>)> {
        Ok((kind, attributes_key(id)?))
    }

    fn encode(row: &AttributeRow) -> Vec<u8> {
        row.encode()
    }

    fn decode(&(kind, id): &Self::Key, bytes: &[u8]) -> Result<AttributeRow> {
        AttributeRow::decode(bytes).ok_or_else(|| TidalError::Damaged {
            location: format!("the attributes of {kind} {id} in storage"),
            problem: "they are malformed or of another version".into(),
        })
    }

    fn bytes(row: &AttributeRow) -> usize {
        let own = size_of_val(row) + size_of_val(row.0.as_slice());
        own + row.0.iter().map(|(_, value)| value.heap_bytes()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests;
