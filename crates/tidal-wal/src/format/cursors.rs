//! The places of cursors, kept outside the log. Little-endian.
//!
//! The file has two slots of 8,192 bytes, written in turn, so that a torn write
//! costs the newer one only.
//!
//! | offset | size | field                                                    |
//! |--------|------|----------------------------------------------------------|
//! | 0      | 8    | magic `TIDALCUR`                                         |
//! | 8      | 2    | format version, 1                                        |
//! | 10     | 2    | zero                                                     |
//! | 12     | 4    | number of cursors, at most 64                            |
//! | 16     | 16   | LogId                                                    |
//! | 32     | 8    | generation, growing by one a write; its parity picks the slot |
//! | 40     | 80 n | cursors, by name, each once                              |
//! |        |      | zero up to offset 8188                                   |
//! | 8188   | 4    | CRC32C of all before                                     |
//!
//! One cursor:
//!
//! | offset | size | field                                                    |
//! |--------|------|----------------------------------------------------------|
//! | 0      | 1    | length of the name, 1 to 64                              |
//! | 1      | 7    | zero                                                     |
//! | 8      | 64   | name, filled up with zeros                               |
//! | 72     | 8    | place: the seq of the last record that was committed     |
//!
//! U1. The older slot holds truncation back at least as much as the newer one: a
//!     cursor that is made or removed is written to both, and a place never falls.
//! U2. Unlike the floor, the file cannot be done without: one without a sound slot
//!     is damage.

use std::collections::BTreeMap;

use tidal_types::{ByteReader, LogId, Seq};

use super::FORMAT_VERSION;
use crate::limits::{COUNT_MAX, CURSOR_NAME_BYTES_MAX, CURSORS_MAX};

const MAGIC: [u8; 8] = *b"TIDALCUR";
const SLOT_BYTES: usize = 8192;
const HEADER_BYTES: usize = 40;
const CURSOR_BYTES: usize = 80;
const CRC_OFFSET: usize = SLOT_BYTES - 4;

const _: () = assert!(HEADER_BYTES + CURSORS_MAX * CURSOR_BYTES <= CRC_OFFSET);
const _: () = assert!(CURSOR_BYTES == 8 + CURSOR_NAME_BYTES_MAX + 8);

/// The length of the file, in bytes.
pub(crate) const CURSOR_FILE_BYTES: u64 = 2 * SLOT_BYTES as u64;

/// One slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CursorSlot {
    pub(crate) log_id: LogId,
    pub(crate) generation: u64,
    /// At most [`CURSORS_MAX`], under names that are [`is_cursor_name`].
    pub(crate) places: BTreeMap<String, Seq>,
}

/// Why the bytes of the file hold no places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CursorFlaw {
    /// No slot is sound.
    NoSlot,
    /// A sound slot says what no slot of this version can.
    Fields,
    /// A sound slot of a version that this program does not know.
    Version(u16),
}

/// Whether a cursor can have this name.
pub(crate) fn is_cursor_name(name: &[u8]) -> bool {
    let is_allowed = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    (1..=CURSOR_NAME_BYTES_MAX).contains(&name.len()) && name.iter().all(is_allowed)
}

impl CursorSlot {
    /// The length of a slot, in bytes.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) const BYTES: usize = SLOT_BYTES;

    /// Where in the file this slot goes.
    pub(crate) const fn slot_offset(&self) -> u64 {
        (self.generation % 2) * SLOT_BYTES as u64
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SLOT_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&(self.places.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&self.log_id.to_bytes());
        bytes.extend_from_slice(&self.generation.to_le_bytes());
        for (name, place) in &self.places {
            let begin = bytes.len();
            bytes.extend_from_slice(&(name.len() as u64).to_le_bytes());
            bytes.extend_from_slice(name.as_bytes());
            bytes.resize(begin + CURSOR_BYTES - 8, 0);
            bytes.extend_from_slice(&place.get().to_le_bytes());
        }
        bytes.resize(CRC_OFFSET, 0);
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }

    /// The newer of the sound slots in the bytes of the file.
    pub(crate) fn decode_newest(file: &[u8]) -> Result<Self, CursorFlaw> {
        let mut newest: Option<Self> = None;
        for slot in file.chunks(SLOT_BYTES) {
            let Some(covered) = sound(slot) else {
                continue;
            };
            let slot = Self::decode(covered)?;
            if newest.as_ref().is_none_or(|newest| newest.generation < slot.generation) {
                newest = Some(slot);
            }
        }
        newest.ok_or(CursorFlaw::NoSlot)
    }

    /// Makes the checksums right again, for who changes slots on purpose.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn reseal(file: &mut [u8]) {
        super::reseal_slots(file, SLOT_BYTES, CRC_OFFSET);
    }

    fn decode(covered: &[u8]) -> Result<Self, CursorFlaw> {
        let mut reader = ByteReader::new(covered);
        reader.take(MAGIC.len());
        let version = reader.u16().ok_or(CursorFlaw::Fields)?;
        if version != FORMAT_VERSION {
            return Err(CursorFlaw::Version(version));
        }
        Self::fields(reader).ok_or(CursorFlaw::Fields)
    }

    fn fields(mut reader: ByteReader<'_>) -> Option<Self> {
        let zero = reader.array::<2>()?;
        let count = usize::try_from(reader.u32()?).ok()?;
        let log_id = LogId::from_bytes(reader.array()?);
        let generation = reader.u64()?;
        if count > CURSORS_MAX || generation > COUNT_MAX {
            return None;
        }
        let mut places = BTreeMap::new();
        for _ in 0..count {
            let length = usize::try_from(reader.u64()?).ok()?;
            let field = reader.array::<CURSOR_NAME_BYTES_MAX>()?;
            let (name, filling) = field.split_at_checked(length)?;
            let is_next = places
                .last_key_value()
                .is_none_or(|(last, _): (&String, &Seq)| last.as_bytes() < name);
            if !is_cursor_name(name) || !is_next || filling.iter().any(|&byte| byte != 0) {
                return None;
            }
            let name = String::from_utf8(name.to_vec()).ok()?;
            places.insert(name, Seq::new(reader.u64()?));
        }
        let is_zero = zero.iter().chain(reader.rest()).all(|&byte| byte == 0);
        is_zero.then_some(Self { log_id, generation, places })
    }
}

/// What the checksum of a slot covers, if it is right.
fn sound(slot: &[u8]) -> Option<&[u8]> {
    let (covered, crc) = slot.split_at_checked(CRC_OFFSET)?;
    let crc = ByteReader::new(crc).u32()?;
    (covered.starts_with(&MAGIC) && crc32c::crc32c(covered) == crc).then_some(covered)
}

#[cfg(test)]
mod tests;
