//! Numbers without a pattern, and the same ones every time.

/// A sequence of numbers: xorshift64.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence that begins at `seed`, which is not 0.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// The next byte.
    pub const fn byte(&mut self) -> u8 {
        (self.number() >> 32) as u8
    }

    /// The next number below `end`, which is not 0.
    pub const fn below(&mut self, end: u64) -> u64 {
        (self.number() >> 16) % end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_numbers_within_the_range() {
        let draw = |seed| {
            let mut random = Random::new(seed);
            (0..1000).map(|_| random.below(7)).collect::<Vec<_>>()
        };
        assert_eq!(draw(5), draw(5));
        assert_ne!(draw(5), draw(6));
        assert!((0..7).all(|number| draw(5).contains(&number)));
        assert!(draw(5).iter().all(|&number| number < 7));
    }
}
