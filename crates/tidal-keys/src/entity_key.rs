//! The key of a fact about one entity. The entity comes first, so everything
//! about it lies together.
//!
//! | offset | size | field                                  |
//! |--------|------|----------------------------------------|
//! | 0      | 8    | entity id, most significant byte first |
//! | 8      | 1    | separator, 0x00                        |
//! | 9      | 1    | tag                                    |
//! | 10     | n    | suffix, 0 to 501 bytes                 |
//!
//! K1. The byte order of keys is the order of (id, tag, suffix).
//! K2. A key is inside the prefix of its entity and of its tag, and inside no
//!     other's.

use tidal_types::{EntityId, KeyError};

use crate::{Tag, check_length};

const ID_BYTES: usize = 8;
const SEPARATOR: u8 = 0x00;
const ENTITY_PREFIX_BYTES: usize = ID_BYTES + 1;
const TAG_PREFIX_BYTES: usize = ENTITY_PREFIX_BYTES + 1;

/// A key taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedKey<'a> {
    /// The entity.
    pub id: EntityId,
    /// The kind of fact.
    pub tag: Tag,
    /// The rest: which fact of that kind.
    pub suffix: &'a [u8],
}

/// The key of a fact about the entity `id`.
///
/// # Errors
///
/// [`KeyError::TooLong`] if the key would have more than
/// [`MAX_KEY_LEN`](crate::MAX_KEY_LEN) bytes, which leaves 501 for the suffix.
pub fn encode_key(id: EntityId, tag: Tag, suffix: &[u8]) -> Result<Vec<u8>, KeyError> {
    let bytes = TAG_PREFIX_BYTES.saturating_add(suffix.len());
    check_length(bytes)?;
    let mut key = Vec::with_capacity(bytes);
    key.extend_from_slice(&entity_tag_prefix(id, tag));
    key.extend_from_slice(suffix);
    Ok(key)
}

/// Takes a key apart. Every key that [`encode_key`] makes comes back as it was
/// given.
///
/// # Errors
///
/// [`KeyError`] if `key` is not one that [`encode_key`] can make: too short, too
/// long, without the separator, or with an unknown tag.
pub fn parse_key(key: &[u8]) -> Result<ParsedKey<'_>, KeyError> {
    check_length(key.len())?;
    let too_short = KeyError::TooShort { bytes: key.len(), min: TAG_PREFIX_BYTES };
    let (id, rest) = key.split_first_chunk::<ID_BYTES>().ok_or_else(|| too_short.clone())?;
    let (&[separator, tag], suffix) = rest.split_first_chunk::<2>().ok_or(too_short)?;
    if separator != SEPARATOR {
        return Err(KeyError::Separator { offset: ID_BYTES, found: separator });
    }
    let tag = Tag::from_u8(tag)
        .ok_or(KeyError::UnknownTag { offset: ENTITY_PREFIX_BYTES, found: tag })?;
    Ok(ParsedKey { id: EntityId::from_be_bytes(*id), tag, suffix })
}

/// What every key of the entity `id` begins with, and no other key: its id and
/// the separator.
#[must_use]
pub fn entity_prefix(id: EntityId) -> [u8; ENTITY_PREFIX_BYTES] {
    let [a, b, c, d, e, f, g, h] = id.to_be_bytes();
    [a, b, c, d, e, f, g, h, SEPARATOR]
}

/// What every key of the entity `id` with this tag begins with, and no other
/// key.
#[must_use]
pub fn entity_tag_prefix(id: EntityId, tag: Tag) -> [u8; TAG_PREFIX_BYTES] {
    let [a, b, c, d, e, f, g, h] = id.to_be_bytes();
    [a, b, c, d, e, f, g, h, SEPARATOR, tag.as_u8()]
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::MAX_KEY_LEN;

    const SUFFIX_BYTES_MAX: usize = MAX_KEY_LEN - TAG_PREFIX_BYTES;

    /// Ids that are often equal or neighbours, so that comparisons reach the tag
    /// and the suffix.
    fn any_id() -> impl Strategy<Value = EntityId> {
        prop_oneof![
            0..4u64,
            (u64::MAX - 3)..=u64::MAX,
            (0..8u32).prop_map(|byte| 1 << (8 * byte)),
            any::<u64>()
        ]
        .prop_map(EntityId::new)
    }

    fn any_tag() -> impl Strategy<Value = Tag> {
        select(Tag::ALL.as_slice())
    }

    fn any_suffix() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            vec(select([0x00, 0x01, 0xff].as_slice()), 0..4),
            vec(any::<u8>(), 0..=SUFFIX_BYTES_MAX)
        ]
    }

    proptest! {
        #[test]
        fn every_key_comes_back_as_it_was_given(id in any_id(), tag in any_tag(), suffix in any_suffix()) {
            let key = encode_key(id, tag, &suffix)?;
            prop_assert_eq!(parse_key(&key)?, ParsedKey { id, tag, suffix: &suffix });
        }

        #[test]
        fn keys_sort_by_id_then_tag_then_suffix(
            a in (any_id(), any_tag(), any_suffix()),
            b in (any_id(), any_tag(), any_suffix()),
        ) {
            let (key_a, key_b) = (encode_key(a.0, a.1, &a.2)?, encode_key(b.0, b.1, &b.2)?);
            prop_assert_eq!(key_a.cmp(&key_b), a.cmp(&b));
        }

        #[test]
        fn a_key_is_inside_its_own_prefixes_and_no_others(
            id in any_id(), tag in any_tag(), suffix in any_suffix(), other in any_id(), other_tag in any_tag(),
        ) {
            let key = encode_key(id, tag, &suffix)?;
            prop_assert!(key.starts_with(&entity_prefix(id)));
            prop_assert!(key.starts_with(&entity_tag_prefix(id, tag)));
            prop_assert_eq!(key.starts_with(&entity_prefix(other)), id == other);
            prop_assert_eq!(key.starts_with(&entity_tag_prefix(other, other_tag)), (id, tag) == (other, other_tag));
        }

        #[test]
        fn bytes_that_parse_are_the_key_of_what_they_parse_to(
            mut bytes in vec(any::<u8>(), 0..16), separator in 0..2u8, tag in 0..8u8,
        ) {
            if let Some(slot) = bytes.get_mut(ID_BYTES) {
                *slot = separator;
            }
            if let Some(slot) = bytes.get_mut(ENTITY_PREFIX_BYTES) {
                *slot = tag;
            }
            let sound = bytes.len() >= TAG_PREFIX_BYTES && separator == SEPARATOR && Tag::from_u8(tag).is_some();
            match parse_key(&bytes) {
                Ok(parsed) => prop_assert_eq!(encode_key(parsed.id, parsed.tag, parsed.suffix)?, bytes),
                Err(_) => prop_assert!(!sound),
            }
        }
    }

    #[test]
    fn the_layout_is_the_documented_one() {
        let key = encode_key(EntityId::new(0x0102_0304_0506_0708), Tag::Meta, b"x").unwrap();
        assert_eq!(key, [1, 2, 3, 4, 5, 6, 7, 8, 0x00, 0x03, b'x']);
    }

    #[test]
    fn the_longest_key_has_511_bytes() {
        let longest = encode_key(EntityId::new(1), Tag::Idx, &[7; SUFFIX_BYTES_MAX]).unwrap();
        assert_eq!(longest.len(), MAX_KEY_LEN);
        let too_long = KeyError::TooLong { bytes: 512, max: 511 };
        assert_eq!(
            encode_key(EntityId::new(1), Tag::Idx, &[7; SUFFIX_BYTES_MAX + 1]),
            Err(too_long.clone())
        );
        let mut stored = longest;
        stored.push(7);
        assert_eq!(parse_key(&stored), Err(too_long));
    }

    #[test]
    fn what_is_not_a_key_says_where_it_is_not() {
        let key = encode_key(EntityId::new(1), Tag::Evt, b"").unwrap();
        assert_eq!(parse_key(&key[..9]), Err(KeyError::TooShort { bytes: 9, min: 10 }));
        assert_eq!(parse_key(&[]), Err(KeyError::TooShort { bytes: 0, min: 10 }));
        let mut separator = key.clone();
        separator[8] = 9;
        assert_eq!(parse_key(&separator), Err(KeyError::Separator { offset: 8, found: 9 }));
        let mut tag = key;
        tag[9] = 7;
        assert_eq!(parse_key(&tag), Err(KeyError::UnknownTag { offset: 9, found: 7 }));
    }
}
