//! What a user likes: the scores of a history, summed over what the entities have in common.
//!
//! A group is what some entities share, a creator or a keyword, as a number. The affinity
//! of a group is the sum of the scores of the entities in it; that of an entity, which the
//! user may never have met, is the mean over the groups that it is in.
//!
//! T1. Each sum is in the order of the entities' ids, so its bits depend on the history and
//!     the groups and on nothing else. A mean is of the affinities from the lowest to the
//!     highest, since the numbers of groups, and so their order, mean nothing.
//! T2. No affinity of an entity is outside of the bounds, rounding included.

use std::collections::HashMap;

use tidal_types::EntityId;

/// How much a user likes each group.
#[derive(Debug, Clone, Default)]
pub(crate) struct AffinityTable {
    groups: HashMap<u64, f64>,
    lowest: f64,
    highest: f64,
}

impl AffinityTable {
    /// The table of these scores, which come by id. No group is listed twice for an entity.
    pub(crate) fn of(
        scores: impl Iterator<Item = (EntityId, f64)>,
        groups: impl Fn(EntityId) -> Vec<u64>,
    ) -> Self {
        let mut table = Self::default();
        for (id, score) in scores {
            for group in groups(id) {
                *table.groups.entry(group).or_default() += score;
            }
        }
        // Zero, which every entity without a group has, is within.
        table.lowest = table.groups.values().copied().fold(0.0, f64::min);
        table.highest = table.groups.values().copied().fold(0.0, f64::max);
        table
    }

    /// The affinity to an entity that is in these groups: their mean, those that the user
    /// never met counting 0; and 0 for an entity that is in none.
    pub(crate) fn of_entity(&self, groups: &[u64]) -> f64 {
        if groups.is_empty() {
            return 0.0;
        }
        let mut all: Vec<f64> = groups.iter().map(|group| self.of_group(*group)).collect();
        all.sort_unstable_by(f64::total_cmp);
        let sum: f64 = all.iter().sum();
        // T2: the mean of equal numbers may be rounded beyond them. And no zero is negative.
        (sum / groups.len() as f64).clamp(self.lowest, self.highest) + 0.0
    }

    /// The affinity to a group; 0 for one that the user never met.
    pub(crate) fn of_group(&self, group: u64) -> f64 {
        self.groups.get(&group).copied().unwrap_or_default()
    }

    /// The lowest and the highest affinity that any entity can have.
    pub(crate) const fn bounds(&self) -> (f64, f64) {
        (self.lowest, self.highest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(number: u64) -> EntityId {
        EntityId::new(number)
    }

    /// G102: sums over groups, means over the groups of an entity.
    #[test]
    fn an_affinity_is_the_mean_of_the_sums() {
        let scores = [(id(1), 1.0), (id(2), 2.0), (id(3), -4.0)];
        let groups = |id: EntityId| match id.get() {
            1 => vec![10],
            2 => vec![10, 20],
            _ => vec![30],
        };
        let table = AffinityTable::of(scores.into_iter(), groups);
        for (groups, expected) in [
            (&[][..], 0.0),
            (&[10], 3.0),
            (&[20], 2.0),
            (&[10, 20], 2.5),
            (&[10, 99], 1.5),
            (&[30], -4.0),
            (&[99], 0.0),
        ] {
            assert_eq!(table.of_entity(groups), expected, "{groups:?}");
        }
        assert_eq!(table.bounds(), (-4.0, 3.0));
        let nothing = AffinityTable::of([].into_iter(), |_| vec![]);
        assert_eq!((nothing.of_entity(&[1]), nothing.bounds()), (0.0, (0.0, 0.0)));
    }

    /// G102: T2. The mean of three tenths, by themselves, is more than a tenth.
    #[test]
    fn a_mean_is_not_rounded_out_of_bounds() {
        let table = AffinityTable::of([(id(1), 0.1)].into_iter(), |_| vec![1, 2, 3]);
        assert_eq!(table.of_entity(&[1, 2, 3]), 0.1);
        assert_eq!(table.bounds(), (0.0, 0.1));
    }

    /// G102: the order in which numbers are added decides their bits.
    #[test]
    fn sums_are_in_the_order_of_ids() {
        let scores = [1e16, 1.0, -1e16, 1.0];
        let scores = scores.into_iter().zip(1..).map(|(score, number)| (id(number), score));
        let table = AffinityTable::of(scores, |_| vec![7]);
        assert_eq!(table.of_group(7), ((1e16 + 1.0) + -1e16) + 1.0);
    }

    proptest! {
        /// G102: T2
        #[test]
        fn no_affinity_is_out_of_bounds(
            scores in prop::collection::vec((-1e30..1e30_f64, prop::collection::btree_set(0..6_u64, 0..4)), 0..12),
            asked in prop::collection::vec(0..8_u64, 0..7),
        ) {
            let of = |id: EntityId| scores[id.get() as usize].1.iter().copied().collect();
            let each = scores.iter().zip(0..).map(|((score, _), number)| (id(number), *score));
            let table = AffinityTable::of(each, of);
            let (lowest, highest) = table.bounds();
            prop_assert!(lowest <= 0.0 && highest >= 0.0);
            let affinity = table.of_entity(&asked);
            prop_assert!((lowest..=highest).contains(&affinity), "{affinity} {lowest} {highest}");
        }
    }
}
