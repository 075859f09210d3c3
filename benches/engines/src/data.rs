//! The entries: the same for all, and without a pattern that could be compressed.
//!
//! A key is what tidalDB makes of an entity, a tag and a number, and an entity has
//! [`ENTITY_ENTRIES`] of them, half with either tag, so that an engine that keeps tags
//! apart has work on both sides.

use tidal_bench_measure::{Random, Result};
use tidal_keys::{Tag, encode_key, entity_prefix};
use tidal_types::EntityId;

use crate::store::Entry;

/// The entries that a prefix scan finds.
pub(crate) const ENTITY_ENTRIES: usize = 100;
pub(crate) const VALUE_BYTES: usize = 100;

/// Values are parts of this many bytes, each beginning elsewhere.
const POOL_BYTES: usize = 1 << 16;

pub(crate) struct Data {
    keys: Vec<Vec<u8>>,
    pool: Vec<u8>,
}

impl Data {
    /// As many entries, in the order of their keys.
    pub(crate) fn new(count: usize) -> Result<Self> {
        let keys = (0..count).map(key).collect::<Result<_>>()?;
        let mut random = Random::new(0x5eed);
        let pool = (0..POOL_BYTES + VALUE_BYTES).map(|_| random.byte()).collect();
        Ok(Self { keys, pool })
    }

    pub(crate) fn count(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn key(&self, index: usize) -> &[u8] {
        self.keys.get(index).expect("indexes are below the count")
    }

    /// The entry of this key in a version, so that writing it again changes it.
    pub(crate) fn entry(&self, index: usize, version: usize) -> Entry<'_> {
        let start = (index * 7919 + version) % POOL_BYTES;
        let value = self.pool.get(start..start + VALUE_BYTES).expect("the pool is longer");
        (self.key(index), value)
    }

    /// What the keys of the entity that this key belongs to begin with.
    pub(crate) fn prefix(&self, index: usize) -> Vec<u8> {
        entity_prefix(entity(index)).to_vec()
    }
}

const fn entity(index: usize) -> EntityId {
    EntityId::new((index / ENTITY_ENTRIES) as u64)
}

#[expect(clippy::big_endian_bytes, reason = "the order of keys is that of their bytes")]
fn key(index: usize) -> Result<Vec<u8>> {
    let number = index % ENTITY_ENTRIES;
    let tag = if number < ENTITY_ENTRIES / 2 { Tag::Sig } else { Tag::Rel };
    Ok(encode_key(entity(index), tag, &(number as u32).to_be_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_order_and_each_prefix_has_as_many() {
        let data = Data::new(3 * ENTITY_ENTRIES).unwrap();
        assert!(data.keys.is_sorted_by(|a, b| a < b));
        let prefix = data.prefix(ENTITY_ENTRIES + 1);
        let found = data.keys.iter().filter(|key| key.starts_with(&prefix)).count();
        assert_eq!(found, ENTITY_ENTRIES);
    }

    #[test]
    fn another_version_is_another_value_of_the_same_key() {
        let data = Data::new(10).unwrap();
        let (first, second) = (data.entry(3, 0), data.entry(3, 1));
        assert_eq!(first.0, second.0);
        assert_ne!(first.1, second.1);
    }
}
