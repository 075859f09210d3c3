//! A checkpoint of the log: the deduplication window as of a place in the log, and
//! the state of the log's owner. Little-endian.
//!
//! | offset | size | field                                                    |
//! |--------|------|----------------------------------------------------------|
//! | 0      | 8    | magic `TIDALCKP`                                         |
//! | 8      | 2    | format version, 1                                        |
//! | 10     | 1    | maker: 1 the owner, 2 the log itself before a truncation |
//! | 11     | 5    | zero                                                     |
//! | 16     | 16   | LogId                                                    |
//! | 32     | 8    | number of the checkpoint, that of its name               |
//! | 40     | 8    | seq through which the owner's state goes                 |
//! | 48     | 8    | position of the window: seq of the first record it leaves out |
//! | 56     | 8    | log time of the last group before the position, nanoseconds |
//! | 64     | 8    | number of entries, e                                     |
//! | 72     | 8    | length of the owner's state, n                           |
//! | 80     | 41 e | entries, in the order of their records                   |
//! |        | n    | the owner's state, opaque to the log                     |
//! |        | 32   | BLAKE3 of all before                                     |
//!
//! | size | field of an entry                                   |
//! |------|-----------------------------------------------------|
//! | 1    | key: 1 the client's, 2 of the content               |
//! | 16   | key                                                 |
//! | 8    | seq                                                 |
//! | 8    | fingerprint: bits 128 to 191 of the digest of the content, see `key.rs` |
//! | 8    | log time, nanoseconds                               |
//!
//! H1. A checkpoint speaks of records that were durable when it was written.
//! H2. Lengths come before the digest, the digest before the fields: the file is
//!     exactly as long as its header says, and no longer than the limits allow.

use tidal_types::{ByteReader, LogId, Seq, Timestamp};

use super::FORMAT_VERSION;
use crate::RecordKey;
use crate::limits::{CHECKPOINT_STATE_BYTES_MAX, WINDOW_ENTRIES_MAX};
use crate::window::{Entry, Known};

const MAGIC: [u8; 8] = *b"TIDALCKP";

/// The length of the header, in bytes.
pub(crate) const CHECKPOINT_HEADER_BYTES: usize = 80;

/// The length of an entry, in bytes.
pub(crate) const ENTRY_BYTES: usize = 41;

/// The length of the digest at the end, in bytes.
pub(crate) const CHECKPOINT_DIGEST_BYTES: usize = 32;

/// Who wanted a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Maker {
    /// The log's owner, whose state is in it.
    Owner,
    /// The log itself, before it removed segments whose keys are in the window.
    Log,
}

/// What a checkpoint says beside its entries and the owner's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CheckpointHeader {
    pub(crate) maker: Maker,
    pub(crate) log_id: LogId,
    pub(crate) number: u64,
    pub(crate) through: Seq,
    pub(crate) position: Seq,
    pub(crate) log_time: Timestamp,
    pub(crate) entry_count: u64,
    pub(crate) state_bytes: u64,
}

/// A whole checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) header: CheckpointHeader,
    pub(crate) entries: Vec<Entry>,
    pub(crate) state: Vec<u8>,
}

/// Why bytes are not a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CheckpointFlaw {
    /// It was written by a version that this program does not know.
    Version(u16),
    Invalid(&'static str),
}

impl CheckpointHeader {
    /// The first record that the checkpoint does not replace.
    pub(crate) fn needs(&self) -> Seq {
        match self.maker {
            Maker::Owner => self.position.min(self.through.next()),
            Maker::Log => self.position,
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(CHECKPOINT_HEADER_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes.push(match self.maker {
            Maker::Owner => 1,
            Maker::Log => 2,
        });
        bytes.extend_from_slice(&[0; 5]);
        bytes.extend_from_slice(&self.log_id.to_bytes());
        let fields = [
            self.number,
            self.through.get(),
            self.position.get(),
            self.log_time.as_nanos(),
            self.entry_count,
            self.state_bytes,
        ];
        fields.iter().for_each(|field| bytes.extend_from_slice(&field.to_le_bytes()));
        bytes
    }

    /// How long the file is, from lengths that are not trusted yet; `None` when they
    /// are beyond the limits.
    pub(crate) fn file_bytes(entry_count: u64, state_bytes: u64) -> Option<u64> {
        if entry_count > WINDOW_ENTRIES_MAX || state_bytes > CHECKPOINT_STATE_BYTES_MAX as u64 {
            return None;
        }
        let ends = CHECKPOINT_HEADER_BYTES + CHECKPOINT_DIGEST_BYTES;
        Some(ends as u64 + entry_count * ENTRY_BYTES as u64 + state_bytes)
    }

    /// How long the file should be that begins with these bytes.
    pub(crate) fn extent(header: &[u8]) -> Result<u64, CheckpointFlaw> {
        let mut reader = ByteReader::new(header);
        if reader.array() != Some(MAGIC) {
            return Err(CheckpointFlaw::Invalid("not the beginning of a checkpoint"));
        }
        let skipped = CHECKPOINT_HEADER_BYTES - MAGIC.len() - 16;
        let lengths = reader.take(skipped).and_then(|_| reader.u64().zip(reader.u64()));
        lengths
            .and_then(|(entries, state)| Self::file_bytes(entries, state))
            .ok_or(CheckpointFlaw::Invalid("a checkpoint longer than any can be"))
    }

    fn decode(reader: &mut ByteReader<'_>) -> Option<Self> {
        let maker = match reader.array()? {
            [1, 0, 0, 0, 0, 0] => Maker::Owner,
            [2, 0, 0, 0, 0, 0] => Maker::Log,
            _ => return None,
        };
        Some(Self {
            maker,
            log_id: LogId::from_bytes(reader.array()?),
            number: reader.u64()?,
            through: Seq::new(reader.u64()?),
            position: Seq::new(reader.u64()?),
            log_time: Timestamp::from_nanos(reader.u64()?),
            entry_count: reader.u64()?,
            state_bytes: reader.u64()?,
        })
    }
}

/// Appends an entry.
pub(crate) fn put_entry(bytes: &mut Vec<u8>, entry: &Entry) {
    let (kind, key) = match entry.key {
        RecordKey::Client(key) => (1, key),
        RecordKey::Content(key) => (2, key),
    };
    bytes.push(kind);
    bytes.extend_from_slice(&key);
    let Known { seq, fingerprint } = entry.known;
    for field in [seq.get(), fingerprint, entry.log_time.as_nanos()] {
        bytes.extend_from_slice(&field.to_le_bytes());
    }
}

fn read_entry(reader: &mut ByteReader<'_>) -> Option<Entry> {
    let kind = reader.u8()?;
    let key = reader.array()?;
    let key = match kind {
        1 => RecordKey::Client(key),
        2 => RecordKey::Content(key),
        _ => return None,
    };
    let known = Known { seq: Seq::new(reader.u64()?), fingerprint: reader.u64()? };
    Some(Entry { key, known, log_time: Timestamp::from_nanos(reader.u64()?) })
}

impl Checkpoint {
    /// The checkpoint with these bytes, which are as many as
    /// [`CheckpointHeader::extent`] says.
    pub(crate) fn decode(file: &[u8]) -> Result<Self, CheckpointFlaw> {
        let covered = file.len().checked_sub(CHECKPOINT_DIGEST_BYTES);
        let split = covered.and_then(|covered| file.split_at_checked(covered));
        let (covered, digest) = split.ok_or(CheckpointFlaw::Invalid("a checkpoint cut short"))?;
        if blake3::hash(covered).as_bytes().as_slice() != digest {
            return Err(CheckpointFlaw::Invalid("a checkpoint with the wrong digest"));
        }
        let mut reader = ByteReader::new(covered);
        reader.take(MAGIC.len());
        match reader.u16() {
            Some(FORMAT_VERSION) => {}
            version => return Err(CheckpointFlaw::Version(version.unwrap_or_default())),
        }
        // Its digest is right, so only another program can have put in what means
        // nothing to this one.
        Self::fields(reader).ok_or(CheckpointFlaw::Version(FORMAT_VERSION))
    }

    /// Makes the digest right again, for who changes a checkpoint on purpose.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn reseal(file: &mut [u8]) {
        if let Some(at) = file.len().checked_sub(CHECKPOINT_DIGEST_BYTES)
            && let Some((covered, digest)) = file.split_at_mut_checked(at)
        {
            digest.copy_from_slice(blake3::hash(covered).as_bytes());
        }
    }

    fn fields(mut reader: ByteReader<'_>) -> Option<Self> {
        let header = CheckpointHeader::decode(&mut reader)?;
        let entry_bytes = usize::try_from(header.entry_count).ok()?.checked_mul(ENTRY_BYTES)?;
        let mut rest = ByteReader::new(reader.take(entry_bytes)?);
        let mut entries = Vec::with_capacity(entry_bytes / ENTRY_BYTES);
        let mut before: Option<Entry> = None;
        while !rest.is_empty() {
            let entry = read_entry(&mut rest)?;
            let in_order = before.is_none_or(|before| {
                before.known.seq < entry.known.seq && before.log_time <= entry.log_time
            });
            if !in_order || entry.known.seq >= header.position || entry.log_time > header.log_time {
                return None;
            }
            entries.push(entry);
            before = Some(entry);
        }
        let state = reader.take(usize::try_from(header.state_bytes).ok()?)?.to_vec();
        let is_sound = reader.is_empty() && header.through < header.position;
        is_sound.then_some(Self { header, entries, state })
    }
}
