//! Expressions: what a query ranks by.
//!
//! In code an expression is put together by functions and operators,
//!
//! ```
//! use tidal_db::{count, score, Window};
//!
//! let by = 3.0 * score("like") + count("view", Window::OneHour) - 10.0 * score("report");
//! assert_eq!(by.to_string(), "3 * score(like) + count(view, 1h) - 10 * score(report)");
//! ```
//!
//! and in text it is written as it is shown.

use std::ops::{Add, Div, Mul, Neg, Sub};

use tidal_types::Window;

use super::filter::Attribute;
use super::function::Function;

/// What a query ranks by: a number for each entity.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// The same number for all.
    Number(f64),
    /// What the entity has of a signal; 0 when it has no events of it.
    Signal(SignalFigure),
    /// A number that is an attribute of the entity: an integer or a float, a time in
    /// seconds since the Unix epoch, a boolean as 0 or 1; 0 when it has none.
    Attribute(String),
    /// How many seconds have passed since the time that is an attribute of the entity; 0
    /// when that is still to come. An entity without it is as old as can be: 100 years.
    Age(String),
    /// How much the user of the query likes what the entity's attribute says, its creator
    /// or its keywords: the decayed sum of the weights of what the user did, by a signal
    /// that keeps its history, to entities that share the value. Of several keywords it is
    /// the mean.
    Affinity {
        /// The signal.
        signal: String,
        /// The attribute: of type entity, keyword or keywords.
        attribute: String,
    },
    /// The negative.
    Neg(Box<Self>),
    /// A sum.
    Add(Box<Self>, Box<Self>),
    /// A difference.
    Sub(Box<Self>, Box<Self>),
    /// A product.
    Mul(Box<Self>, Box<Self>),
    /// A quotient; 0 where the divisor is 0.
    Div(Box<Self>, Box<Self>),
    /// A function of others.
    Call(Function, Vec<Self>),
}

/// What is read of a signal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SignalFigure {
    /// The name of the signal type.
    pub signal: String,
    /// Which number.
    pub figure: Figure,
}

/// Which number is read of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Figure {
    /// The decayed score.
    Score,
    /// The score as a rate: events a second that would keep it where it is, weighted,
    /// `score * ln 2 / half-life`. Of exponential decay only.
    Rate,
    /// How many events there were in a window.
    Count(Window),
    /// The sum of their weights.
    Sum(Window),
    /// Events a second over a window that ends.
    Velocity(Window),
    /// How many different users acted in a window.
    Uniques(Window),
}

fn figure(signal: &str, figure: Figure) -> Expr {
    Expr::Signal(SignalFigure { signal: signal.into(), figure })
}

/// The same number for all.
#[must_use]
pub const fn number(number: f64) -> Expr {
    Expr::Number(number)
}

/// The decayed score of a signal.
#[must_use]
pub fn score(signal: &str) -> Expr {
    figure(signal, Figure::Score)
}

/// The decayed score of a signal as events a second, see [`Figure::Rate`].
#[must_use]
pub fn rate(signal: &str) -> Expr {
    figure(signal, Figure::Rate)
}

/// The number of events of a signal in a window.
#[must_use]
pub fn count(signal: &str, window: Window) -> Expr {
    figure(signal, Figure::Count(window))
}

/// The sum of the weights of the events of a signal in a window.
#[must_use]
pub fn sum(signal: &str, window: Window) -> Expr {
    figure(signal, Figure::Sum(window))
}

/// Events of a signal a second over a window.
#[must_use]
pub fn velocity(signal: &str, window: Window) -> Expr {
    figure(signal, Figure::Velocity(window))
}

/// The number of different users behind the events of a signal in a window.
#[must_use]
pub fn uniques(signal: &str, window: Window) -> Expr {
    figure(signal, Figure::Uniques(window))
}

/// How much the user of the query likes what the entity's attribute says, see
/// [`Expr::Affinity`].
#[must_use]
pub fn affinity(signal: &str, attribute: &str) -> Expr {
    Expr::Affinity { signal: signal.into(), attribute: attribute.into() }
}

/// An attribute of the entity: to filter by, or with [`Attribute::value`] and
/// [`Attribute::age`] to rank by.
#[must_use]
pub fn attribute(name: &str) -> Attribute {
    Attribute::new(name)
}

impl Expr {
    /// A function of these arguments.
    #[must_use]
    pub fn call(function: Function, arguments: impl IntoIterator<Item = Self>) -> Self {
        Self::Call(function, arguments.into_iter().collect())
    }
}

impl From<f64> for Expr {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident),*) => {$(
        impl $trait for Expr {
            type Output = Expr;

            fn $method(self, other: Expr) -> Expr {
                Expr::$trait(Box::new(self), Box::new(other))
            }
        }

        impl $trait<f64> for Expr {
            type Output = Expr;

            fn $method(self, other: f64) -> Expr {
                $trait::$method(self, Expr::Number(other))
            }
        }

        impl $trait<Expr> for f64 {
            type Output = Expr;

            fn $method(self, other: Expr) -> Expr {
                $trait::$method(Expr::Number(self), other)
            }
        }
    )*};
}

operators!(Add add, Sub sub, Mul mul, Div div);

impl Neg for Expr {
    type Output = Self;

    fn neg(self) -> Self {
        Self::Neg(Box::new(self))
    }
}
