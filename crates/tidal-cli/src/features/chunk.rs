//! The rows that are answered together.

use tidal_db::{AsOf, FeatureColumn, FeatureValue, FeatureValues, TidalDB};

use super::{AskedRow, CHUNK_BYTES_MAX};
use crate::failure::Failure;
use crate::input::without_line_break;
use crate::output::{OutFile, push_field};

/// Rows as they stand, and what they ask.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    /// The rows, one behind the other.
    raw: Vec<u8>,
    /// Where each ends in them, and what it asks.
    rows: Vec<(usize, AskedRow)>,
}

impl Chunk {
    /// Takes a row.
    pub(crate) fn push(&mut self, raw: &[u8], asked: AskedRow) {
        self.raw.extend_from_slice(raw);
        self.rows.push((self.raw.len(), asked));
    }

    /// Whether it is time to answer.
    pub(crate) const fn is_full(&self, rows_max: usize) -> bool {
        self.rows.len() >= rows_max || self.raw.len() >= CHUNK_BYTES_MAX
    }

    /// Writes every row with its features, and forgets them; answers how many passes over
    /// the log it took.
    ///
    /// # Errors
    /// The database cannot answer, or the rows cannot be written.
    pub(crate) fn answer(
        &mut self,
        db: &TidalDB,
        request: &AsOf,
        delimiter: u8,
        out: &mut OutFile,
    ) -> Result<usize, Failure> {
        let known = self.rows.iter().filter_map(|(_, asked)| Some((asked.id?, asked.at)));
        let features = db.as_of(&request.clone().rows(known))?;
        let (mut begin, mut place) = (0, 0);
        let mut line = Vec::new();
        for &(end, asked) in &self.rows {
            let raw = self.raw.get(begin..end).unwrap_or_default();
            begin = end;
            line.clear();
            line.extend_from_slice(without_line_break(raw));
            for column in &features.columns {
                push_field(&mut line, delimiter, &text(column, asked.id.map(|_| place)));
            }
            place += usize::from(asked.id.is_some());
            line.extend_from_slice(line_break(raw));
            out.write(&line)?;
        }
        self.raw.clear();
        self.rows.clear();
        Ok(features.passes)
    }
}

/// A header with the names of features behind it.
pub(crate) fn with_names(header: &[u8], delimiter: u8, names: &[String]) -> Vec<u8> {
    let mut line = without_line_break(header).to_vec();
    for name in names {
        push_field(&mut line, delimiter, name);
    }
    line.extend_from_slice(line_break(header));
    line
}

/// The line break at the end of a line, or one for the last line of a file.
fn line_break(line: &[u8]) -> &[u8] {
    match line.get(without_line_break(line).len()..) {
        None | Some([]) => b"\n",
        Some(line_break) => line_break,
    }
}

/// The value of a feature at a place, or that of an entity nobody knows. Numbers are
/// written so that reading them gives the same bits.
fn text(column: &FeatureColumn, place: Option<usize>) -> String {
    let zero = match column.values {
        FeatureValues::Real(_) => FeatureValue::Real(0.0),
        FeatureValues::Whole(_) => FeatureValue::Whole(0),
    };
    match place.and_then(|place| column.values.get(place)).unwrap_or(zero) {
        FeatureValue::Real(value) => format!("{value:?}"),
        FeatureValue::Whole(value) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_full() {
        let values = vec![0.1 + 0.2, 1e-300, -1e15, 0.0];
        let column = FeatureColumn { name: "a".into(), values: FeatureValues::Real(values) };
        let texts = [Some(0), Some(1), Some(2), Some(3), None].map(|place| text(&column, place));
        assert_eq!(texts, ["0.30000000000000004", "1e-300", "-1000000000000000.0", "0.0", "0.0"]);
        let column =
            FeatureColumn { name: "a".into(), values: FeatureValues::Whole(vec![u64::MAX]) };
        assert_eq!([Some(0), None].map(|p| text(&column, p)), ["18446744073709551615", "0"]);
    }
}
