//! What can be wrong with a question.

mod caret;

use self::caret::pointed;
use super::ErrorKind;
use crate::{AttributeType, EntityKind};

/// A query, a filter or a score that cannot be answered.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum QueryError {
    /// The text is not in the language.
    #[error("at character {at}: {problem}\n{}", pointed(text, *at))]
    Syntax {
        /// The text.
        text: String,
        /// The character where it ends to make sense, from 1.
        at: usize,
        /// What was expected there, or what is wrong.
        problem: String,
    },
    /// The JSON form is malformed.
    #[error("the query is not understood: {problem}")]
    Malformed {
        /// What is wrong, and where.
        problem: String,
    },
    /// No attribute of the kind has this name.
    #[error("entities of kind {kind} have no attribute {attribute:?}; they have {}", listed(known))]
    UnknownAttribute {
        /// The kind.
        kind: EntityKind,
        /// The name that was asked for.
        attribute: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// An attribute cannot be used that way.
    #[error("attribute {attribute:?} is of type {of_type}: {problem}")]
    WrongType {
        /// The attribute.
        attribute: String,
        /// Its type.
        of_type: AttributeType,
        /// What was tried, and what can be done.
        problem: String,
    },
    /// A function has another number of arguments.
    #[error("{function} takes {expected} arguments, not {found}")]
    Arguments {
        /// The function.
        function: String,
        /// How many it takes.
        expected: String,
        /// How many there were.
        found: usize,
    },
    /// The signal type does not keep what is asked for.
    #[error("signal type {signal:?} keeps no {what}; declare `{declare}`")]
    NotKept {
        /// The signal type.
        signal: String,
        /// What is asked for.
        what: &'static str,
        /// What declares it.
        declare: &'static str,
    },
    /// A part of the query is about a user, and it names none.
    #[error("{part} is about a user, and the query names none; say for whom it is")]
    NoUser {
        /// The part.
        part: String,
    },
    /// There is no such profile.
    #[error("no profile {profile:?}; there are {}", listed(known))]
    UnknownProfile {
        /// The name.
        profile: String,
        /// The profiles there are.
        known: Vec<String>,
    },
    /// A profile of the schema cannot be used.
    #[error("profile {profile:?} of the schema cannot be used: {problem}")]
    Profile {
        /// The profile.
        profile: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The cursor is not one of this query.
    #[error("the cursor cannot be used: {problem}; ask for the first page")]
    Cursor {
        /// What is wrong with it.
        problem: String,
    },
    /// A number in the query is out of its range.
    #[error("{what} is {value}, and must be {range}")]
    OutOfRange {
        /// What.
        what: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        range: String,
    },
}

impl QueryError {
    /// What the caller should do: always fix the input.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        ErrorKind::Input
    }
}

fn listed(known: &[String]) -> String {
    if known.is_empty() { "none".into() } else { known.join(", ") }
}
