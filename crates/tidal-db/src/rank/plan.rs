//! A query bound to a schema: names are ids, the expression is a program over leaves, and
//! what cannot be answered was refused.
//!
//! B1. Each thing that is read of an entity is one leaf, however often the expression
//!     names it.
//! B2. What the expression may cost is bounded: [`EXPRESSION_PARTS_MAX`] parts, nested at
//!     most [`EXPRESSION_DEPTH_MAX`] deep, also where it was made by hand.

mod binder;

use tidal_types::{AttributeId, DecaySpec, Schema, SignalTypeId, TidalError, Window};

pub(super) use self::binder::Binder;
use self::binder::{in_range, share};
use super::evaluate::Program;
use super::expr::{Expr, Figure, SignalFigure};
use super::query::{Discount, LIMIT_MAX, Query};
use crate::Result;
use crate::ledger::Measure;

/// How deep the parts of an expression are nested at most. A sum of many addends is as
/// deep as they are many.
pub(super) const EXPRESSION_DEPTH_MAX: usize = 500;

/// How many parts an expression has at most.
pub(super) const EXPRESSION_PARTS_MAX: usize = 2_000;

/// What is read of an entity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Leaf {
    /// A measure of a signal; 0 without a cell.
    Measure(Measure),
    /// Different users in a window, never more than the events in it.
    Uniques {
        /// The signal.
        signal: SignalTypeId,
        /// The window.
        window: Window,
        /// The number of events.
        count: Measure,
    },
    /// An attribute that is a number; 0 without.
    Number(AttributeId),
    /// The seconds since an attribute that is a time; [`AGE_MAX_SECS`] without.
    Age(AttributeId),
    /// How much the user likes it, by the table of this number.
    Affinity(usize),
}

impl Leaf {
    /// The measure whose lists bound it.
    pub(crate) const fn measure(&self) -> Option<Measure> {
        match *self {
            Self::Measure(measure) | Self::Uniques { count: measure, .. } => Some(measure),
            Self::Number(_) | Self::Age(_) | Self::Affinity(_) => None,
        }
    }

    /// What an entity has that has not what is named.
    pub(crate) const fn absent(&self) -> f64 {
        if let Self::Age(_) = self { AGE_MAX_SECS } else { 0.0 }
    }
}

/// How old an entity is that has no such time: 100 years, in seconds.
pub(crate) const AGE_MAX_SECS: f64 = 100.0 * 365.25 * 86_400.0;

/// A query that can be answered.
#[derive(Debug)]
pub(crate) struct Bound<'q> {
    pub(crate) query: &'q Query,
    pub(crate) program: Program,
    pub(crate) leaves: Vec<Leaf>,
    /// Every signal that the expression names.
    pub(crate) signals: Vec<SignalTypeId>,
    /// Every attribute that the expression names.
    pub(crate) attributes: Vec<AttributeId>,
    /// What tables of affinity are needed.
    pub(crate) affinities: Vec<(SignalTypeId, AttributeId)>,
    /// The score that the expression is a positive multiple of, where its keys order
    /// entities (Q3).
    pub(crate) by_key: Option<Measure>,
    pub(crate) unseen_by: Vec<SignalTypeId>,
    pub(crate) caps: Vec<(AttributeId, usize)>,
    pub(crate) discount: Option<(AttributeId, &'q Discount)>,
    pub(crate) spread: Option<(AttributeId, usize)>,
}

impl<'q> Bound<'q> {
    /// Binds a query.
    ///
    /// # Errors
    /// [`TidalError::Query`], [`TidalError::Schema`] for an unknown signal,
    /// [`TidalError::SignalOfOtherKind`], and what the reads say that the expression
    /// names: [`TidalError::WindowNotDeclared`], [`TidalError::SumsNotDeclared`],
    /// [`TidalError::VelocityNotDeclared`].
    pub(crate) fn bind(query: &'q Query, schema: &Schema) -> Result<Self> {
        let mut binder = Binder::new(query, schema);
        let mut program = Program::default();
        binder.compile(&query.by, &mut program)?;
        in_range("the limit", query.limit, 1, LIMIT_MAX)?;
        // Whoever sends a query may name a thing as often as it has room for (B1).
        let mut caps: Vec<(AttributeId, usize)> = Vec::new();
        for cap in &query.caps {
            in_range("the most entities with one value", cap.max, 1, usize::MAX)?;
            let attribute = binder.grouping(&cap.attribute)?;
            match caps.iter_mut().find(|(known, _)| *known == attribute) {
                Some((_, max)) => *max = cap.max.min(*max),
                None => caps.push((attribute, cap.max)),
            }
        }
        let discount = query.discount.as_ref().map(|discount| {
            share("the factor of a discount", discount.factor)?;
            share("the floor of a discount", discount.floor)?;
            Ok::<_, TidalError>((binder.grouping(&discount.attribute)?, discount))
        });
        let spread = query.spread.as_ref().map(|spread| {
            in_range("the least different values", spread.min, 1, LIMIT_MAX)?;
            Ok::<_, TidalError>((binder.grouping(&spread.attribute)?, spread.min))
        });
        let (discount, spread) = (discount.transpose()?, spread.transpose()?);
        let mut unseen_by = Vec::new();
        for signal in &query.unseen_by {
            binder.user(|| format!("unseen_by {signal:?}"))?;
            let signal = binder.with_history(signal)?.id();
            if !unseen_by.contains(&signal) {
                unseen_by.push(signal);
            }
        }
        let by_key = match (&query.discount, multiple_of_score(&query.by)) {
            (None, Some(signal)) => {
                let signal = schema.require(signal)?;
                let is_exponential = matches!(signal.decay(), DecaySpec::Exponential { .. });
                is_exponential.then(|| Measure::score(signal))
            }
            _ => None,
        };
        let Binder { leaves, signals, attributes, affinities, .. } = binder;
        Ok(Self {
            query,
            program,
            leaves,
            signals,
            attributes,
            affinities,
            by_key,
            unseen_by,
            caps,
            discount,
            spread,
        })
    }
}

impl Bound<'_> {
    /// Whether attributes are read beside those by which the filter lets entities through.
    pub(crate) fn reads_attributes(&self) -> bool {
        let rules = self.discount.is_some() || self.spread.is_some() || !self.caps.is_empty();
        let explains_filter = self.query.explain && self.query.filter.is_some();
        rules || !self.attributes.is_empty() || explains_filter || self.query.including_quiet
    }
}

/// The signal of whose score an expression is a positive multiple.
fn multiple_of_score(by: &Expr) -> Option<&str> {
    let mut by = by;
    // Binding has walked down here before, so it ends soon.
    loop {
        by = match by {
            Expr::Signal(SignalFigure { signal, figure: Figure::Score | Figure::Rate }) => {
                return Some(signal);
            }
            Expr::Mul(a, b) => match (&**a, &**b) {
                (Expr::Number(factor), rest) | (rest, Expr::Number(factor)) if *factor > 0.0 => {
                    rest
                }
                _ => return None,
            },
            Expr::Div(rest, divisor) => match **divisor {
                Expr::Number(divisor) if divisor > 0.0 => rest,
                _ => return None,
            },
            _ => return None,
        };
    }
}

#[cfg(test)]
mod tests;
