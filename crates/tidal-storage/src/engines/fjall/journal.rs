//! What of fjall's journals need not be read again when it opens.
//!
//! fjall reads its journals entry by entry when it opens, also the entries that are in
//! tables long since, and goes on to a new journal only behind 64 MB: a second for small
//! entries. So it is noted up to where everything is in tables, and cut off before fjall
//! opens the next time.
//!
//! The note is the file `journal-floor`, little-endian:
//!
//! | offset | size | field                                                       |
//! |--------|------|-------------------------------------------------------------|
//! | 0      | 4    | magic `TDJF`                                                |
//! | 4      | 1    | version, 1                                                  |
//! | 5      | 8    | number of a journal; those with lower ones are not needed   |
//! | 13     | 8    | nor is this one up to here                                  |
//! | 21     | 8    | where its last batch before that begins                     |
//! | 29     | 8    | the number that fjall gave this batch, higher than any before |
//! | 37     | 8    | first bytes of the BLAKE3 of the above                      |
//!
//! J1. A note is written when the tables are durable that have everything before it.
//! J2. It is removed before the journal it speaks of is replaced, so none is cut by a note
//!     that was made of another one. The number of the batch tells that again.
//! J3. Where anything is not as it was noted, nothing is cut: fjall then reads it all.
//! J4. Only whole batches without compression are known here. At anything else a walk
//!     ends, and what follows stays.

use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::directory::sync_dir;

/// The file with the note.
pub(super) const FLOOR: &str = "journal-floor";
/// A file that is to take the place of another.
pub(super) const UNFINISHED: &str = "journal-unfinished";
const EXTENSION: &str = "jnl";

const MAGIC: [u8; 4] = *b"TDJF";
const VERSION: u8 = 1;
const NOTED_BYTES: usize = 37;
const FLOOR_BYTES: usize = NOTED_BYTES + 8;

/// Less than this is not worth a new file, in bytes.
const CUT_MIN: u64 = 64 * 1024;
/// How much is read at once, in bytes.
const READ_BYTES: usize = 256 * 1024;

const TAG_START: u8 = 1;
const TAG_ITEM: u8 = 2;
const TAG_END: u8 = 3;
const UNCOMPRESSED: u8 = 0;
const TRAILER: [u8; 4] = *b"FJL\x03";

/// Up to where everything is in tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Floor {
    journal: u64,
    offset: u64,
    last_begin: u64,
    last_number: u64,
}

impl Floor {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = [&MAGIC[..], &[VERSION]].concat();
        for field in [self.journal, self.offset, self.last_begin, self.last_number] {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        let digest = blake3::hash(&bytes);
        bytes.extend(digest.as_bytes().iter().take(FLOOR_BYTES - NOTED_BYTES));
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (fields, _) = bytes.get(5..NOTED_BYTES)?.as_chunks::<8>();
        let &[journal, offset, last_begin, last_number] = fields else {
            return None;
        };
        let [journal, offset, last_begin, last_number] =
            [journal, offset, last_begin, last_number].map(u64::from_le_bytes);
        let floor = Self { journal, offset, last_begin, last_number };
        // Magic, version and digest at once.
        (floor.encode() == bytes).then_some(floor)
    }

    /// Notes it, durably.
    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        let unfinished = directory.join(UNFINISHED);
        let mut file = File::create(&unfinished)?;
        file.write_all(&self.encode())?;
        file.sync_all()?;
        fs::rename(&unfinished, directory.join(FLOOR))?;
        sync_dir(directory)
    }

    fn read(directory: &Path) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        match File::open(directory.join(FLOOR)) {
            Ok(file) => file.take(FLOOR_BYTES as u64 + 1).read_to_end(&mut bytes)?,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Self::decode(&bytes))
    }

    /// Goes on over all whole batches with lower numbers than `number`, and says whether
    /// there were any.
    pub(super) fn advance(&mut self, directory: &Path, number: u64) -> io::Result<bool> {
        let before = *self;
        let journals = journals(directory)?;
        for &journal in journals.iter().filter(|&&journal| journal >= before.journal) {
            let begin = if journal == before.journal { before.offset } else { 0 };
            let mut walk = Walk::over(&path(directory, journal), begin)?;
            while let Some(batch) = walk.next()? {
                if batch.number >= number {
                    return Ok(*self != before);
                }
                let (last_begin, last_number) = (batch.begin, batch.number);
                *self = Self { journal, offset: batch.end, last_begin, last_number };
            }
        }
        Ok(*self != before)
    }

    /// Whether a journal has, where it was noted, the batch that was noted.
    fn is_of(&self, journal: &Path) -> io::Result<bool> {
        let length = match fs::metadata(journal) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        if self.offset > length || self.last_begin >= self.offset {
            return Ok(false);
        }
        let last = Walk::over(journal, self.last_begin)?.next()?;
        Ok(last.is_some_and(|last| last.number == self.last_number && last.end == self.offset))
    }
}

/// Cuts off what a note says is not needed. For a directory that nobody has open.
pub(super) fn cut(directory: &Path) -> io::Result<()> {
    let Some(floor) = Floor::read(directory)? else {
        return Ok(());
    };
    let journal = path(directory, floor.journal);
    if floor.offset < CUT_MIN || !floor.is_of(&journal)? {
        return Ok(());
    }
    let unfinished = directory.join(UNFINISHED);
    copy_rest(&journal, floor.offset, &unfinished)?;
    // J2.
    fs::remove_file(directory.join(FLOOR))?;
    sync_dir(directory)?;
    fs::rename(&unfinished, &journal)?;
    for older in journals(directory)?.into_iter().filter(|&older| older < floor.journal) {
        fs::remove_file(path(directory, older))?;
    }
    sync_dir(directory)
}

/// Copies what a journal has from `begin` on, without the room that is kept behind it.
fn copy_rest(journal: &Path, begin: u64, to: &Path) -> io::Result<()> {
    let mut walk = Walk::over(journal, begin)?;
    while walk.next()?.is_some() {}
    let end = walk.end()?;
    let mut from = File::open(journal)?;
    from.seek(SeekFrom::Start(begin))?;
    let mut file = File::create(to)?;
    io::copy(&mut from.take(end.saturating_sub(begin)), &mut file)?;
    file.sync_all()
}

/// The numbers of the journals in a directory, in their order.
fn journals(directory: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            numbers.extend(path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok()));
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn path(directory: &Path, journal: u64) -> PathBuf {
    directory.join(format!("{journal}.{EXTENSION}"))
}

/// A whole batch in a journal.
struct Batch {
    number: u64,
    begin: u64,
    end: u64,
}

/// A walk over the whole batches of a journal. fjall may be writing to it.
struct Walk {
    reader: BufReader<File>,
    /// Where the next batch begins, if there is one.
    at: u64,
}

impl Walk {
    fn over(journal: &Path, begin: u64) -> io::Result<Self> {
        let mut reader = BufReader::with_capacity(READ_BYTES, File::open(journal)?);
        reader.seek(SeekFrom::Start(begin))?;
        Ok(Self { reader, at: begin })
    }

    /// The next batch; `None` when what follows is none that is whole.
    fn next(&mut self) -> io::Result<Option<Batch>> {
        match self.read_batch() {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
            read => read,
        }
    }

    fn read_batch(&mut self) -> io::Result<Option<Batch>> {
        let begin = self.at;
        if self.array()? != [TAG_START] {
            return Ok(None);
        }
        let items = u32::from_le_bytes(self.array()?);
        let number = u64::from_le_bytes(self.array()?);
        let mut end = begin + 13;
        for _ in 0..items {
            let [tag, _, compression] = self.array()?;
            if (tag, compression) != (TAG_ITEM, UNCOMPRESSED) {
                return Ok(None);
            }
            let _keyspace: [u8; 8] = self.array()?;
            let key = i64::from(u16::from_le_bytes(self.array()?));
            let _unpacked: [u8; 4] = self.array()?;
            let value = i64::from(u32::from_le_bytes(self.array()?));
            self.reader.seek_relative(key + value)?;
            end += 21 + (key + value).cast_unsigned();
        }
        let tag: [u8; 1] = self.array()?;
        let _checksum: [u8; 8] = self.array()?;
        if tag != [TAG_END] || self.array()? != TRAILER {
            return Ok(None);
        }
        self.at = end + 13;
        Ok(Some(Batch { number, begin, end: self.at }))
    }

    /// Where the journal ends, once there are no further batches: where nothing but room
    /// follows, and else with the file.
    fn end(&mut self) -> io::Result<u64> {
        self.reader.seek(SeekFrom::Start(self.at))?;
        let mut next = [0];
        let read = self.reader.read(&mut next)?;
        if read == 0 || next == [0] { Ok(self.at) } else { self.reader.seek(SeekFrom::End(0)) }
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests;
