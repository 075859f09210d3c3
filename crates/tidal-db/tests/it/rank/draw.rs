//! Questions that are drawn: of everything that the schema of a world has to offer.

use std::time::Duration;

use tidal_db::{
    AttributeType, DecaySpec, EntityId, EntityKind, Expr, Figure, Filter, Function, Literal,
    SignalFigure, SignalTypeDefinition, Timestamp, affinity, attribute,
};

use super::asked::Asked;
use super::schemas::{COUNTRY, CREATOR, DAY, HOUR, ITEM, chance, one};
use super::step::{LANGUAGES, PRICES, TAGS, USERS};
use super::world::World;
use crate::life::Random;

const WEIGHTS: [f64; 8] = [1.0, 1.0, 3.0, 0.5, 10.0, -1.0, -10.0, 0.0];

/// How deep an expression that is no sum is.
const DEPTH: u64 = 3;

/// How far ahead of now a ranking is asked for.
const AHEAD: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_secs(1),
    HOUR,
    DAY,
    DAY.saturating_mul(30),
    DAY.saturating_mul(1000),
];

/// What questions are drawn from.
pub(crate) struct Draw<'a> {
    world: &'a World,
    pub(crate) random: Random,
}

impl<'a> Draw<'a> {
    pub(crate) const fn new(world: &'a World, seed: u64) -> Self {
        Self { world, random: Random(seed | 1) }
    }

    fn chance(&mut self, percent: u64) -> bool {
        chance(&mut self.random, percent)
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        one(&mut self.random, of)
    }

    /// A time for several questions; `None` is now.
    pub(crate) fn time(&mut self) -> Option<Timestamp> {
        if self.chance(25) {
            return None;
        }
        if self.chance(20) {
            return Some(self.world.db().newest_event().unwrap_or_default());
        }
        let ahead = self.one(&AHEAD);
        Some(self.world.now().saturating_add(ahead))
    }

    /// A question about a kind at a time.
    pub(crate) fn asked(&mut self, kind: EntityKind, at: Option<Timestamp>) -> Asked {
        let users: Vec<EntityId> = (1..=USERS)
            .map(EntityId::new)
            .filter(|user| !self.world.model.is_forgotten(EntityKind::User, *user))
            .collect();
        let user = (!users.is_empty() && self.chance(50)).then(|| self.one(&users));
        let mut asked = Asked::by(kind, Expr::Number(0.0));
        (asked.user, asked.at) = (user, at);
        asked.by = self.expr(kind, user.is_some());
        if self.chance(40) {
            asked.filter = Some(self.filter(kind, 2));
        }
        // The order of those whose score has underflowed is not that of their values.
        let is_by_key = matches!(&asked.by, Expr::Signal(_))
            || matches!(&asked.by, Expr::Mul(_, rest) if matches!(**rest, Expr::Signal(_)));
        asked.including_quiet = !is_by_key && self.chance(25);
        let kept: Vec<String> = self
            .signals(kind)
            .filter(|signal| signal.history())
            .map(|signal| signal.name().to_owned())
            .collect();
        if user.is_some() && !kept.is_empty() && self.chance(50) {
            asked.unseen_by.push(kept[self.random.below(kept.len() as u64) as usize].clone());
        }
        let groups: &[&'static str] = match kind {
            CREATOR => &[COUNTRY],
            _ => &["creator", "language", "tags", "stock", "sold"],
        };
        // A discount looks at everybody again for each place.
        let few = self.world.setting.entities <= 100;
        match self.random.below(8) {
            0 | 1 => {
                asked.caps = (0..1 + self.random.below(2))
                    .map(|_| (1 + self.random.below(3) as usize, self.one(groups)))
                    .collect();
            }
            2 if few => {
                let (factor, floor) = (self.one(&[0.5, 0.0, 0.9, 1.0]), self.one(&[0.0, 0.25]));
                asked.discount = Some((self.one(groups), factor, floor));
                if self.chance(30) {
                    asked.caps.push((2, self.one(groups)));
                }
            }
            3 if few => asked.spread = Some((1 + self.random.below(4) as usize, self.one(groups))),
            _ => {}
        }
        asked
    }

    fn signals(
        &self,
        kind: EntityKind,
    ) -> impl Iterator<Item = &'a SignalTypeDefinition> + use<'a> {
        let signals = self.world.setting.schema.signals().iter();
        signals.filter(move |signal| signal.kind() == kind)
    }

    fn expr(&mut self, kind: EntityKind, for_user: bool) -> Expr {
        match self.random.below(10) {
            0..=2 => match self.one(&WEIGHTS) {
                1.0 => self.figure(kind),
                weight => weight * self.figure(kind),
            },
            3..=6 => {
                let first = self.one(&WEIGHTS) * self.leaf(kind, for_user);
                (0..1 + self.random.below(3)).fold(first, |sum, _| {
                    let next = self.one(&WEIGHTS) * self.leaf(kind, for_user);
                    if self.chance(70) { sum + next } else { sum - next }
                })
            }
            _ => self.tree(kind, for_user, DEPTH),
        }
    }

    fn tree(&mut self, kind: EntityKind, for_user: bool, depth: u64) -> Expr {
        if depth == 0 {
            return self.leaf(kind, for_user);
        }
        let mut branch = || self.tree(kind, for_user, depth - 1);
        let (a, b) = (branch(), branch());
        match self.random.below(13) {
            0 | 1 => a + b,
            2 => a - b,
            3 => a * b,
            4 => a / b,
            5 => -a,
            6 => Expr::call(Function::Min, [a, b]),
            7 => Expr::call(Function::Max, [a, b]),
            8 => Expr::call(Function::Abs, [a]),
            9 => Expr::call(Function::Sqrt, [a]),
            10 => Expr::call(Function::Clamp, [a, Expr::Number(-1.0), b]),
            11 => Expr::call(Function::IfAbove, [a.clone(), b.clone(), b, -a]),
            _ => Expr::call(Function::Log1p, [a]),
        }
    }

    /// Something that is read of an entity, or a number.
    fn leaf(&mut self, kind: EntityKind, for_user: bool) -> Expr {
        if kind == ITEM {
            match self.random.below(16) {
                0 => return attribute(self.one(&["price", "stock", "sold", "posted"])).value(),
                1 => return attribute("posted").age(),
                2 => {
                    let kept = self.signals(kind).find(|signal| signal.history());
                    if let Some(signal) = kept.filter(|_| for_user) {
                        return affinity(signal.name(), self.one(&["creator", "language", "tags"]));
                    }
                }
                3 => return Expr::Number(self.one(&[2.0, -0.5, 1e300, 0.0])),
                _ => {}
            }
        }
        self.figure(kind)
    }

    fn figure(&mut self, kind: EntityKind) -> Expr {
        let mut figures = Vec::new();
        for signal in self.signals(kind) {
            let mut add = |figure| figures.push((signal.name(), figure));
            // As often as there may be others.
            add(Figure::Score);
            add(Figure::Score);
            if matches!(signal.decay(), DecaySpec::Exponential { .. }) {
                add(Figure::Rate);
                add(Figure::Score);
            }
            for &window in signal.windows() {
                add(Figure::Count(window));
                if signal.sums() {
                    add(Figure::Sum(window));
                }
                if signal.velocity() && window.duration().is_some() {
                    add(Figure::Velocity(window));
                }
                if signal.uniques() {
                    add(Figure::Uniques(window));
                }
            }
        }
        let (signal, figure) = self.one(&figures);
        Expr::Signal(SignalFigure { signal: signal.into(), figure })
    }

    fn filter(&mut self, kind: EntityKind, depth: u64) -> Filter {
        if depth > 0 && self.chance(50) {
            let (a, b) = (self.filter(kind, depth - 1), self.filter(kind, depth - 1));
            return match self.random.below(3) {
                0 => a.and(b),
                1 => a.or(b),
                _ => !a,
            };
        }
        let attributes: Vec<(&str, AttributeType)> = self
            .world
            .setting
            .schema
            .attributes_of(kind)
            .map(|attribute| (attribute.name(), attribute.of_type()))
            .collect();
        let (name, of_type) = self.one(&attributes);
        let (a, b) = (self.literal(of_type), self.literal(of_type));
        let ordered = matches!(
            of_type,
            AttributeType::Integer | AttributeType::Float | AttributeType::Timestamp
        );
        match self.random.below(if ordered { 9 } else { 4 }) {
            0 => attribute(name).exists(),
            1 => attribute(name).is_in([a, b]),
            // Another keyword than one of several is not what is compared here.
            2 if of_type != AttributeType::Keywords => attribute(name).differs_from(a),
            4 => attribute(name).less_than(a),
            5 => attribute(name).at_most(a),
            6 => attribute(name).greater_than(a),
            7 => attribute(name).at_least(a),
            8 => attribute(name).between(a, b),
            _ => attribute(name).equals(a),
        }
    }

    fn literal(&mut self, of_type: AttributeType) -> Literal {
        match of_type {
            AttributeType::Keyword => self.one(&LANGUAGES).into(),
            AttributeType::Keywords => self.one(&TAGS).into(),
            AttributeType::Integer => Literal::Integer(self.random.below(9).cast_signed() - 2),
            AttributeType::Float => self.one(&PRICES).into(),
            AttributeType::Boolean => self.chance(50).into(),
            AttributeType::Timestamp => {
                let ago = Duration::from_secs(self.random.below(self.world.setting.span + 1));
                self.world.now().saturating_sub(ago).into()
            }
            AttributeType::Entity(_) => self
                .world
                .setting
                .entity(self.random.below(self.world.setting.entities.min(7)))
                .into(),
        }
    }
}
