//! A query bound to a schema: names are ids, the expression is a program over leaves, and
//! what cannot be answered was refused.
//!
//! B1. Each thing that is read of an entity is one leaf, however often the expression
//!     names it.
//! B2. What the expression may cost is bounded: [`EXPRESSION_PARTS_MAX`] parts, nested at
//!     most [`EXPRESSION_DEPTH_MAX`] deep, also where it was made by hand.

use tidal_types::{
    AttributeDefinition, AttributeId, AttributeType, DecaySpec, EntityId, EntityKind, QueryError,
    Schema, SignalTypeDefinition, SignalTypeId, TidalError, Window,
};

use super::evaluate::{Program, Step};
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
        let mut caps = Vec::with_capacity(query.caps.len());
        for cap in &query.caps {
            in_range("the most entities with one value", cap.max, 1, usize::MAX)?;
            caps.push((binder.grouping(&cap.attribute)?, cap.max));
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
        let unseen = query.unseen_by.iter().map(|signal| {
            binder.user(|| format!("unseen_by {signal:?}"))?;
            Ok::<_, TidalError>(binder.with_history(signal)?.id())
        });
        let unseen_by = unseen.collect::<Result<_>>()?;
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
    /// Whether anything but the filter is about attributes.
    pub(crate) fn names_attributes(&self) -> bool {
        let rules = self.discount.is_some() || self.spread.is_some() || !self.caps.is_empty();
        rules || !self.attributes.is_empty()
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

/// Turns names into ids.
pub(super) struct Binder<'q, 's> {
    query: &'q Query,
    schema: &'s Schema,
    leaves: Vec<Leaf>,
    signals: Vec<SignalTypeId>,
    attributes: Vec<AttributeId>,
    affinities: Vec<(SignalTypeId, AttributeId)>,
    calls: u32,
    parts: usize,
}

impl<'q, 's> Binder<'q, 's> {
    pub(super) const fn new(query: &'q Query, schema: &'s Schema) -> Self {
        Self {
            query,
            schema,
            leaves: Vec::new(),
            signals: Vec::new(),
            attributes: Vec::new(),
            affinities: Vec::new(),
            calls: 0,
            parts: 0,
        }
    }

    const fn kind(&self) -> EntityKind {
        self.query.kind
    }

    /// Adds an expression to a program. Calls are numbered on from those before.
    pub(super) fn compile(&mut self, expr: &'q Expr, program: &mut Program) -> Result<()> {
        self.part(expr, program, 1)
    }

    fn part(&mut self, expr: &'q Expr, program: &mut Program, depth: usize) -> Result<()> {
        self.parts += 1;
        in_range("the depth of the expression", depth, 1, EXPRESSION_DEPTH_MAX)?;
        in_range("the number of the expression's parts", self.parts, 1, EXPRESSION_PARTS_MAX)?;
        let step = match expr {
            Expr::Number(number) if number.is_finite() => Step::Number(*number),
            Expr::Number(number) => {
                return Err(out_of_range("a number of the expression", number, "finite"));
            }
            Expr::Signal(figure) => return self.figure(figure, program),
            Expr::Attribute(name) => {
                let attribute =
                    self.typed(name, "rank by a number, a time or a boolean", |of| {
                        use AttributeType::{Boolean, Float, Integer, Timestamp};
                        matches!(of, Integer | Float | Timestamp | Boolean)
                    })?;
                let id = self.names_attribute(attribute);
                self.leaf(Leaf::Number(id))
            }
            Expr::Age(name) => {
                let attribute = self.typed(name, "only a timestamp has an age", |of| {
                    of == AttributeType::Timestamp
                })?;
                let id = self.names_attribute(attribute);
                self.leaf(Leaf::Age(id))
            }
            Expr::Affinity { signal, attribute } => {
                let leaf = self.affinity(signal, attribute)?;
                self.leaf(leaf)
            }
            Expr::Neg(a) => {
                self.part(a, program, depth + 1)?;
                Step::Neg
            }
            Expr::Add(a, b) | Expr::Sub(a, b) | Expr::Mul(a, b) | Expr::Div(a, b) => {
                self.part(a, program, depth + 1)?;
                self.part(b, program, depth + 1)?;
                match expr {
                    Expr::Add(..) => Step::Add,
                    Expr::Sub(..) => Step::Sub,
                    Expr::Mul(..) => Step::Mul,
                    _ => Step::Div,
                }
            }
            Expr::Call(function, arguments) => {
                let arity = function.arity();
                if !arity.contains(&arguments.len()) {
                    let (least, most) = (arity.start(), arity.end());
                    let range = format!("{least} to {most}");
                    return Err(TidalError::Query(QueryError::Arguments {
                        function: function.name().into(),
                        expected: if least == most { least.to_string() } else { range },
                        found: arguments.len(),
                    }));
                }
                for argument in arguments {
                    self.part(argument, program, depth + 1)?;
                }
                let call = self.calls;
                self.calls += 1;
                Step::Call { function: *function, arguments: arguments.len(), call }
            }
        };
        program.push(step);
        Ok(())
    }

    fn figure(&mut self, figure: &SignalFigure, program: &mut Program) -> Result<()> {
        let signal = self.signal(&figure.signal)?;
        let count = |window| Measure::count(signal, window);
        // What a figure is computed from its measure by is what the read of that name does.
        let (leaf, scale) = match figure.figure {
            Figure::Score => (Leaf::Measure(Measure::score(signal)), None),
            Figure::Rate => {
                let DecaySpec::Exponential { .. } = signal.decay() else {
                    return Err(not_kept(signal, "rate", "half_life"));
                };
                let scale = [Step::Number(signal.rate_per_sec()), Step::Mul];
                (Leaf::Measure(Measure::score(signal)), Some(scale))
            }
            Figure::Count(window) => (Leaf::Measure(count(window)?), None),
            Figure::Sum(window) => (Leaf::Measure(Measure::sum(signal, window)?), None),
            Figure::Velocity(window) => {
                let Some(span) = window.duration().filter(|_| signal.velocity()) else {
                    let signal = signal.name().into();
                    return Err(TidalError::VelocityNotDeclared { signal, window });
                };
                let scale = [Step::Number(span.as_secs_f64()), Step::Div];
                (Leaf::Measure(count(window)?), Some(scale))
            }
            Figure::Uniques(window) => {
                if !signal.uniques() {
                    return Err(not_kept(signal, "unique actors", "uniques"));
                }
                let count = count(window)?;
                (Leaf::Uniques { signal: signal.id(), window, count }, None)
            }
        };
        if !self.signals.contains(&signal.id()) {
            self.signals.push(signal.id());
        }
        let leaf = self.leaf(leaf);
        program.push(leaf);
        for step in scale.into_iter().flatten() {
            program.push(step);
        }
        Ok(())
    }

    fn affinity(&mut self, signal: &str, attribute: &str) -> Result<Leaf> {
        self.user(|| format!("affinity({signal}, {attribute})"))?;
        let signal = self.with_history(signal)?;
        let attribute =
            self.typed(attribute, "affinity goes by an entity or by keywords", |of| {
                use AttributeType::{Entity, Keyword, Keywords};
                matches!(of, Entity(_) | Keyword | Keywords)
            })?;
        let pair = (signal.id(), self.names_attribute(attribute));
        let table = self.affinities.iter().position(|known| *known == pair);
        Ok(Leaf::Affinity(table.unwrap_or_else(|| {
            self.affinities.push(pair);
            self.affinities.len() - 1
        })))
    }

    /// The number of a leaf (B1).
    fn leaf(&mut self, leaf: Leaf) -> Step {
        let known = self.leaves.iter().position(|known| *known == leaf);
        Step::Leaf(known.unwrap_or_else(|| {
            self.leaves.push(leaf);
            self.leaves.len() - 1
        }))
    }

    fn signal(&self, name: &str) -> Result<&'s SignalTypeDefinition> {
        let signal = self.schema.require(name)?;
        if signal.kind() == self.kind() {
            return Ok(signal);
        }
        let (kind, asked) = (signal.kind(), self.kind());
        Err(TidalError::SignalOfOtherKind { signal: name.into(), kind, asked })
    }

    fn with_history(&self, name: &str) -> Result<&'s SignalTypeDefinition> {
        let signal = self.signal(name)?;
        if signal.history() { Ok(signal) } else { Err(not_kept(signal, "history", "history")) }
    }

    fn user(&self, part: impl FnOnce() -> String) -> Result<EntityId> {
        self.query.user.ok_or_else(|| TidalError::Query(QueryError::NoUser { part: part() }))
    }

    fn attribute(&self, name: &str) -> Result<&'s AttributeDefinition> {
        let kind = self.kind();
        self.schema.attribute(kind, name).ok_or_else(|| {
            let known = self.schema.attributes_of(kind).map(|known| known.name().into()).collect();
            QueryError::UnknownAttribute { kind, attribute: name.into(), known }.into()
        })
    }

    fn typed(
        &self,
        name: &str,
        problem: &str,
        fits: impl FnOnce(AttributeType) -> bool,
    ) -> Result<&'s AttributeDefinition> {
        let attribute = self.attribute(name)?;
        if fits(attribute.of_type()) {
            return Ok(attribute);
        }
        let (of_type, problem) = (attribute.of_type(), problem.into());
        Err(QueryError::WrongType { attribute: name.into(), of_type, problem }.into())
    }

    /// An attribute by whose values entities are told apart.
    fn grouping(&self, name: &str) -> Result<AttributeId> {
        let problem = "entities are grouped by entities, keywords, whole numbers and booleans";
        let attribute = self.typed(name, problem, |of| {
            !matches!(of, AttributeType::Float | AttributeType::Timestamp)
        })?;
        Ok(attribute.id())
    }

    fn names_attribute(&mut self, attribute: &AttributeDefinition) -> AttributeId {
        let id = attribute.id();
        if !self.attributes.contains(&id) {
            self.attributes.push(id);
        }
        id
    }
}

fn not_kept(
    signal: &SignalTypeDefinition,
    what: &'static str,
    declare: &'static str,
) -> TidalError {
    QueryError::NotKept { signal: signal.name().into(), what, declare }.into()
}

fn in_range(what: &'static str, value: usize, least: usize, most: usize) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let at_least = format!("at least {least}");
    let between = format!("{least} to {most}");
    Err(out_of_range(what, &value, if most == usize::MAX { &at_least } else { &between }))
}

fn share(what: &'static str, value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) { Ok(()) } else { Err(out_of_range(what, &value, "0 to 1")) }
}

fn out_of_range(what: &'static str, value: &dyn ToString, range: &str) -> TidalError {
    QueryError::OutOfRange { what, value: value.to_string(), range: range.into() }.into()
}

#[cfg(test)]
mod tests;
