//! A set of entities, or of all but some.

use roaring::RoaringTreemap;
use tidal_types::EntityId;

/// A set of entities: these, or all but these.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct IdSet {
    pub(crate) ids: RoaringTreemap,
    /// It has all but those.
    pub(crate) complemented: bool,
}

impl IdSet {
    pub(crate) const fn of(ids: RoaringTreemap) -> Self {
        Self { ids, complemented: false }
    }

    /// No entity.
    pub(crate) fn none() -> Self {
        Self::of(RoaringTreemap::new())
    }

    /// Every entity.
    pub(crate) fn all() -> Self {
        Self::none().complement()
    }

    /// All that this one has not.
    pub(crate) fn complement(self) -> Self {
        Self { complemented: !self.complemented, ..self }
    }

    pub(crate) fn contains(&self, id: EntityId) -> bool {
        self.ids.contains(id.get()) != self.complemented
    }

    /// How many there are; `None` when it is all but some.
    pub(crate) fn len(&self) -> Option<u64> {
        (!self.complemented).then(|| self.ids.len())
    }

    /// What both have.
    pub(crate) fn and(self, other: Self) -> Self {
        let complemented = self.complemented && other.complemented;
        let ids = match (self.complemented, other.complemented) {
            (false, false) => self.ids & other.ids,
            (false, true) => self.ids - other.ids,
            (true, false) => other.ids - self.ids,
            (true, true) => self.ids | other.ids,
        };
        Self { ids, complemented }
    }

    /// What one of both has.
    pub(crate) fn or(self, other: Self) -> Self {
        self.complement().and(other.complement()).complement()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set() -> impl Strategy<Value = IdSet> {
        (prop::collection::btree_set(0..12_u64, 0..12), any::<bool>())
            .prop_map(|(ids, complemented)| IdSet { ids: ids.into_iter().collect(), complemented })
    }

    proptest! {
        #[test]
        fn sets_are_combined_as_their_members_are(a in set(), b in set()) {
            let and = a.clone().and(b.clone());
            let or = a.clone().or(b.clone());
            let not = a.clone().complement();
            for number in 0..14 {
                let id = EntityId::new(number);
                let (in_a, in_b) = (a.contains(id), b.contains(id));
                prop_assert_eq!(in_a, a.ids.contains(number) != a.complemented);
                prop_assert_eq!(and.contains(id), in_a && in_b);
                prop_assert_eq!(or.contains(id), in_a || in_b);
                prop_assert_eq!(not.contains(id), !in_a);
            }
            prop_assert_eq!(and.len().is_none(), a.complemented && b.complemented);
            prop_assert_eq!(a.len(), (!a.complemented).then(|| a.ids.len()));
        }
    }

    #[test]
    fn there_are_all_and_none() {
        assert!(IdSet::all().contains(EntityId::new(7)));
        assert_eq!(IdSet::none().len(), Some(0));
    }
}
