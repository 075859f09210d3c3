//! Filters: which entities may take part in a ranking, by their attributes.
//!
//! In text: `language = 'en' and (price < 20 or tags in ('new', 'sale')) and not sold`,
//! `released between '2026-01-01' and '2026-06-30'`, `exists creator`. Of an attribute
//! with several keywords a comparison holds if it holds of one of them, and `!=` if `=`
//! does not. An entity without the attribute fails every comparison, and so passes `not`
//! of it.

use tidal_types::{EntityId, Timestamp};

use super::expr::Expr;

/// Which entities may take part.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// The attribute compares so with the value: `=`, `!=` and `in` for every type, the
    /// others for numbers and times.
    Compare {
        /// The attribute.
        attribute: String,
        /// How.
        comparison: Comparison,
        /// With what.
        value: Literal,
    },
    /// The attribute is one of these.
    In {
        /// The attribute.
        attribute: String,
        /// The values.
        values: Vec<Literal>,
    },
    /// The attribute is neither below the first nor above the second.
    Between {
        /// The attribute.
        attribute: String,
        /// The lowest.
        low: Literal,
        /// The highest.
        high: Literal,
    },
    /// The entity has the attribute.
    Exists(String),
    /// All of these hold; of none at all, always.
    And(Vec<Self>),
    /// One of these holds; of none at all, never.
    Or(Vec<Self>),
    /// This does not hold.
    Not(Box<Self>),
}

/// How an attribute is compared with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`: it has a value, and none that is equal.
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A value as a filter says it; what it has to be follows from the attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A keyword; the name of an entity whose kind has names; a time, as RFC 3339 or as a
    /// date.
    Text(String),
    /// A whole number: of an attribute that is a number; an entity; seconds since the
    /// Unix epoch.
    Integer(i64),
    /// A number.
    Float(f64),
    /// True or false.
    Boolean(bool),
    /// A time.
    Time(Timestamp),
}

impl Filter {
    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::And(mut all) => {
                all.push(other);
                Self::And(all)
            }
            first => Self::And(vec![first, other]),
        }
    }

    /// One of both holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::Or(mut some) => {
                some.push(other);
                Self::Or(some)
            }
            first => Self::Or(vec![first, other]),
        }
    }
}

impl std::ops::Not for Filter {
    type Output = Self;

    fn not(self) -> Self {
        Self::Not(Box::new(self))
    }
}

/// An attribute of an entity, to make filters and expressions of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attribute(String);

impl Attribute {
    pub(super) fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// Its value as a number, see [`Expr::Attribute`].
    #[must_use]
    pub fn value(self) -> Expr {
        Expr::Attribute(self.0)
    }

    /// How many seconds ago that time was, see [`Expr::Age`].
    #[must_use]
    pub fn age(self) -> Expr {
        Expr::Age(self.0)
    }

    /// It has this value, or one of its keywords is this.
    #[must_use]
    pub fn equals(self, value: impl Into<Literal>) -> Filter {
        self.compare(Comparison::Equal, value)
    }

    /// It has another value than this.
    #[must_use]
    pub fn differs_from(self, value: impl Into<Literal>) -> Filter {
        self.compare(Comparison::NotEqual, value)
    }

    /// It is below this.
    #[must_use]
    pub fn less_than(self, value: impl Into<Literal>) -> Filter {
        self.compare(Comparison::Less, value)
    }

    /// It is this or below.
    #[must_use]
    pub fn at_most(self, value: impl Into<Literal>) -> Filter {
        self.compare(Comparison::LessOrEqual, value)
    }

    /// It is above this.
    #[must_use]
    pub fn greater_than(self, value: impl Into<Literal>) -> Filter {
        self.compare(Comparison::Greater, value)
    }

    /// It is this or above.
    #[must_use]
    pub fn at_least(self, value: impl Into<Literal>) -> Filter {
        self.compare(Comparison::GreaterOrEqual, value)
    }

    /// It is one of these.
    #[must_use]
    pub fn is_in<L: Into<Literal>>(self, values: impl IntoIterator<Item = L>) -> Filter {
        Filter::In { attribute: self.0, values: values.into_iter().map(Into::into).collect() }
    }

    /// It is neither below `low` nor above `high`.
    #[must_use]
    pub fn between(self, low: impl Into<Literal>, high: impl Into<Literal>) -> Filter {
        Filter::Between { attribute: self.0, low: low.into(), high: high.into() }
    }

    /// The entity has it.
    #[must_use]
    pub fn exists(self) -> Filter {
        Filter::Exists(self.0)
    }

    fn compare(self, comparison: Comparison, value: impl Into<Literal>) -> Filter {
        Filter::Compare { attribute: self.0, comparison, value: value.into() }
    }
}

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Literal {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Literal {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<f64> for Literal {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<bool> for Literal {
    fn from(boolean: bool) -> Self {
        Self::Boolean(boolean)
    }
}

impl From<Timestamp> for Literal {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

impl From<EntityId> for Literal {
    /// Ids above `i64::MAX` wrap around, and come back as they were.
    fn from(id: EntityId) -> Self {
        Self::Integer(id.get().cast_signed())
    }
}
