//! Rows of JSONL: a JSON object on each line.
//!
//! J1. A number is taken as it is written, so `17850.0` and `17850` are two
//!     names, as they are in CSV.
//! J2. A key that is asked for holds a string, a number or null; another value,
//!     or the key twice, is refused. Those of [`Rows::read_more`] may hold a boolean or a
//!     list of strings and numbers too.

mod object;

use std::io::{self, Read};

use super::buffer::{Buffer, without_line_break};
use super::{Columns, Fields, Row, Rows};
use crate::failure::Failure;
use object::{SLOTS, Values};

/// The rows of a JSONL file.
#[derive(Debug)]
pub(crate) struct JsonRows {
    buffer: Buffer,
    /// The keys asked for, with the slot each of them fills.
    keys: Vec<(usize, String)>,
    seen: Vec<bool>,
    values: Values,
    next_line: u64,
    given_bytes: usize,
    rows: u64,
}

impl JsonRows {
    /// The rows of `source`.
    ///
    /// # Errors
    /// The source cannot be read.
    pub(crate) fn open(source: Box<dyn Read>, columns: &Columns<String>) -> Result<Self, Failure> {
        let mut buffer = Buffer::new(source);
        buffer
            .skip_byte_order_mark()
            .map_err(|error| Failure::failed(format!("line 1: {error}")))?;
        let keys = columns.names().map(|(slot, name)| (slot, name.to_owned())).collect();
        Ok(Self {
            buffer,
            keys,
            seen: vec![false; SLOTS],
            values: Values::default(),
            next_line: 1,
            given_bytes: 0,
            rows: 0,
        })
    }
}

impl Rows for JsonRows {
    fn header(&self) -> &[u8] {
        &[]
    }

    fn read_more(&mut self, columns: &[String]) -> Result<(), Failure> {
        self.keys.retain(|(slot, _)| *slot < SLOTS);
        self.keys.extend((SLOTS..).zip(columns.iter().cloned()));
        self.seen = vec![false; SLOTS + columns.len()];
        self.values.take_more(columns.len());
        Ok(())
    }

    fn next_row(&mut self) -> io::Result<Option<Row<'_>>> {
        loop {
            self.buffer.consume(std::mem::take(&mut self.given_bytes));
            let bytes = self.buffer.line_bytes()?;
            if bytes == 0 {
                return Ok(None);
            }
            self.given_bytes = bytes;
            let line = self.next_line;
            self.next_line += 1;
            let raw = self.buffer.pending().get(..bytes).unwrap_or_default();
            if without_line_break(raw).trim_ascii().is_empty() {
                continue;
            }
            self.rows += 1;
            let outcome = self.values.read(without_line_break(raw), &self.keys);
            for (seen, found) in self.seen.iter_mut().zip(self.values.found()) {
                *seen |= found;
            }
            // The borrow begins anew, since it is given away.
            let raw = self.buffer.pending().get(..bytes).unwrap_or_default();
            return Ok(Some(Row { line, raw, fields: outcome.map(|()| self.values.fields()) }));
        }
    }

    fn never_seen(&self) -> Vec<&str> {
        let unseen = |slot: usize| self.rows > 0 && self.seen.get(slot) == Some(&false);
        self.keys.iter().filter(|(slot, _)| unseen(*slot)).map(|(_, key)| key.as_str()).collect()
    }
}

impl Values {
    fn fields(&self) -> Fields<'_> {
        let [entity, time, signal, weight, actor] = self.slots();
        Fields { entity, time, signal, weight, actor, more: self.more() }
    }
}

#[cfg(test)]
mod tests;
