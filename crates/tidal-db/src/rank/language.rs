//! The two languages of queries: scores and filters, as text.
//!
//! ```text
//! score  = term { ("+" | "-") term }
//! term   = sign { ("*" | "/") sign }
//! sign   = "-" sign | "(" score ")" | number | name | call
//! call   = function "(" [ score { "," score } ] ")"
//!        | ("score" | "rate") "(" name ")"
//!        | ("count" | "sum" | "velocity" | "uniques") "(" name "," window ")"
//!        | "age" "(" name ")" | "affinity" "(" name "," name ")"
//! window = "1h" | "24h" | "7d" | "30d" | "all"
//!
//! filter  = both { "or" both }
//! both    = one { "and" one }
//! one     = "not" one | "(" filter ")" | "exists" name | "true" | "false"
//!         | name [ "=" | "!=" | "<" | "<=" | ">" | ">=" value ]
//!         | name [ "not" ] "in" "(" [ value { "," value } ] ")"
//!         | name [ "not" ] "between" value "and" value
//! value   = [ "-" ] number | 'text' | "true" | "false"
//! ```
//!
//! A name is letters, digits and `_`, not a digit first, or anything in double quotes. In
//! texts and quoted names a quote is written twice. The keywords of filters may be in
//! upper case, and an attribute that has the name of one is quoted. A name alone is, in a
//! score, the number that this attribute is, and in a filter that it is true.
//!
//! Q4. What is shown of an expression or a filter reads back as the same, but for groups
//!     of one, which are what is in them, and times, which become texts. Numbers come
//!     back bit by bit.
//! Q5. No text makes reading panic, or take a stack or memory beyond what
//!     [`TEXT_BYTES_MAX`], [`NESTING_MAX`] and [`OPERATORS_MAX`] allow.

mod filter;
mod lexer;
mod nearest;
mod score;
mod show_filter;
mod show_score;
mod tokens;
mod words;

#[cfg(test)]
pub(super) mod tests;

pub(super) use nearest::nearest;

/// The longest text of a score or of a filter, in bytes.
pub const TEXT_BYTES_MAX: usize = 1 << 14;

/// How deep parentheses, calls and signs may be in one another.
pub const NESTING_MAX: usize = 64;

/// The most operators of a score, signs included: as deep as its tree may be beside what
/// is nested.
pub const OPERATORS_MAX: usize = 256;
