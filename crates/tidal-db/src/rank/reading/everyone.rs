//! Sets of entities, walked as one.

use roaring::RoaringTreemap;
use tidal_types::EntityId;

use super::Ids;

/// All that take part: the union of some sets.
#[derive(Debug, Default)]
pub(super) struct Everyone<'a>(Vec<&'a RoaringTreemap>);

impl<'a> Everyone<'a> {
    pub(super) fn add(&mut self, ids: &'a RoaringTreemap) {
        self.0.push(ids);
    }

    /// How many the largest set has.
    pub(super) fn most(&self) -> u64 {
        self.0.iter().map(|ids| ids.len()).max().unwrap_or(0)
    }

    /// Everyone once, in rising order. Nothing is made ahead, since most walks are short.
    pub(super) fn ids(self) -> Ids<'a> {
        let mut walks: Vec<_> = self.0.into_iter().map(|ids| ids.iter().peekable()).collect();
        Box::new(std::iter::from_fn(move || {
            let lowest = walks.iter_mut().filter_map(|walk| walk.peek().copied()).min()?;
            for walk in &mut walks {
                walk.next_if_eq(&lowest);
            }
            Some(EntityId::new(lowest))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_union_has_everyone_once_in_order() {
        let sets = [vec![1, 5, 9], vec![5, 6], vec![], vec![0, 9, u64::MAX]];
        let sets: Vec<RoaringTreemap> = sets.into_iter().map(RoaringTreemap::from_iter).collect();
        let mut everyone = Everyone::default();
        sets.iter().for_each(|set| everyone.add(set));
        assert_eq!(everyone.most(), 3);
        let ids: Vec<u64> = everyone.ids().map(EntityId::get).collect();
        assert_eq!(ids, [0, 1, 5, 6, 9, u64::MAX]);
    }
}
