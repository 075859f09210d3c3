//! What kind of fact about an entity a key holds.

/// The kind of fact that a key holds. The number is part of the key, so the
/// facts of one entity are grouped by tag, in the order of these numbers. A
/// number is never given to another tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Tag {
    /// An event.
    Evt = 0x01,
    /// The state of a signal: a cell.
    Sig = 0x02,
    /// Metadata.
    Meta = 0x03,
    /// A relation to another entity.
    Rel = 0x04,
    /// A materialized view.
    Mv = 0x05,
    /// An index entry.
    Idx = 0x06,
}

impl Tag {
    /// Every tag, in the order of their numbers.
    pub const ALL: [Self; 6] = [Self::Evt, Self::Sig, Self::Meta, Self::Rel, Self::Mv, Self::Idx];

    /// The number in the key.
    #[must_use]
    pub const fn as_u8(self) -> u8 {
        self as u8
    }

    /// The tag with this number, if there is one.
    #[must_use]
    pub const fn from_u8(number: u8) -> Option<Self> {
        match number {
            0x01 => Some(Self::Evt),
            0x02 => Some(Self::Sig),
            0x03 => Some(Self::Meta),
            0x04 => Some(Self::Rel),
            0x05 => Some(Self::Mv),
            0x06 => Some(Self::Idx),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_numbers_of_tags_are_tags() {
        let known: Vec<Tag> = (0..=u8::MAX).filter_map(Tag::from_u8).collect();
        assert_eq!(known, Tag::ALL);
        for tag in Tag::ALL {
            assert_eq!(Tag::from_u8(tag.as_u8()), Some(tag));
        }
    }
}
