//! Files of events: where they come from, how they are split into rows, and
//! which columns of a row mean what.
//!
//! Nothing here knows the database. A row is slices of bytes; what they
//! mean is for [`import`](crate::import) to say.

mod background;
mod buffer;
mod csv;
mod delimiter;
mod format;
mod jsonl;
mod mapping;
mod reject;
mod source;
mod time;

use std::io;

use crate::failure::Failure;

pub(crate) use buffer::without_line_break;
pub(crate) use csv::CsvRows;
pub(crate) use delimiter::Delimiter;
pub(crate) use format::{Format, Layout};
pub(crate) use jsonl::JsonRows;
pub(crate) use mapping::Columns;
pub(crate) use reject::{Rejects, same_file};
pub(crate) use source::{FileState, Source, is_regular};
pub(crate) use time::{TimeFormat, TimeParser};

/// The longest row, in bytes, line breaks in quoted fields included.
pub(crate) const ROW_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The fields that an import reads; empty where there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Fields<'a> {
    pub(crate) entity: &'a [u8],
    pub(crate) time: &'a [u8],
    pub(crate) signal: &'a [u8],
    pub(crate) weight: &'a [u8],
    pub(crate) actor: &'a [u8],
    /// Those of [`Rows::read_more`], in that order; `None` where a JSON object lacks the key.
    pub(crate) more: &'a [Option<Cell>],
}

/// A field that may have several values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// One value, as it is written; empty where there is none.
    Text(Vec<u8>),
    /// A list of texts, which JSON alone has.
    List(Vec<Vec<u8>>),
}

/// One row of a file.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    /// The physical line on which it begins, from 1.
    pub(crate) line: u64,
    /// The row as it stands in the file, with its line break if it has one.
    pub(crate) raw: &'a [u8],
    /// Its fields, or why it cannot be split.
    pub(crate) fields: Result<Fields<'a>, String>,
}

/// Rows, one after the other.
pub(crate) trait Rows {
    /// The header as it stands in the file, with its line break; empty when
    /// there is none.
    fn header(&self) -> &[u8];

    /// The next row, or nothing at the end.
    ///
    /// # Errors
    /// The source cannot be read any further.
    fn next_row(&mut self) -> io::Result<Option<Row<'_>>>;

    /// From the next row on, reads these columns too.
    ///
    /// # Errors
    /// As for the columns that were there from the beginning.
    fn read_more(&mut self, columns: &[String]) -> Result<(), Failure>;

    /// Columns that were asked for and that no row had. Only a format without a
    /// header can tell so late.
    fn never_seen(&self) -> Vec<&str> {
        Vec::new()
    }
}
