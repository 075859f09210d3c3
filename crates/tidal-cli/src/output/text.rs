//! Bytes of strangers, made fit for a terminal.
//!
//! Names and rows come from files that anyone may have written: control
//! characters would move the cursor or recolour the screen, so they are shown
//! escaped.

/// How much of a value a message quotes, in characters.
const EXCERPT_CHARS_MAX: usize = 60;

/// The bytes as text, with control characters escaped and what is not UTF-8
/// replaced.
pub(crate) fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for character in String::from_utf8_lossy(bytes).chars() {
        if character.is_control() {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    text
}

/// The beginning of the bytes in double quotes, for a message.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    let text = printable(bytes);
    match text.char_indices().nth(EXCERPT_CHARS_MAX) {
        Some((end, _)) => format!("\"{}...\"", text.get(..end).unwrap_or_default()),
        None => format!("\"{text}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(printable(b"a\x1b[31mb\n"), "a\\u{1b}[31mb\\n");
        assert_eq!(printable(b"caf\xe9"), "caf\u{fffd}");
    }

    #[test]
    fn a_long_value_is_cut() {
        assert_eq!(excerpt(b"abc"), "\"abc\"");
        let text = excerpt(&[b'x'; 100]);
        assert_eq!(text.len(), 60 + 5);
    }
}
