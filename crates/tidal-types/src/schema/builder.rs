//! Declaring signal types, attributes and profiles.
//!
//! Errors are collected while building, so that calls chain, and the first is
//! returned by [`SchemaBuilder::build`].

use std::time::Duration;

use super::{IDENTIFIER_BYTES_MAX, Schema};
use crate::{
    AttributeType, DecaySpec, EntityKind, SPAN_MAX, SchemaError, SignalTypeDefinition,
    SignalTypeId, Window,
};

/// Collects signal types, attributes and profiles.
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
                uniques: false,
                history: false,
            },
            builder: self,
        }
    }

    /// Declares an attribute of the entities of a kind. The name matches
    /// `[a-z][a-z0-9_]{0,63}` and is used once in its kind.
    pub fn attribute(&mut self, name: &str, kind: EntityKind, of_type: AttributeType) -> &mut Self {
        let declared =
            named("attribute", name).and_then(|()| self.schema.push_attribute(kind, name, of_type));
        self.note(declared)
    }

    /// Names a query, by its text. Unlike a signal type, a profile may be declared anew
    /// with another text: nothing is kept for it.
    pub fn profile(&mut self, name: &str, text: &str) -> &mut Self {
        let declared = named("profile", name).and_then(|()| self.schema.put_profile(name, text));
        self.note(declared)
    }

    fn note(&mut self, declared: Result<(), SchemaError>) -> &mut Self {
        if let Err(error) = declared {
            self.first_error.get_or_insert(error);
        }
        self
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

    /// Whether the different users who acted are counted, in each of the windows; needs
    /// one. It is counted by a sketch: exact for few users, else within a standard error
    /// of about 3%.
    pub const fn uniques(mut self, uniques: bool) -> Self {
        self.definition.uniques = uniques;
        self
    }

    /// Whether it is kept what each user did to which entity, for as long as both are
    /// there: what a user has seen, and what a user likes. The decay has to be exponential
    /// or permanent.
    ///
    /// A history has at most 1,048,576 entities. When an event is about one more, the
    /// eighth of them whose newest event is oldest is dropped, as if the user had never
    /// acted on those.
    pub const fn history(mut self, history: bool) -> Self {
        self.definition.history = history;
        self
    }

    /// Declares the signal type and hands the builder back.
    pub fn add(self) -> &'a mut SchemaBuilder {
        let Self { builder, definition } = self;
        let declared = builder.try_add(definition);
        builder.note(declared)
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
    if definition.uniques && definition.windows.is_empty() {
        return Err(SchemaError::UniquesWithoutWindow { signal: signal() });
    }
    if definition.history && matches!(definition.decay, DecaySpec::Linear { .. }) {
        return Err(SchemaError::HistoryWithLinearDecay { signal: signal() });
    }
    Ok(())
}

fn named(what: &'static str, name: &str) -> Result<(), SchemaError> {
    if is_identifier(name) {
        return Ok(());
    }
    Err(SchemaError::InvalidNameOf { what, name: name.into() })
}

/// `[a-z][a-z0-9_]{0,63}`
fn is_identifier(name: &str) -> bool {
    name.len() <= IDENTIFIER_BYTES_MAX
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
