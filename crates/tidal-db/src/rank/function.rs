//! The functions that an expression may call.

/// A function of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// The smaller of two.
    Min,
    /// The larger of two.
    Max,
}
