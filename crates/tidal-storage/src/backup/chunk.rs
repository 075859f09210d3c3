//! A chunk: some entries of one keyspace, in a file. Little-endian.
//!
//! | offset | size | field                                               |
//! |--------|------|-----------------------------------------------------|
//! | 0      | 8    | magic `TIDALCHK`                                    |
//! | 8      | 2    | format version, 1                                   |
//! | 10     | 1    | how the body is stored: 0 as it is, 1 lz4 block, 2 zstd frame |
//! | 11     | 1    | zero                                                |
//! | 12     | 4    | length of the body, unpacked                        |
//! | 16     | n    | the body as it is stored, to the end                |
//!
//! The body is entries, one after the other, in ascending order of their keys:
//!
//! | size    | field                                                     |
//! |---------|-----------------------------------------------------------|
//! | 1 to 10 | length of the key, a variable-length integer              |
//! | 1 to 10 | length of the value, a variable-length integer            |
//! | n       | the key                                                   |
//! | m       | the value                                                 |
//!
//! Keyspace, number of entries and BLAKE3 digest of the file are in the manifest.
//!
//! A chunk is full once its body has [`BODY_BYTES`] or it has [`ENTRIES_MAX`]
//! entries, so only its last entry can make it longer.

use std::path::Path;

use tidal_types::{ByteReader, StorageError, VARINT_BYTES_MAX, put_varint};

use super::compression::{Compression, unpack};
use crate::{KEY_BYTES_MAX, Result, VALUE_BYTES_MAX};

const MAGIC: [u8; 8] = *b"TIDALCHK";
pub(super) const FORMAT_VERSION: u16 = 1;
pub(super) const HEADER_BYTES: usize = 16;

/// A body of this many bytes takes no further entry.
pub(super) const BODY_BYTES: usize = 1 << 20;

/// As many entries as a chunk can have. What a batch needs for each besides its
/// bytes would otherwise be many times a chunk of tiny ones.
pub(super) const ENTRIES_MAX: u32 = 16_384;

const BODY_BYTES_MAX: usize = BODY_BYTES + 2 * VARINT_BYTES_MAX + KEY_BYTES_MAX + VALUE_BYTES_MAX;

/// The longest file of a chunk, in bytes: a body never grows by being packed.
pub(super) const FILE_BYTES_MAX: usize = HEADER_BYTES + BODY_BYTES_MAX;

/// A chunk that is being filled.
#[derive(Debug, Default)]
pub(super) struct Builder {
    body: Vec<u8>,
    entries: u32,
    /// Bytes of keys and values.
    bytes: u64,
}

impl Builder {
    /// Adds an entry behind the others.
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) {
        put_varint(&mut self.body, key.len() as u64);
        put_varint(&mut self.body, value.len() as u64);
        self.body.extend_from_slice(key);
        self.body.extend_from_slice(value);
        self.entries += 1;
        self.bytes += (key.len() + value.len()) as u64;
    }

    pub(super) const fn is_full(&self) -> bool {
        self.body.len() >= BODY_BYTES || self.entries >= ENTRIES_MAX
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.entries == 0
    }

    pub(super) const fn entries(&self) -> u32 {
        self.entries
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The bytes of the file.
    pub(super) fn encode(&self, compression: Compression) -> Vec<u8> {
        let (code, packed) = compression.pack(&self.body);
        let stored = packed.as_deref().unwrap_or(&self.body);
        let length = u32::try_from(self.body.len()).expect("a body is at most 66 MB long");
        let mut file = Vec::with_capacity(HEADER_BYTES + stored.len());
        file.extend_from_slice(&MAGIC);
        file.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        file.extend_from_slice(&[code, 0]);
        file.extend_from_slice(&length.to_le_bytes());
        file.extend_from_slice(stored);
        file
    }
}

/// The body of a file whose digest is right.
pub(super) fn decode(path: &Path, mut file: Vec<u8>) -> Result<Vec<u8>> {
    let damaged = |problem: &str| StorageError::BackupDamaged {
        path: path.to_path_buf(),
        problem: problem.to_owned(),
    };
    let mut reader = ByteReader::new(&file);
    if reader.array() != Some(MAGIC) {
        return Err(damaged("it is not a chunk of a backup"));
    }
    let found = reader.u16().ok_or_else(|| damaged("its header is cut short"))?;
    if found != FORMAT_VERSION {
        let supported = FORMAT_VERSION;
        return Err(StorageError::BackupVersion { path: path.to_path_buf(), found, supported });
    }
    let header = (reader.u8(), reader.u8(), reader.u32());
    let (Some(code), Some(0), Some(length)) = header else {
        return Err(damaged("its header cannot be read"));
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > BODY_BYTES_MAX {
        return Err(damaged("its body is longer than a body can be"));
    }
    file.drain(..HEADER_BYTES);
    unpack(path, code, file, length)
}

/// The entries of a body; an error ends them.
#[derive(Debug, Clone)]
pub(super) struct Entries<'a> {
    reader: ByteReader<'a>,
}

/// An entry of a body.
pub(super) type Entry<'a> = (&'a [u8], &'a [u8]);

impl<'a> Entries<'a> {
    pub(super) const fn new(body: &'a [u8]) -> Self {
        Self { reader: ByteReader::new(body) }
    }

    fn read(&mut self) -> Option<Entry<'a>> {
        let key_bytes = usize::try_from(self.reader.varint()?).ok()?;
        let value_bytes = usize::try_from(self.reader.varint()?).ok()?;
        if !(1..=KEY_BYTES_MAX).contains(&key_bytes) || value_bytes > VALUE_BYTES_MAX {
            return None;
        }
        Some((self.reader.take(key_bytes)?, self.reader.take(value_bytes)?))
    }
}

/// `Err` for what is no entry.
impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, ()>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let entry = self.read();
        if entry.is_none() {
            self.reader = ByteReader::new(&[]);
        }
        Some(entry.ok_or(()))
    }
}
