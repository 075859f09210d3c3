//! Entities: what signals happen to.
//!
//! An entity is an item, a user or a creator, and is named by its kind and a
//! number. Ids of different kinds live apart: item 7 and user 7 have nothing to
//! do with each other.

use std::fmt;

/// The kind of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntityKind {
    /// What is shown and ranked: a video, a product, a post.
    Item,
    /// Who acts: the person that views, likes or buys.
    User,
    /// Who makes items.
    Creator,
}

impl EntityKind {
    /// Every kind, in order.
    pub const ALL: [Self; 3] = [Self::Item, Self::User, Self::Creator];

    /// The name used in schemas, on the command line and in error texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::User => "user",
            Self::Creator => "creator",
        }
    }

    /// The position of this kind in [`EntityKind::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Item => 0,
            Self::User => 1,
            Self::Creator => 2,
        }
    }
}

impl fmt::Display for EntityKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The number of an entity within its kind.
///
/// The order of ids equals the byte order of [`EntityId::to_be_bytes`], so keys
/// that begin with an id sort as the ids do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityId(u64);

impl EntityId {
    /// The id with this number. Every number is a valid id.
    #[must_use]
    pub const fn new(id: u64) -> Self {
        Self(id)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Eight bytes, most significant first.
    #[must_use]
    #[expect(clippy::big_endian_bytes, reason = "keys sort by these bytes")]
    pub const fn to_be_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    /// The id whose [`EntityId::to_be_bytes`] are these.
    #[must_use]
    #[expect(clippy::big_endian_bytes, reason = "keys sort by these bytes")]
    pub const fn from_be_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_survive_their_bytes_and_keep_their_order(a: u64, b: u64) {
            let (a, b) = (EntityId::new(a), EntityId::new(b));
            prop_assert_eq!(EntityId::from_be_bytes(a.to_be_bytes()), a);
            prop_assert_eq!(a.cmp(&b), a.to_be_bytes().cmp(&b.to_be_bytes()));
        }
    }

    #[test]
    fn a_kind_knows_its_place() {
        for (index, kind) in EntityKind::ALL.into_iter().enumerate() {
            assert_eq!(kind.index(), index);
        }
    }
}
