//! Which engine a key is in. It follows from the key alone and can never change:
//! where a key is looked for is where it was put.

use std::ops::Bound;

use tidal_keys::{Tag, parse_key};

use crate::KeyRange;

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// For keys of entities with a tag that is written often.
    Fjall,
    /// For every other key.
    Redb,
}

/// How many bytes at the beginning of a key decide: the id of an entity, the
/// separator, the tag.
const DECISIVE_BYTES: usize = 10;

impl Side {
    /// The engine of a key.
    pub(super) fn of(key: &[u8]) -> Self {
        match parse_key(key).map(|key| key.tag) {
            Ok(Tag::Evt | Tag::Sig | Tag::Meta) => Self::Fjall,
            Ok(Tag::Rel | Tag::Mv | Tag::Idx) | Err(_) => Self::Redb,
        }
    }

    /// The engine that has every key of a range, if all of its keys begin with the
    /// same decisive bytes.
    pub(super) fn only_one_of(range: &KeyRange) -> Option<Self> {
        let (Bound::Included(start) | Bound::Excluded(start), end) = range.bounds() else {
            return None;
        };
        let decisive = start.get(..DECISIVE_BYTES)?;
        let ends_there = match end {
            Bound::Included(end) => end.starts_with(decisive),
            Bound::Excluded(end) => {
                end.starts_with(decisive)
                    || KeyRange::prefix(decisive).bounds().1 == Bound::Excluded(end)
            }
            Bound::Unbounded => false,
        };
        ends_there.then(|| Self::of(decisive))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;
    use tidal_keys::{encode_key, entity_prefix, entity_tag_prefix};
    use tidal_types::EntityId;

    use super::*;

    #[test]
    fn the_tag_of_an_entity_key_decides_and_any_other_key_is_redbs() {
        let side = |tag| Side::of(&encode_key(EntityId::new(7), tag, b"suffix").unwrap());
        for tag in [Tag::Evt, Tag::Sig, Tag::Meta] {
            assert_eq!(side(tag), Side::Fjall, "{tag:?}");
        }
        for tag in [Tag::Rel, Tag::Mv, Tag::Idx] {
            assert_eq!(side(tag), Side::Redb, "{tag:?}");
        }
        // Too short, without the separator, with a tag that nobody knows.
        for key in [&b"schema"[..], b"12345678\x01\x02", b"12345678\x00\x07"] {
            assert_eq!(Side::of(key), Side::Redb, "{key:?}");
        }
    }

    #[test]
    fn a_scan_of_one_tag_is_for_one_engine_and_a_scan_of_an_entity_for_both() {
        let id = EntityId::new(u64::MAX);
        let signals = KeyRange::prefix(&entity_tag_prefix(id, Tag::Sig));
        assert_eq!(Side::only_one_of(&signals), Some(Side::Fjall));
        let index = KeyRange::prefix(&entity_tag_prefix(id, Tag::Idx));
        assert_eq!(Side::only_one_of(&index), Some(Side::Redb));
        assert_eq!(Side::only_one_of(&KeyRange::prefix(&entity_prefix(id))), None);
        assert_eq!(Side::only_one_of(&KeyRange::all()), None);
    }

    /// Keys of two entities, around the bytes that decide.
    fn any_key() -> impl Strategy<Value = Vec<u8>> {
        let id = select([[0u8; 8], [0xff; 8]].as_slice());
        let rest = (select([0u8, 0, 0, 1].as_slice()), 0..8u8, select([0u8, 0xff].as_slice()));
        (id, rest, 9..=11usize).prop_map(|(id, (separator, tag, suffix), length)| {
            let mut key = [&id[..], &[separator, tag, suffix]].concat();
            key.truncate(length);
            key
        })
    }

    fn any_bound() -> impl Strategy<Value = Bound<Vec<u8>>> {
        prop_oneof![any_key().prop_map(Bound::Included), any_key().prop_map(Bound::Excluded)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        #[test]
        fn no_key_of_a_range_for_one_engine_is_in_the_other(
            start in any_bound(), end in any_bound(), key in any_key(),
        ) {
            let range = KeyRange::new(start, end);
            if let Some(side) = Side::only_one_of(&range) && range.contains(&key) {
                prop_assert_eq!(Side::of(&key), side);
            }
        }
    }
}
