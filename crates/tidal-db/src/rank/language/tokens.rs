//! What both parsers do with tokens: look, take, refuse, and count how deep they are.

use tidal_types::QueryError;

use super::lexer::{self, Kind, Problem, Token};
use super::words::{Name, keyword};
use super::{NESTING_MAX, OPERATORS_MAX, TEXT_BYTES_MAX};

/// The tokens that are still to be read.
pub(super) struct Tokens<'a> {
    tokens: std::vec::IntoIter<Token<'a>>,
    next: Token<'a>,
    depth: usize,
    operators: usize,
}

/// Reads a whole text by a parser.
pub(super) fn parse<T>(
    text: &str,
    parser: impl FnOnce(&mut Tokens<'_>) -> Result<T, Problem>,
) -> Result<T, QueryError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(QueryError::OutOfRange {
            what: "the length of the text",
            value: format!("{} bytes", text.len()),
            range: format!("at most {TEXT_BYTES_MAX} bytes"),
        });
    }
    let syntax =
        |Problem { at, problem }| QueryError::Syntax { text: text.to_owned(), at, problem };
    let mut tokens = lexer::tokens(text).map_err(syntax)?.into_iter();
    let end = Token { kind: Kind::End, at: 1 };
    let next = tokens.next().unwrap_or(end);
    parser(&mut Tokens { tokens, next, depth: 0, operators: 0 }).map_err(syntax)
}

impl<'a> Tokens<'a> {
    pub(super) const fn peek(&self) -> &Kind<'a> {
        &self.next.kind
    }

    /// The character where the next token begins.
    pub(super) const fn at(&self) -> usize {
        self.next.at
    }

    /// Takes the next token. The end stays.
    pub(super) fn take(&mut self) -> Kind<'a> {
        let end = Token { kind: Kind::End, at: self.next.at };
        let next = self.tokens.next().unwrap_or(end);
        std::mem::replace(&mut self.next, next).kind
    }

    /// Takes this symbol if it is the next token.
    pub(super) fn take_symbol(&mut self, symbol: &'static str) -> bool {
        self.take_if(|kind| *kind == Kind::Symbol(symbol))
    }

    /// Takes this keyword, in whatever case, if it is the next token.
    pub(super) fn take_keyword(&mut self, wanted: &'static str) -> bool {
        self.take_if(|kind| matches!(kind, Kind::Word(word) if keyword(word) == Some(wanted)))
    }

    fn take_if(&mut self, wanted: impl FnOnce(&Kind<'a>) -> bool) -> bool {
        let takes = wanted(self.peek());
        if takes {
            self.take();
        }
        takes
    }

    /// Takes this symbol, which has to be next.
    pub(super) fn expect(&mut self, symbol: &'static str, expected: &str) -> Result<(), Problem> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.expected(expected)) }
    }

    /// A problem with the next token: something else was expected.
    pub(super) fn expected(&self, expected: &str) -> Problem {
        self.problem(format!("expected {expected}, found {}", shown(self.peek())))
    }

    /// A problem with the next token.
    pub(super) fn problem(&self, problem: impl Into<String>) -> Problem {
        Problem::new(self.at(), problem)
    }

    /// Does what is one step deeper.
    pub(super) fn nested<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        if self.depth == NESTING_MAX {
            return Err(self.problem(format!("nested deeper than {NESTING_MAX}")));
        }
        self.depth += 1;
        let read = inner(self);
        self.depth -= 1;
        read
    }

    /// Counts an operator, which is the next token.
    pub(super) fn count_operator(&mut self) -> Result<(), Problem> {
        if self.operators == OPERATORS_MAX {
            return Err(self.problem(format!("more than {OPERATORS_MAX} operators")));
        }
        self.operators += 1;
        Ok(())
    }
}

/// A token as an error shows it.
fn shown(kind: &Kind<'_>) -> String {
    match kind {
        Kind::Word(text) | Kind::Number(text) | Kind::Span(text) => format!("`{text}`"),
        Kind::Quoted(name) => format!("the name {}", Name(name)),
        Kind::Text(_) => "a text".into(),
        Kind::Symbol(symbol) => format!("`{symbol}`"),
        Kind::End => "the end".into(),
    }
}
