//! The value of an expression for an entity, by definition: what is read of the entity
//! through the interface, put together as the expression says.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tidal_db::{
    AttributeValue, EntityId, EntityKind, Expr, Figure, Function, SignalFigure, Timestamp,
};

use super::world::World;

/// How old an entity is that has no such time: 100 years, in seconds.
const AGE_MAX: f64 = 100.0 * 365.25 * 86_400.0;

/// The numbers that expressions are computed with end here.
const VALUE_MAX: f64 = 1e300;

/// What is no number is 0, and what is too large is the largest.
const fn finite(x: f64) -> f64 {
    if x.is_nan() { 0.0 } else { x.clamp(-VALUE_MAX, VALUE_MAX) + 0.0 }
}

/// What is read at one time, each thing once.
pub(crate) struct Naive<'a> {
    pub(crate) world: &'a World,
    kind: EntityKind,
    at: Timestamp,
    user: Option<EntityId>,
    figures: HashMap<SignalFigure, BTreeMap<EntityId, f64>>,
    affinities: HashMap<(String, String), BTreeMap<String, f64>>,
}

impl<'a> Naive<'a> {
    pub(crate) fn new(world: &'a World, kind: EntityKind, at: Timestamp) -> Self {
        let (figures, affinities) = (HashMap::new(), HashMap::new());
        Self { world, kind, at, user: None, figures, affinities }
    }

    pub(crate) const fn kind(&self) -> EntityKind {
        self.kind
    }

    /// From now on it is for this user.
    pub(crate) fn for_user(&mut self, user: Option<EntityId>) {
        if self.user != user {
            self.affinities.clear();
            self.user = user;
        }
    }

    /// The entities that have something of what an expression names.
    pub(crate) fn named(&self, by: &Expr) -> BTreeSet<EntityId> {
        let having = |attribute: &String| {
            let described = self.world.model.described(self.kind).into_iter();
            let has = |id: &EntityId| self.world.model.value(self.kind, *id, attribute).is_some();
            described.filter(has).collect()
        };
        match by {
            Expr::Number(_) => BTreeSet::new(),
            Expr::Signal(figure) => self.world.model.cells(&figure.signal),
            Expr::Attribute(attribute) | Expr::Age(attribute) => having(attribute),
            Expr::Affinity { attribute, .. } => having(attribute),
            Expr::Neg(a) => self.named(a),
            Expr::Add(a, b) | Expr::Sub(a, b) | Expr::Mul(a, b) | Expr::Div(a, b) => {
                &self.named(a) | &self.named(b)
            }
            Expr::Call(_, arguments) => {
                arguments.iter().flat_map(|argument| self.named(argument)).collect()
            }
        }
    }

    /// The value for an entity.
    pub(crate) fn value(&mut self, by: &Expr, id: EntityId) -> f64 {
        finite(match by {
            Expr::Number(number) => *number,
            Expr::Signal(figure) => self.figure(figure, id),
            Expr::Attribute(attribute) => self.number(attribute, id).unwrap_or(0.0),
            Expr::Age(attribute) => self
                .number(attribute, id)
                .map_or(AGE_MAX, |posted| (self.at.as_nanos() as f64 / 1e9 - posted).max(0.0)),
            Expr::Affinity { signal, attribute } => self.affinity(signal, attribute, id),
            Expr::Neg(a) => -self.value(a, id),
            Expr::Add(a, b) => self.value(a, id) + self.value(b, id),
            Expr::Sub(a, b) => self.value(a, id) - self.value(b, id),
            Expr::Mul(a, b) => self.value(a, id) * self.value(b, id),
            Expr::Div(a, b) => {
                let (a, b) = (self.value(a, id), self.value(b, id));
                if b == 0.0 { 0.0 } else { a / b }
            }
            Expr::Call(function, arguments) => {
                let arguments: Vec<f64> =
                    arguments.iter().map(|argument| self.value(argument, id)).collect();
                call(*function, &arguments)
            }
        })
    }

    fn figure(&mut self, figure: &SignalFigure, id: EntityId) -> f64 {
        if !self.figures.contains_key(figure) {
            let having = self.world.model.cells(&figure.signal);
            let column = having.into_iter().map(|id| (id, self.read(figure, id))).collect();
            self.figures.insert(figure.clone(), column);
        }
        self.figures[figure].get(&id).copied().unwrap_or(0.0)
    }

    fn read(&self, figure: &SignalFigure, id: EntityId) -> f64 {
        let (db, signal, at) = (self.world.db(), figure.signal.as_str(), self.at);
        match figure.figure {
            Figure::Score => db.decay_score_at(signal, id, at).unwrap(),
            Figure::Rate => {
                let rate = db.schema().signal(signal).unwrap().rate_per_sec();
                db.decay_score_at(signal, id, at).unwrap() * rate
            }
            Figure::Count(window) => db.windowed_count_at(signal, id, window, at).unwrap() as f64,
            Figure::Sum(window) => db.windowed_sum_at(signal, id, window, at).unwrap(),
            Figure::Velocity(window) => db.velocity_at(signal, id, window, at).unwrap(),
            Figure::Uniques(window) => db.unique_actors_at(signal, id, window, at).unwrap() as f64,
        }
    }

    /// An attribute as a number; all times in these tests are whole seconds.
    fn number(&self, attribute: &str, id: EntityId) -> Option<f64> {
        match self.world.model.value(self.kind, id, attribute)? {
            AttributeValue::Integer(number) => Some(*number as f64),
            AttributeValue::Float(number) => Some(*number),
            AttributeValue::Boolean(boolean) => Some(f64::from(*boolean)),
            AttributeValue::Timestamp(time) => Some(time.as_nanos() as f64 / 1e9),
            other => panic!("{attribute} is {other:?}, which is no number"),
        }
    }

    /// The mean, over the values an item shares, of what the user did to items with each.
    fn affinity(&mut self, signal: &str, attribute: &str, id: EntityId) -> f64 {
        let key = (signal.to_owned(), attribute.to_owned());
        if !self.affinities.contains_key(&key) {
            let user = self.user.expect("affinity is somebody's");
            let seen = self.world.db().history_at(signal, user, usize::MAX, self.at).unwrap();
            let scores: BTreeMap<EntityId, f64> =
                seen.iter().map(|seen| (seen.id, seen.score)).collect();
            let mut table = BTreeMap::new();
            for (id, score) in scores {
                for group in self.world.model.groups(self.kind, id, attribute) {
                    *table.entry(group).or_default() += score;
                }
            }
            self.affinities.insert(key.clone(), table);
        }
        let table = &self.affinities[&key];
        let groups = self.world.model.groups(self.kind, id, attribute);
        if groups.is_empty() {
            return 0.0;
        }
        let of_group = |group: &String| table.get(group).copied().unwrap_or(0.0);
        let mut all: Vec<f64> = groups.iter().map(of_group).collect();
        // Rounding goes by the order, and keywords have none: so the smallest first.
        all.sort_unstable_by(f64::total_cmp);
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        // Nor may it take the mean of equal ones beyond what there is.
        let (lowest, highest) = table
            .values()
            .fold((0.0_f64, 0.0_f64), |(low, high), &score| (low.min(score), high.max(score)));
        mean.clamp(lowest, highest)
    }
}

fn call(function: Function, arguments: &[f64]) -> f64 {
    match (function, arguments) {
        (Function::Min, all) => all.iter().copied().reduce(f64::min).unwrap(),
        (Function::Max, all) => all.iter().copied().reduce(f64::max).unwrap(),
        (Function::Abs, [x]) => x.abs(),
        (Function::Sqrt, [x]) => x.max(0.0).sqrt(),
        (Function::Clamp, [x, lowest, highest]) => x.max(*lowest).min(*highest),
        (Function::IfAbove, [x, threshold, then, otherwise]) => {
            if x > threshold {
                *then
            } else {
                *otherwise
            }
        }
        (Function::Log1p, [x]) => libm::log1p(x.max(-1.0 + f64::EPSILON / 2.0)),
        _ => panic!("{function:?} of {} is not among those that are drawn", arguments.len()),
    }
}
