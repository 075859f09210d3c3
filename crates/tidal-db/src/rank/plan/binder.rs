//! Names turned into ids, and an expression into a program.

use tidal_types::{
    AttributeDefinition, AttributeId, AttributeType, DecaySpec, EntityId, EntityKind, QueryError,
    Schema, SignalTypeDefinition, SignalTypeId, TidalError,
};

use super::super::evaluate::{Program, Step};
use super::super::expr::{Expr, Figure, SignalFigure};
use super::super::query::Query;
use super::{EXPRESSION_DEPTH_MAX, EXPRESSION_PARTS_MAX, Leaf};
use crate::Result;
use crate::ledger::Measure;

/// Turns names into ids.
pub(in crate::rank) struct Binder<'q, 's> {
    query: &'q Query,
    schema: &'s Schema,
    pub(super) leaves: Vec<Leaf>,
    pub(super) signals: Vec<SignalTypeId>,
    pub(super) attributes: Vec<AttributeId>,
    pub(super) affinities: Vec<(SignalTypeId, AttributeId)>,
    /// Of functions that draw.
    calls: u32,
    parts: usize,
}

impl<'q, 's> Binder<'q, 's> {
    pub(in crate::rank) const fn new(query: &'q Query, schema: &'s Schema) -> Self {
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

    /// Adds an expression to a program. Draws are numbered on from those before.
    pub(in crate::rank) fn compile(&mut self, expr: &'q Expr, program: &mut Program) -> Result<()> {
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
                self.calls += u32::from(function.draws());
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

    pub(super) fn with_history(&self, name: &str) -> Result<&'s SignalTypeDefinition> {
        let signal = self.signal(name)?;
        if signal.history() { Ok(signal) } else { Err(not_kept(signal, "history", "history")) }
    }

    pub(super) fn user(&self, part: impl FnOnce() -> String) -> Result<EntityId> {
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
    pub(super) fn grouping(&self, name: &str) -> Result<AttributeId> {
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

pub(super) fn in_range(what: &'static str, value: usize, least: usize, most: usize) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let at_least = format!("at least {least}");
    let between = format!("{least} to {most}");
    Err(out_of_range(what, &value, if most == usize::MAX { &at_least } else { &between }))
}

pub(super) fn share(what: &'static str, value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) { Ok(()) } else { Err(out_of_range(what, &value, "0 to 1")) }
}

fn out_of_range(what: &'static str, value: &dyn ToString, range: &str) -> TidalError {
    QueryError::OutOfRange { what, value: value.to_string(), range: range.into() }.into()
}
