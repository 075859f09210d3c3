//! The floor: how far the log was synced, kept outside the log. Little-endian.
//!
//! The file has two slots of 4,096 bytes, written in turn, so that a torn write
//! costs the newer one only.
//!
//! | offset | size | field                                                    |
//! |--------|------|----------------------------------------------------------|
//! | 0      | 8    | magic `TIDALFLR`                                         |
//! | 8      | 2    | format version, 1                                        |
//! | 10     | 6    | zero                                                     |
//! | 16     | 16   | LogId                                                    |
//! | 32     | 8    | generation, growing by one a write; its parity picks the slot |
//! | 40     | 8    | offset of the log below which all was synced             |
//! | 48     | 8    | seq of the next record at that offset                    |
//! | 56     | 8    | number of the oldest segment that is kept                |
//! | 64     | 32   | digest of the chain at that offset                       |
//! | 96     | 8    | number of the newest checkpoint, plus one; 0 before the first |
//! | 104    | 1    | 1 once there is a file of cursors, else 0                |
//! | 105    | 3987 | zero                                                     |
//! | 4092   | 4    | CRC32C of all before                                     |
//!
//! F1. The floor never exceeds what a sync has confirmed, and never falls.
//! F2. It is an extra witness: a log whose floor lags or is lost still opens,
//!     only less damage can be told from a torn tail.
//! F3. Before a segment is removed, both slots say so.
//! F4. It speaks of a checkpoint, and of the file of cursors, only once these are
//!     durable under their names, and never takes that back. The file of cursors is
//!     never removed, and no checkpoint before a newer one has its name: so a crash
//!     leaves a floor that says too little, and never one that says too much.

use tidal_types::{ByteReader, LogId, Seq};

use super::{Digest, FORMAT_VERSION, SegmentNumber};
use crate::limits::COUNT_MAX;

const MAGIC: [u8; 8] = *b"TIDALFLR";
const SLOT_BYTES: usize = 4096;
const CRC_OFFSET: usize = SLOT_BYTES - 4;

/// The length of the file, in bytes.
pub(crate) const FLOOR_BYTES: u64 = 2 * SLOT_BYTES as u64;

/// One slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Floor {
    pub(crate) log_id: LogId,
    pub(crate) generation: u64,
    pub(crate) synced_offset: u64,
    pub(crate) next_seq: Seq,
    pub(crate) oldest_segment: SegmentNumber,
    pub(crate) digest: Digest,
    /// The number of the newest checkpoint, plus one; 0 before the first.
    pub(crate) next_checkpoint: u64,
    /// Whether there is a file of cursors.
    pub(crate) has_cursors: bool,
}

impl Floor {
    /// Where in the file this slot goes.
    pub(crate) const fn slot_offset(&self) -> u64 {
        (self.generation % 2) * SLOT_BYTES as u64
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SLOT_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 6]);
        bytes.extend_from_slice(&self.log_id.to_bytes());
        for field in
            [self.generation, self.synced_offset, self.next_seq.get(), self.oldest_segment.get()]
        {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        bytes.extend_from_slice(&self.digest.to_bytes());
        bytes.extend_from_slice(&self.next_checkpoint.to_le_bytes());
        bytes.push(u8::from(self.has_cursors));
        bytes.resize(CRC_OFFSET, 0);
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }

    /// The newer of the sound slots in the bytes of the file; `None` when there is
    /// none.
    ///
    /// # Errors
    /// The version of a sound slot that this program does not know, or this very
    /// version when it has fields that should be zero and are not.
    pub(crate) fn decode_newest(file: &[u8]) -> Result<Option<Self>, u16> {
        let mut newest: Option<Self> = None;
        for slot in file.chunks(SLOT_BYTES) {
            let Some(covered) = sound(slot) else {
                continue;
            };
            let floor = Self::decode(covered)?;
            if newest.is_none_or(|newest| newest.generation < floor.generation) {
                newest = Some(floor);
            }
        }
        Ok(newest)
    }

    /// Makes the checksums right again, for who changes slots on purpose.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn reseal(file: &mut [u8]) {
        super::reseal_slots(file, SLOT_BYTES, CRC_OFFSET);
    }

    fn decode(covered: &[u8]) -> Result<Self, u16> {
        let mut reader = ByteReader::new(covered);
        reader.take(MAGIC.len());
        let version = reader.u16().unwrap_or_default();
        if version != FORMAT_VERSION {
            return Err(version);
        }
        Self::fields(reader).ok_or(version)
    }

    fn fields(mut reader: ByteReader<'_>) -> Option<Self> {
        let zero = reader.array::<6>()?;
        let floor = Self {
            log_id: LogId::from_bytes(reader.array()?),
            generation: reader.u64()?,
            synced_offset: reader.u64()?,
            next_seq: Seq::new(reader.u64()?),
            oldest_segment: SegmentNumber::new(reader.u64()?),
            digest: Digest::from_bytes(reader.array()?),
            next_checkpoint: reader.u64()?,
            has_cursors: match reader.u8()? {
                0 => false,
                1 => true,
                _ => return None,
            },
        };
        let is_zero = zero.iter().chain(reader.rest()).all(|&byte| byte == 0);
        (is_zero && floor.generation <= COUNT_MAX).then_some(floor)
    }
}

/// What the checksum of a slot covers, if it is right.
fn sound(slot: &[u8]) -> Option<&[u8]> {
    let (covered, crc) = slot.split_at_checked(CRC_OFFSET)?;
    let crc = ByteReader::new(crc).u32()?;
    (covered.starts_with(&MAGIC) && crc32c::crc32c(covered) == crc).then_some(covered)
}
