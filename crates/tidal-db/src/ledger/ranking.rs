//! Rankings: what they are ordered by, and the best few of many.
//!
//! R1. Ties, of every measure, go to the lower id.
//! R2. Memory grows with what is found, never with what is asked for.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use tidal_types::{EntityId, Window};

use super::rank_key::RankKey;

/// What a ranking is ordered by, highest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// The decayed score. The order is right even where every score has
    /// underflowed to zero.
    Score,
    /// How many events there were in a declared window.
    Count(Window),
    /// Events per second over a declared window that ends.
    Velocity(Window),
}

/// One place in a ranking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// The place, from 1.
    pub rank: usize,
    /// The entity.
    pub id: EntityId,
    /// What it was ranked by: a score, a count, or events per second.
    pub value: f64,
}

/// The best of what it was offered.
#[derive(Debug)]
pub(crate) struct Best {
    limit: usize,
    /// The last in rank is on top.
    kept: BinaryHeap<Candidate>,
}

impl Best {
    /// Keeps `limit` candidates, or as many as there are.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, kept: BinaryHeap::new() }
    }

    /// Offers an entity; `value` is asked for only when it is kept for now.
    pub(crate) fn offer(&mut self, id: EntityId, key: RankKey, value: impl FnOnce() -> f64) {
        if self.kept.len() < self.limit {
            self.kept.push(Candidate { key, id, value: value() });
        } else if let Some(mut last) = self.kept.peek_mut()
            && precedence(&(key, id), &(last.key, last.id)).is_lt()
        {
            *last = Candidate { key, id, value: value() };
        }
    }

    /// Whether as many are kept as were asked for, and each ranks before this entity.
    pub(crate) fn is_before(&self, key: RankKey, id: EntityId) -> bool {
        let last = self.kept.peek();
        self.kept.len() >= self.limit
            && last.is_none_or(|last| precedence(&(last.key, last.id), &(key, id)).is_lt())
    }

    /// How many more it would keep, whoever they are.
    pub(crate) fn missing(&self) -> usize {
        self.limit - self.kept.len()
    }

    /// What was kept, best first.
    pub(crate) fn into_ranked(self) -> Vec<Ranked> {
        let places = self.kept.into_sorted_vec().into_iter().zip(1..);
        places.map(|(Candidate { id, value, .. }, rank)| Ranked { rank, id, value }).collect()
    }
}

/// An entity that may be in the ranking. A candidate is less than another when
/// it ranks before it.
#[derive(Debug)]
struct Candidate {
    key: RankKey,
    id: EntityId,
    value: f64,
}

/// Less when `a` ranks before `b`.
fn precedence(a: &(RankKey, EntityId), b: &(RankKey, EntityId)) -> Ordering {
    b.0.cmp(&a.0).then(a.1.cmp(&b.1))
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        precedence(&(self.key, self.id), &(other.key, other.id))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}

#[cfg(test)]
mod tests {
    use super::*;

    fn best_of(offers: &[(u64, f64)], limit: usize) -> Vec<(usize, u64, f64)> {
        let mut best = Best::new(limit);
        for &(id, value) in offers {
            best.offer(EntityId::new(id), RankKey::plain(value), || value);
        }
        best.into_ranked()
            .into_iter()
            .map(|ranked| (ranked.rank, ranked.id.get(), ranked.value))
            .collect()
    }

    #[test]
    fn the_best_come_first_and_ties_go_to_the_lower_id_r1() {
        let offers = [(9, 1.0), (3, 2.0), (7, 1.0), (1, -5.0), (5, 2.0), (8, 1.0)];
        let first_four = [(1, 3, 2.0), (2, 5, 2.0), (3, 7, 1.0), (4, 8, 1.0)];
        assert_eq!(best_of(&offers, 4), first_four);
        let mut reversed = offers;
        reversed.reverse();
        assert_eq!(best_of(&reversed, 4), first_four);
    }

    #[test]
    fn any_limit_is_fine_r2() {
        assert_eq!(best_of(&[(1, 1.0)], 0), []);
        assert_eq!(best_of(&[(2, 1.0), (1, 3.0)], usize::MAX), [(1, 1, 3.0), (2, 2, 1.0)]);
        assert_eq!(best_of(&[], usize::MAX), []);
    }
}
