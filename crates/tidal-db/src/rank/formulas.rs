//! What a function of an expression is made of: parameters, value and bounds.
//!
//! F1. Arguments and values are numbers as [`number`](super::number) has them. A
//!     formula is extended to all of them, by what its documentation says, such that
//!     it still rises or falls as it did wherever that can be: a threshold that is
//!     met from both sides makes better bounds, and better rankings, than a hole.
//! F2. The bounds over a box of arguments hold the value at every point in it, as it is
//!     computed, rounding included.
//! F3. A formula is computed by sums of numbers of one sign, products and quotients
//!     where that can be, since those keep the error relative to the value.
//!
//! How F2 is kept: a function that, whatever the other arguments are, only rises or
//! only falls with each one, has its extremes at corners of the box. Arithmetic and
//! square roots round to the nearest number, which keeps that true of `f64` as long as
//! no argument occurs twice ([`Shape::Exact`]). Exponentials and logarithms may be
//! wrong in the last place, and so may be what has an argument twice, so the corners
//! are loosened by a little more than that ([`Shape::Near`]). The rest has bounds of
//! its own ([`Shape::Own`]).

mod ages;
mod elementary;
mod exploration;
mod forums;
mod quality;
mod reddit;
#[cfg(test)]
pub(super) mod tests;
mod trends;

pub(super) use ages::*;
pub(super) use elementary::*;
pub(super) use exploration::*;
pub(super) use forums::*;
pub(super) use quality::*;
pub(super) use reddit::*;
pub(super) use trends::*;

use super::interval::Interval;
use super::number::finite;
use super::random::{Draw, Numbers};

/// The most arguments that a function takes.
pub(super) const ARGUMENTS_MAX: usize = 8;

/// The smallest divisor, such as a half-life, a scale or the weight of a prior: what is
/// below it counts as it. So no quotient depends on the sign of a zero.
const DIVISOR_MIN: f64 = 1e-9;

/// A function of an expression.
pub(super) struct Formula {
    pub(super) name: &'static str,
    pub(super) parameters: &'static [&'static str],
    /// What stands for the last parameters where they are left out.
    pub(super) defaults: &'static [f64],
    rule: Rule,
    /// What every value is in.
    range: Interval,
}

/// How a value is made of arguments.
enum Rule {
    Value(Value, Shape),
    /// A random number in the range of the formula, from four parameters.
    Drawn(fn([f64; 4], &mut Numbers) -> f64),
}

/// The value as a function of its arguments.
enum Value {
    One(fn(f64) -> f64),
    Two(fn(f64, f64) -> f64),
    Three(fn(f64, f64, f64) -> f64),
    Four(fn(f64, f64, f64, f64) -> f64),
    Five(fn(f64, f64, f64, f64, f64) -> f64),
    /// From the left, over up to [`ARGUMENTS_MAX`] arguments.
    Fold(fn(f64, f64) -> f64),
}

/// Where in a box the extremes of a value are.
enum Shape {
    /// At corners, to the bit.
    Exact(&'static [Way]),
    /// At corners, but for the last places.
    Near(&'static [Way]),
    /// Where this function says, which is given all arguments, the defaults too.
    Own(fn(Arguments<Interval>) -> Interval),
}

/// The way of a value when one argument rises and the others stay.
#[derive(Clone, Copy)]
enum Way {
    Up,
    Down,
    /// Up or down, which depends on the other arguments.
    Either,
}

/// Arguments, the defaults included, and nothing of meaning behind them.
type Arguments<T> = [T; ARGUMENTS_MAX];

impl Formula {
    const fn new(
        name: &'static str,
        parameters: &'static [&'static str],
        value: Value,
        shape: Shape,
    ) -> Self {
        let rule = Rule::Value(value, shape);
        Self { name, parameters, defaults: &[], rule, range: Interval::EVERYTHING }
    }

    const fn drawn(
        name: &'static str,
        parameters: &'static [&'static str],
        draw: fn([f64; 4], &mut Numbers) -> f64,
    ) -> Self {
        let rule = Rule::Drawn(draw);
        Self { name, parameters, defaults: &[], rule, range: Interval::EVERYTHING }
    }

    const fn defaults(self, defaults: &'static [f64]) -> Self {
        Self { defaults, ..self }
    }

    const fn range(self, lo: f64, hi: f64) -> Self {
        Self { range: Interval::new(lo, hi), ..self }
    }

    pub(super) const fn is_drawn(&self) -> bool {
        matches!(self.rule, Rule::Drawn(_))
    }

    /// How many arguments there may be.
    pub(super) const fn arity(&self) -> std::ops::RangeInclusive<usize> {
        let most = match self.rule {
            Rule::Value(Value::Fold(_), _) => ARGUMENTS_MAX,
            _ => self.parameters.len(),
        };
        self.parameters.len() - self.defaults.len()..=most
    }

    /// The value. Arguments that are missing are 0, those that are too many are not looked at.
    pub(super) fn value(&self, arguments: &[f64], draw: &Draw) -> f64 {
        let all = self.completed(arguments, finite).map(finite);
        match &self.rule {
            Rule::Value(value, _) => value.of(&all, arguments.len()),
            Rule::Drawn(value) => {
                let [a, b, c, d, ..] = all;
                finite(value([a, b, c, d], &mut draw.numbers()))
            }
        }
    }

    /// What holds the values of all arguments in the box.
    pub(super) fn bounds(&self, arguments: &[Interval]) -> Interval {
        let all = self.completed(arguments, Interval::point);
        let Rule::Value(value, shape) = &self.rule else { return self.range };
        let count = arguments.len();
        let bounds = match shape {
            Shape::Exact(ways) => corners(value, ways, &all, count),
            _ if all.iter().all(|argument| argument.is_point()) => {
                return Interval::point(value.of(&all.map(Interval::lo), count));
            }
            Shape::Near(ways) => corners(value, ways, &all, count).loosened(),
            Shape::Own(bounds) => bounds(all),
        };
        bounds.clamped(self.range)
    }

    /// The arguments, and the defaults of those that are missing.
    fn completed<T: Copy>(&self, arguments: &[T], number: fn(f64) -> T) -> Arguments<T> {
        let required = self.parameters.len() - self.defaults.len();
        let given = arguments.len().saturating_sub(required);
        let defaults = self.defaults.iter().skip(given).map(|x| number(*x));
        let mut all = [number(0.0); ARGUMENTS_MAX];
        for (place, argument) in all.iter_mut().zip(arguments.iter().copied().chain(defaults)) {
            *place = argument;
        }
        all
    }
}

impl Value {
    fn of(&self, arguments: &Arguments<f64>, count: usize) -> f64 {
        let [a, b, c, d, e, ..] = *arguments;
        finite(match self {
            Self::One(f) => f(a),
            Self::Two(f) => f(a, b),
            Self::Three(f) => f(a, b, c),
            Self::Four(f) => f(a, b, c, d),
            Self::Five(f) => f(a, b, c, d, e),
            Self::Fold(f) => arguments.iter().copied().take(count).reduce(f).unwrap_or(0.0),
        })
    }
}

/// What holds the values at the corners where the extremes of a value are that goes
/// these ways with its arguments.
fn corners(value: &Value, ways: &[Way], all: &Arguments<Interval>, count: usize) -> Interval {
    let open =
        |(way, argument): &(&Way, &Interval)| matches!(way, Way::Either) && !argument.is_point();
    let choices = 1_u32 << ways.iter().zip(all).filter(open).count();
    Interval::hull((0..choices).flat_map(|choice| {
        let mut choice = choice;
        let (mut low, mut high) = ([0.0; ARGUMENTS_MAX], [0.0; ARGUMENTS_MAX]);
        for ((way, argument), (low, high)) in
            ways.iter().zip(all).zip(low.iter_mut().zip(&mut high))
        {
            let (lo, hi) = (argument.lo(), argument.hi());
            (*low, *high) = match way {
                Way::Up => (lo, hi),
                Way::Down => (hi, lo),
                Way::Either if lo == hi => (lo, lo),
                Way::Either => {
                    let end = if choice & 1 == 0 { lo } else { hi };
                    choice >>= 1;
                    (end, end)
                }
            };
        }
        [value.of(&low, count), value.of(&high, count)]
    }))
}
