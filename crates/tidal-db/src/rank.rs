//! Ranking: which entities are best by a score that a query makes up, at any moment.
//!
//! A [`Query`] says by what ([`Expr`]), which entities may take part ([`Filter`]), for
//! whom, how mixed the answer has to be, and how much of it.
//!
//! Q1. The value of an expression for an entity is one function of what the ledger, the
//!     attributes and the user's history hold, computed in one order of operations,
//!     whoever executes the query: an answer from the indexes is the answer of a scan,
//!     bit for bit and in the same order.
//! Q2. Every value is finite.
//! Q3. The higher value comes first, and of equal ones the lower id. A query by a
//!     positive multiple of one exponential score goes by its time-invariant key, which
//!     is right even where the values have underflowed to 0.

mod answer;
mod cursor;
mod diverse;
mod evaluate;
mod execute;
mod explain;
mod expr;
mod filter;
mod formulas;
mod function;
mod interval;
mod json;
mod language;
mod number;
mod page;
mod plan;
pub mod profile;
mod query;
mod random;
mod reading;

pub(crate) use answer::{answer, shown};
pub(crate) use plan::Bound;
pub(crate) use reading::{Reading, not_passed};

pub use expr::{
    Expr, Figure, SignalFigure, affinity, attribute, count, number, rate, score, sum, uniques,
    velocity,
};
pub use filter::{Attribute, Comparison, Filter, Literal};
pub use function::Function;
pub use json::QUERY_BYTES_MAX;
pub use language::{NESTING_MAX, OPERATORS_MAX, TEXT_BYTES_MAX};
pub use page::{
    ExplainedInput, ExplainedRank, ExplainedTerm, Method, Page, RankStatistics, RankedEntity,
};
pub use query::{Cap, Discount, LIMIT_DEFAULT, LIMIT_MAX, Query, Spread};

#[cfg(test)]
mod tests;
