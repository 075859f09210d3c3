//! Finding the best entities of a bound query, by one of three ways to the same answer.
//!
//! Each way meets entities in an order of its own and offers them to one [`Finder`], which
//! judges and evaluates; so the ways differ only in whom they leave out.

mod candidates;
mod choose;
mod scan;
mod source;
mod threshold;

use std::collections::HashSet;

use tidal_types::EntityId;

pub(crate) use source::{End, Entries, Ids, List, Source};

use super::evaluate::{Program, Stack};
use super::page::{Method, RankStatistics};
use crate::Result;
use crate::id_hash::ByIdHash;
use crate::ledger::{Best, RankKey, Ranked};

/// What is to be found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// By what.
    pub(crate) program: &'a Program,
    /// How many leaves it has.
    pub(crate) leaves: usize,
    /// What draws follow from.
    pub(crate) seed: u64,
    /// How many entities.
    pub(crate) limit: usize,
    /// Entities that are not wanted, in rising order.
    pub(crate) shown: &'a [EntityId],
    /// By which way; by the cheapest unless said.
    pub(crate) method: Option<Method>,
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// The best entities, in order.
    pub(crate) best: Vec<Ranked>,
    /// How.
    pub(crate) statistics: RankStatistics,
}

/// Finds the best entities.
///
/// # Errors
/// What storage says.
pub(crate) fn find(source: &impl Source, wanted: &Wanted<'_>) -> Result<Found> {
    let method = wanted.method.unwrap_or_else(|| choose::method(source, wanted));
    let mut finder = Finder::new(source, wanted);
    let method = match method {
        Method::Threshold => threshold::run(&mut finder)?,
        Method::Candidates => candidates::run(&mut finder)?,
        Method::Scan => scan::run(&mut finder)?,
    };
    let statistics = RankStatistics {
        method,
        looked_at: finder.looked_at,
        evaluated: finder.evaluated,
        passing: source.passing().map(|(passing, _)| passing),
    };
    Ok(Found { best: finder.best.into_ranked(), statistics })
}

/// Judges and evaluates the entities that are met, each once.
struct Finder<'a, S> {
    source: &'a S,
    wanted: &'a Wanted<'a>,
    best: Best,
    /// Those that were evaluated.
    met: HashSet<EntityId, ByIdHash>,
    leaves: Vec<f64>,
    stack: Stack,
    looked_at: u64,
    evaluated: u64,
}

impl<'a, S: Source> Finder<'a, S> {
    fn new(source: &'a S, wanted: &'a Wanted<'a>) -> Self {
        Self {
            source,
            wanted,
            best: Best::new(wanted.limit),
            met: HashSet::default(),
            leaves: vec![0.0; wanted.leaves],
            stack: Stack::default(),
            looked_at: 0,
            evaluated: 0,
        }
    }

    /// Looks at an entity that may have been met before.
    fn meet(&mut self, id: EntityId) -> Result<()> {
        self.looked_at += 1;
        if self.is_wanted(id) && self.met.insert(id) {
            return self.evaluate(id);
        }
        Ok(())
    }

    /// Looks at an entity that comes once in rising order; it may have been met in a list.
    fn pass(&mut self, id: EntityId) -> Result<()> {
        self.looked_at += 1;
        if self.is_wanted(id) && !self.met.contains(&id) {
            return self.evaluate(id);
        }
        Ok(())
    }

    fn is_wanted(&self, id: EntityId) -> bool {
        self.source.admits(id) && self.wanted.shown.binary_search(&id).is_err()
    }

    fn evaluate(&mut self, id: EntityId) -> Result<()> {
        let is_by_key = self.source.is_by_key();
        let key = if is_by_key {
            self.source.read_with_key(id, &mut self.leaves)?
        } else {
            self.source.read(id, &mut self.leaves)?.then_some(RankKey::ZERO)
        };
        let Some(key) = key else {
            return Ok(());
        };
        self.evaluated += 1;
        let draw = (self.wanted.seed, id);
        let value = self.wanted.program.value(&self.leaves, draw, &mut self.stack);
        let key = if is_by_key { key } else { RankKey::plain(value) };
        self.best.offer(id, key, || value);
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests;
