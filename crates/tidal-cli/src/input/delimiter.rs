//! What separates the columns of CSV.

/// One byte that is neither a quote nor part of a line break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delimiter(u8);

impl Delimiter {
    /// The delimiter of `.csv` and `.txt`.
    pub(crate) const COMMA: Self = Self(b',');
    /// The delimiter of `.tsv`.
    pub(crate) const TAB: Self = Self(b'\t');

    /// The byte.
    pub(crate) const fn byte(self) -> u8 {
        self.0
    }

    /// Reads one byte, or `\t` in two.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text.as_bytes() {
            b"\\t" => Ok(Self::TAB),
            [b'"' | b'\n' | b'\r'] => Err("a delimiter cannot be a quote or a line break".into()),
            [byte] => Ok(Self(*byte)),
            _ => Err("a delimiter is one byte, or \\t for a tab".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_byte_or_an_escaped_tab() {
        assert_eq!(Delimiter::parse(","), Ok(Delimiter::COMMA));
        assert_eq!(Delimiter::parse("\\t"), Ok(Delimiter::TAB));
        assert_eq!(Delimiter::parse("\t"), Ok(Delimiter::TAB));
        assert_eq!(Delimiter::parse(" ").map(Delimiter::byte), Ok(b' '));
        for text in ["", "::", "\"", "\n", "\u{a7}", "\\n"] {
            assert!(Delimiter::parse(text).is_err(), "{text:?}");
        }
    }
}
