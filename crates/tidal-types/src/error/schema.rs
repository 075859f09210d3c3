//! What can be wrong with a schema, or with an event under it.

use std::time::Duration;

use super::ErrorKind;
use crate::{EntityKind, SignalTypeId};

/// A schema, or an event under it, that cannot be taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SchemaError {
    /// The name does not match `[a-z][a-z0-9_]{0,63}`.
    #[error(
        "signal type {signal:?}: a name is a lower-case letter and up to 63 lower-case letters, digits or underscores"
    )]
    InvalidName {
        /// The name.
        signal: String,
    },
    /// The name is declared twice.
    #[error("signal type {signal:?} is declared twice; names are unique across entity kinds")]
    DuplicateSignal {
        /// The name.
        signal: String,
    },
    /// A half-life or lifetime is zero or too long.
    #[error(
        "signal type {signal:?}: {field} is {span:?}, and must be more than zero and at most {max:?}"
    )]
    InvalidSpan {
        /// The signal type.
        signal: String,
        /// `half_life` or `lifetime`.
        field: &'static str,
        /// What was asked for.
        span: Duration,
        /// The longest that is allowed.
        max: Duration,
    },
    /// Velocity was asked for without a window that ends.
    #[error("signal type {signal:?}: velocity needs a window other than `all`")]
    VelocityWithoutWindow {
        /// The signal type.
        signal: String,
    },
    /// Unique actors are to be counted, and there is no window to count them in.
    #[error("signal type {signal:?}: unique actors are counted in windows; declare one")]
    UniquesWithoutWindow {
        /// The signal type.
        signal: String,
    },
    /// What users did is to be kept, of a signal whose score fades linearly.
    #[error(
        "signal type {signal:?}: a history is a sum for each user and entity, which cannot fade linearly; declare an exponential or permanent decay, or no history"
    )]
    HistoryWithLinearDecay {
        /// The signal type.
        signal: String,
    },
    /// The name of an attribute or of a profile does not match `[a-z][a-z0-9_]{0,63}`.
    #[error(
        "{what} {name:?}: a name is a lower-case letter and up to 63 lower-case letters, digits or underscores"
    )]
    InvalidNameOf {
        /// `attribute` or `profile`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// An attribute is declared twice.
    #[error("attribute {attribute:?} of kind {kind} is declared twice")]
    DuplicateAttribute {
        /// The kind.
        kind: EntityKind,
        /// The attribute.
        attribute: String,
    },
    /// There are more attributes, or profiles, than a schema may have.
    #[error("{what} {name:?} is one too many: a schema has at most {max}")]
    TooMany {
        /// `attribute` or `profile`.
        what: &'static str,
        /// The first that did not fit.
        name: String,
        /// How many there may be.
        max: usize,
    },
    /// A stored attribute has another type in the requested schema.
    #[error(
        "attribute {attribute:?} of kind {kind} is stored as {stored} and cannot become {requested}; declare a new attribute"
    )]
    AttributeChanged {
        /// The kind.
        kind: EntityKind,
        /// The attribute.
        attribute: String,
        /// What the database has.
        stored: String,
        /// What was asked for.
        requested: String,
    },
    /// The requested schema lacks a stored attribute.
    #[error(
        "attribute {attribute:?} of kind {kind} is stored and cannot be removed; keep it in the schema"
    )]
    AttributeRemoved {
        /// The kind.
        kind: EntityKind,
        /// The attribute.
        attribute: String,
    },
    /// The text of a profile is too long.
    #[error("profile {profile:?} has {bytes} bytes: at most {max} bytes")]
    ProfileLength {
        /// The profile.
        profile: String,
        /// The length of its text.
        bytes: usize,
        /// The longest that is allowed.
        max: usize,
    },
    /// There are more signal types than a schema may have.
    #[error("signal type {signal:?} is one too many: a schema has at most {max}")]
    TooManySignals {
        /// The first that did not fit.
        signal: String,
        /// How many there may be.
        max: usize,
    },
    /// The requested schema differs from the stored one.
    #[error(
        "signal type {signal:?}: {field} is stored as {stored} and cannot become {requested}; declare a new signal type"
    )]
    Changed {
        /// The signal type.
        signal: String,
        /// The field that differs.
        field: &'static str,
        /// What the database has.
        stored: String,
        /// What was asked for.
        requested: String,
    },
    /// The requested schema lacks a stored signal type.
    #[error("signal type {signal:?} is stored and cannot be removed; keep it in the schema")]
    Removed {
        /// The signal type.
        signal: String,
    },
    /// No signal type has this name.
    #[error("no signal type {signal:?} in the schema, which has {}", known.join(", "))]
    UnknownSignal {
        /// The name that was asked for.
        signal: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// No signal type has this number.
    #[error("no signal type number {id} in the schema, which has {signal_count}")]
    UnknownSignalId {
        /// The number that was asked for.
        id: SignalTypeId,
        /// How many there are.
        signal_count: usize,
    },
    /// The weight of an event is not a number tidalDB can add up.
    #[error("signal type {signal:?}: weight {weight} is not finite and between -1e15 and 1e15")]
    InvalidWeight {
        /// The signal type.
        signal: String,
        /// The weight.
        weight: f64,
    },
}

impl SchemaError {
    /// What the caller should do: always fix the input.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        ErrorKind::Input
    }
}
