//! A set of ids that takes little while it is small: most numbers and times are those of
//! one entity.

use roaring::RoaringTreemap;
use tidal_types::EntityId;

/// So many ids are kept as a list.
const FEW_MAX: usize = 16;

/// A set of ids.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ids {
    /// Ascending.
    Few(Vec<u64>),
    Many(Box<RoaringTreemap>),
}

impl Default for Ids {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Ids {
    pub(super) fn insert(&mut self, id: EntityId) {
        let id = id.get();
        match self {
            Self::Few(few) => {
                let Err(place) = few.binary_search(&id) else {
                    return;
                };
                if few.len() < FEW_MAX {
                    // As much as is needed: there may be a set for each entity.
                    few.reserve_exact(1);
                    few.insert(place, id);
                } else {
                    let mut many: RoaringTreemap = few.iter().copied().collect();
                    many.insert(id);
                    *self = Self::Many(Box::new(many));
                }
            }
            Self::Many(many) => {
                many.insert(id);
            }
        }
    }

    pub(super) fn remove(&mut self, id: EntityId) {
        match self {
            Self::Few(few) => {
                if let Ok(place) = few.binary_search(&id.get()) {
                    few.remove(place);
                }
            }
            Self::Many(many) => {
                many.remove(id.get());
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Few(few) => few.is_empty(),
            Self::Many(many) => many.is_empty(),
        }
    }

    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Few(few) => few.len() as u64,
            Self::Many(many) => many.len(),
        }
    }

    /// The ids, ascending; either end can be taken.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = EntityId> {
        let (few, many) = match self {
            Self::Few(few) => (few.as_slice(), None),
            Self::Many(many) => ([].as_slice(), Some(many)),
        };
        let many = many.into_iter().flat_map(|many| many.iter());
        few.iter().copied().chain(many).map(EntityId::new)
    }

    /// About how many bytes of the heap it takes.
    pub(super) fn heap_bytes(&self) -> u64 {
        match self {
            Self::Few(few) => size_of_val(few.as_slice()) as u64,
            // A bitmap has a map, a vector and a container at least.
            Self::Many(many) => 200 + many.serialized_size() as u64,
        }
    }
}

/// All ids of these sets.
pub(in crate::attributes) fn union<'a>(sets: impl Iterator<Item = &'a Ids>) -> RoaringTreemap {
    let (mut union, mut loose) = (RoaringTreemap::new(), Vec::new());
    for ids in sets {
        match ids {
            Ids::Few(few) => loose.extend_from_slice(few),
            Ids::Many(many) => union |= &**many,
        }
    }
    // In order they are appended, which is many times faster than to insert each.
    loose.sort_unstable();
    loose.dedup();
    let loose = RoaringTreemap::from_sorted_iter(loose).expect("they are sorted, each once");
    if union.is_empty() { loose } else { union | loose }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_are_a_set(steps in prop::collection::vec((any::<bool>(), 0..60_u64), 0..200)) {
            let (mut ids, mut model) = (Ids::default(), BTreeSet::new());
            for (adds, number) in steps {
                let id = EntityId::new(number);
                if adds {
                    ids.insert(id);
                    model.insert(id);
                } else {
                    ids.remove(id);
                    model.remove(&id);
                }
                prop_assert_eq!(ids.iter().any(|other| other == id), adds);
                prop_assert_eq!(ids.len(), model.len() as u64);
                prop_assert_eq!(ids.is_empty(), model.is_empty());
            }
            prop_assert!(ids.iter().eq(model.iter().copied()));
            prop_assert!(ids.iter().rev().eq(model.iter().rev().copied()));
            let other: Ids = [3, 70].into_iter().fold(Ids::default(), |mut ids, number| {
                ids.insert(EntityId::new(number));
                ids
            });
            model.extend([3, 70].map(EntityId::new));
            let both = union([&ids, &other].into_iter());
            prop_assert!(both.iter().eq(model.iter().map(|id| id.get())));
        }
    }
}
