//! How a stored schema takes up a requested one.

use super::Schema;
use crate::window::list;
use crate::{SchemaError, SignalTypeDefinition};

impl Schema {
    /// This schema, which is stored, with the new signal types of `requested`
    /// behind its own. Types are matched by name; the order in `requested` does
    /// not matter.
    ///
    /// # Errors
    /// [`SchemaError::Changed`] when a signal type that is stored differs in
    /// `requested`, naming the field; [`SchemaError::Removed`] when one is
    /// missing; [`SchemaError::TooManySignals`].
    pub fn extend(&self, requested: &Self) -> Result<Self, SchemaError> {
        for stored in &self.signals {
            let wanted = requested
                .signal(&stored.name)
                .ok_or_else(|| SchemaError::Removed { signal: stored.name.to_string() })?;
            unchanged(stored, wanted)?;
        }
        let mut extended = self.clone();
        for wanted in &requested.signals {
            if self.signal(&wanted.name).is_none() {
                extended.push(wanted.clone())?;
            }
        }
        Ok(extended)
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
