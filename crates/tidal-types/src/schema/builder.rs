//! Declaring signal types.
//!
//! Errors are collected while building, so that calls chain, and the first is
//! returned by [`SchemaBuilder::build`].

use std::time::Duration;

use super::{IDENTIFIER_BYTES_MAX, Schema};
use crate::{
    DecaySpec, EntityKind, SPAN_MAX, SchemaError, SignalTypeDefinition, SignalTypeId, Window,
};

/// Collects signal types.
#[derive(Debug, Clone, Default)]
pub struct SchemaBuilder {
    schema: Schema,
    first_error: Option<SchemaError>,
}

impl SchemaBuilder {
    /// A builder without signal types.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins the declaration of a signal type; [`SignalBuilder::add`] ends it.
    ///
    /// A new signal type has no windows, no velocity and no sums. The name
    /// matches `[a-z][a-z0-9_]{0,63}` and is used once, whatever the kind.
    pub fn signal(&mut self, name: &str, kind: EntityKind, decay: DecaySpec) -> SignalBuilder<'_> {
        SignalBuilder {
            definition: SignalTypeDefinition {
                id: SignalTypeId::new(0),
                name: name.into(),
                kind,
                decay,
                rate_per_sec: decay.rate_per_sec(),
                windows: Vec::new(),
                velocity: false,
                sums: false,
            },
            builder: self,
        }
    }

    /// The schema, with ids in the order of declaration.
    ///
    /// # Errors
    /// The first thing that was wrong, with the name of the signal type.
    pub fn build(self) -> Result<Schema, SchemaError> {
        self.first_error.map_or(Ok(self.schema), Err)
    }

    fn try_add(&mut self, definition: SignalTypeDefinition) -> Result<(), SchemaError> {
        check(&definition)?;
        if self.schema.signal(&definition.name).is_some() {
            return Err(SchemaError::DuplicateSignal { signal: definition.name.into() });
        }
        self.schema.push(definition)
    }
}

/// One signal type under declaration. Nothing happens without
/// [`SignalBuilder::add`].
#[derive(Debug)]
#[must_use = "a signal type is declared by `add`"]
pub struct SignalBuilder<'a> {
    builder: &'a mut SchemaBuilder,
    definition: SignalTypeDefinition,
}

impl<'a> SignalBuilder<'a> {
    /// The windows in which events are counted, in any order.
    pub fn windows(mut self, windows: &[Window]) -> Self {
        self.definition.windows = windows.to_vec();
        self.definition.windows.sort_unstable();
        self.definition.windows.dedup();
        self
    }

    /// Whether velocities can be read; needs a window other than
    /// [`Window::AllTime`].
    pub const fn velocity(mut self, velocity: bool) -> Self {
        self.definition.velocity = velocity;
        self
    }

    /// Whether sums of weights over the windows can be read.
    pub const fn sums(mut self, sums: bool) -> Self {
        self.definition.sums = sums;
        self
    }

    /// Declares the signal type and hands the builder back.
    pub fn add(self) -> &'a mut SchemaBuilder {
        let Self { builder, definition } = self;
        if let Err(error) = builder.try_add(definition) {
            builder.first_error.get_or_insert(error);
        }
        builder
    }
}

fn check(definition: &SignalTypeDefinition) -> Result<(), SchemaError> {
    let signal = || definition.name.to_string();
    if !is_identifier(&definition.name) {
        return Err(SchemaError::InvalidName { signal: signal() });
    }
    let span = match definition.decay {
        DecaySpec::Exponential { half_life } => Some(("half_life", half_life)),
        DecaySpec::Linear { lifetime } => Some(("lifetime", lifetime)),
        DecaySpec::Permanent => None,
    };
    if let Some((field, span)) = span
        && (span == Duration::ZERO || span > SPAN_MAX)
    {
        return Err(SchemaError::InvalidSpan { signal: signal(), field, span, max: SPAN_MAX });
    }
    if definition.velocity && definition.windows.iter().all(|window| window.duration().is_none()) {
        return Err(SchemaError::VelocityWithoutWindow { signal: signal() });
    }
    Ok(())
}

/// `[a-z][a-z0-9_]{0,63}`
fn is_identifier(name: &str) -> bool {
    name.len() <= IDENTIFIER_BYTES_MAX
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
