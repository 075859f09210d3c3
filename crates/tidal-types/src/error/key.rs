//! What can be wrong with a key.

use super::ErrorKind;

/// A key that cannot be built, or bytes that are not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The key would be longer than every engine takes.
    #[error("a key of {bytes} bytes: keys have at most {max} bytes; shorten its parts")]
    TooLong {
        /// The length the key would have.
        bytes: usize,
        /// The longest that is allowed.
        max: usize,
    },
    /// A composite key needs at least one part.
    #[error("a composite key without parts; give at least one")]
    NoParts,
    /// The bytes end before the key does.
    #[error("not a key: {bytes} bytes, and at least {min} are needed")]
    TooShort {
        /// How many there are.
        bytes: usize,
        /// How many there must be.
        min: usize,
    },
    /// The byte between the entity and the tag is not the separator.
    #[error("not a key: byte {offset} is {found:#04x}, and the separator is 0x00")]
    Separator {
        /// Where in the key.
        offset: usize,
        /// What is there.
        found: u8,
    },
    /// No tag has this number.
    #[error("not a key: byte {offset} is {found:#04x}, and no tag has that number")]
    UnknownTag {
        /// Where in the key.
        offset: usize,
        /// What is there.
        found: u8,
    },
    /// A zero byte in a composite key is followed by neither the mark of an
    /// escape nor that of an end.
    #[error(
        "not a composite key: byte {offset} is {found:#04x}, and after a zero byte comes 0x01 or 0xff"
    )]
    BadEscape {
        /// Where in the key.
        offset: usize,
        /// What is there.
        found: u8,
    },
    /// The last part of a composite key does not end.
    #[error("not a composite key: its {bytes} bytes end inside a part")]
    Unterminated {
        /// The length of the key.
        bytes: usize,
    },
    /// An encoded number has a fixed length.
    #[error("not a number: {bytes} bytes, and an encoded number has {expected}")]
    NumberLength {
        /// How many there are.
        bytes: usize,
        /// How many there must be.
        expected: usize,
    },
}

impl KeyError {
    /// What the caller should do. Bytes are parsed as a key only after they
    /// were read from storage, so bytes that are no key are damage.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::TooLong { .. } | Self::NoParts => ErrorKind::Input,
            Self::TooShort { .. }
            | Self::Separator { .. }
            | Self::UnknownTag { .. }
            | Self::BadEscape { .. }
            | Self::Unterminated { .. }
            | Self::NumberLength { .. } => ErrorKind::Damage,
        }
    }
}
