//! The value of an expression: one function of its leaves.
//!
//! A [`Program`] is an expression in postfix order over numbered leaves. It runs over
//! numbers, for an entity that was met, and over intervals, for all those that were not.
//!
//! X1. One walk over the steps does both, so the bounds are of the function whose values
//!     are compared; whatever order entities are met in, a value is computed by the same
//!     operations (Q1).
//! X2. Every value is finite (Q2), and lies in the interval of any leaves that hold its
//!     own.
//! X3. A run allocates nothing once the stack has grown to the depth of the program.

use tidal_types::EntityId;

use super::function::Function;
use super::interval::Interval;
use super::number::{add, divide, finite, multiply, subtract};
use super::random::Draw;

/// One step: takes what it needs from the stack and leaves a value there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Step {
    /// The same for all.
    Number(f64),
    /// The leaf with this number.
    Leaf(usize),
    /// The negative of one.
    Neg,
    /// The sum of two.
    Add,
    /// Their difference.
    Sub,
    /// Their product.
    Mul,
    /// Their quotient.
    Div,
    /// A function of so many.
    Call {
        /// Which.
        function: Function,
        /// How many.
        arguments: usize,
        /// How many calls before it in the expression draw, which its own draws follow from.
        call: u32,
    },
}

/// An expression over numbered leaves.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Program {
    steps: Vec<Step>,
}

/// Where values wait for the step that takes them.
#[derive(Debug, Default)]
pub(crate) struct Stack {
    values: Vec<f64>,
    intervals: Vec<Interval>,
}

const SOUND: &str = "a program is made of an expression, so each step finds its operands";

impl Program {
    pub(super) fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// Which leaves are read, each at least once.
    pub(super) fn leaves(&self) -> impl Iterator<Item = usize> {
        self.steps.iter().filter_map(|step| match step {
            Step::Leaf(leaf) => Some(*leaf),
            _ => None,
        })
    }

    /// The value for an entity with these leaves, in a request with this seed.
    pub(crate) fn value(&self, leaves: &[f64], draw: (u64, EntityId), stack: &mut Stack) -> f64 {
        self.run(leaves, &mut stack.values, |function, arguments, call| {
            function.evaluate(arguments, &Draw::new(draw.0, draw.1, call))
        })
    }

    /// What holds the values of all entities whose leaves are in these intervals.
    pub(crate) fn bounds(&self, leaves: &[Interval], stack: &mut Stack) -> Interval {
        self.run(leaves, &mut stack.intervals, |function, arguments, _| function.bounds(arguments))
    }

    fn run<T: Operand>(
        &self,
        leaves: &[T],
        stack: &mut Vec<T>,
        call_of: impl Fn(Function, &[T], u32) -> T,
    ) -> T {
        stack.clear();
        for step in &self.steps {
            let value = match *step {
                Step::Number(number) => T::of(number),
                Step::Leaf(leaf) => *leaves.get(leaf).expect(SOUND),
                Step::Neg => pop(stack).negative(),
                Step::Add | Step::Sub | Step::Mul | Step::Div => {
                    let (right, left) = (pop(stack), pop(stack));
                    match *step {
                        Step::Add => left.plus(right),
                        Step::Sub => left.minus(right),
                        Step::Mul => left.times(right),
                        _ => left.over(right),
                    }
                }
                Step::Call { function, arguments, call } => {
                    let first = stack.len().checked_sub(arguments).expect(SOUND);
                    let value = call_of(function, stack.get(first..).expect(SOUND), call);
                    stack.truncate(first);
                    value
                }
            };
            stack.push(value);
        }
        pop(stack)
    }
}

fn pop<T>(stack: &mut Vec<T>) -> T {
    stack.pop().expect(SOUND)
}

/// What steps compute with.
trait Operand: Copy {
    fn of(number: f64) -> Self;
    fn negative(self) -> Self;
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    fn over(self, other: Self) -> Self;
}

impl Operand for f64 {
    fn of(number: f64) -> Self {
        finite(number)
    }

    fn negative(self) -> Self {
        finite(-self)
    }

    fn plus(self, other: Self) -> Self {
        add(self, other)
    }

    fn minus(self, other: Self) -> Self {
        subtract(self, other)
    }

    fn times(self, other: Self) -> Self {
        multiply(self, other)
    }

    fn over(self, other: Self) -> Self {
        divide(self, other)
    }
}

impl Operand for Interval {
    fn of(number: f64) -> Self {
        Self::point(number)
    }

    fn negative(self) -> Self {
        -self
    }

    fn plus(self, other: Self) -> Self {
        self + other
    }

    fn minus(self, other: Self) -> Self {
        self - other
    }

    fn times(self, other: Self) -> Self {
        self * other
    }

    fn over(self, other: Self) -> Self {
        self / other
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::execute::tests::steps;
    use super::*;

    fn program(steps: &[Step]) -> Program {
        Program { steps: steps.to_vec() }
    }

    #[test]
    fn steps_take_their_operands_in_order() {
        let leaves = [7.0, 2.0];
        let (a, b) = (Step::Leaf(0), Step::Leaf(1));
        let cases = [
            (vec![a], 7.0),
            (vec![Step::Number(1.5)], 1.5),
            (vec![a, Step::Neg], -7.0),
            (vec![a, b, Step::Add], 9.0),
            (vec![a, b, Step::Sub], 5.0),
            (vec![a, b, Step::Mul], 14.0),
            (vec![a, b, Step::Div], 3.5),
            (vec![a, b, a, b, Step::Sub, Step::Div, Step::Sub], 7.0 - 2.0 / 5.0),
        ];
        for (steps, expected) in cases {
            let value =
                program(&steps).value(&leaves, (0, EntityId::new(1)), &mut Stack::default());
            assert_eq!(value, expected, "{steps:?}");
        }
        assert!(program(&[a, b, Step::Add, a, Step::Mul]).leaves().eq([0, 1, 0]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// X1, X2
        #[test]
        fn bounds_hold_the_values_of_all_leaves_in_them(
            steps in steps(2),
            leaves in [(-9.0..9.0_f64, 0.0..5.0_f64, 0.0..=1.0_f64), (-9.0..9.0_f64, 0.0..5.0_f64, 0.0..=1.0_f64)],
            seed: u64,
        ) {
            let (program, mut stack) = (program(&steps), Stack::default());
            let intervals = leaves.map(|(lo, wide, _)| Interval::new(lo, lo + wide));
            let within = leaves.map(|(lo, wide, share)| (lo + wide * share).clamp(lo, lo + wide));
            let value = program.value(&within, (seed, EntityId::new(3)), &mut stack);
            prop_assert!(value.is_finite());
            let bounds = program.bounds(&intervals, &mut stack);
            prop_assert!(bounds.contains(value), "{:?} {}", bounds, value);
        }
    }
}
