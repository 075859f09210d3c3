//! The language of filters: from text to a [`Filter`].

use std::str::FromStr;

use tidal_types::QueryError;

use super::lexer::{Kind, Problem};
use super::tokens::{Tokens, parse};
use super::words::keyword;
use crate::rank::filter::{Comparison, Filter, Literal};

const COMPARISONS: [(&str, Comparison); 6] = [
    ("=", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<", Comparison::Less),
    ("<=", Comparison::LessOrEqual),
    (">", Comparison::Greater),
    (">=", Comparison::GreaterOrEqual),
];

/// How the comparison is written.
pub(super) fn symbol(comparison: Comparison) -> &'static str {
    let written = COMPARISONS.into_iter().find(|(_, known)| *known == comparison);
    written.map_or("=", |(symbol, _)| symbol)
}

impl FromStr for Filter {
    type Err = QueryError;

    /// Reads what [`Filter`] is shown as: `language = 'en' and not sold`. The grammar is in
    /// the guide to the query language. `not` holds closer than `and`, and that than `or`.
    /// `x not in (..)` and `x not between ..` are `not` of the rest, so they let through
    /// what has no `x`; `x != ..` does not.
    ///
    /// # Errors
    /// [`QueryError::Syntax`] with the character; [`QueryError::OutOfRange`] for a text of
    /// more than 16,384 bytes. Whether the names exist is seen when the query is run.
    fn from_str(text: &str) -> Result<Self, QueryError> {
        parse(text, |tokens| {
            let filter = either(tokens)?;
            match tokens.peek() {
                Kind::End => Ok(filter),
                _ => Err(tokens.expected("`and`, `or` or the end")),
            }
        })
    }
}

fn either(tokens: &mut Tokens<'_>) -> Result<Filter, Problem> {
    several(tokens, "or", both, Filter::Or)
}

fn both(tokens: &mut Tokens<'_>) -> Result<Filter, Problem> {
    several(tokens, "and", one, Filter::And)
}

/// One, or a group of those with the keyword between them.
fn several(
    tokens: &mut Tokens<'_>,
    between: &'static str,
    parser: fn(&mut Tokens<'_>) -> Result<Filter, Problem>,
    group: fn(Vec<Filter>) -> Filter,
) -> Result<Filter, Problem> {
    let first = parser(tokens)?;
    if !tokens.take_keyword(between) {
        return Ok(first);
    }
    let mut all = vec![first, parser(tokens)?];
    while tokens.take_keyword(between) {
        all.push(parser(tokens)?);
    }
    Ok(group(all))
}

fn one(tokens: &mut Tokens<'_>) -> Result<Filter, Problem> {
    if tokens.take_keyword("not") {
        return Ok(!tokens.nested(one)?);
    }
    if tokens.take_symbol("(") {
        let inner = tokens.nested(either)?;
        tokens.expect(")", "`and`, `or` or `)`")?;
        return Ok(inner);
    }
    if tokens.take_keyword("exists") {
        return name(tokens, "the name of an attribute").map(Filter::Exists);
    }
    if tokens.take_keyword("true") {
        return Ok(Filter::And(Vec::new()));
    }
    if tokens.take_keyword("false") {
        return Ok(Filter::Or(Vec::new()));
    }
    let attribute = name(tokens, "the name of an attribute, `not` or `(`")?;
    condition(tokens, attribute)
}

/// What is behind the name of an attribute.
fn condition(tokens: &mut Tokens<'_>, attribute: String) -> Result<Filter, Problem> {
    let comparison = match tokens.peek() {
        Kind::Symbol(symbol) => COMPARISONS.into_iter().find(|(written, _)| written == symbol),
        _ => None,
    };
    if let Some((_, comparison)) = comparison {
        tokens.take();
        return Ok(Filter::Compare { attribute, comparison, value: value(tokens)? });
    }
    let negated = tokens.take_keyword("not");
    let found = if tokens.take_keyword("in") {
        Filter::In { attribute, values: list(tokens)? }
    } else if tokens.take_keyword("between") {
        let low = value(tokens)?;
        if !tokens.take_keyword("and") {
            return Err(tokens.expected("`and` and the upper end"));
        }
        Filter::Between { attribute, low, high: value(tokens)? }
    } else if negated {
        return Err(tokens.expected("`in` or `between`"));
    } else {
        let (comparison, value) = (Comparison::Equal, Literal::Boolean(true));
        Filter::Compare { attribute, comparison, value }
    };
    Ok(if negated { !found } else { found })
}

fn list(tokens: &mut Tokens<'_>) -> Result<Vec<Literal>, Problem> {
    tokens.expect("(", "`(` and a list of values")?;
    let mut values = Vec::new();
    if tokens.take_symbol(")") {
        return Ok(values);
    }
    loop {
        values.push(value(tokens)?);
        if !tokens.take_symbol(",") {
            tokens.expect(")", "`,` or `)`")?;
            return Ok(values);
        }
    }
}

fn value(tokens: &mut Tokens<'_>) -> Result<Literal, Problem> {
    for boolean in [true, false] {
        if tokens.take_keyword(if boolean { "true" } else { "false" }) {
            return Ok(Literal::Boolean(boolean));
        }
    }
    let at = tokens.at();
    let minus = if tokens.take_symbol("-") { "-" } else { "" };
    match tokens.peek() {
        Kind::Number(digits) => {
            let value = number(&format!("{minus}{digits}"), at)?;
            tokens.take();
            Ok(value)
        }
        _ if !minus.is_empty() => Err(tokens.expected("a number")),
        Kind::Text(_) => match tokens.take() {
            Kind::Text(text) => Ok(Literal::Text(text)),
            _ => Err(tokens.expected("a value")),
        },
        Kind::Word(word) | Kind::Span(word) => {
            let advice = format!("a text stands in single quotes: '{word}'");
            Err(tokens.problem(format!("expected a value, found `{word}`; {advice}")))
        }
        Kind::Quoted(_) => {
            Err(tokens.problem("double quotes are for names; a text stands in single quotes"))
        }
        _ => Err(tokens.expected("a value")),
    }
}

/// A number with its sign: a whole one, unless it has a fraction or an exponent.
fn number(text: &str, at: usize) -> Result<Literal, Problem> {
    if text.contains(['.', 'e', 'E']) {
        return match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Literal::Float(number)),
            _ => Err(Problem::new(at, "a number beyond 1.7976931348623157e308")),
        };
    }
    text.parse().map(Literal::Integer).map_err(|_| {
        Problem::new(
            at,
            format!(
                "{text} is beyond 64 bits with a sign; write {text}.0 for a number, and for the id of an entity what it is less 2^64"
            ),
        )
    })
}

fn name(tokens: &mut Tokens<'_>, expected: &str) -> Result<String, Problem> {
    let bare = |word: &str| keyword(word).is_none();
    match tokens.peek() {
        Kind::Quoted(_) => {}
        Kind::Word(word) if bare(word) => {}
        Kind::Text(text) => {
            let problem = format!(
                "a text stands behind an operator; the name of an attribute is written {}",
                super::words::Name(text)
            );
            return Err(tokens.problem(problem));
        }
        _ => return Err(tokens.expected(expected)),
    }
    match tokens.take() {
        Kind::Quoted(name) => Ok(name),
        Kind::Word(name) => Ok(name.into()),
        _ => Err(tokens.expected(expected)),
    }
}
