//! How an [`Expr`] is shown: as it is written, with the fewest parentheses.

use std::fmt;

use super::words::Name;
use crate::rank::expr::{Expr, Figure, SignalFigure};

/// How tightly an expression holds together, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Sum,
    Product,
    Sign,
    Alone,
}

const fn binding(expression: &Expr) -> Binding {
    match expression {
        Expr::Add(..) | Expr::Sub(..) => Binding::Sum,
        Expr::Mul(..) | Expr::Div(..) => Binding::Product,
        Expr::Neg(_) => Binding::Sign,
        _ => Binding::Alone,
    }
}

impl fmt::Display for Expr {
    /// As it is written, in one way for each tree, with the fewest parentheses. A number
    /// reads back to the same bits; one that is not finite does not read back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => show_number(f, *number),
            Self::Signal(figure) => figure.fmt(f),
            Self::Attribute(name) => Name(name).fmt(f),
            Self::Age(name) => write!(f, "age({})", Name(name)),
            Self::Affinity { signal, attribute } => {
                write!(f, "affinity({}, {})", Name(signal), Name(attribute))
            }
            Self::Neg(inner) => {
                f.write_str("-")?;
                // Right behind a minus, a number without a sign would take it for its own.
                let takes_it = matches!(**inner, Self::Number(number) if number.is_sign_positive());
                show(f, inner, takes_it || binding(inner) < Binding::Sign)
            }
            Self::Add(left, right) => operator(f, left, "+", right, Binding::Sum),
            Self::Sub(left, right) => operator(f, left, "-", right, Binding::Sum),
            Self::Mul(left, right) => operator(f, left, "*", right, Binding::Product),
            Self::Div(left, right) => operator(f, left, "/", right, Binding::Product),
            Self::Call(function, arguments) => {
                write!(f, "{}(", function.name())?;
                for (place, argument) in arguments.iter().enumerate() {
                    let separator = if place == 0 { "" } else { ", " };
                    write!(f, "{separator}{argument}")?;
                }
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for SignalFigure {
    /// As it is written in a score: `count(view, 1h)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (read, window) = match self.figure {
            Figure::Score => ("score", None),
            Figure::Rate => ("rate", None),
            Figure::Count(window) => ("count", Some(window)),
            Figure::Sum(window) => ("sum", Some(window)),
            Figure::Velocity(window) => ("velocity", Some(window)),
            Figure::Uniques(window) => ("uniques", Some(window)),
        };
        let signal = Name(&self.signal);
        match window {
            None => write!(f, "{read}({signal})"),
            Some(window) => write!(f, "{read}({signal}, {window})"),
        }
    }
}

/// Both operands: operators of one rank go from left to right.
fn operator(
    f: &mut fmt::Formatter<'_>,
    left: &Expr,
    symbol: &str,
    right: &Expr,
    rank: Binding,
) -> fmt::Result {
    show(f, left, binding(left) < rank)?;
    write!(f, " {symbol} ")?;
    show(f, right, binding(right) <= rank)
}

fn show(f: &mut fmt::Formatter<'_>, expression: &Expr, parenthesized: bool) -> fmt::Result {
    if parenthesized { write!(f, "({expression})") } else { write!(f, "{expression}") }
}

/// The shortest digits that read back to the same bits; very large and very small ones
/// with an exponent.
fn show_number(f: &mut fmt::Formatter<'_>, number: f64) -> fmt::Result {
    let shortest = format!("{number:?}");
    f.write_str(shortest.strip_suffix(".0").unwrap_or(&shortest))
}
