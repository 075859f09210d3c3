//! From text to tokens, each with the number of its first character.

use super::words::starts_name;

/// A part of the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    /// Its first character, from 1.
    pub(super) at: usize,
}

/// What a part of the text is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind<'a> {
    /// A name or a keyword.
    Word(&'a str),
    /// A name in double quotes, without them.
    Quoted(String),
    /// A number without a sign.
    Number(&'a str),
    /// Digits with letters behind them: a window.
    Span(&'a str),
    /// What stands in single quotes, without them.
    Text(String),
    /// An operator, a parenthesis or a comma.
    Symbol(&'static str),
    /// The text is over.
    End,
}

/// What is wrong with a text, and at which character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) at: usize,
    pub(super) problem: String,
}

impl Problem {
    pub(super) fn new(at: usize, problem: impl Into<String>) -> Self {
        Self { at, problem: problem.into() }
    }
}

/// Those of two characters first, so that the longer one is found.
const SYMBOLS: [&str; 13] = ["!=", "<=", ">=", "(", ")", ",", "+", "-", "*", "/", "=", "<", ">"];

/// What people write who know other languages, and how it is written here.
const ELSEWHERE: [(&str, &str); 10] = [
    ("==", "equality is written `=`"),
    ("<>", "inequality is written `!=`"),
    ("&&", "both conditions are written `and`"),
    ("||", "either condition is written `or`"),
    ("**", "powers are written `pow(base, exponent)`"),
    ("^", "powers are written `pow(base, exponent)`"),
    ("!", "negation is written `not`"),
    ("\u{2018}", "texts stand in straight quotes: 'text'"),
    ("\u{201c}", "texts stand in straight quotes: 'text'"),
    (".", "a number begins with a digit: 0.5"),
];

/// Takes the text apart. The last token is [`Kind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Problem> {
    let mut lexer = Lexer { rest: text, at: 1 };
    let mut tokens = Vec::new();
    loop {
        lexer.take_while(char::is_whitespace);
        let at = lexer.at;
        let kind = lexer.token()?;
        let over = kind == Kind::End;
        tokens.push(Token { kind, at });
        if over {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    rest: &'a str,
    /// The number of the character that `rest` begins with.
    at: usize,
}

impl<'a> Lexer<'a> {
    fn token(&mut self) -> Result<Kind<'a>, Problem> {
        let Some(first) = self.rest.chars().next() else {
            return Ok(Kind::End);
        };
        if first.is_ascii_digit() {
            return Ok(self.number());
        }
        if starts_name(first) {
            return Ok(Kind::Word(self.take_while(in_name)));
        }
        match first {
            '\'' => self.between_quotes('\'').map(Kind::Text),
            '"' => self.between_quotes('"').map(Kind::Quoted),
            _ => self.symbol(first),
        }
    }

    /// Digits, with a fraction and an exponent if they are there. With letters right
    /// behind it is a window, or nothing.
    fn number(&mut self) -> Kind<'a> {
        let start = self.rest;
        self.take_while(|c| c.is_ascii_digit());
        if let Some(fraction) = self.rest.strip_prefix('.')
            && fraction.starts_with(|c: char| c.is_ascii_digit())
        {
            self.take(1);
            self.take_while(|c| c.is_ascii_digit());
        }
        if let Some(exponent) = self.rest.strip_prefix(['e', 'E']) {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits.starts_with(|c: char| c.is_ascii_digit()) {
                self.take(1 + exponent.len() - digits.len());
                self.take_while(|c| c.is_ascii_digit());
            }
        }
        let letters = self.take_while(in_name);
        let whole = start.strip_suffix(self.rest).unwrap_or(start);
        if letters.is_empty() { Kind::Number(whole) } else { Kind::Span(whole) }
    }

    /// What is up to the next quote that is not written twice.
    fn between_quotes(&mut self, quote: char) -> Result<String, Problem> {
        let opened = self.at;
        let mut content = String::new();
        loop {
            self.take(1);
            content.push_str(self.take_while(|c| c != quote));
            if self.rest.is_empty() {
                return Err(Problem::new(opened, "this quote is not closed"));
            }
            self.take(1);
            if !self.rest.starts_with(quote) {
                return Ok(content);
            }
            content.push(quote);
        }
    }

    fn symbol(&mut self, first: char) -> Result<Kind<'a>, Problem> {
        let known = SYMBOLS.into_iter().find(|symbol| self.rest.starts_with(symbol));
        let foreign = ELSEWHERE.into_iter().find(|(foreign, _)| self.rest.starts_with(foreign));
        match (known, foreign) {
            // Of `!=` and `!` the longer one is meant, of `==` and `=` too.
            (Some(symbol), foreign)
                if foreign.is_none_or(|(foreign, _)| foreign.len() <= symbol.len()) =>
            {
                self.take(symbol.len());
                Ok(Kind::Symbol(symbol))
            }
            (_, Some((_, advice))) => Err(Problem::new(self.at, advice)),
            _ => Err(Problem::new(self.at, format!("unexpected {first:?}"))),
        }
    }

    /// Passes over so many characters of one byte each.
    fn take(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
        self.at += bytes;
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.at += taken.chars().count();
        self.rest = rest;
        taken
    }
}

const fn in_name(character: char) -> bool {
    starts_name(character) || character.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind<'_>, usize)> {
        tokens(text).unwrap().into_iter().map(|token| (token.kind, token.at)).collect()
    }

    #[test]
    fn tokens_know_their_character() {
        let (word, symbol) = (Kind::Word, Kind::Symbol);
        assert_eq!(
            kinds("a<=-1.5e-3 \u{2003}'\u{e9}''x'!= \"in\"\"b\""),
            [
                (word("a"), 1),
                (symbol("<="), 2),
                (symbol("-"), 4),
                (Kind::Number("1.5e-3"), 5),
                (Kind::Text("\u{e9}'x".into()), 13),
                (symbol("!="), 19),
                (Kind::Quoted("in\"b".into()), 22),
                (Kind::End, 29),
            ]
        );
    }

    #[test]
    fn a_number_ends_where_it_makes_sense_no_more() {
        assert_eq!(
            kinds("24h 1e5 1e 2e+ 1e5h"),
            [
                (Kind::Span("24h"), 1),
                (Kind::Number("1e5"), 5),
                (Kind::Span("1e"), 9),
                (Kind::Span("2e"), 12),
                (Kind::Symbol("+"), 14),
                (Kind::Span("1e5h"), 16),
                (Kind::End, 20),
            ]
        );
    }
}
