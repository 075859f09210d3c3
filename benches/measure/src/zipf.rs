//! Which items are asked for, and how often: Zipf's law, the same every time.
//!
//! The item of rank k has a share in proportion to k^-s. Ranks are spread over the ids,
//! so that popular items are not neighbours.

use crate::Random;

/// Ids of items under Zipf's law, without end.
#[derive(Debug, Clone)]
pub struct Zipf {
    /// How much of all is asked for up to each rank; the last is 1.
    shares: Vec<f64>,
    random: Random,
}

impl Zipf {
    /// Items 1 to `items`, with the exponent `s`.
    #[must_use]
    pub fn new(items: u64, s: f64) -> Self {
        let mut total = 0.0;
        let mut shares: Vec<f64> = (1..=items)
            .map(|rank| {
                total += libm::pow(rank as f64, -s);
                total
            })
            .collect();
        for share in &mut shares {
            *share /= total;
        }
        Self { shares, random: Random::new(0x5eed) }
    }
}

impl Iterator for Zipf {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let drawn = (self.random.number() >> 11) as f64 / (1_u64 << 53) as f64;
        let rank = self.shares.partition_point(|share| *share < drawn) as u64;
        Some(spread(rank, self.shares.len() as u64))
    }
}

/// Another item, from 1 to `items`, for each rank below `items`, so that popular ones are not
/// neighbours.
#[must_use]
pub const fn spread(rank: u64, items: u64) -> u64 {
    // A prime beyond every number of items, so that no two ranks meet.
    const STEP: u64 = 2_147_483_647;
    let rank = if rank < items { rank } else { items - 1 };
    (rank as u128 * STEP as u128 % items as u128) as u64 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rank_has_an_item_of_its_own() {
        let mut items: Vec<u64> = (0..1000).map(|rank| spread(rank, 1000)).collect();
        items.sort_unstable();
        assert_eq!(items, (1..=1000).collect::<Vec<_>>());
    }

    #[test]
    fn the_first_rank_has_its_share() {
        let items = 1000;
        let drawn = Zipf::new(items, 1.0).take(100_000).filter(|&id| id == spread(0, items));
        let share = drawn.count() as f64 / 1e5;
        let harmonic: f64 = (1..=items).map(|rank| 1.0 / rank as f64).sum();
        assert!((share - 1.0 / harmonic).abs() < 0.01, "{share}");
    }
}
