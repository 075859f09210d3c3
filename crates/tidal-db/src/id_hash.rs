//! How ids are hashed in sets and maps of ids.
//!
//! Two ids never have the same hash, and neighbours have hashes far apart. It has no key:
//! who lets strangers choose ids hashes them first, or lets tidalDB give them out.

use std::hash::{BuildHasherDefault, Hasher};

/// Makes hashers of ids.
pub(crate) type ByIdHash = BuildHasherDefault<IdHasher>;

/// Hashes one id.
#[derive(Debug, Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        let mut hash = self.0.rotate_left(29) ^ number;
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        self.0 = hash ^ (hash >> 33);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    use tidal_types::EntityId;

    use super::*;

    #[test]
    fn neighbours_are_spread_over_all_bits() {
        let hashes: HashSet<u64> =
            (0..1000).map(|id| ByIdHash::default().hash_one(EntityId::new(id))).collect();
        assert_eq!(hashes.len(), 1000);
        for bit in 0..64 {
            let set = hashes.iter().filter(|hash| *hash >> bit & 1 == 1).count();
            assert!((400..600).contains(&set), "bit {bit}: {set} of 1000");
        }
    }
}
