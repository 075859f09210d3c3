//! What the ways of finding a page are made over: entities, their leaves, and lists of
//! them by the bounds of a leaf.
//!
//! E1. [`Source::everyone`] has every entity that takes part, unless it begins to while
//!     the query runs, in rising order, each once. It may have others.
//! E2. An entity that a list has not shown yet, and that takes part, has a leaf that is
//!     not beyond the list's bound on the list's side, whether or not it has the leaf.

use tidal_types::EntityId;

use super::super::interval::Interval;
use crate::Result;
use crate::ledger::RankKey;

/// Entities and their leaves.
pub(crate) trait Source {
    /// Whether an entity may be in the answer: it passes the filter, the user has not had
    /// to do with it, and it was not forgotten.
    fn admits(&self, id: EntityId) -> bool;

    /// Reads the leaves of an entity; `false` when it has nothing of what is named and
    /// so takes no part.
    ///
    /// # Errors
    /// What storage says.
    fn read(&self, id: EntityId, leaves: &mut [f64]) -> Result<bool>;

    /// Reads the leaves of an entity, and by what it is ordered where that is not its value
    /// (Q3), both as of one moment; `None` where [`Source::read`] says `false`.
    ///
    /// # Errors
    /// What storage says.
    fn read_with_key(&self, id: EntityId, leaves: &mut [f64]) -> Result<Option<RankKey>>;

    /// Whether entities are ordered by that.
    fn is_by_key(&self) -> bool;

    /// The lists by which entities can be met.
    fn lists(&self) -> Vec<List<'_>>;

    /// What holds a leaf of every entity, also of one that has it not.
    fn range(&self, leaf: usize) -> Interval;

    /// See E1.
    fn everyone(&self) -> Ids<'_>;

    /// About how many they are.
    fn population(&self) -> u64;

    /// The entities that pass the filter, in rising order, and how many they are; `None`
    /// when there is no filter or it is about what entities are not.
    fn passing(&self) -> Option<(u64, Ids<'_>)>;
}

/// Entities in rising order.
pub(crate) type Ids<'a> = Box<dyn Iterator<Item = EntityId> + 'a>;

/// Which end of the values of a leaf a list begins at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The largest.
    Highest,
    /// The smallest.
    Lowest,
}

/// Entities by the bounds of a leaf, from one end.
pub(crate) struct List<'a> {
    /// The leaf.
    pub(crate) leaf: usize,
    /// Where it begins.
    pub(crate) end: End,
    /// The leaf of an entity that has it not: what the bound comes to, and never beyond.
    pub(crate) absent: f64,
    /// The entities.
    pub(crate) entries: Box<dyn Entries + 'a>,
}

/// The entries of a list. An entity may come more than once.
pub(crate) trait Entries {
    /// The next entity; `None` at the end, which may be the end of what is kept.
    fn next(&mut self) -> Option<EntityId>;

    /// See E2.
    fn bound(&self) -> f64;

    /// A key that no entity has above which was not shown; `None` where keys are not
    /// what the list goes by.
    fn key_bound(&self) -> Option<RankKey>;
}
