//! The tables in the document: what stands between two lines is replaced, and nothing
//! else.

use std::io;
use std::path::Path;

const BEGIN: &str = "<!-- measured: begin -->\n";
const END: &str = "<!-- measured: end -->\n";

/// The document with these tables; `None` when the lines around them are missing.
pub(crate) fn updated(text: &str, tables: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{tables}\n{END}{after}"))
}

/// The error, with the file it is about.
pub(crate) fn at(path: &Path, error: io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tables_change() {
        let text = format!("before\n{BEGIN}old\n{END}after\n");
        let expected = format!("before\n{BEGIN}\nnew\n\n{END}after\n");
        assert_eq!(updated(&text, "new\n"), Some(expected.clone()));
        assert_eq!(updated(&expected, "new\n"), Some(expected));
    }

    #[test]
    fn a_document_without_a_place_for_them_is_left_alone() {
        for text in ["", BEGIN, END] {
            assert_eq!(updated(text, "new"), None);
        }
    }
}
