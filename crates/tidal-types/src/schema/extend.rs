//! How a stored schema takes up a requested one.

use super::Schema;
use crate::window::list;
use crate::{AttributeDefinition, SchemaError, SignalTypeDefinition};

impl Schema {
    /// This schema, which is stored, with the new signal types and attributes of
    /// `requested` behind its own, and its profiles, which take the place of those of the
    /// same name. All are matched by name; the order in `requested` does not matter.
    ///
    /// # Errors
    /// [`SchemaError::Changed`] when a signal type that is stored differs in
    /// `requested`, naming the field; [`SchemaError::Removed`] when one is
    /// missing; the same of attributes; [`SchemaError::TooManySignals`],
    /// [`SchemaError::TooMany`].
    pub fn extend(&self, requested: &Self) -> Result<Self, SchemaError> {
        for stored in &self.signals {
            let wanted = requested
                .signal(&stored.name)
                .ok_or_else(|| SchemaError::Removed { signal: stored.name.to_string() })?;
            unchanged(stored, wanted)?;
        }
        for stored in &self.attributes {
            unchanged_attribute(stored, requested)?;
        }
        let mut extended = self.clone();
        for wanted in &requested.signals {
            if self.signal(&wanted.name).is_none() {
                extended.push(wanted.clone())?;
            }
        }
        for wanted in &requested.attributes {
            if self.attribute(wanted.kind, &wanted.name).is_none() {
                extended.push_attribute(wanted.kind, &wanted.name, wanted.of_type)?;
            }
        }
        for (name, text) in requested.profiles() {
            extended.put_profile(name, text)?;
        }
        Ok(extended)
    }
}

fn unchanged_attribute(
    stored: &AttributeDefinition,
    requested: &Schema,
) -> Result<(), SchemaError> {
    let (kind, attribute) = (stored.kind, stored.name.to_string());
    match requested.attribute(kind, &stored.name) {
        Some(wanted) if wanted.of_type == stored.of_type => Ok(()),
        Some(wanted) => Err(SchemaError::AttributeChanged {
            kind,
            attribute,
            stored: stored.of_type.to_string(),
            requested: wanted.of_type.to_string(),
        }),
        None => Err(SchemaError::AttributeRemoved { kind, attribute }),
    }
}

fn unchanged(
    stored: &SignalTypeDefinition,
    wanted: &SignalTypeDefinition,
) -> Result<(), SchemaError> {
    let fields = [
        ("kind", stored.kind.to_string(), wanted.kind.to_string()),
        ("decay", stored.decay.to_string(), wanted.decay.to_string()),
        ("windows", list(&stored.windows), list(&wanted.windows)),
        ("velocity", stored.velocity.to_string(), wanted.velocity.to_string()),
        ("sums", stored.sums.to_string(), wanted.sums.to_string()),
        ("uniques", stored.uniques.to_string(), wanted.uniques.to_string()),
        ("history", stored.history.to_string(), wanted.history.to_string()),
    ];
    for (field, stored_value, requested) in fields {
        if stored_value != requested {
            return Err(SchemaError::Changed {
                signal: stored.name.to_string(),
                field,
                stored: stored_value,
                requested,
            });
        }
    }
    Ok(())
}
