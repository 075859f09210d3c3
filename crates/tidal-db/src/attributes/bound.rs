//! A filter that is bound to a schema: names are ids, and values have the types of what
//! they are compared with.
//!
//! B1. A bound filter lets an entity through by the sets of an index exactly when it does
//!     by the values of that entity alone.

mod bind;
mod cut;

use std::ops::Bound::{Excluded, Included, Unbounded};

use roaring::RoaringTreemap;
use tidal_types::{AttributeId, EntityId};

use self::cut::Span;
use super::held::HeldAttributes;
use super::id_set::IdSet;
use super::index::Column;
use crate::rank::Filter;

/// A filter under a schema.
#[derive(Debug, Clone)]
pub(crate) struct BoundFilter {
    original: Filter,
    bound: Node,
}

/// As the filter it was made of, part by part.
#[derive(Debug, Clone)]
enum Node {
    Leaf(Leaf),
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
}

/// What is asked of one attribute.
#[derive(Debug, Clone)]
struct Leaf {
    attribute: AttributeId,
    test: Test,
    /// It has to have the attribute, and fail the test.
    differs: bool,
}

/// Which values of an attribute pass; one of several is enough.
#[derive(Debug, Clone)]
enum Test {
    Exists,
    Words(Vec<String>),
    /// The codes of booleans, or the ids of entities.
    Codes(Vec<u64>),
    /// Numbers and times.
    Spans(Vec<Span>),
}

impl BoundFilter {
    pub(super) fn passing(&self, held: &HeldAttributes<'_>) -> IdSet {
        self.bound.passing(held)
    }

    /// The parts of the filter that let an entity through: of those that all have to hold
    /// each, of those of which one has to hold those that do. What is negated is one part.
    pub(crate) fn passed(&self, held: &HeldAttributes<'_>, id: EntityId) -> Vec<&Filter> {
        let mut passed = Vec::new();
        collect(&self.original, &self.bound, held, id, &mut passed);
        passed
    }
}

fn collect<'a>(
    filter: &'a Filter,
    bound: &Node,
    held: &HeldAttributes<'_>,
    id: EntityId,
    passed: &mut Vec<&'a Filter>,
) {
    if !bound.lets_through(held, id) {
        return;
    }
    match (filter, bound) {
        (Filter::And(filters), Node::And(bounds)) | (Filter::Or(filters), Node::Or(bounds)) => {
            for (filter, bound) in filters.iter().zip(bounds) {
                collect(filter, bound, held, id, passed);
            }
        }
        _ => passed.push(filter),
    }
}

impl Node {
    fn passing(&self, held: &HeldAttributes<'_>) -> IdSet {
        match self {
            Self::Leaf(leaf) => leaf.passing(held),
            Self::And(all) => passing_all(all, held),
            Self::Or(some) => {
                some.iter().fold(IdSet::none(), |passing, node| passing.or(node.passing(held)))
            }
            Self::Not(node) => node.passing(held).complement(),
        }
    }

    fn lets_through(&self, held: &HeldAttributes<'_>, id: EntityId) -> bool {
        match self {
            Self::Leaf(leaf) => leaf.lets_through(held, id),
            Self::And(all) => all.iter().all(|node| node.lets_through(held, id)),
            Self::Or(some) => some.iter().any(|node| node.lets_through(held, id)),
            Self::Not(node) => !node.lets_through(held, id),
        }
    }

    /// How many entities pass, at most, or `max` if it may be more.
    fn size(&self, held: &HeldAttributes<'_>, max: u64) -> u64 {
        match self {
            Self::Leaf(leaf) => leaf.size(held, max),
            Self::And(all) => all.iter().map(|node| node.size(held, max)).min().unwrap_or(max),
            Self::Or(some) => {
                some.iter().map(|node| node.size(held, max)).fold(0, u64::saturating_add).min(max)
            }
            Self::Not(_) => max,
        }
    }

    /// Whether its set is made of many small ones, which takes as long as it is large.
    fn is_gathered(&self) -> bool {
        match self {
            Self::Leaf(leaf) => matches!(leaf.test, Test::Spans(_)),
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().any(Self::is_gathered),
            Self::Not(node) => node.is_gathered(),
        }
    }
}

/// What passes all of these: the smallest set first, and where a set that would have to be
/// gathered is larger than what is left by then, each of those is looked at instead.
fn passing_all(all: &[Node], held: &HeldAttributes<'_>) -> IdSet {
    // Looked at more closely once it is known how many are left.
    const LOOKED_AT_MAX: u64 = 1024;
    let sized = all.iter().map(|node| match node.is_gathered() {
        true => (node.size(held, LOOKED_AT_MAX), node),
        false => (node.size(held, u64::MAX), node),
    });
    let mut sized: Vec<_> = sized.collect();
    sized.sort_by_key(|(size, node)| match node.is_gathered() {
        true if *size == LOOKED_AT_MAX => u64::MAX - 1,
        _ => *size,
    });
    sized.into_iter().fold(IdSet::all(), |passing, (_, node)| match passing.len() {
        Some(left) if node.is_gathered() && node.size(held, left) >= left => {
            let ids = passing.ids.iter();
            let ids = ids.filter(|id| node.lets_through(held, EntityId::new(*id)));
            IdSet::of(RoaringTreemap::from_sorted_iter(ids).expect("they come in order"))
        }
        _ => passing.and(node.passing(held)),
    })
}

impl Leaf {
    fn passing(&self, held: &HeldAttributes<'_>) -> IdSet {
        let Some(column) = held.column(self.attribute) else {
            return IdSet::none();
        };
        let passing = match &self.test {
            Test::Exists => column.having().clone(),
            Test::Words(words) => {
                column.with_any(words.iter().filter_map(|word| column.code_of_word(word)))
            }
            Test::Codes(codes) => column.with_any(codes.iter().copied()),
            Test::Spans(spans) => spans.iter().fold(Default::default(), |ids, span| {
                let Some((from, to)) = span.codes() else {
                    return ids;
                };
                ids | column.within((Included(from), to.map_or(Unbounded, Excluded)))
            }),
        };
        IdSet::of(if self.differs { column.having() - passing } else { passing })
    }

    /// How many entities pass, at most, or `max` if it may be more.
    fn size(&self, held: &HeldAttributes<'_>, max: u64) -> u64 {
        let Some(column) = held.column(self.attribute) else {
            return 0;
        };
        let size = match &self.test {
            _ if self.differs => column.having().len(),
            Test::Exists => column.having().len(),
            Test::Words(words) => {
                column.count_with_any(words.iter().filter_map(|word| column.code_of_word(word)))
            }
            Test::Codes(codes) => column.count_with_any(codes.iter().copied()),
            Test::Spans(spans) => {
                let sizes = spans.iter().filter_map(|span| span.codes()).map(|(from, to)| {
                    let to = to.map_or(Unbounded, Excluded);
                    column.count_within((Included(from), to), max)
                });
                sizes.fold(0, u64::saturating_add)
            }
        };
        size.min(max)
    }

    fn lets_through(&self, held: &HeldAttributes<'_>, id: EntityId) -> bool {
        let Some(column) = held.column(self.attribute) else {
            return false;
        };
        let codes = column.codes(id);
        !codes.is_empty() && self.holds(column, codes) != self.differs
    }

    fn holds(&self, column: &Column, codes: &[u64]) -> bool {
        match &self.test {
            Test::Exists => true,
            Test::Words(words) => words
                .iter()
                .filter_map(|word| column.code_of_word(word))
                .any(|code| codes.contains(&code)),
            Test::Codes(wanted) => codes.iter().any(|code| wanted.contains(code)),
            Test::Spans(spans) => {
                codes.iter().any(|code| spans.iter().any(|span| span.contains(*code)))
            }
        }
    }
}

#[cfg(test)]
mod tests;
