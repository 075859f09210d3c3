//! How a [`Filter`] is shown: as it is written, with the fewest parentheses.

use std::fmt;

use super::filter::symbol;
use super::words::{Name, quoted};
use crate::rank::filter::{Comparison, Filter, Literal};
use crate::rfc3339;

impl fmt::Display for Filter {
    /// As it is written, with the fewest parentheses. A group of one is shown as what is
    /// in it, one of none as `true` or `false`, and a time as a text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match core(self) {
            Self::Compare {
                attribute,
                comparison: Comparison::Equal,
                value: Literal::Boolean(true),
            } => Name(attribute).fmt(f),
            Self::Compare { attribute, comparison, value } => {
                write!(f, "{} {} {value}", Name(attribute), symbol(*comparison))
            }
            Self::In { attribute, values } => show_in(f, attribute, "", values),
            Self::Between { attribute, low, high } => show_between(f, attribute, "", low, high),
            Self::Exists(attribute) => write!(f, "exists {}", Name(attribute)),
            Self::And(all) if all.is_empty() => f.write_str("true"),
            Self::Or(some) if some.is_empty() => f.write_str("false"),
            Self::And(all) => group(f, all, "and", |part| is_group(part, true)),
            Self::Or(some) => group(f, some, "or", |part| is_group(part, false)),
            Self::Not(inner) => match core(inner) {
                Self::In { attribute, values } => show_in(f, attribute, "not ", values),
                Self::Between { attribute, low, high } => {
                    show_between(f, attribute, "not ", low, high)
                }
                other if is_group(other, true) => write!(f, "not ({other})"),
                other => write!(f, "not {other}"),
            },
        }
    }
}

/// What is in groups of one.
fn core(filter: &Filter) -> &Filter {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => match parts.as_slice() {
            [only] => core(only),
            _ => filter,
        },
        _ => filter,
    }
}

/// Whether a part needs parentheses between `and`, or else between `or`, where a group by
/// `and` needs none.
fn is_group(part: &Filter, between_and: bool) -> bool {
    match core(part) {
        Filter::Or(parts) => !parts.is_empty(),
        Filter::And(parts) => between_and && !parts.is_empty(),
        _ => false,
    }
}

fn group(
    f: &mut fmt::Formatter<'_>,
    parts: &[Filter],
    between: &str,
    parenthesized: impl Fn(&Filter) -> bool,
) -> fmt::Result {
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            write!(f, " {between} ")?;
        }
        if parenthesized(part) {
            write!(f, "({part})")?;
        } else {
            write!(f, "{part}")?;
        }
    }
    Ok(())
}

fn show_in(f: &mut fmt::Formatter<'_>, name: &str, not: &str, values: &[Literal]) -> fmt::Result {
    write!(f, "{} {not}in (", Name(name))?;
    for (place, value) in values.iter().enumerate() {
        let separator = if place == 0 { "" } else { ", " };
        write!(f, "{separator}{value}")?;
    }
    f.write_str(")")
}

fn show_between(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    not: &str,
    low: &Literal,
    high: &Literal,
) -> fmt::Result {
    write!(f, "{} {not}between {low} and {high}", Name(name))
}

impl fmt::Display for Literal {
    /// As it is written in a filter. A float always has a fraction or an exponent; a time
    /// is a text in RFC 3339.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => quoted(f, text, '\''),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number:?}"),
            Self::Boolean(boolean) => write!(f, "{boolean}"),
            Self::Time(time) => write!(f, "'{}'", rfc3339::show(*time)),
        }
    }
}
