//! The tables in the document: what stands between two lines is replaced, and nothing
//! else.

use std::path::Path;
use std::{fs, io};

use crate::{Result, say};

const BEGIN: &str = "<!-- measured: begin -->\n";
const END: &str = "<!-- measured: end -->\n";

/// The document with these tables; `None` when the lines around them are missing.
fn updated(text: &str, tables: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{tables}\n{END}{after}"))
}

/// Puts the tables into the document at `path`, or prints them if there is none.
///
/// # Errors
///
/// The document cannot be read or written, or has no place for them.
pub fn publish(tables: &str, path: Option<&Path>) -> Result<()> {
    let Some(path) = path else {
        say(tables);
        return Ok(());
    };
    let text = fs::read_to_string(path).map_err(|error| at(path, &error))?;
    let updated = updated(&text, tables)
        .ok_or_else(|| format!("{}: the lines around the tables are missing", path.display()))?;
    fs::write(path, updated).map_err(|error| at(path, &error))?;
    say(&format!("updated {}", path.display()));
    Ok(())
}

/// The error, with the file it is about.
#[must_use]
pub fn at(path: &Path, error: &io::Error) -> String {
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
