//! Why an entity is in its place: the expression taken apart into addends.
//!
//! A sum, a difference, a negative and a product with a number are taken apart; what is
//! left is a term with a weight. The contributions add up to the value but for rounding,
//! since the value itself is computed in the order of the expression (Q1).

use tidal_types::{EntityId, Schema};

use super::evaluate::{Program, Stack};
use super::expr::Expr;
use super::page::{ExplainedInput, ExplainedRank, ExplainedTerm};
use super::plan::{Binder, Bound, Leaf};
use crate::Result;
use crate::ledger::What;

/// The addends of a query's expression.
#[derive(Debug)]
pub(crate) struct Explainer {
    terms: Vec<Term>,
    /// The text of each leaf.
    leaves: Vec<String>,
    seed: u64,
}

#[derive(Debug)]
struct Term {
    text: String,
    weight: f64,
    program: Program,
}

impl Explainer {
    /// Takes a query apart.
    ///
    /// # Errors
    /// None that binding did not find.
    pub(crate) fn of(bound: &Bound<'_>, schema: &Schema) -> Result<Self> {
        let mut addends = Vec::new();
        take_apart(&bound.query.by, 1.0, &mut addends);
        // In the order of the expression, so leaves and calls have the same numbers.
        let mut binder = Binder::new(bound.query, schema);
        let mut terms = Vec::with_capacity(addends.len());
        for (addend, weight) in addends {
            let mut program = Program::default();
            binder.compile(addend, &mut program)?;
            terms.push(Term { text: addend.to_string(), weight, program });
        }
        let leaves = bound.leaves.iter().map(|leaf| text_of(leaf, bound, schema)).collect();
        Ok(Self { terms, leaves, seed: bound.query.seed })
    }

    /// Why the entity with these leaves is where it is.
    pub(crate) fn explain(
        &self,
        id: EntityId,
        leaves: &[f64],
        (value, discount): (f64, f64),
        passed: Vec<String>,
    ) -> ExplainedRank {
        let mut stack = Stack::default();
        let terms = self.terms.iter().map(|term| {
            let raw = term.program.value(leaves, (self.seed, id), &mut stack);
            let mut read: Vec<usize> = Vec::new();
            for leaf in term.program.leaves() {
                if !read.contains(&leaf) {
                    read.push(leaf);
                }
            }
            let input = |leaf: usize| {
                let (name, value) = (self.leaves.get(leaf)?.clone(), *leaves.get(leaf)?);
                Some(ExplainedInput { name, value })
            };
            ExplainedTerm {
                term: term.text.clone(),
                raw,
                weight: term.weight,
                contribution: raw * term.weight,
                inputs: read.into_iter().filter_map(input).collect(),
            }
        });
        ExplainedRank { terms: terms.collect(), value, discount, passed }
    }
}

fn take_apart<'q>(expr: &'q Expr, weight: f64, addends: &mut Vec<(&'q Expr, f64)>) {
    match expr {
        Expr::Add(a, b) => {
            take_apart(a, weight, addends);
            take_apart(b, weight, addends);
        }
        Expr::Sub(a, b) => {
            take_apart(a, weight, addends);
            take_apart(b, -weight, addends);
        }
        Expr::Neg(a) => take_apart(a, -weight, addends),
        Expr::Mul(a, b) => match (&**a, &**b) {
            (Expr::Number(factor), rest) | (rest, Expr::Number(factor)) => {
                take_apart(rest, weight * factor, addends);
            }
            _ => addends.push((expr, weight)),
        },
        _ => addends.push((expr, weight)),
    }
}

/// A leaf as an expression names it.
fn text_of(leaf: &Leaf, bound: &Bound<'_>, schema: &Schema) -> String {
    let signal = |id| schema.signal_by_id(id).map_or("", |signal| signal.name());
    let attribute = |id| schema.attribute_by_id(id).map_or("", |attribute| attribute.name());
    match *leaf {
        Leaf::Measure(measure) => match measure.what {
            What::Score => format!("score({})", signal(measure.signal)),
            What::Count(window) => format!("count({}, {window})", signal(measure.signal)),
            What::Sum(window) => format!("sum({}, {window})", signal(measure.signal)),
        },
        Leaf::Uniques { signal: id, window, .. } => format!("uniques({}, {window})", signal(id)),
        Leaf::Number(id) => attribute(id).into(),
        Leaf::Age(id) => format!("age({})", attribute(id)),
        Leaf::Affinity(table) => {
            let pair = bound.affinities.get(table);
            let (of, by) = pair.map_or(("", ""), |pair| (signal(pair.0), attribute(pair.1)));
            format!("affinity({of}, {by})")
        }
    }
}
