//! The language of scores: from text to an [`Expr`].

use std::ops::RangeInclusive;
use std::str::FromStr;

use tidal_types::{QueryError, Window};

use super::lexer::{Kind, Problem};
use super::nearest::{nearest, nearest_window};
use super::tokens::{Tokens, parse};
use crate::rank::expr::{Expr, Figure, SignalFigure};
use crate::rank::function::Function;

/// What reads as a call and is none of a [`Function`].
const READS: [(&str, Read); 8] = [
    ("score", Read::Plain(Figure::Score)),
    ("rate", Read::Plain(Figure::Rate)),
    ("count", Read::Windowed(Figure::Count)),
    ("sum", Read::Windowed(Figure::Sum)),
    ("velocity", Read::Windowed(Figure::Velocity)),
    ("uniques", Read::Windowed(Figure::Uniques)),
    ("age", Read::Age),
    ("affinity", Read::Affinity),
];

/// What is read of an entity, by the shape of its arguments.
#[derive(Clone, Copy)]
enum Read {
    /// A signal.
    Plain(Figure),
    /// A signal and a window.
    Windowed(fn(Window) -> Figure),
    /// An attribute.
    Age,
    /// A signal and an attribute.
    Affinity,
}

impl FromStr for Expr {
    type Err = QueryError;

    /// Reads what [`Expr`] is shown as: `3 * score(like) + count(view, 1h)`. The grammar
    /// is in the guide to the query language; a minus right before a number is a part of
    /// it.
    ///
    /// # Errors
    /// [`QueryError::Syntax`] with the character; [`QueryError::OutOfRange`] for a text of
    /// more than 16,384 bytes. Whether the names exist is seen when the query is run.
    fn from_str(text: &str) -> Result<Self, QueryError> {
        parse(text, |tokens| {
            let expression = score(tokens)?;
            match tokens.peek() {
                Kind::End => Ok(expression),
                _ => Err(tokens.expected("an operator or the end")),
            }
        })
    }
}

fn score(tokens: &mut Tokens<'_>) -> Result<Expr, Problem> {
    let mut left = term(tokens)?;
    loop {
        match tokens.peek() {
            Kind::Symbol("+") => left = left + operand(tokens, term)?,
            Kind::Symbol("-") => left = left - operand(tokens, term)?,
            _ => return Ok(left),
        }
    }
}

fn term(tokens: &mut Tokens<'_>) -> Result<Expr, Problem> {
    let mut left = sign(tokens)?;
    loop {
        match tokens.peek() {
            Kind::Symbol("*") => left = left * operand(tokens, sign)?,
            Kind::Symbol("/") => left = left / operand(tokens, sign)?,
            _ => return Ok(left),
        }
    }
}

/// What is behind the operator that is the next token.
fn operand(
    tokens: &mut Tokens<'_>,
    parser: fn(&mut Tokens<'_>) -> Result<Expr, Problem>,
) -> Result<Expr, Problem> {
    tokens.count_operator()?;
    tokens.take();
    parser(tokens)
}

fn sign(tokens: &mut Tokens<'_>) -> Result<Expr, Problem> {
    if *tokens.peek() != Kind::Symbol("-") {
        return primary(tokens);
    }
    tokens.count_operator()?;
    tokens.nested(|tokens| {
        tokens.take();
        if matches!(tokens.peek(), Kind::Number(_)) {
            return Ok(Expr::Number(-number(tokens)?));
        }
        Ok(-sign(tokens)?)
    })
}

fn primary(tokens: &mut Tokens<'_>) -> Result<Expr, Problem> {
    if tokens.take_symbol("(") {
        let inner = tokens.nested(score)?;
        tokens.expect(")", "an operator or `)`")?;
        return Ok(inner);
    }
    let at = tokens.at();
    match tokens.peek() {
        Kind::Number(_) => number(tokens).map(Expr::Number),
        Kind::Quoted(_) => Ok(Expr::Attribute(name(tokens, "an attribute")?)),
        Kind::Word(word) => {
            let word = *word;
            tokens.take();
            if *tokens.peek() == Kind::Symbol("(") {
                tokens.nested(|tokens| call(tokens, word, at))
            } else {
                Ok(Expr::Attribute(word.into()))
            }
        }
        Kind::Span(_) => Err(tokens
            .problem("a number with letters: a window stands in count, sum, velocity or uniques")),
        Kind::Text(_) => {
            Err(tokens.problem("a text is no number: names of signals and attributes stand bare"))
        }
        _ => Err(tokens.expected("a number, a name or `(`")),
    }
}

fn number(tokens: &mut Tokens<'_>) -> Result<f64, Problem> {
    let at = tokens.at();
    let read = match tokens.take() {
        Kind::Number(text) => text.parse::<f64>().ok(),
        _ => None,
    };
    match read {
        Some(number) if number.is_finite() => Ok(number),
        _ => Err(Problem::new(at, "a number beyond 1.7976931348623157e308")),
    }
}

/// A call; the next token is its parenthesis.
fn call(tokens: &mut Tokens<'_>, word: &str, at: usize) -> Result<Expr, Problem> {
    if let Some((_, read)) = READS.into_iter().find(|(name, _)| *name == word) {
        tokens.take();
        return read_of(tokens, read);
    }
    let Some(function) = Function::from_name(word) else {
        return Err(Problem::new(at, unknown(word)));
    };
    tokens.take();
    let arity = function.arity();
    let mut arguments = Vec::new();
    if *tokens.peek() != Kind::Symbol(")") {
        loop {
            if arguments.len() == *arity.end() {
                return Err(tokens.problem(format!("{word} takes {}", arguments_of(&arity))));
            }
            arguments.push(score(tokens)?);
            if !tokens.take_symbol(",") {
                break;
            }
        }
    }
    if *tokens.peek() == Kind::Symbol(")") && arguments.len() < *arity.start() {
        let found = arguments.len();
        return Err(tokens.problem(format!("{word} takes {}, not {found}", arguments_of(&arity))));
    }
    tokens.expect(")", "an operator, `,` or `)`")?;
    Ok(Expr::Call(function, arguments))
}

/// What is read of an entity, behind the parenthesis.
fn read_of(tokens: &mut Tokens<'_>, read: Read) -> Result<Expr, Problem> {
    let read = match read {
        Read::Plain(figure) => Expr::Signal(SignalFigure { signal: signal(tokens)?, figure }),
        Read::Windowed(figure) => {
            let signal = signal(tokens)?;
            tokens.expect(",", "`,` and a window (1h, 24h, 7d, 30d or all)")?;
            let figure = figure(window(tokens)?);
            Expr::Signal(SignalFigure { signal, figure })
        }
        Read::Age => Expr::Age(name(tokens, "the name of an attribute that is a time")?),
        Read::Affinity => {
            let signal = signal(tokens)?;
            tokens.expect(",", "`,` and the name of an attribute")?;
            Expr::Affinity { signal, attribute: name(tokens, "the name of an attribute")? }
        }
    };
    tokens.expect(")", "`)`")?;
    Ok(read)
}

fn signal(tokens: &mut Tokens<'_>) -> Result<String, Problem> {
    name(tokens, "the name of a signal")
}

fn name(tokens: &mut Tokens<'_>, expected: &str) -> Result<String, Problem> {
    match tokens.peek() {
        Kind::Word(_) | Kind::Quoted(_) => {}
        Kind::Text(_) => {
            return Err(tokens.problem(format!("{expected} stands bare, not as a text")));
        }
        _ => return Err(tokens.expected(expected)),
    }
    match tokens.take() {
        Kind::Quoted(name) => Ok(name),
        Kind::Word(name) => Ok(name.into()),
        _ => Err(tokens.expected(expected)),
    }
}

fn window(tokens: &mut Tokens<'_>) -> Result<Window, Problem> {
    let text = match tokens.peek() {
        Kind::Span(text) | Kind::Word(text) | Kind::Number(text) => *text,
        _ => return Err(tokens.expected("a window (1h, 24h, 7d, 30d or all)")),
    };
    let Some(window) = Window::ALL.into_iter().find(|window| window.as_str() == text) else {
        let meant = nearest_window(text).map(|window| format!("; the nearest is {window}"));
        return Err(tokens.problem(format!(
            "no window `{text}`: there are 1h, 24h, 7d, 30d and all{}",
            meant.unwrap_or_default()
        )));
    };
    tokens.take();
    Ok(window)
}

fn unknown(word: &str) -> String {
    let reads = READS.map(|(name, _)| name);
    let functions = Function::ALL.iter().map(|function| function.name());
    match nearest(word, reads.into_iter().chain(functions.clone())) {
        Some(meant) => format!("no function `{word}`; did you mean {meant}?"),
        None => {
            let known: Vec<_> = reads.into_iter().chain(functions).collect();
            format!("no function `{word}`; there are {}", known.join(", "))
        }
    }
}

fn arguments_of(arity: &RangeInclusive<usize>) -> String {
    match (*arity.start(), *arity.end()) {
        (1, 1) => "1 argument".into(),
        (least, most) if least == most => format!("{least} arguments"),
        (least, usize::MAX) => format!("at least {least} arguments"),
        (least, most) => format!("{least} to {most} arguments"),
    }
}
