//! Rows of CSV (RFC 4180), with any one-byte delimiter.
//!
//! The csv crate reads a broken quote as one field up to the end of the file,
//! and does not give a row back byte for byte. An import must lose no row behind
//! a broken quote and must hand rejected rows back unchanged, so the splitting is
//! done here; tests hold it against the csv crate.
//!
//! V1. Lines are counted as they stand in the file, those in quotes too.
//! V2. Behind a broken quote reading goes on with the next physical line.
//! V3. Fields are exact bytes: nothing is trimmed, decoded or folded.

mod hint;
mod record;

use std::io::{self, Read};

use super::buffer::{Buffer, without_line_break};
use super::mapping::{place_by_number, place_in_header};
use super::{Cell, Columns, Delimiter, Fields, ROW_BYTES_MAX, Row, Rows};
use crate::failure::Failure;
use record::{Record, Scan};

/// The rows of a CSV file.
#[derive(Debug)]
pub(crate) struct CsvRows {
    buffer: Buffer,
    record: Record,
    columns: Columns<usize>,
    /// The places of the columns that are read beside these, and what a row has there.
    more: Vec<usize>,
    cells: Vec<Option<Cell>>,
    /// The columns in the header, if there is one.
    titles: Option<Vec<Vec<u8>>>,
    header: Vec<u8>,
    next_line: u64,
    /// What the row that was last given away takes up.
    given_bytes: usize,
}

/// What stands at the beginning of the pending bytes.
enum Next {
    End,
    Row { bytes: usize, lines: u64 },
    Broken { bytes: usize, problem: &'static str },
}

impl CsvRows {
    /// The rows of `source`.
    ///
    /// # Errors
    /// The header cannot be read, lacks a column or has it twice; a column is
    /// not a number and there is no header.
    pub(crate) fn open(
        source: Box<dyn Read>,
        delimiter: Delimiter,
        header: bool,
        columns: &Columns<String>,
    ) -> Result<Self, Failure> {
        let unresolved = Columns { entity: 0, time: None, signal: None, weight: None, actor: None };
        let mut rows = Self {
            buffer: Buffer::new(source),
            record: Record::new(delimiter.byte()),
            columns: unresolved,
            more: Vec::new(),
            cells: Vec::new(),
            titles: None,
            header: Vec::new(),
            next_line: 1,
            given_bytes: 0,
        };
        let unreadable = |error: io::Error| Failure::failed(format!("line 1: {error}"));
        rows.buffer.skip_byte_order_mark().map_err(unreadable)?;
        if header {
            let titles = rows.read_header(unreadable)?;
            rows.columns = columns.in_header(&titles).map_err(|failure| {
                match hint::of_header(&rows.header, titles.len(), delimiter) {
                    Some(hint) => failure.hinting(hint),
                    None => failure,
                }
            })?;
            rows.titles = Some(titles);
        } else {
            rows.columns = columns.by_number()?;
        }
        Ok(rows)
    }

    /// Whether the header has a column of that name.
    pub(crate) fn has_column(&self, name: &str) -> bool {
        self.titles.iter().flatten().any(|title| title == name.as_bytes())
    }

    fn read_header(
        &mut self,
        unreadable: impl Fn(io::Error) -> Failure,
    ) -> Result<Vec<Vec<u8>>, Failure> {
        match self.scan().map_err(unreadable)? {
            Next::End => Err(Failure::failed("the file is empty; expected a header on line 1")),
            Next::Broken { problem, .. } => {
                Err(Failure::failed(format!("line 1, the header: {problem}")))
            }
            Next::Row { bytes, lines } => {
                let pending = self.buffer.pending();
                self.header = pending.get(..bytes).unwrap_or_default().to_vec();
                let titles = (0..self.record.width())
                    .map(|place| self.record.field(pending, place).to_vec())
                    .collect();
                self.next_line += lines;
                self.given_bytes = bytes;
                Ok(titles)
            }
        }
    }

    /// Finds the end of the record at the beginning of the pending bytes.
    fn scan(&mut self) -> io::Result<Next> {
        self.record.restart();
        loop {
            match self.record.scan(self.buffer.pending(), self.buffer.ended()) {
                Scan::End => return Ok(Next::End),
                Scan::Record { bytes, lines } => return Ok(Next::Row { bytes, lines }),
                Scan::Broken(problem) => {
                    return Ok(Next::Broken { bytes: self.buffer.line_bytes()?, problem });
                }
                Scan::More if self.buffer.pending().len() > ROW_BYTES_MAX => {
                    let problem = "a quote is not closed, or the row is too long";
                    return Ok(Next::Broken { bytes: self.buffer.line_bytes()?, problem });
                }
                Scan::More => self.buffer.fill()?,
            }
        }
    }

    /// How many columns a row must have, without a header.
    fn least_width(&self) -> usize {
        let more = self.more.iter().max().map_or(0, |place| place + 1);
        self.columns.width().max(more)
    }

    fn wrong_width(&self, lines: u64) -> Option<String> {
        let (width, last_line) = (self.record.width(), self.next_line + lines - 1);
        let problem = match self.titles.as_ref().map(Vec::len) {
            Some(header) if width != header => {
                format!("{width} columns, and the header has {header}")
            }
            None if width < self.least_width() => {
                format!("{width} columns, and column {} is asked for", self.least_width())
            }
            _ => return None,
        };
        Some(if lines > 1 {
            format!("{problem}; the row ends on line {last_line}, so perhaps a quote is not closed")
        } else {
            problem
        })
    }
}

impl Rows for CsvRows {
    fn header(&self) -> &[u8] {
        &self.header
    }

    fn read_more(&mut self, columns: &[String]) -> Result<(), Failure> {
        let place = |column: &String| match &self.titles {
            Some(titles) => place_in_header(column, titles),
            None => place_by_number(column),
        };
        self.more = columns.iter().map(place).collect::<Result<_, _>>()?;
        Ok(())
    }

    fn next_row(&mut self) -> io::Result<Option<Row<'_>>> {
        loop {
            self.buffer.consume(std::mem::take(&mut self.given_bytes));
            let next = self.scan()?;
            let line = self.next_line;
            let (bytes, problem) = match next {
                Next::End => return Ok(None),
                Next::Broken { bytes, problem } => {
                    self.next_line += 1;
                    (bytes, Some(problem.to_owned()))
                }
                Next::Row { bytes, lines } => {
                    let problem = self.wrong_width(lines);
                    self.next_line += lines;
                    (bytes, problem)
                }
            };
            self.given_bytes = bytes;
            let raw_bytes = self.buffer.pending().get(..bytes).unwrap_or_default();
            if without_line_break(raw_bytes).is_empty() {
                continue;
            }
            // The borrow begins anew, since it is given away.
            let raw = self.buffer.pending().get(..bytes).unwrap_or_default();
            let fields = match problem {
                Some(problem) => Err(problem),
                None => {
                    let record = &self.record;
                    let cell = |place: &usize| Some(Cell::Text(record.field(raw, *place).to_vec()));
                    self.cells.clear();
                    self.cells.extend(self.more.iter().map(cell));
                    let fields = self.columns.pick(|place| record.field(raw, place));
                    Ok(Fields { more: &self.cells, ..fields })
                }
            };
            return Ok(Some(Row { line, raw, fields }));
        }
    }
}

#[cfg(test)]
mod tests;
