//! What a header looks like when it lacks a column that was asked for.

use super::super::Delimiter;

/// Delimiters other than the comma, with what to say on the command line.
const OTHERS: [(u8, &str); 3] = [(b';', "';'"), (b'\t', "'\\t'"), (b'|', "'|'")];

/// What may be the matter with a file whose first line is `header`, split into
/// `width` columns by `delimiter`.
pub(super) fn of_header(header: &[u8], width: usize, delimiter: Delimiter) -> Option<String> {
    if header.trim_ascii_start().starts_with(b"{") {
        return Some("this looks like JSONL; if it is, say --format jsonl".into());
    }
    // A line break at the end is as it should be.
    if header.trim_ascii_end().contains(&b'\r') {
        return Some("its lines end in CR alone; convert them to LF".into());
    }
    if width > 1 {
        return None;
    }
    let (_, name) =
        OTHERS.into_iter().find(|(byte, _)| *byte != delimiter.byte() && header.contains(byte))?;
    Some(format!("if its columns are separated otherwise, say --delimiter {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(header: &str, width: usize) -> String {
        of_header(header.as_bytes(), width, Delimiter::COMMA).unwrap_or_default()
    }

    #[test]
    fn a_single_column_with_another_delimiter_in_it_is_pointed_out() {
        assert!(hint("item;at\n", 1).ends_with("--delimiter ';'"));
        assert!(hint("item\tat\n", 1).ends_with("--delimiter '\\t'"));
        assert!(hint("item|at\n", 1).ends_with("--delimiter '|'"));
        for (header, width) in [("item\n", 1), ("item;a,at\n", 2), ("", 1)] {
            assert_eq!(hint(header, width), "", "{header}");
        }
        assert_eq!(of_header(b"item;at\n", 1, Delimiter::parse(";").unwrap()), None);
    }

    #[test]
    fn json_and_lone_carriage_returns_are_pointed_out() {
        assert!(hint("{\"item\":1,\"at\":2}\n", 2).contains("--format jsonl"));
        assert!(hint("item,at\ra,1\rb,2\r", 4).contains("CR alone"));
        assert_eq!(hint("item,at\r\n", 2), "");
    }
}
