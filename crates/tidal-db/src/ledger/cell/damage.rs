//! What can be wrong with the bytes of a cell.

use std::fmt;

use super::codec::VERSION;

/// Why bytes are not those of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellDamage {
    Truncated,
    Trailing,
    Version(u8),
    Form(u8),
    Number,
    OutOfRange,
    Count,
    Buckets,
}

impl fmt::Display for CellDamage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the bytes end too early"),
            Self::Trailing => f.write_str("there are bytes after the end"),
            Self::Version(found) => {
                write!(f, "format {found} is not {VERSION}, the one this program knows")
            }
            Self::Form(found) => write!(f, "there is no form {found}"),
            Self::Number => f.write_str("a number is not encoded as it would be written"),
            Self::OutOfRange => f.write_str("a weight, sum or time is out of range"),
            Self::Count => f.write_str("the counts of events do not agree"),
            Self::Buckets => f.write_str("the buckets of a series are not in order, or not alive"),
        }
    }
}
