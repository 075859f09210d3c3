//! What the program says: data on standard output, all else on standard error.

mod base64;
mod csv;
mod json;
mod number;
mod out_file;
mod print;
mod progress;
mod table;
mod text;
mod time;

pub(crate) use csv::push_field;
pub(crate) use json::{Bytes, print_json};
pub(crate) use number::{bytes, count, decimal, seconds};
pub(crate) use out_file::OutFile;
pub(crate) use print::{note, note_as_is, print};
pub(crate) use progress::Progress;
pub(crate) use table::{Align, Table};
pub(crate) use text::{excerpt, printable};
pub(crate) use time::rfc3339;
