//! The schema: which signal types there are.
//!
//! S1. A name is bound to its id for ever: ids are dense, in the order in which
//!     the names were first declared, and [`Schema::extend`] never changes one.
//!     The same holds of an attribute.
//! S2. Whatever a `Schema` holds has passed every check of [`SchemaBuilder`].

mod builder;
mod declared;
mod extend;
mod name_hash;

use std::collections::BTreeMap;

pub use builder::{SchemaBuilder, SignalBuilder};

use name_hash::ByName;

use crate::{
    AcceptedEvent, AttributeDefinition, EntityId, Event, SchemaError, SignalTypeDefinition,
    SignalTypeId, Timestamp, WEIGHT_MAX,
};

/// The most signal types a schema may have.
pub const SIGNAL_TYPES_MAX: usize = 1024;

/// The longest name of a signal type, an attribute or a profile, in bytes.
pub const IDENTIFIER_BYTES_MAX: usize = 64;

/// The most profiles a schema may have.
pub const PROFILES_MAX: usize = 256;

/// The longest text of a profile, in bytes.
pub const PROFILE_BYTES_MAX: usize = 1 << 14;

/// The signal types of a database, the attributes of its entities, and named queries.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schema {
    signals: Vec<SignalTypeDefinition>,
    by_name: ByName<SignalTypeId>,
    attributes: Vec<AttributeDefinition>,
    profiles: BTreeMap<Box<str>, Box<str>>,
}

impl Schema {
    /// The signal type with this name.
    #[must_use]
    pub fn signal(&self, name: &str) -> Option<&SignalTypeDefinition> {
        self.signal_by_id(*self.by_name.get(name)?)
    }

    /// The signal type with this id.
    #[must_use]
    pub fn signal_by_id(&self, id: SignalTypeId) -> Option<&SignalTypeDefinition> {
        self.signals.get(usize::from(id.get()))
    }

    /// How many signal types there are.
    #[must_use]
    pub fn signal_count(&self) -> usize {
        self.signals.len()
    }

    /// Every signal type, in the order of their ids.
    #[must_use]
    pub fn signals(&self) -> &[SignalTypeDefinition] {
        &self.signals
    }

    /// The signal type with this name, or an error that lists the known ones.
    ///
    /// # Errors
    /// [`SchemaError::UnknownSignal`].
    pub fn require(&self, name: &str) -> Result<&SignalTypeDefinition, SchemaError> {
        self.signal(name).ok_or_else(|| SchemaError::UnknownSignal {
            signal: name.into(),
            known: self.signals.iter().map(|signal| signal.name().to_owned()).collect(),
        })
    }

    /// Checks an event that the application sends.
    ///
    /// # Errors
    /// [`SchemaError::UnknownSignal`] when no signal type has that name,
    /// [`SchemaError::InvalidWeight`] when the weight is not finite or larger
    /// than [`WEIGHT_MAX`] in either direction.
    pub fn accept(&self, event: &Event<'_>) -> Result<AcceptedEvent, SchemaError> {
        let signal = self.require(event.signal)?;
        Self::checked(signal, event.entity, event.weight, event.timestamp, event.actor)
    }

    /// Checks an event that was read back from the log.
    ///
    /// # Errors
    /// Like [`Schema::accept`]; an unknown id is reported by its number.
    pub fn accept_logged(
        &self,
        signal: SignalTypeId,
        entity: EntityId,
        weight: f64,
        timestamp: Timestamp,
        actor: Option<EntityId>,
    ) -> Result<AcceptedEvent, SchemaError> {
        let signal = self
            .signal_by_id(signal)
            .ok_or(SchemaError::UnknownSignalId { id: signal, signal_count: self.signals.len() })?;
        Self::checked(signal, entity, weight, timestamp, actor)
    }

    fn checked(
        signal: &SignalTypeDefinition,
        entity: EntityId,
        weight: f64,
        timestamp: Timestamp,
        actor: Option<EntityId>,
    ) -> Result<AcceptedEvent, SchemaError> {
        // NaN fails the comparison too.
        if !(-WEIGHT_MAX..=WEIGHT_MAX).contains(&weight) {
            return Err(SchemaError::InvalidWeight { signal: signal.name().into(), weight });
        }
        Ok(AcceptedEvent { signal: signal.id, kind: signal.kind, entity, weight, timestamp, actor })
    }

    fn push(&mut self, mut definition: SignalTypeDefinition) -> Result<(), SchemaError> {
        let too_many = SchemaError::TooManySignals {
            signal: definition.name.to_string(),
            max: SIGNAL_TYPES_MAX,
        };
        if self.signals.len() >= SIGNAL_TYPES_MAX {
            return Err(too_many);
        }
        definition.id = SignalTypeId::new(u16::try_from(self.signals.len()).map_err(|_| too_many)?);
        self.by_name.insert(definition.name.clone(), definition.id);
        self.signals.push(definition);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
