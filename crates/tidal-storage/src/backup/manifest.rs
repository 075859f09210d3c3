//! The manifest: what a backup holds. Little-endian.
//!
//! | size | field                                                             |
//! |------|-------------------------------------------------------------------|
//! | 8    | magic `TIDALBAK`                                                  |
//! | 2    | format version, 1                                                 |
//! | 6    | zero                                                              |
//! | 8    | when the backup began, nanoseconds since the Unix epoch           |
//! | 1, n | length of the name of the engine, the name                        |
//! | 1    | 1 when there is a log position, else 0                            |
//! | 16   | LogId, or zero                                                    |
//! | 8    | seq, or zero                                                      |
//! | 4, n | length of the extras, the extras: what the caller had kept        |
//! | 4    | number of keyspaces; for each, in ascending order of names:       |
//! | 1, n | ... length of its name, the name                                  |
//! | 8    | ... number of its keys                                            |
//! | 8    | ... bytes of its keys and values                                  |
//! | 4    | ... number of its chunks, which follow those of the one before    |
//! | 4    | number of chunks; for each, by index:                             |
//! | 4    | ... number of entries, at least 1                                 |
//! | 8    | ... bytes of their keys and values                                |
//! | 4    | ... length of the file                                            |
//! | 32   | ... BLAKE3 of the file                                            |
//! | 32   | BLAKE3 of all before; every version ends so                       |

use std::path::Path;

use tidal_types::{ByteReader, LogId, Position, Seq, StorageError, Timestamp};

use super::{BackupReport, chunk};
use crate::{KEYSPACE_NAME_BYTES_MAX, KeyspaceName, Result};

const MAGIC: [u8; 8] = *b"TIDALBAK";
pub(super) const FORMAT_VERSION: u16 = 1;
const DIGEST_BYTES: usize = blake3::OUT_LEN;

/// The longest extras, in bytes.
pub const EXTRAS_BYTES_MAX: usize = 1 << 20;

/// The most keyspaces.
pub(super) const KEYSPACES_MAX: usize = 1 << 16;

/// The most chunks: about a tebibyte of entries.
pub(super) const CHUNKS_MAX: usize = 1 << 20;

const CHUNK_BYTES: usize = 4 + 8 + 4 + DIGEST_BYTES;
const KEYSPACE_BYTES_MAX: usize = 1 + KEYSPACE_NAME_BYTES_MAX + 8 + 8 + 4;
const FIXED_BYTES_MAX: usize = 24 + 256 + 25 + 12 + DIGEST_BYTES;

/// The longest manifest, in bytes.
pub(super) const MANIFEST_BYTES_MAX: usize = FIXED_BYTES_MAX
    + EXTRAS_BYTES_MAX
    + KEYSPACES_MAX * KEYSPACE_BYTES_MAX
    + CHUNKS_MAX * CHUNK_BYTES;

/// What a backup holds, known without reading its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupManifest {
    /// When the backup began.
    pub created: Timestamp,
    /// The engine that was backed up. A backup is restored into any.
    pub engine: String,
    /// The place in a log that the storage is as of, if the caller said one.
    pub position: Option<Position>,
    /// What the caller had kept with it, for itself.
    pub extras: Vec<u8>,
    /// The keyspaces, by name.
    pub keyspaces: Vec<KeyspaceManifest>,
    /// The chunks: first those of the first keyspace, and so on.
    pub chunks: Vec<ChunkManifest>,
}

/// What a backup holds of a keyspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyspaceManifest {
    /// Its name.
    pub name: String,
    /// How many keys it has.
    pub keys: u64,
    /// Bytes of its keys and values.
    pub bytes: u64,
    /// How many chunks they are in.
    pub chunks: u32,
}

/// One file of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkManifest {
    /// How many entries it has.
    pub entries: u32,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// Length of the file.
    pub file_bytes: u32,
    /// BLAKE3 of the file.
    pub digest: [u8; DIGEST_BYTES],
}

impl BackupManifest {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 6]);
        bytes.extend_from_slice(&self.created.as_nanos().to_le_bytes());
        put_name(&mut bytes, &self.engine);
        let position = self.position;
        bytes.push(u8::from(position.is_some()));
        let log_id = position.map_or([0; 16], |position| position.log_id.to_bytes());
        bytes.extend_from_slice(&log_id);
        let seq = position.map_or(0, |position| position.seq.get());
        bytes.extend_from_slice(&seq.to_le_bytes());
        put_count(&mut bytes, self.extras.len());
        bytes.extend_from_slice(&self.extras);
        put_count(&mut bytes, self.keyspaces.len());
        for keyspace in &self.keyspaces {
            put_name(&mut bytes, &keyspace.name);
            bytes.extend_from_slice(&keyspace.keys.to_le_bytes());
            bytes.extend_from_slice(&keyspace.bytes.to_le_bytes());
            bytes.extend_from_slice(&keyspace.chunks.to_le_bytes());
        }
        put_count(&mut bytes, self.chunks.len());
        for chunk in &self.chunks {
            bytes.extend_from_slice(&chunk.entries.to_le_bytes());
            bytes.extend_from_slice(&chunk.bytes.to_le_bytes());
            bytes.extend_from_slice(&chunk.file_bytes.to_le_bytes());
            bytes.extend_from_slice(&chunk.digest);
        }
        let digest = blake3::hash(&bytes);
        bytes.extend_from_slice(digest.as_bytes());
        bytes
    }

    /// The manifest in the bytes of a file, and their digest.
    pub(super) fn decode(path: &Path, bytes: &[u8]) -> Result<(Self, [u8; DIGEST_BYTES])> {
        let damaged = |problem: &str| StorageError::BackupDamaged {
            path: path.to_path_buf(),
            problem: problem.to_owned(),
        };
        let Some((covered, digest)) = bytes.split_last_chunk() else {
            return Err(damaged("it is cut short"));
        };
        if blake3::hash(covered) != blake3::Hash::from_bytes(*digest) {
            return Err(damaged("its checksum is wrong"));
        }
        let mut reader = ByteReader::new(covered);
        if reader.array() != Some(MAGIC) {
            return Err(damaged("it is not the manifest of a backup"));
        }
        let found = reader.u16().ok_or_else(|| damaged("it is cut short"))?;
        if found != FORMAT_VERSION {
            let supported = FORMAT_VERSION;
            return Err(StorageError::BackupVersion { path: path.to_path_buf(), found, supported });
        }
        let manifest = Self::fields(reader).ok_or_else(|| damaged("its fields cannot be read"))?;
        manifest.check().map_err(damaged)?;
        Ok((manifest, *digest))
    }

    fn fields(mut reader: ByteReader<'_>) -> Option<Self> {
        if reader.array()? != [0; 6] {
            return None;
        }
        let created = Timestamp::from_nanos(reader.u64()?);
        let engine = take_name(&mut reader)?;
        let has_position = reader.u8()?;
        let log_id = LogId::from_bytes(reader.array()?);
        let seq = Seq::new(reader.u64()?);
        let position = match has_position {
            0 if log_id.to_bytes() == [0; 16] && seq == Seq::ZERO => None,
            1 => Some(Position { log_id, seq }),
            _ => return None,
        };
        let extras = take_count(&mut reader, EXTRAS_BYTES_MAX)?;
        let extras = reader.take(extras)?.to_vec();
        let mut keyspaces = Vec::new();
        for _ in 0..take_count(&mut reader, KEYSPACES_MAX)? {
            keyspaces.push(KeyspaceManifest {
                name: take_name(&mut reader)?,
                keys: reader.u64()?,
                bytes: reader.u64()?,
                chunks: reader.u32()?,
            });
        }
        let mut chunks = Vec::new();
        for _ in 0..take_count(&mut reader, CHUNKS_MAX)? {
            chunks.push(ChunkManifest {
                entries: reader.u32()?,
                bytes: reader.u64()?,
                file_bytes: reader.u32()?,
                digest: reader.array()?,
            });
        }
        let manifest = Self { created, engine, position, extras, keyspaces, chunks };
        reader.is_empty().then_some(manifest)
    }

    /// What does not fit together.
    fn check(&self) -> Result<(), &'static str> {
        let names = || self.keyspaces.iter().map(|keyspace| &keyspace.name);
        if names().any(|name| KeyspaceName::from(name).check().is_err()) {
            return Err("a keyspace has a name that none can have");
        }
        if !names().is_sorted_by(|one, next| one < next) {
            return Err("its keyspaces are not in order");
        }
        let file_bytes_max = chunk::FILE_BYTES_MAX as u64;
        if self.chunks.iter().any(|chunk| u64::from(chunk.file_bytes) > file_bytes_max) {
            return Err("a chunk is longer than one can be");
        }
        if self.chunks.iter().any(|chunk| chunk.entries == 0 || chunk.entries > chunk::ENTRIES_MAX)
        {
            return Err("a chunk has more entries than one can have, or none");
        }
        let mut chunks = self.chunks.iter();
        for keyspace in &self.keyspaces {
            let (mut keys, mut bytes) = (0_u64, 0_u64);
            for _ in 0..keyspace.chunks {
                let chunk = chunks.next().ok_or("it has fewer chunks than its keyspaces")?;
                keys = keys.saturating_add(u64::from(chunk.entries));
                bytes = bytes.saturating_add(chunk.bytes);
            }
            if (keys, bytes) != (keyspace.keys, keyspace.bytes) {
                return Err("its counts do not add up");
            }
        }
        if chunks.next().is_some() {
            return Err("it has more chunks than its keyspaces");
        }
        Ok(())
    }

    /// How many keys there are.
    #[must_use]
    pub fn keys(&self) -> u64 {
        self.keyspaces.iter().map(|keyspace| keyspace.keys).fold(0, u64::saturating_add)
    }

    pub(super) fn report(&self, digest: [u8; DIGEST_BYTES], manifest_bytes: usize) -> BackupReport {
        let bytes = self.keyspaces.iter().map(|keyspace| keyspace.bytes);
        let files = self.chunks.iter().map(|chunk| u64::from(chunk.file_bytes));
        BackupReport {
            keyspaces: self.keyspaces.len() as u64,
            keys: self.keys(),
            bytes: bytes.fold(0, u64::saturating_add),
            chunks: self.chunks.len() as u64,
            disk_bytes: files.fold(manifest_bytes as u64, u64::saturating_add),
            digest,
        }
    }
}

fn put_name(bytes: &mut Vec<u8>, name: &str) {
    let length = u8::try_from(name.len()).expect("names of engines and keyspaces are short");
    bytes.push(length);
    bytes.extend_from_slice(name.as_bytes());
}

fn put_count(bytes: &mut Vec<u8>, count: usize) {
    let count = u32::try_from(count).expect("what is counted has a limit");
    bytes.extend_from_slice(&count.to_le_bytes());
}

fn take_name(reader: &mut ByteReader<'_>) -> Option<String> {
    let length = usize::from(reader.u8()?);
    String::from_utf8(reader.take(length)?.to_vec()).ok()
}

/// A count that is at most `max`.
fn take_count(reader: &mut ByteReader<'_>, max: usize) -> Option<usize> {
    usize::try_from(reader.u32()?).ok().filter(|&count| count <= max)
}
