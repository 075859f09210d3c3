//! The functions that an expression may call.

use std::ops::RangeInclusive;

/// A function of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// The smaller of two.
    Min,
    /// The larger of two.
    Max,
}

impl Function {
    /// Every function.
    pub const ALL: &[Self] = &[Self::Min, Self::Max];

    /// The name in expressions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
        }
    }

    /// The function of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|function| function.name() == name)
    }

    /// How many arguments it takes.
    #[must_use]
    pub const fn arity(self) -> RangeInclusive<usize> {
        2..=2
    }
}
