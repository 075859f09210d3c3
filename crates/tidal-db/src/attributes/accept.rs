//! Checks what an application writes against the schema, before anything is logged.

use std::collections::BTreeMap;

use tidal_types::{AttributeDefinition, AttributeValue, EntityKind, QueryError, Schema};

use super::row::Patch;
use super::value::Value;

/// The patch that these names and values make; of a name that comes twice the last counts.
///
/// # Errors
/// [`QueryError::UnknownAttribute`]; [`QueryError::WrongType`], which also says of a value
/// that it is too long, empty or not finite.
pub(crate) fn accept(
    schema: &Schema,
    kind: EntityKind,
    values: Vec<(String, Option<AttributeValue>)>,
) -> Result<Patch, QueryError> {
    let mut patch = BTreeMap::new();
    for (name, value) in values {
        let attribute = require(schema, kind, &name)?;
        let of_type = attribute.of_type();
        let value = match value {
            Some(value) => Value::accept(of_type, value)
                .map_err(|problem| QueryError::WrongType { attribute: name, of_type, problem })?,
            None => None,
        };
        patch.insert(attribute.id(), value);
    }
    Ok(patch.into_iter().collect())
}

/// The attribute of this name.
///
/// # Errors
/// [`QueryError::UnknownAttribute`], which lists the known ones.
pub(crate) fn require<'a>(
    schema: &'a Schema,
    kind: EntityKind,
    name: &str,
) -> Result<&'a AttributeDefinition, QueryError> {
    schema.attribute(kind, name).ok_or_else(|| QueryError::UnknownAttribute {
        kind,
        attribute: name.into(),
        known: schema.attributes_of(kind).map(|attribute| attribute.name().to_owned()).collect(),
    })
}
