//! Names as they are written: bare where that can be, else in double quotes.

use std::fmt::{self, Write as _};

/// The keywords of filters; a name that is one of them, in whatever case, is quoted.
pub(super) const KEYWORDS: [&str; 8] =
    ["and", "or", "not", "in", "between", "exists", "true", "false"];

/// Whether a name may begin so.
pub(super) const fn starts_name(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_'
}

/// The keyword that a word is.
pub(super) fn keyword(word: &str) -> Option<&'static str> {
    KEYWORDS.into_iter().find(|keyword| word.eq_ignore_ascii_case(keyword))
}

/// A name, so that both languages read it as one.
pub(super) struct Name<'a>(pub(super) &'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = self.0.starts_with(starts_name)
            && self.0.chars().all(|c| starts_name(c) || c.is_ascii_digit())
            && keyword(self.0).is_none();
        if bare { f.write_str(self.0) } else { quoted(f, self.0, '"') }
    }
}

/// What stands between two quotes, those in it doubled.
pub(super) fn quoted(f: &mut fmt::Formatter<'_>, content: &str, quote: char) -> fmt::Result {
    f.write_char(quote)?;
    for character in content.chars() {
        if character == quote {
            f.write_char(quote)?;
        }
        f.write_char(character)?;
    }
    f.write_char(quote)
}
