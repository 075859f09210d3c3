//! Attributes: what is known of an entity beside what happened to it.

use std::fmt;

use crate::{EntityId, EntityKind, Timestamp};

/// The most attributes a schema may have, over all entity kinds.
pub const ATTRIBUTES_MAX: usize = 256;

/// The longest keyword, in bytes.
pub const KEYWORD_BYTES_MAX: usize = 255;

/// The most keywords that an attribute of type [`AttributeType::Keywords`] has at once.
pub const KEYWORDS_MAX: usize = 64;

/// The number a schema gives to an attribute, for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttributeId(u16);

impl AttributeId {
    /// The id with this number.
    #[must_use]
    pub const fn new(id: u16) -> Self {
        Self(id)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// What values an attribute has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttributeType {
    /// One of many words, compared byte by byte: a language, a category.
    Keyword,
    /// A whole number of 64 bits.
    Integer,
    /// A finite number.
    Float,
    /// True or false.
    Boolean,
    /// A time.
    Timestamp,
    /// A set of keywords: tags.
    Keywords,
    /// Another entity: the creator of an item.
    Entity(EntityKind),
}

impl AttributeType {
    /// Every type.
    pub const ALL: [Self; 9] = [
        Self::Keyword,
        Self::Integer,
        Self::Float,
        Self::Boolean,
        Self::Timestamp,
        Self::Keywords,
        Self::Entity(EntityKind::Item),
        Self::Entity(EntityKind::User),
        Self::Entity(EntityKind::Creator),
    ];

    /// The name in schemas: `keyword`, `integer`, `float`, `boolean`, `timestamp`,
    /// `keywords`, and `entity of item`, `entity of user`, `entity of creator`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keyword => "keyword",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamp",
            Self::Keywords => "keywords",
            Self::Entity(EntityKind::Item) => "entity of item",
            Self::Entity(EntityKind::User) => "entity of user",
            Self::Entity(EntityKind::Creator) => "entity of creator",
        }
    }
}

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An attribute as the schema fixed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeDefinition {
    pub(crate) id: AttributeId,
    pub(crate) name: Box<str>,
    pub(crate) kind: EntityKind,
    pub(crate) of_type: AttributeType,
}

impl AttributeDefinition {
    /// The id, which is also the place in [`Schema::attributes`](crate::Schema::attributes).
    #[must_use]
    pub const fn id(&self) -> AttributeId {
        self.id
    }

    /// The name, used once in its kind.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kind of entity that has it.
    #[must_use]
    pub const fn kind(&self) -> EntityKind {
        self.kind
    }

    /// What values it has.
    #[must_use]
    pub const fn of_type(&self) -> AttributeType {
        self.of_type
    }
}

/// A value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeValue {
    /// One word, of 1 to [`KEYWORD_BYTES_MAX`] bytes.
    Keyword(String),
    /// A whole number.
    Integer(i64),
    /// A finite number.
    Float(f64),
    /// True or false.
    Boolean(bool),
    /// A time.
    Timestamp(Timestamp),
    /// A set of words, at most [`KEYWORDS_MAX`].
    Keywords(Vec<String>),
    /// Another entity, of the kind that the schema says.
    Entity(EntityId),
}
