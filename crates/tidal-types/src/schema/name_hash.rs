//! Finding a signal type by its name, which every event and every read does.
//!
//! The hash is FNV-1a (G. Fowler, L. C. Noll and K.-P. Vo), a multiplication a byte, where
//! the standard library's costs as much as the rest of a short read. It has no secret and
//! needs none: what is in the map are the names that the application declared, at most
//! [`SIGNAL_TYPES_MAX`](super::SIGNAL_TYPES_MAX) of them, and whoever asks for others does
//! not add to it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// What has a name.
pub(super) type ByName<T> = HashMap<Box<str>, T, BuildHasherDefault<NameHasher>>;

const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

#[derive(Debug, Clone)]
pub(super) struct NameHasher(u64);

impl Default for NameHasher {
    fn default() -> Self {
        Self(OFFSET_BASIS)
    }
}

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two of the test vectors that the authors give.
    #[test]
    fn the_hash_is_fnv_1a() {
        let hash = |text: &str| {
            let mut hasher = NameHasher::default();
            hasher.write(text.as_bytes());
            hasher.finish()
        };
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
    }
}
