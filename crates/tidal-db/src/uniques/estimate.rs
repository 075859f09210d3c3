//! How many actors the ranks of the registers tell of.
//!
//! This is the improved raw estimator of O. Ertl, "New cardinality estimation algorithms
//! for HyperLogLog sketches" (2017), section 4, which corrects for small and for large
//! numbers in one formula without a table, and has no bias where the original changes
//! from one to another.

use std::f64::consts::LN_2;

use super::registers::{RANK_MAX, REGISTERS, Ranks};

/// The estimated number of actors; 0 where all registers are empty.
pub(super) fn estimate(ranks: &Ranks) -> f64 {
    const REGISTERS_F: f64 = REGISTERS as f64;
    let at = |rank: u64| {
        let count = usize::try_from(rank).ok().and_then(|rank| ranks.get(rank));
        f64::from(count.copied().unwrap_or_default())
    };
    let saturated = REGISTERS_F * tau(1.0 - at(RANK_MAX) / REGISTERS_F);
    let inner = (1..RANK_MAX).rev().fold(saturated, |sum, rank| 0.5 * (sum + at(rank)));
    let sum = inner + REGISTERS_F * sigma(at(0) / REGISTERS_F);
    REGISTERS_F * REGISTERS_F / (2.0 * LN_2 * sum)
}

/// x + the sum of 2^(k-1) x^(2^k) over k from 1 on; infinite for 1.
fn sigma(x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut power, mut factor, mut sum) = (x, 1.0, x);
    loop {
        power *= power;
        let before = sum;
        sum += power * factor;
        factor += factor;
        if sum <= before {
            return sum;
        }
    }
}

/// A third of 1 - x - the sum of 2^-k (1 - x^(2^-k))^2 over k from 1 on; 0 for 0 and 1.
fn tau(x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut root, mut factor, mut sum) = (x, 1.0, 1.0 - x);
    loop {
        root = root.sqrt();
        let before = sum;
        factor *= 0.5;
        sum -= (1.0 - root) * (1.0 - root) * factor;
        if sum >= before {
            return sum / 3.0;
        }
    }
}
