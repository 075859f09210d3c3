//! Who an import is to the database, so that running it again, or after a kill,
//! counts nothing twice.
//!
//! An import is a producer. Its events have the numbers of their rows: the place
//! among the rows of the input, from 1, whether they are good or bad.
//!
//! | producer     | is the digest of, first 16 bytes                                 |
//! |--------------|------------------------------------------------------------------|
//! | an input     | the options that say what its rows mean, and its decompressed bytes |
//! | a source     | the name given to it                                             |
//!
//! The note of a source, little-endian:
//!
//! | offset | size | field                                                      |
//! |--------|------|------------------------------------------------------------|
//! | 0      | 8    | number of a row that was taken                             |
//! | 8      | 32   | digest of the options, the header and the rows up to there |
//!
//! Digests are BLAKE3, each under a context of its own. Every part is digested with
//! its length before it, except the rows, each of which ends with a line feed
//! whatever its line break was, and the decompressed bytes, which come last.
//!
//! O1. Rows up to the last one taken are not taken again: neither are their events
//!     sent nor their names taken up.
//! O2. What was taken from a source must still be at its beginning. This is known
//!     before anything new is written, since what is known is not.

use std::io::{self, Read};
use std::path::Path;

use tidal_db::{Producer, ProducerId, TidalDB};

use crate::failure::Failure;
use crate::input::{Source, is_regular, without_line_break};
use crate::output::count;

const INPUT_CONTEXT: &str = "tidal import v1 input";
const SOURCE_CONTEXT: &str = "tidal import v1 source";
const ROWS_CONTEXT: &str = "tidal import v1 rows";

/// The bytes that the options make which say what rows mean.
#[derive(Debug, Default)]
pub(crate) struct Meaning(Vec<u8>);

impl Meaning {
    /// Adds an option, given or not. Options are told apart by their order.
    pub(crate) fn option(&mut self, value: Option<&[u8]>) {
        self.0.push(u8::from(value.is_some()));
        let value = value.unwrap_or_default();
        self.0.extend_from_slice(&(value.len() as u64).to_le_bytes());
        self.0.extend_from_slice(value);
    }
}

/// Who an import is, and how far it came before.
#[derive(Debug)]
pub(crate) struct Origin {
    id: ProducerId,
    /// The last row that was taken before; 0 when there is none.
    taken: u64,
    /// The row at hand.
    row: u64,
    /// What is known of the rows of a source.
    rows: Option<SourceRows>,
}

/// The rows of a source up to the one at hand.
#[derive(Debug)]
struct SourceRows {
    name: String,
    digest: blake3::Hasher,
    /// The digest before the bad rows that came last, if any did.
    taken: Option<blake3::Hasher>,
    /// The last row that is not bad.
    last_taken: u64,
    expected: Option<Note>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Note {
    row: u64,
    digest: [u8; 32],
}

impl Origin {
    /// The origin that is known by what the input at `path` holds, which is open as
    /// `source`: nothing for an input that cannot be read twice.
    ///
    /// # Errors
    /// The input cannot be read to its end, or is not the one that is open.
    pub(crate) fn of_input(
        db: &TidalDB,
        path: &Path,
        source: &Source,
        meaning: &Meaning,
    ) -> Result<Option<Self>, Failure> {
        if !is_regular(path) {
            return Ok(None);
        }
        let mut digest = blake3::Hasher::new_derive_key(INPUT_CONTEXT);
        part(&mut digest, &meaning.0);
        let (again, reader) = Source::open(path)?;
        if again.state != source.state {
            return Err(Failure::failed(format!(
                "{} changed while it was opened; nothing was written",
                source.name
            )));
        }
        digest_all(reader, &mut digest).map_err(|error| {
            Failure::failed(format!(
                "cannot read the whole of {}: {error}; nothing was written, since the whole file would count its rows again; mend it, or take what can be read under a name by --source",
                source.name
            ))
        })?;
        Self::new(db, id_of(&digest), None).map(Some)
    }

    /// The origin that is known by its name, under a header.
    ///
    /// # Errors
    /// The database does not answer, or knows the name from something else.
    pub(crate) fn of_source(
        db: &TidalDB,
        name: &str,
        meaning: &Meaning,
        header: &[u8],
    ) -> Result<Self, Failure> {
        let mut digest = blake3::Hasher::new_derive_key(SOURCE_CONTEXT);
        digest.update(name.as_bytes());
        let id = id_of(&digest);
        let mut digest = blake3::Hasher::new_derive_key(ROWS_CONTEXT);
        part(&mut digest, &meaning.0);
        part(&mut digest, without_line_break(header));
        let rows =
            SourceRows { name: name.into(), digest, taken: None, last_taken: 0, expected: None };
        Self::new(db, id, Some(rows))
    }

    fn new(db: &TidalDB, id: ProducerId, mut rows: Option<SourceRows>) -> Result<Self, Failure> {
        let mut taken = 0;
        if let Some(state) = db.producer(id)? {
            taken = state.seq;
            // Parts of a batch that was refused as a whole have no note.
            if let Some(rows) = rows.as_mut().filter(|_| !state.note.is_empty()) {
                let note = Note::decode(&state.note).ok_or_else(|| {
                    Failure::failed(format!(
                        "source {:?} was not written by this program; choose another name",
                        rows.name
                    ))
                })?;
                taken = taken.max(note.row);
                rows.expected = Some(note);
            }
        }
        Ok(Self { id, taken, row: 0, rows })
    }

    /// Whether rows of this origin were taken before.
    pub(crate) const fn is_known(&self) -> bool {
        self.taken > 0
    }

    /// Goes on to the next row; says whether it was taken before. `is_good` says
    /// whether it can be read.
    ///
    /// # Errors
    /// It is the last row that was taken from the source before, and the rows up
    /// to there are not those.
    pub(super) fn next_row(&mut self, raw: &[u8], is_good: bool) -> Result<bool, Failure> {
        self.row += 1;
        if let Some(rows) = &mut self.rows {
            rows.push(self.row, raw, is_good)?;
        }
        Ok(self.row <= self.taken)
    }

    /// Where the event of the row at hand comes from.
    pub(super) fn producer(&self) -> Producer {
        Producer { id: self.id, epoch: 0, seq: self.row }
    }

    /// The note that goes with the rows so far.
    pub(super) fn note(&self) -> Option<(ProducerId, Vec<u8>)> {
        self.rows.as_ref().map(|rows| (self.id, rows.note().encode()))
    }

    /// Says whether the input has all the rows that were taken before.
    ///
    /// # Errors
    /// It has fewer.
    pub(super) fn check_whole(&self) -> Result<(), Failure> {
        match &self.rows {
            Some(SourceRows { name, expected: Some(note), .. }) if self.row < note.row => {
                Err(Failure::failed(format!(
                    "{} were imported from source {name:?} before, and the input has only {}; nothing was written, another input needs another name",
                    rows_text(note.row),
                    count(self.row),
                )))
            }
            _ => Ok(()),
        }
    }
}

impl SourceRows {
    fn push(&mut self, number: u64, raw: &[u8], is_good: bool) -> Result<(), Failure> {
        if is_good {
            self.taken = None;
            self.last_taken = number;
        } else if self.taken.is_none() {
            self.taken = Some(self.digest.clone());
        }
        self.digest.update(without_line_break(raw)).update(b"\n");
        match self.expected {
            Some(note)
                if note.row == number && note.digest != *self.digest.finalize().as_bytes() =>
            {
                Err(Failure::failed(format!(
                    "the first {} are not those imported from source {:?} before, or mean something else by the options; nothing was written, another input needs another name",
                    rows_text(number),
                    self.name,
                )))
            }
            _ => Ok(()),
        }
    }

    fn note(&self) -> Note {
        let digest = self.taken.as_ref().unwrap_or(&self.digest).finalize();
        Note { row: self.last_taken, digest: *digest.as_bytes() }
    }
}

impl Note {
    fn encode(self) -> Vec<u8> {
        [&self.row.to_le_bytes()[..], &self.digest].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (row, digest) = bytes.split_first_chunk()?;
        Some(Self { row: u64::from_le_bytes(*row), digest: digest.try_into().ok()? })
    }
}

fn part(digest: &mut blake3::Hasher, bytes: &[u8]) {
    digest.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
}

fn id_of(digest: &blake3::Hasher) -> ProducerId {
    let mut id = [0; 16];
    digest.finalize_xof().fill(&mut id);
    ProducerId::from_bytes(id)
}

/// Digests what a source holds.
fn digest_all(mut source: impl Read, digest: &mut blake3::Hasher) -> io::Result<()> {
    let mut room = vec![0; 256 * 1024];
    loop {
        match source.read(&mut room) {
            Ok(0) => return Ok(()),
            Ok(length) => {
                digest.update(room.get(..length).unwrap_or_default());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn rows_text(rows: u64) -> String {
    format!("{} {}", count(rows), if rows == 1 { "row" } else { "rows" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_told_apart() {
        let meaning = |options: &[Option<&[u8]>]| {
            let mut meaning = Meaning::default();
            options.iter().for_each(|option| meaning.option(*option));
            meaning.0
        };
        let all = [
            meaning(&[None, Some(b"a")]),
            meaning(&[Some(b"a"), None]),
            meaning(&[Some(b"a"), Some(b"")]),
            meaning(&[Some(b""), Some(b"a")]),
            meaning(&[Some(b"a\0"), Some(b"")]),
        ];
        for (place, meaning) in all.iter().enumerate() {
            assert!(!all[..place].contains(meaning), "{place}");
        }
    }

    /// R25: the bytes of version 1 do not change.
    #[test]
    fn a_note_is_what_it_was() {
        let note = Note { row: 258, digest: [7; 32] };
        let bytes = note.encode();
        assert_eq!(bytes, [&[2, 1, 0, 0, 0, 0, 0, 0][..], &[7; 32]].concat());
        assert_eq!(Note::decode(&bytes), Some(note));
        assert_eq!(Note::decode(&bytes[1..]), None);
        assert_eq!(Note::decode(b""), None);
    }

    #[test]
    fn a_note_speaks_of_the_last_good_row() {
        let rows = || {
            let digest = blake3::Hasher::new_derive_key(ROWS_CONTEXT);
            SourceRows { name: "s".into(), digest, taken: None, last_taken: 0, expected: None }
        };
        let (mut one, mut other) = (rows(), rows());
        one.push(1, b"a\n", true).unwrap();
        one.push(2, b"bad\n", false).unwrap();
        one.push(3, b"b\n", true).unwrap();
        let note = one.note();
        one.push(4, b"torn", false).unwrap();
        one.push(5, b"torn", false).unwrap();
        assert_eq!((one.note(), note.row), (note, 3));
        other.expected = Some(note);
        other.push(1, b"a\r\n", true).unwrap();
        other.push(2, b"bad\n", true).unwrap();
        other.push(3, b"b", true).unwrap();
    }
}
