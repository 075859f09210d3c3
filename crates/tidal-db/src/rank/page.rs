//! Pages: what a ranking answers.

use tidal_types::{EntityId, Timestamp};

/// A part of a ranking.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The entities, best first.
    pub entries: Vec<RankedEntity>,
    /// What asks for the next page; `None` when this is the last.
    pub cursor: Option<String>,
    /// The time at which it was ranked.
    pub at: Timestamp,
    /// How it was found.
    pub statistics: RankStatistics,
}

/// One place in a ranking.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedEntity {
    /// The place, from 1, counted over all pages.
    pub rank: usize,
    /// The entity.
    pub id: EntityId,
    /// By what it was ranked: the value of the expression, after a discount.
    pub value: f64,
    /// Why it is there, where that was asked for.
    pub explanation: Option<ExplainedRank>,
}

/// How a page was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RankStatistics {
    /// By which way.
    pub method: Method,
    /// How many entries of indexes were looked at.
    pub looked_at: u64,
    /// For how many entities the expression was evaluated.
    pub evaluated: u64,
    /// How many entities pass the filter, where there is one.
    pub passing: Option<u64>,
}

/// The way by which a page was found. The answer is the same by each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// The threshold algorithm over the indexes, which stops when nothing that was not
    /// met can be on the page.
    Threshold,
    /// Every entity that passes the filter.
    Candidates,
    /// Every entity.
    Scan,
}

/// Why an entity is in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedRank {
    /// The addends of the expression, in its order.
    pub terms: Vec<ExplainedTerm>,
    /// The value before any discount.
    pub value: f64,
    /// By what that was multiplied.
    pub discount: f64,
    /// The parts of the filter that let it through, as text.
    pub passed: Vec<String>,
}

/// An addend of the expression.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedTerm {
    /// The addend without its weight, as text.
    pub term: String,
    /// Its value.
    pub raw: f64,
    /// The number it is multiplied with.
    pub weight: f64,
    /// What it adds: `raw * weight`.
    pub contribution: f64,
    /// What was read for it.
    pub inputs: Vec<ExplainedInput>,
}

/// Something that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedInput {
    /// What, as text: `count(view, 1h)`.
    pub name: String,
    /// Its value.
    pub value: f64,
}
